/* held-eventfd: stops a program in the middle of what it writes, as a library for LD_PRELOAD.
 *
 * When HELD_AT bytes have been told to an eventfd, eventfd_write() waits until somebody writes into the named
 * pipe HELD_UNTIL, or a signal comes: a test can look at a file that is still being written. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

__attribute__((visibility("default"))) int eventfd_write(int fd, eventfd_t value) {
    static unsigned long long told;
    const char *pipe = getenv("HELD_UNTIL"), *at = getenv("HELD_AT");
    unsigned long long limit = at ? strtoull(at, NULL, 10) : 0, before = told;
    int result = write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
    told += value;
    if (pipe && before < limit && told >= limit) {
        int end = open(pipe, O_RDONLY);
        if (end >= 0)
            close(end);
    }
    return result;
}

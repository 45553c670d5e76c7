/* bent-clock: another time for a program, as a library for LD_PRELOAD.
 *
 * The file BENT_CLOCK holds two numbers of seconds, in the machine's form of int64_t, which a test changes
 * while the program runs: what is added to the time of day, and what to the time since the machine was
 * booted. The first moves when somebody sets the clock, both when the machine sleeps; CLOCK_MONOTONIC, which
 * does neither, is as it was. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static const volatile int64_t *bent; /* NULL: no file */

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("BENT_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, 2 * sizeof *bent, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (at != MAP_FAILED)
        bent = at;
    if (fd >= 0)
        close(fd);
}

EXPORT int clock_gettime(clockid_t id, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, id, time);
    if (result == 0 && bent && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        time->tv_sec += bent[0];
    if (result == 0 && bent && id == CLOCK_BOOTTIME)
        time->tv_sec += bent[1];
    return result;
}

EXPORT int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return result;
}

EXPORT time_t time(time_t *ret) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

/* fds: how many descriptors and children this process has, to see that none is left over. */
#ifndef TESTS_UNIT_NET_FDS_H
#define TESTS_UNIT_NET_FDS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>

static int fds_count(void) {
    DIR *d = opendir("/proc/self/fd");
    int count = 0;
    while (d && readdir(d))
        count++;
    if (d)
        closedir(d);
    return count;
}

/* True if no child is there, dead or alive. */
static bool fds_has_no_child(void) {
    return waitpid(-1, NULL, WNOHANG) == -1;
}

#endif

#include "service/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { STATUS_MAX = 512, SEND_WAIT_US = 100 * 1000, US_PER_MS = 1000, NS_PER_US = 1000 };

static struct {
    struct sockaddr_un address;
    socklen_t address_len; /* 0: nobody listens */
    int64_t watchdog_ms;
} state;

/* --- environment --- */

/* A path or an abstract name; what does not fit, or is of another kind (vsock), counts as not set. */
static void take_socket(const char *name) {
    size_t n = name ? strlen(name) : 0;
    if (n < 2 || n >= sizeof state.address.sun_path || (name[0] != '/' && name[0] != '@'))
        return;
    state.address.sun_family = AF_UNIX;
    memcpy(state.address.sun_path, name, n);
    if (name[0] == '@')
        state.address.sun_path[0] = '\0';
    /* The NUL behind a path belongs to it; in an abstract name it would be one more character. */
    state.address_len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/' ? 1 : 0));
}

/* A whole number above 0, else 0. */
static int64_t number_of(const char *text) {
    if (!text || *text < '0' || *text > '9')
        return 0;
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    return errno || *end ? 0 : v;
}

static int64_t watchdog_from(const char *usec, const char *pid) {
    if (pid && number_of(pid) != getpid())
        return 0;
    int64_t us = number_of(usec);
    return us > 0 && us < 2 * US_PER_MS ? 1 : us / 2 / US_PER_MS;
}

void notify_init(void) {
    memset(&state, 0, sizeof state);
    take_socket(getenv("NOTIFY_SOCKET"));
    state.watchdog_ms = watchdog_from(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* --- messages --- */

static void tell(const char *text) {
    if (!state.address_len)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    const struct timeval wait = {.tv_usec = SEND_WAIT_US};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    while (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&state.address,
                  state.address_len) < 0 &&
           errno == EINTR)
        continue;
    close(fd);
}

void notify_ready(void) {
    tell("READY=1\n");
}

void notify_status(const char *text) {
    char line[STATUS_MAX + 16];
    int shown = (int)utf8_clip(text, strlen(text), STATUS_MAX);
    int n = snprintf(line, sizeof line, "STATUS=%.*s\n", shown, text);
    /* A line break would begin another assignment. */
    for (int i = 0; i < n - 1; i++) {
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    }
    tell(line);
}

void notify_reloading(void) {
    char text[64];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
             (long long)(clock_mono_ns() / NS_PER_US));
    tell(text);
}

void notify_stopping(void) {
    tell("STOPPING=1\n");
}

int64_t notify_watchdog(void) {
    return state.watchdog_ms;
}

void notify_alive(void) {
    tell("WATCHDOG=1\n");
}

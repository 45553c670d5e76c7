#include "base/cancel.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct cancel {
    atomic_int reason;
    int fd;
};

static struct cancel *_Atomic on_signal;

struct cancel *cancel_new(struct err *err) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, errno, "make an eventfd");
        return NULL;
    }
    struct cancel *c = mem_zalloc(sizeof *c);
    c->fd = fd;
    return c;
}

void cancel_free(struct cancel *c) {
    if (!c)
        return;
    close(c->fd);
    free(c);
}

void cancel_fire(struct cancel *c, int reason) {
    int none = 0;
    if (!atomic_compare_exchange_strong(&c->reason, &none, reason))
        return;
    int saved = errno;
    uint64_t one = 1;
    /* Cannot fail on a fresh eventfd; the flag above is what counts if it ever did. */
    if (write(c->fd, &one, sizeof one) < 0)
        errno = saved;
    errno = saved;
}

int cancel_reason(const struct cancel *c) {
    return c ? atomic_load_explicit(&c->reason, memory_order_relaxed) : 0;
}

int cancel_fd(const struct cancel *c) {
    return c ? c->fd : -1;
}

bool cancel_check(const struct cancel *c, struct err *err) {
    if (cancel_reason(c) == 0)
        return true;
    return err_set(err, ERR_CANCELLED, "stopped on request");
}

static void handle_signal(int number) {
    struct cancel *c = atomic_load(&on_signal);
    if (c)
        cancel_fire(c, number);
}

void cancel_on_signals(struct cancel *c) {
    atomic_store(&on_signal, c);
    struct sigaction act = {.sa_handler = c ? handle_signal : SIG_DFL, .sa_flags = SA_RESTART};
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
    /* A file size limit: write(2) then says EFBIG, which has a text. */
    sigaction(SIGXFSZ, &act, NULL);
}

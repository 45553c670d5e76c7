#include "sandbox/pacer.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

struct held {
    struct MHD_Connection *connection;
    int fd;
    int64_t until_mono_ms;
};

struct pacer {
    pthread_t thread;
    pthread_mutex_t lock; /* of everything below */
    struct held *held;
    size_t count, cap;
    bool stopped;
    int wake[2]; /* a pipe: a byte means "look again" */
};

static void wake(struct pacer *p) {
    /* A full pipe means that the thread will look anyway. */
    if (write(p->wake[1], "", 1) < 0)
        return;
}

static void drain(struct pacer *p) {
    char bytes[64];
    while (read(p->wake[0], bytes, sizeof bytes) > 0)
        continue;
}

static void resume_at(struct pacer *p, size_t i) {
    MHD_resume_connection(p->held[i].connection);
    p->held[i] = p->held[--p->count];
}

/* Fills the poll list from the held connections; returns how long to wait, -1 for ever. */
static int prepare(struct pacer *p, struct pollfd *fds) {
    int64_t now_ms = clock_mono_ms(), next_ms = PACER_FOREVER;
    fds[0] = (struct pollfd){.fd = p->wake[0], .events = POLLIN};
    for (size_t i = 0; i < p->count; i++) {
        fds[i + 1] = (struct pollfd){.fd = p->held[i].fd, .events = POLLRDHUP};
        if (p->held[i].until_mono_ms < next_ms)
            next_ms = p->held[i].until_mono_ms;
    }
    if (next_ms == PACER_FOREVER)
        return -1;
    int64_t wait_ms = next_ms - now_ms;
    return wait_ms < 0 ? 0 : wait_ms > 3600000 ? 3600000 : (int)wait_ms;
}

/* Resumes what is due or whose peer has gone. The list may have grown behind `polled`. */
static void resume_due(struct pacer *p, const struct pollfd *fds, size_t polled) {
    int64_t now_ms = clock_mono_ms();
    for (size_t i = p->count; i-- > 0;) {
        bool gone = false;
        for (size_t f = 1; f < polled && !gone; f++)
            gone = fds[f].fd == p->held[i].fd && fds[f].revents;
        if (gone || p->held[i].until_mono_ms <= now_ms)
            resume_at(p, i);
    }
}

static void *run(void *arg) {
    struct pacer *p = arg;
    struct pollfd *fds = NULL;
    pthread_mutex_lock(&p->lock);
    while (!p->stopped) {
        size_t n = p->count + 1;
        fds = mem_realloc_array(fds, n, sizeof *fds);
        int wait_ms = prepare(p, fds);
        pthread_mutex_unlock(&p->lock);
        poll(fds, n, wait_ms);
        drain(p);
        pthread_mutex_lock(&p->lock);
        resume_due(p, fds, n);
    }
    pthread_mutex_unlock(&p->lock);
    free(fds);
    return NULL;
}

struct pacer *pacer_start(struct err *err) {
    struct pacer *p = mem_zalloc(sizeof *p);
    if (pipe2(p->wake, O_NONBLOCK | O_CLOEXEC) < 0) {
        err_set_errno(err, ERR_UNAVAILABLE, errno, "make a pipe");
        free(p);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    int rc = pthread_create(&p->thread, NULL, run, p);
    if (rc == 0)
        return p;
    err_set_errno(err, ERR_UNAVAILABLE, rc, "start a thread");
    p->stopped = true;
    pacer_free(p);
    return NULL;
}

void pacer_stop(struct pacer *p) {
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    while (p->count > 0)
        resume_at(p, p->count - 1);
    pthread_mutex_unlock(&p->lock);
    wake(p);
    pthread_join(p->thread, NULL);
}

void pacer_free(struct pacer *p) {
    if (!p)
        return;
    close(p->wake[0]);
    close(p->wake[1]);
    pthread_mutex_destroy(&p->lock);
    free(p->held);
    free(p);
}

bool pacer_hold(struct pacer *p, struct MHD_Connection *connection, int64_t until_mono_ms) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&p->lock);
    bool ok = !p->stopped;
    if (ok) {
        if (p->count == p->cap) {
            p->cap = p->cap ? p->cap * 2 : 16;
            p->held = mem_realloc_array(p->held, p->cap, sizeof *p->held);
        }
        MHD_suspend_connection(connection);
        p->held[p->count++] = (struct held){connection, info->connect_fd, until_mono_ms};
    }
    pthread_mutex_unlock(&p->lock);
    if (ok)
        wake(p);
    return ok;
}

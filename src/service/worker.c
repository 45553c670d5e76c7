#include "service/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { FDS_MAX = 32 };

/* What travels through the pipe, in one write. */
struct report {
    struct err err;
    unsigned char result[WORKER_RESULT_MAX];
};

struct worker {
    struct worker_options o;
    pid_t pid;
    int fd; /* reading end */
    struct event *readable, *limit, *grace;
    struct report report;
    size_t got;
    bool is_late, is_stopping;
    struct worker *next; /* of those that have reported and are on their way out */
};

static struct worker *leaving;

/* --- the child --- */

static int by_number(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Above all the sockets: a copy of one would keep the connection open after the parent has closed it. */
static void close_the_rest(const struct worker_options *o, int pipe_fd) {
    int keep[FDS_MAX] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, pipe_fd};
    int n = 4;
    n += log_fds(o->log, keep + n, FDS_MAX - n - o->keep_count);
    for (int i = 0; i < o->keep_count; i++)
        keep[n++] = o->keep[i];
    qsort(keep, (size_t)n, sizeof *keep, by_number);
    unsigned next = 0;
    for (int i = 0; i < n; i++) {
        if (keep[i] < 0 || (unsigned)keep[i] < next)
            continue;
        if ((unsigned)keep[i] > next)
            close_range(next, (unsigned)keep[i] - 1, 0);
        next = (unsigned)keep[i] + 1;
    }
    close_range(next, ~0U, 0);
}

static void reset_signals(void) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGHUP, &ignore, NULL); /* the parent's handler would write into a closed descriptor */
}

__attribute__((noreturn)) static void be_child(const struct worker_options *o, int fd, pid_t parent) {
    struct report r = {.err = ERR_INIT};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    reset_signals();
    close_the_rest(o, fd);
    struct cancel *cancel = cancel_new(&r.err);
    if (cancel) {
        cancel_on_signals(cancel);
        if (o->work(o->payload, cancel, r.result, &r.err))
            r.err = ERR_INIT;
        else if (r.err.code == ERR_OK)
            err_set(&r.err, ERR_INTERNAL, "failed without saying why");
    }
    ssize_t n;
    do
        n = write(fd, &r, sizeof r);
    while (n < 0 && errno == EINTR);
    _exit(EXIT_SUCCESS);
}

/* --- the parent --- */

static void worker_free(struct worker *w) {
    if (w->readable)
        event_free(w->readable);
    if (w->limit)
        event_free(w->limit);
    if (w->grace)
        event_free(w->grace);
    close(w->fd);
    free(w);
}

/* The exit status; the child has closed its end of the pipe, so this does not wait long. */
static int reap(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void explain_end(struct worker *w, int status, struct err *err) {
    if (w->is_late) {
        err_set(err, ERR_DEADLINE_EXCEEDED, "not done after %d s", w->o.limit_ms / 1000);
    } else if (w->got == sizeof w->report) {
        *err = w->report.err;
    } else if (w->is_stopping) {
        err_set(err, ERR_CANCELLED, "stopped on request");
    } else if (WIFSIGNALED(status)) {
        err_set(err, ERR_INTERNAL, "the process doing it ended by signal %d (%s)%s", WTERMSIG(status),
                sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?",
                WTERMSIG(status) == SIGKILL ? ": out of memory? Look at the machine's log" : "");
    } else {
        err_set(err, ERR_INTERNAL, "the process doing it ended with status %d and no report",
                WEXITSTATUS(status));
    }
}

static void leave(struct worker *w) {
    for (struct worker **at = &leaving; *at; at = &(*at)->next) {
        if (*at != w)
            continue;
        *at = w->next;
        break;
    }
    reap(w->pid);
    worker_free(w);
}

void worker_drain(void) {
    while (leaving)
        leave(leaving);
}

static void tell(struct worker *w, const struct err *err) {
    struct report report = w->report;
    struct err outcome = *err;
    w->o.done(&outcome, report.result, w->o.payload);
}

/* The report is whole: what follows need not wait until the system has taken the child's memory apart. */
static void on_report(struct worker *w) {
    struct err err = ERR_INIT;
    explain_end(w, 0, &err);
    if (w->limit)
        event_del(w->limit);
    w->next = leaving;
    leaving = w;
    tell(w, &err);
}

/* The end without a report. */
static void on_death(struct worker *w) {
    struct err err = ERR_INIT;
    explain_end(w, reap(w->pid), &err);
    struct worker copy = *w;
    worker_free(w);
    tell(&copy, &err);
}

static void on_readable(evutil_socket_t fd, short what, void *payload) {
    (void)what;
    struct worker *w = payload;
    char *at = (char *)&w->report + w->got;
    bool is_whole = w->got == sizeof w->report;
    ssize_t n = is_whole ? 0 : read(fd, at, sizeof w->report - w->got);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        w->got += (size_t)n;
        if (w->got == sizeof w->report)
            on_report(w);
    } else if (is_whole) {
        leave(w);
    } else {
        on_death(w);
    }
}

static void on_grace(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct worker *w = payload;
    kill(w->pid, SIGKILL);
}

void worker_stop(struct worker *w) {
    if (w->is_stopping)
        return;
    w->is_stopping = true;
    kill(w->pid, SIGTERM);
    struct timeval grace = {.tv_sec = WORKER_GRACE_MS / 1000};
    w->grace = evtimer_new(w->o.base, on_grace, w);
    if (!w->grace || evtimer_add(w->grace, &grace) != 0)
        kill(w->pid, SIGKILL);
}

static void on_limit(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct worker *w = payload;
    w->is_late = true;
    worker_stop(w);
}

void worker_abandon(struct worker *w) {
    if (!w)
        return;
    kill(w->pid, SIGKILL);
    reap(w->pid);
    worker_free(w);
}

static bool watch(struct worker *w, struct err *err) {
    w->readable = event_new(w->o.base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
    bool ok = w->readable && event_add(w->readable, NULL) == 0;
    if (ok && w->o.limit_ms > 0) {
        struct timeval limit = {w->o.limit_ms / 1000, w->o.limit_ms % 1000 * 1000};
        w->limit = evtimer_new(w->o.base, on_limit, w);
        ok = w->limit && evtimer_add(w->limit, &limit) == 0;
    }
    return ok || err_set(err, ERR_RESOURCE_EXHAUSTED, "cannot watch a child process");
}

struct worker *worker_start(const struct worker_options *o, struct err *err) {
    assert(o->result_len <= WORKER_RESULT_MAX && o->keep_count <= WORKER_KEEP_MAX);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, errno, "make a pipe");
        return NULL;
    }
    fcntl(ends[1], F_SETFL, 0); /* the child's write may wait */
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        be_child(o, ends[1], parent);
    close(ends[1]);
    if (pid < 0) {
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, errno, "start a process");
        close(ends[0]);
        return NULL;
    }
    struct worker *w = mem_zalloc(sizeof *w);
    w->o = *o;
    w->pid = pid;
    w->fd = ends[0];
    if (!watch(w, err)) {
        worker_abandon(w);
        return NULL;
    }
    return w;
}

#include "service/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h> /* <poll.h> finds our own */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
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
    bool is_told;        /* `done` was called, or shall not be: what is left is to reap it */
    struct worker *next; /* of those that are told */
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

__attribute__((noreturn)) static void be_child(const struct worker_options *o, int fd, pid_t parent,
                                               const sigset_t *mask) {
    struct report r = {.err = ERR_INIT};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    reset_signals();
    close_the_rest(o, fd);
    struct cancel *cancel = cancel_new(&r.err);
    if (cancel) {
        cancel_on_signals(cancel);
        sigprocmask(SIG_SETMASK, mask, NULL);
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

/* True if the child has closed its end of the pipe before that time. */
static bool is_gone(const struct worker *w, int64_t until_mono_ms) {
    struct pollfd end = {.fd = w->fd}; /* a hang-up is told without being asked for */
    int64_t left;
    do {
        left = until_mono_ms - clock_mono_ms();
    } while (poll(&end, 1, left > 0 ? (int)left : 0) < 0 && errno == EINTR);
    return end.revents & POLLHUP;
}

void worker_drain(void) {
    int64_t until = clock_mono_ms() + WORKER_DRAIN_MS;
    while (leaving) {
        struct worker *w = leaving;
        leaving = w->next;
        if (is_gone(w, until))
            reap(w->pid);
        worker_free(w);
    }
}

/* From now on only its end is of interest. */
static void retire(struct worker *w) {
    w->is_told = true;
    if (w->limit)
        event_del(w->limit);
    w->next = leaving;
    leaving = w;
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
    retire(w);
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
    struct report late;
    char *at = w->is_told ? (char *)&late : (char *)&w->report + w->got;
    ssize_t n = read(fd, at, w->is_told ? sizeof late : sizeof w->report - w->got);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0 && !w->is_told) {
        w->got += (size_t)n;
        if (w->got == sizeof w->report)
            on_report(w);
    } else if (n <= 0 && w->is_told) {
        leave(w);
    } else if (n <= 0) {
        on_death(w);
    }
}

static void on_grace(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct worker *w = payload;
    struct err err = ERR_INIT;
    kill(w->pid, SIGKILL);
    if (w->is_told)
        return;
    explain_end(w, 0, &err);
    retire(w);
    tell(w, &err);
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
    retire(w);
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

/* No signal reaches the child before it has its own token: the handlers it inherits fire the parent's,
 * through a descriptor that both have. */
static pid_t start_child(const struct worker_options *o, int fd) {
    sigset_t all, mask;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        be_child(o, fd, parent, &mask);
    int problem = errno;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = problem;
    return pid;
}

struct worker *worker_start(const struct worker_options *o, struct err *err) {
    assert(o->result_len <= WORKER_RESULT_MAX && o->keep_count <= WORKER_KEEP_MAX);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, errno, "cannot make a pipe to a process for the work");
        return NULL;
    }
    fcntl(ends[1], F_SETFL, 0); /* the child's write may wait */
    pid_t pid = start_child(o, ends[1]);
    int problem = errno;
    close(ends[1]);
    if (pid < 0) {
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, problem, "cannot start a process for the work");
        close(ends[0]);
        return NULL;
    }
    struct worker *w = mem_zalloc(sizeof *w);
    w->o = *o;
    w->pid = pid;
    w->fd = ends[0];
    if (!watch(w, err)) {
        kill(pid, SIGKILL);
        reap(pid);
        worker_free(w);
        return NULL;
    }
    return w;
}

#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

/* What the child says. It goes through the pipe in one piece. */
struct record {
    int32_t status; /* of getaddrinfo() */
    int32_t system_error;
    uint32_t count;
    struct resolve_address addresses[RESOLVE_MAX];
};

_Static_assert(sizeof(struct record) <= PIPE_BUF, "a record is written at once or not at all");

struct resolve {
    char *host;
    int port, timeout_ms;
    resolve_done *done;
    void *payload;
    struct event *timer;    /* the time limit; for what is known already, the next turn */
    struct event *readable; /* NULL: no child */
    int fd;
    pid_t child; /* 0: none */
    struct record record;
    size_t got;
    struct err err; /* why no child could be started */
};

/* ---- the lookup ---- */

static void set_port(struct resolve_address *a, int port) {
    in_port_t number = htons((uint16_t)port);
    /* Both begin with the family; a cast would have to promise more about alignment. */
    if (a->socket_address.ss_family == AF_INET)
        memcpy((char *)&a->socket_address + offsetof(struct sockaddr_in, sin_port), &number,
               sizeof number);
    else
        memcpy((char *)&a->socket_address + offsetof(struct sockaddr_in6, sin6_port), &number,
               sizeof number);
}

static void look_up(const char *host, int port, int flags, struct record *record) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    memset(record, 0, sizeof *record);
    record->status = getaddrinfo(host, NULL, &hints, &list);
    record->system_error = record->status == EAI_SYSTEM ? errno : 0;
    if (record->status != 0)
        return;
    for (const struct addrinfo *i = list; i && record->count < RESOLVE_MAX; i = i->ai_next) {
        if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
            continue;
        struct resolve_address *a = &record->addresses[record->count++];
        memcpy(&a->socket_address, i->ai_addr, i->ai_addrlen);
        a->len = i->ai_addrlen;
        set_port(a, port);
    }
    freeaddrinfo(list);
}

/* Above all the sockets: a copy of one keeps its connection open after the parent has closed it. */
static void close_the_rest(int fd) {
    const unsigned first = STDERR_FILENO + 1, kept = (unsigned)fd;
    if (kept > first)
        close_range(first, kept - 1, 0);
    close_range(kept < first ? first : kept + 1, ~0U, 0);
}

static _Noreturn void run_child(const struct resolve *r, int fd, pid_t parent,
                                const sigset_t *old_mask) {
    /* The parent's handlers would write into a pipe that the two processes share; and what is sent to
     * all processes of the service must not end a lookup that the parent still waits for. */
    static const int for_parent[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof for_parent / sizeof for_parent[0]; i++)
        signal(for_parent[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, old_mask, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_the_rest(fd);
    struct record record;
    look_up(r->host, r->port, 0, &record);
    _exit(write(fd, &record, sizeof record) == (ssize_t)sizeof record ? 0 : 1);
}

static bool start_child(struct resolve *r) {
    int ends[2];
    sigset_t all, old;
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_set_errno(&r->err, ERR_UNAVAILABLE, errno, "cannot look up %s", r->host);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t child = fork();
    int fork_error = errno;
    if (child == 0)
        run_child(r, ends[1], parent, &old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return err_set_errno(&r->err, ERR_UNAVAILABLE, fork_error,
                             "cannot start a process to look up %s", r->host);
    }
    r->child = child;
    r->fd = ends[0];
    return true;
}

/* It has said all it had to say, or is not to say anything: the wait is short. */
static void stop_child(struct resolve *r) {
    if (r->readable)
        event_free(r->readable);
    r->readable = NULL;
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    if (r->child > 0) {
        kill(r->child, SIGKILL);
        while (waitpid(r->child, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    r->child = 0;
}

void resolve_cancel(struct resolve *r) {
    if (!r)
        return;
    stop_child(r);
    event_free(r->timer);
    free(r->host);
    free(r);
}

/* ---- the end ---- */

static void finish(struct resolve *r, const struct err *err) {
    resolve_done *done = r->done;
    void *payload = r->payload;
    struct record record = r->record;
    if (err->code != ERR_OK)
        record.count = 0;
    resolve_cancel(r);
    done(record.addresses, record.count, err, payload);
}

static void explain(const struct resolve *r, struct err *err) {
    const struct record *record = &r->record;
    switch (record->status) {
    case EAI_NONAME:
    case EAI_NODATA:
        err_set(err, ERR_UNAVAILABLE,
                "the host %s has no address: name or service not known; check the spelling of the "
                "name, and the name server in /etc/resolv.conf", r->host);
        break;
    case EAI_AGAIN:
        err_set(err, ERR_UNAVAILABLE,
                "cannot look up %s: temporary failure, the name server did not answer; check the "
                "network and /etc/resolv.conf, or try again later", r->host);
        break;
    case EAI_SYSTEM:
        err_set_errno(err, ERR_UNAVAILABLE, record->system_error, "cannot look up %s", r->host);
        break;
    default:
        err_set(err, ERR_UNAVAILABLE, "cannot look up %s: %s", r->host,
                gai_strerror(record->status));
    }
}

static bool is_whole(const struct record *record) {
    if (record->count > RESOLVE_MAX)
        return false;
    for (uint32_t i = 0; i < record->count; i++)
        if (record->addresses[i].len > sizeof record->addresses[i].socket_address)
            return false;
    return true;
}

static void judge(struct resolve *r) {
    struct err err = ERR_INIT;
    if (r->got != sizeof r->record || !is_whole(&r->record))
        err_set(&err, ERR_UNAVAILABLE, "cannot look up %s: the process that asks ended early",
                r->host);
    else if (r->record.status != 0)
        explain(r, &err);
    else if (r->record.count == 0)
        err_set(&err, ERR_UNAVAILABLE, "the host %s has no IP address", r->host);
    finish(r, &err);
}

static void on_readable(evutil_socket_t fd, short what, void *payload) {
    (void)what;
    struct resolve *r = payload;
    ssize_t n = read(fd, (char *)&r->record + r->got, sizeof r->record - r->got);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        r->got += (size_t)n;
    if (n <= 0 || r->got == sizeof r->record)
        judge(r);
}

static void on_known(evutil_socket_t fd, short what, void *payload) {
    (void)fd;
    (void)what;
    struct resolve *r = payload;
    if (r->err.code == ERR_OK) {
        judge(r);
    } else {
        struct err err = r->err;
        finish(r, &err);
    }
}

static void on_limit(evutil_socket_t fd, short what, void *payload) {
    (void)fd;
    (void)what;
    struct resolve *r = payload;
    struct err err = ERR_INIT;
    err_set(&err, ERR_DEADLINE_EXCEEDED,
            "the name server did not give the address of %s within %d ms; check the network and "
            "/etc/resolv.conf", r->host, r->timeout_ms);
    finish(r, &err);
}

/* ---- the start ---- */

static struct event *new_timer(struct event_base *base, event_callback_fn callback, int ms,
                               struct resolve *r) {
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    struct event *timer = evtimer_new(base, callback, r);
    if (!timer || evtimer_add(timer, &after) != 0)
        mem_die();
    return timer;
}

struct resolve *resolve_start(struct event_base *base, const char *host, int port, int timeout_ms,
                              resolve_done *done, void *payload) {
    struct resolve *r = mem_zalloc(sizeof *r);
    *r = (struct resolve){.host = mem_strdup(host), .port = port, .timeout_ms = timeout_ms,
                          .done = done, .payload = payload, .fd = -1};
    look_up(host, port, AI_NUMERICHOST, &r->record);
    if (r->record.status == 0)
        r->got = sizeof r->record;
    if (r->record.status == 0 || !start_child(r)) {
        r->timer = new_timer(base, on_known, 0, r);
        return r;
    }
    memset(&r->record, 0, sizeof r->record);
    r->timer = new_timer(base, on_limit, timeout_ms, r);
    r->readable = event_new(base, r->fd, EV_READ | EV_PERSIST, on_readable, r);
    if (!r->readable || event_add(r->readable, NULL) != 0)
        mem_die();
    return r;
}

void resolve_text(const struct resolve_address *a, char ret_text[RESOLVE_TEXT_MAX]) {
    char host[INET6_ADDRSTRLEN + 16], port[8];
    struct sockaddr_storage copy = a->socket_address;
    if (getnameinfo((const struct sockaddr *)&copy, a->len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(ret_text, RESOLVE_TEXT_MAX, "an address");
        return;
    }
    snprintf(ret_text, RESOLVE_TEXT_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

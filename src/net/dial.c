#include "net/dial.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/proxy.h"
#include "net/resolve.h"

enum step { STEP_LOOKUP, STEP_CONNECT, STEP_TUNNEL, STEP_HANDSHAKE };

static const char *const step_words[] = {
    [STEP_LOOKUP] = "its name was still being looked up; check the name server in /etc/resolv.conf",
    [STEP_CONNECT] = "no address had answered; check the network, and firewalls between",
    [STEP_TUNNEL] = "the proxy had not answered; check HTTPS_PROXY",
    [STEP_HANDSHAKE] = "the TLS handshake was not finished; check that the port is the TLS server's",
};

struct attempt {
    struct dial *dial;
    size_t number;
    int fd;               /* -1: none */
    struct event *ready;
};

struct dial {
    struct event_base *base;
    struct trust *trust;
    char *host, *protocol;
    char *target; /* "host:port", with brackets where needed */
    char *hop;    /* who is connected to: the target, or "the proxy host:port" */
    int port, timeout_ms;
    dial_done *done;
    void *payload;

    enum step step;
    struct event *limit;
    struct err failed; /* what was known at the start */
    struct proxy proxy;
    struct resolve *resolve;

    struct resolve_address addresses[RESOLVE_MAX];
    struct attempt attempts[RESOLVE_MAX];
    size_t address_count, next, open;
    struct event *head_start;
    int last_errno;
    char last_address[RESOLVE_TEXT_MAX];

    int fd; /* connected, before the stream owns it; -1 */
    struct event *io;
    struct secret request;
    size_t sent;
    struct proxy_answer answer;
    struct bufferevent *stream;
};

/* ---- the end ---- */

static void close_attempt(struct attempt *a) {
    if (a->ready)
        event_free(a->ready);
    if (a->fd >= 0)
        close(a->fd);
    a->ready = NULL;
    a->fd = -1;
}

static void free_event(struct event **event) {
    if (*event)
        event_free(*event);
    *event = NULL;
}

void dial_cancel(struct dial *d) {
    if (!d)
        return;
    resolve_cancel(d->resolve);
    for (size_t i = 0; i < d->address_count; i++)
        close_attempt(&d->attempts[i]);
    free_event(&d->limit);
    free_event(&d->head_start);
    free_event(&d->io);
    if (d->stream)
        bufferevent_free(d->stream);
    if (d->fd >= 0)
        close(d->fd);
    proxy_done(&d->proxy);
    secret_done(&d->request);
    free(d->host);
    free(d->protocol);
    free(d->target);
    free(d->hop);
    free(d);
}

static void finish(struct dial *d, struct bufferevent *stream, const struct err *err) {
    dial_done *done = d->done;
    void *payload = d->payload;
    struct err copy = *err;
    if (stream)
        d->stream = NULL;
    dial_cancel(d);
    done(stream, &copy, payload);
}

static struct event *new_event(struct dial *d, int fd, short what, event_callback_fn callback,
                               void *payload, int after_ms) {
    struct timeval after = {.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
    struct event *event = event_new(d->base, fd, what, callback, payload);
    if (!event || event_add(event, after_ms >= 0 ? &after : NULL) != 0)
        mem_die();
    return event;
}

void dial_progress(const struct dial *d, char ret_text[DIAL_PROGRESS_MAX]) {
    bool is_at_proxy = d->step < STEP_HANDSHAKE && !d->proxy.is_direct;
    snprintf(ret_text, DIAL_PROGRESS_MAX, "%s%s%s", is_at_proxy ? d->hop : "",
             is_at_proxy ? ": " : "", step_words[d->step]);
}

static void on_limit(evutil_socket_t fd, short what, void *payload) {
    (void)fd;
    (void)what;
    struct dial *d = payload;
    struct err err = d->failed;
    char progress[DIAL_PROGRESS_MAX];
    dial_progress(d, progress);
    if (err.code == ERR_OK)
        err_set(&err, ERR_DEADLINE_EXCEEDED, "no connection to %s within %d ms: %s", d->target,
                d->timeout_ms, progress);
    finish(d, NULL, &err);
}

/* ---- the handshake ---- */

static bool check_protocol(struct dial *d, SSL *ssl, struct err *err) {
    const unsigned char *chosen = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &n);
    if (n == 0 && strcmp(d->protocol, "http/1.1") == 0)
        return true;
    if (n == strlen(d->protocol) && memcmp(chosen, d->protocol, n) == 0)
        return true;
    return err_set(err, ERR_UNAVAILABLE,
                   "%s does not speak %s (it chose %s during the TLS handshake); check the host and "
                   "the port, and that no proxy between ends TLS", d->target, d->protocol,
                   n == 0 ? "no application protocol" : "another application protocol");
}

static void explain_handshake(struct dial *d, struct err *err) {
    SSL *ssl = bufferevent_openssl_get_ssl(d->stream);
    unsigned long error = bufferevent_get_openssl_error(d->stream);
    trust_explain_error(ssl, d->target, error, err);
    if (!d->proxy.is_direct)
        err_append(err, " (through %s)", d->hop);
}

static void on_handshake(struct bufferevent *stream, short what, void *payload) {
    struct dial *d = payload;
    struct err err = ERR_INIT;
    if (what & BEV_EVENT_CONNECTED) {
        if (check_protocol(d, bufferevent_openssl_get_ssl(stream), &err)) {
            bufferevent_setcb(stream, NULL, NULL, NULL, NULL);
            bufferevent_disable(stream, EV_READ | EV_WRITE);
            finish(d, stream, &err);
            return;
        }
    } else
        explain_handshake(d, &err);
    finish(d, NULL, &err);
}

static void begin_handshake(struct dial *d) {
    struct err err = ERR_INIT;
    d->step = STEP_HANDSHAKE;
    free_event(&d->io);
    SSL *ssl = trust_session(d->trust, d->host, d->protocol, &err);
    if (!ssl) {
        finish(d, NULL, &err);
        return;
    }
    d->stream = bufferevent_openssl_socket_new(d->base, d->fd, ssl, BUFFEREVENT_SSL_CONNECTING,
                                               BEV_OPT_CLOSE_ON_FREE);
    if (!d->stream)
        mem_die();
    d->fd = -1;
    bufferevent_openssl_set_allow_dirty_shutdown(d->stream, 1);
    bufferevent_setcb(d->stream, NULL, NULL, on_handshake, d);
}

/* ---- the tunnel ---- */

static void fail_tunnel(struct dial *d, const char *what, int error) {
    struct err err = ERR_INIT;
    if (error != 0)
        err_set_errno(&err, ERR_UNAVAILABLE, error, "%s %s", d->hop, what);
    else
        err_set(&err, ERR_UNAVAILABLE, "%s %s; check HTTPS_PROXY", d->hop, what);
    finish(d, NULL, &err);
}

static void on_proxy_answer(evutil_socket_t fd, short what, void *payload) {
    (void)what;
    struct dial *d = payload;
    struct err err = ERR_INIT;
    char bytes[1024];
    size_t used = 0;
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fail_tunnel(d, "closed the connection without an answer", n < 0 ? errno : 0);
        return;
    }
    bool ok = proxy_answer_feed(&d->answer, bytes, (size_t)n, &used, &err);
    if (ok && !d->answer.is_complete)
        return;
    ok = ok && proxy_answer_check(&d->answer, d->target, &err);
    /* In TLS the client speaks first: these bytes cannot be the target's. */
    if (ok && used < (size_t)n)
        ok = err_set(&err, ERR_UNAVAILABLE, "the proxy sent more than the head of its answer; check "
                                            "that HTTPS_PROXY names an HTTP proxy");
    if (ok) {
        begin_handshake(d);
        return;
    }
    err_wrap(&err, "%s", d->hop);
    finish(d, NULL, &err);
}

static void on_proxy_writable(evutil_socket_t fd, short what, void *payload) {
    (void)what;
    struct dial *d = payload;
    ssize_t n = send(fd, secret_reveal(&d->request) + d->sent, d->request.len - d->sent,
                     MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        fail_tunnel(d, "lost the connection", errno);
        return;
    }
    d->sent += (size_t)n;
    if (d->sent < d->request.len)
        return;
    secret_done(&d->request);
    free_event(&d->io);
    d->io = new_event(d, fd, EV_READ | EV_PERSIST, on_proxy_answer, d, -1);
}

static void begin_tunnel(struct dial *d) {
    d->step = STEP_TUNNEL;
    proxy_request(&d->proxy, d->host, d->port, &d->request);
    d->io = new_event(d, d->fd, EV_WRITE | EV_PERSIST, on_proxy_writable, d, -1);
}

/* ---- the connection ---- */

static void connect_next(struct dial *d);

static void note_failure(struct dial *d, const struct attempt *a, int error) {
    d->last_errno = error;
    resolve_text(&d->addresses[a->number], d->last_address);
}

static void set_options(int fd) {
    /* Go's keep-alive. None of these is worth failing for. */
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 15}, {IPPROTO_TCP, TCP_KEEPINTVL, 15},
        {IPPROTO_TCP, TCP_KEEPCNT, 9},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static void on_connected(struct dial *d, struct attempt *winner) {
    d->fd = winner->fd;
    winner->fd = -1;
    for (size_t i = 0; i < d->address_count; i++)
        close_attempt(&d->attempts[i]);
    free_event(&d->head_start);
    if (d->proxy.is_direct)
        begin_handshake(d);
    else
        begin_tunnel(d);
}

static void on_attempt(evutil_socket_t fd, short what, void *payload) {
    (void)what;
    struct attempt *a = payload;
    struct dial *d = a->dial;
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        error = errno;
    if (error == 0) {
        on_connected(d, a);
        return;
    }
    note_failure(d, a, error);
    close_attempt(a);
    d->open--;
    connect_next(d);
}

/* True if it is under way. */
static bool begin_attempt(struct dial *d, struct attempt *a) {
    const struct resolve_address *to = &d->addresses[a->number];
    a->fd = socket(to->socket_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (a->fd >= 0) {
        set_options(a->fd);
        if (connect(a->fd, (const struct sockaddr *)&to->socket_address, to->len) == 0 ||
            errno == EINPROGRESS) {
            a->ready = new_event(d, a->fd, EV_WRITE, on_attempt, a, -1);
            d->open++;
            return true;
        }
    }
    note_failure(d, a, errno);
    close_attempt(a);
    return false;
}

static void on_head_start_over(evutil_socket_t fd, short what, void *payload) {
    (void)fd;
    (void)what;
    connect_next(payload);
}

static void fail_connect(struct dial *d) {
    struct err err = ERR_INIT;
    err_set_errno(&err, ERR_UNAVAILABLE, d->last_errno, "cannot connect to %s: %s", d->hop,
                  d->last_address);
    if (d->address_count > 1)
        err_append(&err, " (the last of %zu addresses that were tried)", d->address_count);
    err_append(&err, "; check the host, the port%s, and that the server runs",
               d->proxy.is_direct ? "" : " (HTTPS_PROXY)");
    finish(d, NULL, &err);
}

/* Frees the dial if there is nothing left to try. */
static void connect_next(struct dial *d) {
    free_event(&d->head_start);
    while (d->next < d->address_count)
        if (begin_attempt(d, &d->attempts[d->next++])) {
            if (d->next < d->address_count)
                d->head_start = new_event(d, -1, 0, on_head_start_over, d, DIAL_HEAD_START_MS);
            return;
        }
    if (d->open == 0)
        fail_connect(d);
}

static void on_resolved(const struct resolve_address *addresses, size_t count,
                        const struct err *err, void *payload) {
    struct dial *d = payload;
    d->resolve = NULL;
    if (count == 0) {
        struct err copy = *err;
        err_wrap(&copy, "cannot connect to %s", d->hop);
        finish(d, NULL, &copy);
        return;
    }
    d->step = STEP_CONNECT;
    d->address_count = count;
    for (size_t i = 0; i < count; i++) {
        d->addresses[i] = addresses[i];
        d->attempts[i] = (struct attempt){.dial = d, .number = i, .fd = -1};
    }
    connect_next(d);
}

/* ---- the start ---- */

/* What could be read as something else, in a request line or a log, is no host. */
static bool check_target(const char *host, int port, struct err *err) {
    static const char chars[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:%";
    size_t n = strlen(host);
    if (n == 0 || n >= PROXY_HOST_MAX || strspn(host, chars) != n)
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "a host to connect to must have 1 to %d letters, digits, '-' and '.'",
                       PROXY_HOST_MAX - 1);
    return (port >= 1 && port <= 65535) ||
           err_set(err, ERR_INVALID_ARGUMENT, "a port to connect to must be 1 to 65535, not %d", port);
}

static char *join(const char *start, const char *host, int port) {
    bool is_v6 = strchr(host, ':') != NULL;
    return mem_printf("%s%s%s%s:%d", start, is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

static void begin(struct dial *d) {
    struct proxy_settings settings = proxy_settings_from_environment();
    if (!check_target(d->host, d->port, &d->failed) ||
        !proxy_for(&settings, d->host, d->port, &d->proxy, &d->failed)) {
        d->limit = new_event(d, -1, 0, on_limit, d, 0);
        return;
    }
    bool is_direct = d->proxy.is_direct;
    const char *host = is_direct ? d->host : d->proxy.host;
    int port = is_direct ? d->port : d->proxy.port;
    d->hop = join(is_direct ? "" : "the proxy ", host, port);
    d->limit = new_event(d, -1, 0, on_limit, d, d->timeout_ms);
    d->resolve = resolve_start(d->base, host, port, d->timeout_ms, on_resolved, d);
}

struct dial *dial_start(const struct dial_options *options, dial_done *done, void *payload) {
    struct dial *d = mem_zalloc(sizeof *d);
    *d = (struct dial){
        .base = options->base,
        .trust = options->trust,
        .host = mem_strdup(options->host),
        .protocol = mem_strdup(options->protocol),
        .target = join("", options->host, options->port),
        .port = options->port,
        .timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DIAL_TIMEOUT_MS,
        .done = done,
        .payload = payload,
        .proxy = PROXY_INIT,
        .fd = -1,
    };
    begin(d);
    return d;
}

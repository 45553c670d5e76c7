#include "service/health.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"

enum {
    BACKLOG = 64,
    /* Connections over the limit are accepted to be closed; more than these wait in the kernel. */
    HELD_MAX = 2 * HEALTH_CONNECTIONS_MAX,
    /* More unread input than this stays in the kernel. Above what a request may take. */
    INPUT_MAX = 2 * HEALTH_HEADERS_MAX,
    BODY_MAX = 256 * 1024,
    IDLE_MS = 10 * 1000, /* a look at the listener now and then, when nothing else is due */
    CUT_MS = 50,
    ANY_METHOD = 0xffff, /* of evhttp: those it does not know, too */
};

/* evhttp neither counts its connections nor limits how long a request may take to arrive, so we hold a
 * reference to each stream: it shows when evhttp has let go of it, and its socket can be shut down. */
struct conn {
    struct bufferevent *stream;
    struct evhttp_request *waiting; /* for the running check */
    int64_t deadline_ms;            /* 0: none */
    bool is_cut;
    struct conn *next;
};

struct verdict {
    bool is_healthy;
    char *why; /* owned; NULL if healthy */
    int64_t at_ns;
    int64_t good_until_ms; /* 0: there is none */
};

struct health_reply {
    struct health *owner; /* NULL: gone */
    int64_t due_ms;
    bool is_overdue;
};

struct health {
    struct event_base *base;
    struct evhttp *http;
    struct evconnlistener *listener; /* evhttp's */
    struct event *timer;
    struct conn *conns;
    int held, port;
    bool has_released; /* a connection will be released before the next turn of the loop */
    int request_ms, check_ms, reuse_ms;
    const struct metrics *metrics;
    health_check_start *check;
    void *payload;
    struct health_reply *running;
    struct verdict verdict;
    bool is_ready;
    char *why_not;
};

/* --- time --- */

/* Sets the timer to what is due first. */
static void plan(struct health *h) {
    int64_t now = clock_mono_ms(), next = now + IDLE_MS;
    for (const struct conn *c = h->conns; c; c = c->next) {
        int64_t due = c->is_cut ? now + CUT_MS : c->deadline_ms;
        next = due && due < next ? due : next;
    }
    if (h->running && !h->running->is_overdue && h->running->due_ms < next)
        next = h->running->due_ms;
    int64_t ms = next > now && !h->has_released ? next - now : 0;
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(h->timer, &tv);
}

/* --- connections --- */

/* evhttp frees a stream by taking its callbacks away and dropping its reference. */
static bool is_released(const struct conn *c) {
    bufferevent_event_cb callback = NULL;
    bufferevent_getcb(c->stream, NULL, NULL, &callback, NULL);
    return !callback;
}

static void forget_released(struct health *h) {
    for (struct conn **at = &h->conns; *at;) {
        struct conn *c = *at;
        if (!is_released(c)) {
            at = &c->next;
            continue;
        }
        assert(!c->waiting);
        *at = c->next;
        bufferevent_decref(c->stream);
        free(c);
        h->held--;
    }
}

/* A place for the next connection of evhttp. */
static struct bufferevent *make_stream(struct event_base *base, void *payload) {
    struct health *h = payload;
    forget_released(h);
    struct conn *c = mem_zalloc(sizeof *c);
    c->stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!c->stream)
        mem_die();
    bufferevent_incref(c->stream);
    bufferevent_setwatermark(c->stream, EV_READ, 0, INPUT_MAX);
    bool is_welcome = h->held < HEALTH_CONNECTIONS_MAX;
    c->deadline_ms = clock_mono_ms() + (is_welcome ? h->request_ms : 0);
    c->next = h->conns;
    h->conns = c;
    if (++h->held >= HELD_MAX)
        evconnlistener_disable(h->listener);
    plan(h);
    return c->stream;
}

static struct conn *conn_of(struct health *h, struct evhttp_request *req) {
    const struct bufferevent *stream =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));
    struct conn *c = h->conns;
    while (c && c->stream != stream)
        c = c->next;
    assert(c);
    return c;
}

/* evhttp reads the end of what was shut down, and frees the connection its own way. */
static void cut_late(struct health *h, int64_t now) {
    for (struct conn *c = h->conns; c; c = c->next) {
        if (c->is_cut || !c->deadline_ms || now < c->deadline_ms)
            continue;
        shutdown(bufferevent_getfd(c->stream), SHUT_RDWR);
        c->is_cut = true;
    }
}

/* The client of a waiting request went away. evhttp leaves a request that it took off the
 * connection to us, and frees one that is still on it. */
static void on_close(struct evhttp_connection *connection, void *payload) {
    struct conn *c = payload;
    (void)connection;
    if (c->waiting && !evhttp_request_get_connection(c->waiting))
        evhttp_request_free(c->waiting);
    c->waiting = NULL;
}

/* --- answers --- */

static void on_answered(struct evhttp_request *req, void *payload) {
    struct health *h = payload;
    (void)req;
    h->has_released = true;
    plan(h);
}

static void answer(struct health *h, struct evhttp_request *req, int status, const char *type,
                   const struct buf *body) {
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    char length[24];
    snprintf(length, sizeof length, "%zu", body->len);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Length", length);
    /* One request a connection; or evhttp would add a keep-alive for a client of HTTP/1.0. */
    evhttp_remove_header(evhttp_request_get_input_headers(req), "Connection");
    evhttp_add_header(headers, "Connection", "close");
    struct evbuffer *out = evbuffer_new();
    if (!out)
        mem_die();
    if (evhttp_request_get_command(req) != EVHTTP_REQ_HEAD &&
        evbuffer_add(out, body->data, body->len) != 0)
        mem_die();
    conn_of(h, req)->deadline_ms = clock_mono_ms() + h->request_ms;
    evhttp_request_set_on_complete_cb(req, on_answered, h);
    const char *reason = status == 200 ? "OK" : status == 404 ? "Not Found" : "Service Unavailable";
    evhttp_send_reply(req, status, reason, out);
    evbuffer_free(out);
    plan(h);
}

static void answer_status(struct health *h, struct evhttp_request *req, const char *bad_status,
                          const char *good_status, int64_t at_ns, const char *error,
                          const char *validation_error) {
    char when[CLOCK_TEXT_MAX];
    clock_format_rfc3339(at_ns - at_ns % CLOCK_NS_PER_S, when);
    buf_auto struct buf body;
    buf_init(&body, BODY_MAX);
    struct jsonw w;
    jsonw_init(&w, &body, false);
    jsonw_object(&w);
    jsonw_kv(&w, "status", error ? bad_status : good_status);
    jsonw_kv(&w, "timestamp", when);
    if (error) {
        jsonw_key(&w, "details");
        jsonw_object(&w);
        jsonw_kv(&w, "error", error);
        if (validation_error)
            jsonw_kv(&w, "validation_error", validation_error);
        jsonw_object_end(&w);
    }
    jsonw_object_end(&w);
    buf_addc(&body, '\n');
    answer(h, req, error ? 503 : 200, "application/json", &body);
}

static void answer_live(struct health *h, struct evhttp_request *req) {
    answer_status(h, req, NULL, "alive", clock_now_ns(), NULL, NULL);
}

static void answer_ready(struct health *h, struct evhttp_request *req) {
    const char *why_not = h->why_not ? h->why_not : "failed to get connector client";
    answer_status(h, req, "not_ready", "ready", clock_now_ns(), h->is_ready ? NULL : why_not, NULL);
}

static void answer_metrics(struct health *h, struct evhttp_request *req) {
    buf_auto struct buf body;
    buf_init(&body, BODY_MAX);
    metrics_write(h->metrics, &body);
    if (buf_ok(&body)) {
        answer(h, req, 200, METRICS_CONTENT_TYPE, &body);
        return;
    }
    buf_reset(&body);
    buf_adds(&body, "too many metrics\n");
    answer(h, req, 503, "text/plain; charset=utf-8", &body);
}

static void answer_not_found(struct health *h, struct evhttp_request *req) {
    buf_auto struct buf body;
    buf_init(&body, BODY_MAX);
    buf_adds(&body, "404 page not found\n");
    answer(h, req, 404, "text/plain; charset=utf-8", &body);
}

/* --- the check --- */

static void answer_verdict(struct health *h, struct evhttp_request *req) {
    const struct verdict *v = &h->verdict;
    answer_status(h, req, "unhealthy", "healthy", v->at_ns,
                  v->is_healthy ? NULL : "connector validation failed", v->why);
}

/* Takes the verdict and tells it to all that wait. `why` is NULL for a good one. */
static void settle(struct health *h, const char *why, int64_t good_until_ms) {
    free(h->verdict.why);
    h->verdict = (struct verdict){.is_healthy = !why,
                                  .why = why ? mem_strdup(why) : NULL,
                                  .at_ns = clock_now_ns(),
                                  .good_until_ms = good_until_ms};
    for (struct conn *c = h->conns; c; c = c->next) {
        struct evhttp_request *req = c->waiting;
        c->waiting = NULL;
        if (req)
            answer_verdict(h, req);
    }
}

static void look_at_check(struct health *h, int64_t now) {
    if (!h->running || h->running->is_overdue || now < h->running->due_ms)
        return;
    h->running->is_overdue = true;
    /* Until the answer comes after all. */
    settle(h, "context deadline exceeded: the check has not answered yet", INT64_MAX);
}

void health_reply_done(struct health_reply *reply, const struct err *err) {
    struct health *h = reply->owner;
    free(reply);
    if (!h)
        return;
    h->running = NULL;
    bool is_bad = err && err->code != ERR_OK;
    settle(h, is_bad ? err->msg : NULL, clock_mono_ms() + h->reuse_ms);
    plan(h);
}

static void start_check(struct health *h) {
    struct health_reply *reply = mem_zalloc(sizeof *reply);
    reply->owner = h;
    reply->due_ms = clock_mono_ms() + h->check_ms;
    h->running = reply;
    plan(h);
    if (h->check)
        h->check(reply, h->payload);
    else
        health_reply_done(reply, NULL);
}

static void answer_health(struct health *h, struct evhttp_request *req) {
    if (clock_mono_ms() < h->verdict.good_until_ms) {
        answer_verdict(h, req);
        return;
    }
    struct conn *c = conn_of(h, req);
    c->waiting = req;
    c->deadline_ms = 0; /* the check has its own */
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, c);
    if (!h->running)
        start_check(h);
}

/* --- the server --- */

static void on_request(struct evhttp_request *req, void *payload) {
    static const struct {
        const char *path;
        void (*answer)(struct health *h, struct evhttp_request *req);
    } rows[] = {
        {"/health", answer_health},
        {"/ready", answer_ready},
        {"/live", answer_live},
        {"/metrics", answer_metrics},
    };
    struct health *h = payload;
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
    for (size_t i = 0; path && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(path, rows[i].path) == 0 && (h->metrics || rows[i].answer != answer_metrics)) {
            rows[i].answer(h, req);
            return;
        }
    }
    answer_not_found(h, req);
}

static void on_timer(evutil_socket_t fd, short what, void *payload) {
    struct health *h = payload;
    (void)fd;
    (void)what;
    int64_t now = clock_mono_ms();
    h->has_released = false;
    forget_released(h);
    cut_late(h, now);
    look_at_check(h, now);
    if (h->held < HELD_MAX)
        evconnlistener_enable(h->listener);
    plan(h);
}

/* No descriptor is left: without this the loop would turn and turn. The timer enables it again. */
static void on_accept_error(struct evconnlistener *listener, void *payload) {
    (void)payload;
    evconnlistener_disable(listener);
}

/* --- listening --- */

/* The SDK's text for a failed bind, and what to do. */
static bool fail_listen(const struct health_options *o, const char *step, int errnum,
                        struct err *err) {
    static const struct {
        int errnum;
        const char *text, *advice;
    } rows[] = {
        {EADDRINUSE, "address already in use",
         "end the process that has the port, or choose another with --health-check-port"},
        {EACCES, "permission denied", "choose a port above 1023 with --health-check-port"},
        {EADDRNOTAVAIL, "cannot assign requested address",
         "give an address of this machine with --health-check-bind-address"},
    };
    const char *text = NULL, *advice = "look at --health-check-bind-address and --health-check-port";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].errnum == errnum) {
            text = rows[i].text;
            advice = rows[i].advice;
        }
    }
    char space[128];
    if (!text)
        text = strerror_r(errnum, space, sizeof space);
    bool is_v6 = strchr(o->bind_address, ':') != NULL;
    return err_set(err, ERR_UNKNOWN,
                   "failed to create health check listener: listen tcp %s%.250s%s:%d: %s: %s; %s",
                   is_v6 ? "[" : "", o->bind_address, is_v6 ? "]" : "", o->port, step, text, advice);
}

static bool fail_lookup(const struct health_options *o, int rc, struct err *err) {
    return err_set(err, ERR_UNKNOWN,
                   "failed to create health check listener: listen tcp: lookup %.250s: %s; give an "
                   "IP address with --health-check-bind-address",
                   o->bind_address, rc == EAI_NONAME ? "no such host" : gai_strerror(rc));
}

static bool listen_at(const struct health_options *o, const struct addrinfo *a, int *ret_fd,
                      struct err *err) {
    static const int on = 1, off = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail_listen(o, "socket", errno, err);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    const char *step = NULL;
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0)
        step = "bind";
    else if (listen(fd, BACKLOG) != 0)
        step = "listen";
    if (!step) {
        *ret_fd = fd;
        return true;
    }
    int problem = errno;
    close(fd);
    return fail_listen(o, step, problem, err);
}

/* All addresses, of IPv4 too, as Go takes any unspecified one. False if the machine has no IPv6. */
static bool listen_everywhere(const struct health_options *o, bool *ret_has_v6, int *ret_fd,
                              struct err *err) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)o->port),
                               .sin6_addr = IN6ADDR_ANY_INIT};
    const struct addrinfo a = {.ai_family = AF_INET6,
                               .ai_addr = (struct sockaddr *)&any,
                               .ai_addrlen = sizeof any};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *ret_has_v6 = fd >= 0;
    if (fd < 0)
        return false;
    close(fd);
    return listen_at(o, &a, ret_fd, err);
}

static bool open_listener(const struct health_options *o, int *ret_fd, struct err *err) {
    const char *address = o->bind_address;
    bool is_any = !*address || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    if (is_any) {
        bool has_v6;
        bool ok = listen_everywhere(o, &has_v6, ret_fd, err);
        if (has_v6)
            return ok;
        address = "0.0.0.0";
    }
    char port[8];
    snprintf(port, sizeof port, "%d", o->port);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list;
    int rc = getaddrinfo(address, port, &hints, &list);
    if (rc != 0)
        return fail_lookup(o, rc, err);
    /* Of a name's addresses an IPv4 one, as Go's listener. */
    const struct addrinfo *best = list;
    while (best && best->ai_family != AF_INET)
        best = best->ai_next;
    bool ok = listen_at(o, best ? best : list, ret_fd, err);
    freeaddrinfo(list);
    return ok;
}

static int port_of(int fd) {
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return 0;
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    memcpy(&v6, &at, sizeof v6);
    memcpy(&v4, &at, sizeof v4);
    return ntohs(at.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

static void set_up_http(struct health *h, int fd) {
    h->timer = evtimer_new(h->base, on_timer, h);
    h->http = evhttp_new(h->base);
    h->listener = evconnlistener_new(h->base, NULL, NULL,
                                     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!h->timer || !h->http || !h->listener || !evhttp_bind_listener(h->http, h->listener))
        mem_die();
    evconnlistener_set_error_cb(h->listener, on_accept_error);
    evhttp_set_max_headers_size(h->http, HEALTH_HEADERS_MAX);
    evhttp_set_max_body_size(h->http, HEALTH_BODY_MAX);
    evhttp_set_allowed_methods(h->http, ANY_METHOD);
    evhttp_set_bevcb(h->http, make_stream, h);
    evhttp_set_gencb(h->http, on_request, h);
    plan(h);
}

struct health *health_new(const struct health_options *o, struct err *err) {
    int fd;
    if (o->port < 0 || o->port > 65535) {
        err_set(err, ERR_UNKNOWN,
                "failed to create health check listener: listen tcp: address %d: invalid port; "
                "choose one of 1 to 65535 with --health-check-port",
                o->port);
        return NULL;
    }
    if (!open_listener(o, &fd, err))
        return NULL;
    struct health *h = mem_zalloc(sizeof *h);
    h->base = o->base;
    h->port = port_of(fd);
    h->request_ms = o->request_ms ? o->request_ms : HEALTH_REQUEST_MS;
    h->check_ms = o->check_ms ? o->check_ms : HEALTH_CHECK_MS;
    h->reuse_ms = o->reuse_ms ? o->reuse_ms : HEALTH_REUSE_MS;
    h->metrics = o->metrics;
    h->check = o->check;
    h->payload = o->payload;
    set_up_http(h, fd);
    return h;
}

void health_free(struct health *h) {
    if (!h)
        return;
    if (h->running)
        h->running->owner = NULL;
    evhttp_free(h->http); /* and the listener; on_close() lets go of waiting requests */
    forget_released(h);
    assert(!h->conns);
    event_free(h->timer);
    free(h->verdict.why);
    free(h->why_not);
    free(h);
}

int health_port(const struct health *h) {
    return h->port;
}

void health_set_ready(struct health *h, bool is_ready, const char *why_not) {
    free(h->why_not);
    h->why_not = why_not ? mem_strdup(why_not) : NULL;
    h->is_ready = is_ready;
}

#include "sandbox/server.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/listener.h"
#include "sandbox/pacer.h"

enum { CONNECTION_MEMORY = 64 * 1024, STREAM_BLOCK = 32 * 1024, ELEMENT_MAX = 4096 };

struct server {
    struct MHD_Daemon *daemon;
    struct sandbox *sandbox;
    pthread_mutex_t lock; /* of the sandbox */
    struct pacer *pacer;
    uintptr_t connections; /* accepted so far; only the library's thread counts */
    bool log;
    char origin[LISTENER_ORIGIN_MAX];
};

/* One request and its answer, from the request line to the last byte. */
struct exchange {
    struct server *server;
    struct MHD_Connection *connection;
    char *target, *method;
    int64_t start_ns;
    int64_t number; /* in the journal; 0: not there */
    bool started, decided;
    struct buf body;

    struct answer answer;
    int64_t due_mono_ms; /* when to begin */
    bool held;           /* was suspended since it last looked */
    bool stalled;        /* held for ever: when it is resumed, it gives up */

    /* Of an answer that is sent piece by piece. */
    uint64_t window_end; /* how far the pace allows to go now */
    int64_t window_mono_ms;
    struct buf element; /* of an endless list */
    size_t element_at, element_index;
};

/* ---- giving up ---- */

/* Dissolving the association makes the kernel send RST, which closing would not do for sure. */
static void reset_connection(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (connect(info->connect_fd, &nobody, sizeof nobody) < 0)
        shutdown(info->connect_fd, SHUT_RDWR);
}

/* Suspends; false if the sandbox is ending. */
static bool hold(struct exchange *x, int64_t until_mono_ms) {
    x->held = true;
    return pacer_hold(x->server->pacer, x->connection, until_mono_ms);
}

/* ---- bodies that are sent piece by piece ---- */

/* The next bytes of a list without end. */
static size_t copy_element(struct exchange *x, char *out, size_t max) {
    if (x->element_at == x->element.len) {
        struct team_member member = {0};
        size_t i = x->element_index++;
        buf_reset(&x->element);
        x->element_at = 0;
        buf_adds(&x->element, i ? ",{\"type\":\"operator\",\"details\":"
                                : "{\"type\":\"operator\",\"details\":");
        team_generate(i, team_is_owner(i), &x->element, &member);
        buf_adds(&x->element, "}");
    }
    size_t n = x->element.len - x->element_at;
    n = n < max ? n : max;
    memcpy(out, x->element.data + x->element_at, n);
    x->element_at += n;
    return n;
}

static size_t copy_body(struct exchange *x, uint64_t pos, char *out, size_t max) {
    const struct blob *body = x->answer.body;
    size_t len = body ? body->len : 0, done = 0;
    if (pos < len) {
        done = len - (size_t)pos < max ? len - (size_t)pos : max;
        memcpy(out, body->data + pos, done);
    }
    while (x->answer.delivery.endless && done < max)
        done += copy_element(x, out + done, max - done);
    return done;
}

/* At the point where the answer is to break off. */
static ssize_t break_off(struct exchange *x) {
    enum answer_end end = x->answer.delivery.end;
    if (end == END_STALL && !x->stalled) {
        x->stalled = true;
        if (hold(x, PACER_FOREVER))
            return 0;
    }
    if (end == END_RESET)
        reset_connection(x->connection);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* How many bytes may go now; 0: held back; negative: give up. */
static ssize_t allowance(struct exchange *x, uint64_t pos) {
    const struct delivery *d = &x->answer.delivery;
    int64_t now_ms = clock_mono_ms();
    if (d->pace_bytes == 0)
        return STREAM_BLOCK;
    if (pos >= x->window_end) {
        if (now_ms < x->window_mono_ms)
            return !x->held && hold(x, x->window_mono_ms) ? 0 : -1;
        x->window_end = pos + d->pace_bytes;
        x->window_mono_ms = now_ms + d->pace_ms;
    }
    x->held = false;
    uint64_t left = x->window_end - pos;
    return left < STREAM_BLOCK ? (ssize_t)left : STREAM_BLOCK;
}

static ssize_t read_body(void *cls, uint64_t pos, char *out, size_t max) {
    struct exchange *x = cls;
    const struct delivery *d = &x->answer.delivery;
    if (d->end != END_WHOLE && pos >= d->end_after)
        return break_off(x);
    ssize_t allowed = allowance(x, pos);
    if (allowed <= 0)
        return allowed < 0 ? MHD_CONTENT_READER_END_WITH_ERROR : 0;
    if ((size_t)allowed < max)
        max = (size_t)allowed;
    if (d->end != END_WHOLE && d->end_after - pos < max)
        max = (size_t)(d->end_after - pos);
    size_t n = copy_body(x, pos, out, max);
    return n > 0 ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

/* ---- sending ---- */

static void drop_blob(void *cls) {
    blob_unref(cls);
}

static struct MHD_Response *make_response(struct exchange *x) {
    static char none[] = "";
    const struct delivery *d = &x->answer.delivery;
    struct blob *body = x->answer.body;
    if (d->chunked || d->end != END_WHOLE || d->pace_bytes > 0)
        return MHD_create_response_from_callback(d->chunked ? MHD_SIZE_UNKNOWN
                                                            : body ? body->len : 0,
                                                 STREAM_BLOCK, read_body, x, NULL);
    if (!body)
        return MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
    return MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->data, drop_blob,
                                                                  blob_ref(body));
}

static enum MHD_Result send_answer(struct exchange *x) {
    const struct answer *a = &x->answer;
    struct MHD_Response *response = make_response(x);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < a->header_count; i++)
        MHD_add_response_header(response, a->headers[i].name, a->headers[i].value);
    if (a->delivery.close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)a->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called again each time the connection is resumed. */
static enum MHD_Result deliver(struct exchange *x) {
    const struct delivery *d = &x->answer.delivery;
    bool early = x->held; /* resumed, and there is still a reason to wait: give up */
    x->held = false;
    if (clock_mono_ms() < x->due_mono_ms)
        return !early && hold(x, x->due_mono_ms) ? MHD_YES : MHD_NO;
    if (d->silent && d->end == END_RESET) {
        reset_connection(x->connection);
        return MHD_NO;
    }
    if (!d->silent)
        return send_answer(x);
    if (x->stalled)
        return MHD_NO;
    x->stalled = true;
    return hold(x, PACER_FOREVER) ? MHD_YES : MHD_NO;
}

/* ---- deciding ---- */

struct header_list {
    struct request_header items[REQUEST_HEADERS_MAX];
    size_t count;
};

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                  const char *value) {
    struct header_list *list = cls;
    (void)kind;
    if (list->count == REQUEST_HEADERS_MAX)
        return MHD_NO;
    list->items[list->count++] = (struct request_header){name, value ? value : ""};
    return MHD_YES;
}

static unsigned long connection_number(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? (unsigned long)(uintptr_t)info->socket_context : 0;
}

static void decide(struct exchange *x, const char *version) {
    struct server *s = x->server;
    struct header_list headers = {.count = 0};
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, add_header, &headers);
    struct request req = {
        .method = x->method,
        .target = x->target,
        .version = version,
        .headers = headers.items,
        .header_count = headers.count,
        .body = x->body.data,
        .body_len = x->body.len,
        .connection = connection_number(x->connection),
    };
    pthread_mutex_lock(&s->lock);
    x->number = sandbox_handle(s->sandbox, &req, &x->answer);
    pthread_mutex_unlock(&s->lock);
    x->decided = true;
    x->due_mono_ms = clock_mono_ms() + x->answer.delivery.delay_ms;
}

/* ---- the library's callbacks ---- */

static size_t body_limit(const struct exchange *x) {
    bool admin = strncmp(x->target, REQUEST_ADMIN_PREFIX "/", sizeof REQUEST_ADMIN_PREFIX) == 0;
    return admin ? REQUEST_ADMIN_BODY_MAX : REQUEST_BODY_MAX;
}

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection) {
    struct exchange *x = mem_zalloc(sizeof *x);
    x->server = cls;
    x->connection = connection;
    x->target = mem_strdup(target);
    x->start_ns = clock_mono_ns();
    buf_init(&x->body, body_limit(x));
    buf_init(&x->element, ELEMENT_MAX);
    answer_init(&x->answer);
    return x;
}

static enum MHD_Result refuse_body(struct exchange *x) {
    x->decided = true;
    answer_refuse(&x->answer, 413, "payload_too_large", "body", "the request body is too large");
    x->answer.delivery.close = true;
    return send_answer(x);
}

/* The headers are there. A body announced as too large is refused before it is sent. */
static enum MHD_Result begin(struct exchange *x, const char *method) {
    const char *length = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    x->started = true;
    x->method = mem_strdup(method);
    if (length && strtoull(length, NULL, 10) > x->body.max)
        return refuse_body(x);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **exchange) {
    struct exchange *x = *exchange;
    (void)cls;
    (void)url;
    (void)connection;
    if (!x)
        return MHD_NO;
    if (!x->started)
        return begin(x, method);
    if (*upload_size > 0) {
        /* A chunked body that grows beyond the limit: nothing can be answered before its end, so
         * the connection is given up. */
        if (!buf_add(&x->body, upload, *upload_size))
            return MHD_NO;
        *upload_size = 0;
        return MHD_YES;
    }
    if (!x->decided)
        decide(x, version);
    return deliver(x);
}

static void log_exchange(const struct exchange *x, const char *outcome) {
    const struct answer *a = &x->answer;
    double ms = (double)(clock_mono_ns() - x->start_ns) / (double)CLOCK_NS_PER_MS;
    char fault[32] = "";
    if (a->fault_id)
        snprintf(fault, sizeof fault, " fault=%u", a->fault_id);
    fprintf(stderr, "%s %s %d %s %.1fms%s%s\n", x->method ? x->method : "-", x->target,
            a->delivery.silent ? 0 : a->status, a->tier ? a->tier : "-", ms, fault, outcome);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **exchange,
                         enum MHD_RequestTerminationCode code) {
    struct server *s = cls;
    struct exchange *x = *exchange;
    bool ok = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    (void)connection;
    if (!x)
        return;
    if (x->number > 0) {
        pthread_mutex_lock(&s->lock);
        journal_finish(&s->sandbox->journal, x->number, ok ? "completed" : "aborted");
        pthread_mutex_unlock(&s->lock);
        if (s->log)
            log_exchange(x, ok ? "" : " aborted");
    }
    answer_done(&x->answer);
    buf_done(&x->body);
    buf_done(&x->element);
    free(x->target);
    free(x->method);
    free(x);
    *exchange = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    struct server *s = cls;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = (void *)++s->connections;
}

/* Ids are decoded by target.c, segment by segment; the library must not do it before. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text) {
    (void)cls;
    (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void ignore_log(void *cls, const char *format,
                                                             va_list args) {
    (void)cls;
    (void)format;
    (void)args;
}

/* ---- life ---- */

static bool start_daemon(struct server *s, int fd, struct err *err) {
    /* poll() and not epoll: the library's edge-triggered loop misses a peer that closes right
     * behind its request, and keeps such a connection until it is idle for too long. */
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_IDLE_S, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, s, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (s->daemon)
        return true;
    close(fd);
    return err_set(err, ERR_UNAVAILABLE, "start the HTTP server on %s", s->origin);
}

struct server *server_start(struct sandbox *sandbox, const struct server_options *options,
                            struct err *err) {
    struct server *s = mem_zalloc(sizeof *s);
    s->sandbox = sandbox;
    s->log = options->log;
    pthread_mutex_init(&s->lock, NULL);
    s->pacer = pacer_start(err);
    int fd = s->pacer ? listener_open(options->listen, options->allow_remote, s->origin, err) : -1;
    if (fd >= 0 && start_daemon(s, fd, err))
        return s;
    server_stop(s);
    return NULL;
}

const char *server_origin(const struct server *s) {
    return s->origin;
}

void server_stop(struct server *s) {
    if (!s)
        return;
    if (s->pacer)
        pacer_stop(s->pacer);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    pacer_free(s->pacer);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

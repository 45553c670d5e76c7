#include "grpc/session.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "grpc/status.h"

enum {
    OUTPUT_LOW = GRPC_SESSION_OUTPUT / 4, /* refill before the wire runs dry */
    RESCUE_MAX = 1024 * 1024,
    CHUNK = 16 * 1024,
    FIELD_OVERHEAD = 32, /* RFC 7541, 4.1 */
};

struct grpc_session {
    struct bufferevent *wire;
    nghttp2_session *h2;
    const struct grpc_session_events *events;
    void *payload;
    struct event *pump, *watch;
    int ping_after_ms, ping_answer_ms;
    int64_t heard_ms, pinged_ms;
    unsigned quick_pings; /* since the last headers or data */
    bool is_unanswered;   /* nothing has come since a stream was opened or a PING sent */
    bool is_pinging, is_told_to_go, is_over;
    uint64_t queued; /* bytes given to the wire since the beginning */
    /* Places among them: where the PING begins, and how far the peer's machine had taken them. */
    int64_t ping_at, confirmed;
    size_t open_streams;
    char goaway[256];  /* what the peer said, "" if nothing */
    char complaint[256]; /* what nghttp2 found wrong with what came last */
};

/* ---- what nghttp2 tells ---- */

/* NULL once the owner has dropped it; and when all is over nobody is told anything. */
static struct grpc_stream *stream_of(struct grpc_session *session, int32_t id) {
    return id && !session->is_over ? nghttp2_session_get_stream_user_data(session->h2, id) : NULL;
}

/* The stream's own end: from here on nghttp2 knows nothing of the owner's object. */
static void detach(struct grpc_session *session, struct grpc_stream *stream) {
    nghttp2_session_set_stream_user_data(session->h2, stream->id, NULL);
    stream->id = 0;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *payload) {
    (void)h2, (void)flags;
    struct grpc_session *session = payload;
    struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
    if (!stream)
        return 0;
    stream->fields++;
    stream->field_bytes += name_len + value_len + FIELD_OVERHEAD;
    if (stream->fields > GRPC_SESSION_FIELDS_MAX ||
        stream->field_bytes > GRPC_SESSION_FIELD_BYTES_MAX) {
        struct err err;
        err_set(&err, ERR_RESOURCE_EXHAUSTED,
                "the answer's header has more than %d fields or %d bytes", GRPC_SESSION_FIELDS_MAX,
                GRPC_SESSION_FIELD_BYTES_MAX);
        grpc_session_drop(session, stream, NGHTTP2_CANCEL);
        session->events->reset(stream, NGHTTP2_CANCEL, false, &err);
        return 0;
    }
    session->events->header(stream, (const char *)name, name_len, (const char *)value, value_len);
    return 0;
}

/* A field that HTTP/2 does not allow, such as a raw control character in grpc-message: the status
 * beside it must not be lost for it. */
static int on_invalid_header(nghttp2_session *h2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                             nghttp2_rcbuf *value, uint8_t flags, void *payload) {
    (void)h2, (void)frame, (void)name, (void)value, (void)flags, (void)payload;
    return 0; /* left out, and the rest taken */
}

static void on_goaway(struct grpc_session *session, const nghttp2_goaway *frame) {
    char debug[128];
    session->is_told_to_go = true;
    grpc_status_printable(frame->opaque_data, frame->opaque_data_len, debug, sizeof debug);
    const char *name = nghttp2_http2_strerror(frame->error_code);
    snprintf(session->goaway, sizeof session->goaway, "%s%s%s%s", name, *debug ? " (" : "", debug,
             *debug ? ")" : "");
    session->events->changed(session->payload);
}

/* Headers or data, perhaps the last. */
static void on_stream_frame(struct grpc_session *session, const nghttp2_frame *frame) {
    session->quick_pings = 0;
    struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
    if (!stream)
        return;
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    stream->is_ended_by_peer |= is_end;
    if (frame->hd.type == NGHTTP2_HEADERS)
        session->events->headers_end(stream, is_end);
    else if (is_end)
        session->events->data_end(stream);
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *payload) {
    (void)h2;
    struct grpc_session *session = payload;
    struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        on_stream_frame(session, frame);
        break;
    case NGHTTP2_RST_STREAM:
        if (stream)
            stream->is_reset_by_peer = true;
        break;
    case NGHTTP2_SETTINGS:
        session->events->changed(session->payload);
        break;
    case NGHTTP2_GOAWAY:
        on_goaway(session, &frame->goaway);
        break;
    default:
        break;
    }
    return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *payload) {
    (void)h2, (void)flags;
    struct grpc_session *session = payload;
    struct grpc_stream *stream = stream_of(session, id);
    if (stream)
        session->events->data(stream, data, len);
    return 0;
}

static void describe_close(const struct grpc_session *session, const struct grpc_stream *stream,
                           uint32_t code, struct err *err) {
    const char *name = nghttp2_http2_strerror(code);
    if (stream->is_reset_by_peer)
        err_set(err, grpc_status_from_h2(code), "the server ended the call without a status: %s",
                name);
    else if (!stream->is_framed || code == NGHTTP2_REFUSED_STREAM)
        err_set(err, ERR_UNAVAILABLE, "the server takes no more calls on this connection: %s",
                *session->goaway ? session->goaway : name);
    else
        err_set(err, ERR_INTERNAL, "the server's answer breaks the rules of HTTP/2: %s%s%s", name,
                *session->complaint ? ": " : "", session->complaint);
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t code, void *payload) {
    (void)h2;
    struct grpc_session *session = payload;
    struct grpc_stream *stream = stream_of(session, id);
    if (session->open_streams > 0)
        session->open_streams--;
    if (stream) {
        struct err err;
        describe_close(session, stream, code, &err);
        bool is_unseen = !stream->is_framed || code == NGHTTP2_REFUSED_STREAM;
        detach(session, stream);
        session->events->reset(stream, code, is_unseen, &err);
    }
    if (!session->is_over)
        session->events->changed(session->payload);
    return 0;
}

static int on_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *payload) {
    (void)h2;
    struct grpc_session *session = payload;
    struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
    /* The bytes of this frame are added to `queued` when mem_send has returned. */
    if (stream && frame->hd.type == NGHTTP2_HEADERS) {
        stream->is_framed = true;
        stream->at = session->queued;
    } else if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
        session->ping_at = (int64_t)session->queued;
    }
    return 0;
}

static int on_complaint(nghttp2_session *h2, int code, const char *text, size_t len,
                        void *payload) {
    (void)h2, (void)code;
    struct grpc_session *session = payload;
    const char *value = memmem(text, len, ", value: ", 9); /* what it held is not to be shown */
    grpc_status_printable(text, value ? (size_t)(value - text) : len, session->complaint,
                          sizeof session->complaint);
    return 0;
}

static ssize_t on_read_source(nghttp2_session *h2, int32_t id, uint8_t *to, size_t room,
                              uint32_t *ret_flags, nghttp2_data_source *source, void *payload) {
    (void)h2, (void)source;
    struct grpc_session *session = payload;
    struct grpc_stream *stream = stream_of(session, id);
    size_t len = 0;
    bool is_last = false;
    /* A stream without owner has its RST_STREAM queued. */
    if (!stream || !session->events->read(stream, to, room, &len, &is_last) || (len == 0 && !is_last))
        return NGHTTP2_ERR_DEFERRED;
    if (is_last)
        *ret_flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

/* ---- bytes ---- */

/* The last word on the session; the owner frees it. */
static void tell_lost(struct grpc_session *session, const char *cause) {
    struct err err;
    err_set(&err, ERR_UNAVAILABLE, "%s", cause);
    if (*session->goaway)
        err_append(&err, "; it had said GOAWAY: %s", session->goaway);
    session->is_over = true;
    session->events->lost(session->payload, &err);
}

static bool feed(struct grpc_session *session, const uint8_t *data, size_t len) {
    if (len) {
        session->heard_ms = clock_mono_ms();
        if (session->is_pinging)
            event_del(session->watch); /* to be set anew */
        session->is_pinging = session->is_unanswered = false;
    }
    ssize_t n = nghttp2_session_mem_recv(session->h2, data, len);
    if (n < 0 && !*session->complaint)
        snprintf(session->complaint, sizeof session->complaint, "%s", nghttp2_strerror((int)n));
    return n >= 0;
}

static bool feed_input(struct grpc_session *session) {
    struct evbuffer *input = bufferevent_get_input(session->wire);
    size_t n;
    bool ok = true;
    session->complaint[0] = '\0'; /* a harmless one of long ago explains nothing of now */
    while (ok && (n = evbuffer_get_contiguous_space(input)) > 0) {
        ok = feed(session, evbuffer_pullup(input, (ev_ssize_t)n), n);
        evbuffer_drain(input, n);
    }
    return ok;
}

static bool fill_output(struct grpc_session *session) {
    struct evbuffer *output = bufferevent_get_output(session->wire);
    while (evbuffer_get_length(output) < GRPC_SESSION_OUTPUT) {
        const uint8_t *data;
        ssize_t n = nghttp2_session_mem_send(session->h2, &data);
        if (n <= 0)
            return n == 0;
        if (evbuffer_add(output, data, (size_t)n) < 0)
            mem_die();
        session->queued += (uint64_t)n;
    }
    return true;
}

static void watch(struct grpc_session *session);

/* Writes what there is to write, and sees whether the session goes on. The last thing a callback of
 * the loop does with a session. */
static void settle(struct grpc_session *session, bool ok) {
    ok = ok && fill_output(session);
    if (ok && (nghttp2_session_want_read(session->h2) || nghttp2_session_want_write(session->h2))) {
        watch(session);
        return;
    }
    char cause[512];
    snprintf(cause, sizeof cause, "the server does not keep to HTTP/2: %s",
             *session->complaint ? session->complaint : "it cannot be understood");
    tell_lost(session, session->is_told_to_go && !*session->complaint
                           ? "the server ended the connection"
                           : cause);
}

static void on_readable(struct bufferevent *wire, void *payload) {
    (void)wire;
    settle(payload, feed_input(payload));
}

static void on_writable(struct bufferevent *wire, void *payload) {
    (void)wire;
    settle(payload, true);
}

static void on_pump(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    settle(payload, true);
}

static void describe_break(struct bufferevent *wire, short what, char *text, size_t size) {
    int socket_error = EVUTIL_SOCKET_ERROR();
    unsigned long tls_error = bufferevent_get_openssl_error(wire);
    const char *reason = tls_error ? ERR_reason_error_string(tls_error) : NULL;
    char buf[128];
    if (what & BEV_EVENT_EOF)
        snprintf(text, size, "the server closed it");
    else if (reason)
        snprintf(text, size, "TLS: %s", reason);
    else if (socket_error)
        snprintf(text, size, "%s", strerror_r(socket_error, buf, sizeof buf));
    else
        snprintf(text, size, "it broke off");
}

/* A write that failed says nothing about what the peer had said before: an answer may wait in the
 * socket. Reading it goes past libevent, which has stopped. */
static void rescue(struct grpc_session *session) {
    SSL *ssl = bufferevent_openssl_get_ssl(session->wire);
    evutil_socket_t fd = bufferevent_getfd(session->wire);
    uint8_t *chunk = mem_alloc(CHUNK);
    bool ok = fd >= 0;
    for (size_t total = 0; ok && total < RESCUE_MAX;) {
        ssize_t n = ssl ? SSL_read(ssl, chunk, CHUNK) : recv(fd, chunk, CHUNK, MSG_DONTWAIT);
        if (n <= 0)
            break;
        total += (size_t)n;
        ok = feed(session, chunk, (size_t)n);
    }
    ERR_clear_error();
    free(chunk);
}

static void on_broken(struct bufferevent *wire, short what, void *payload) {
    struct grpc_session *session = payload;
    if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
        return;
    char cause[256];
    describe_break(wire, what, cause, sizeof cause);
    /* libevent may tell of the end before it tells of the last bytes. */
    if (feed_input(session) && (what & BEV_EVENT_WRITING))
        rescue(session);
    tell_lost(session, cause);
}

/* ---- the watch ---- */

static void arm(struct grpc_session *session, int64_t ms) {
    if (ms < 1)
        ms = 1;
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    event_add(session->watch, &after);
}

/* When the next PING is due, on the monotonic clock. */
static int64_t ping_due_ms(const struct grpc_session *session) {
    int64_t due = session->heard_ms + session->ping_after_ms;
    if (session->quick_pings >= GRPC_SESSION_QUICK_PINGS) {
        int64_t slow = session->pinged_ms + GRPC_SESSION_SLOW_PING_MS;
        if (due < slow)
            due = slow;
    }
    return due;
}

/* A call that gave up before the PING was due leaves a doubt behind, or a connection that died
 * silently would fail one short call after the other. */
static bool is_watched(const struct grpc_session *session) {
    return session->open_streams > 0 || session->is_unanswered;
}

static void watch(struct grpc_session *session) {
    if (!is_watched(session))
        event_del(session->watch);
    else if (!event_pending(session->watch, EV_TIMEOUT, NULL))
        arm(session, ping_due_ms(session) - clock_mono_ms());
}

/* How much of what was queued the peer's machine has acknowledged; TLS's own bytes in the socket make
 * it a little too small. */
static int64_t confirmed_bytes(const struct grpc_session *session) {
    int in_socket = 0;
    size_t waiting = evbuffer_get_length(bufferevent_get_output(session->wire));
    ioctl(bufferevent_getfd(session->wire), SIOCOUTQ, &in_socket);
    return (int64_t)(session->queued - waiting) - in_socket;
}

/* A PING that has had time enough may still stand in line behind an upload that goes on slowly. */
static bool is_ping_in_line(struct grpc_session *session) {
    int64_t before = session->confirmed;
    session->confirmed = confirmed_bytes(session);
    return before < session->ping_at && before < session->confirmed;
}

static void ping(struct grpc_session *session) {
    session->confirmed = confirmed_bytes(session);
    session->ping_at = INT64_MAX; /* not even framed */
    session->is_pinging = session->is_unanswered = true;
    session->quick_pings++;
    if (nghttp2_submit_ping(session->h2, NGHTTP2_FLAG_NONE, NULL) != 0)
        mem_die();
}

static void on_watch(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct grpc_session *session = payload;
    int64_t now = clock_mono_ms();
    if (!is_watched(session))
        return;
    bool is_overdue = session->is_pinging && now >= session->pinged_ms + session->ping_answer_ms;
    if (is_overdue && !is_ping_in_line(session)) {
        char cause[128];
        snprintf(cause, sizeof cause, "the server has not answered a PING for %d ms",
                 session->ping_answer_ms);
        tell_lost(session, cause);
        return;
    }
    int64_t due = ping_due_ms(session);
    bool is_due = !session->is_pinging && now >= due;
    if (is_due)
        ping(session);
    if (is_due || is_overdue)
        session->pinged_ms = now;
    arm(session, (session->is_pinging ? session->pinged_ms + session->ping_answer_ms : due) - now);
    settle(session, true);
}

/* ---- life ---- */

static void set_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_error_callback2(callbacks, on_complaint);
}

static void begin_h2(struct grpc_session *session) {
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option))
        mem_die();
    set_callbacks(callbacks);
    /* grpc-message may begin or end with a space. */
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
    if (nghttp2_session_client_new2(&session->h2, callbacks, session, option))
        mem_die();
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GRPC_SESSION_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_SESSION_FIELD_BYTES_MAX},
    };
    if (nghttp2_submit_settings(session->h2, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof settings[0]) ||
        nghttp2_session_set_local_window_size(session->h2, NGHTTP2_FLAG_NONE, 0,
                                              4 * GRPC_SESSION_WINDOW))
        mem_die();
}

struct grpc_session *grpc_session_new(const struct grpc_session_options *options) {
    struct grpc_session *session = mem_zalloc(sizeof *session);
    session->wire = options->wire;
    session->events = options->events;
    session->payload = options->payload;
    session->ping_after_ms = options->ping_after_ms;
    session->ping_answer_ms = options->ping_answer_ms;
    session->heard_ms = clock_mono_ms();
    session->pump = event_new(options->base, -1, 0, on_pump, session);
    session->watch = evtimer_new(options->base, on_watch, session);
    if (!session->pump || !session->watch)
        mem_die();
    begin_h2(session);
    bufferevent_setcb(session->wire, on_readable, on_writable, on_broken, session);
    bufferevent_setwatermark(session->wire, EV_WRITE, OUTPUT_LOW, 0);
    bufferevent_enable(session->wire, EV_READ | EV_WRITE);
    /* The handshake may have brought bytes already; and our preface waits. */
    if (evbuffer_get_length(bufferevent_get_input(session->wire)))
        bufferevent_trigger(session->wire, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
    event_active(session->pump, EV_TIMEOUT, 0);
    return session;
}

/* GOAWAY, and TLS's good-bye, as far as the socket takes them at once. */
static void say_goodbye(struct grpc_session *session) {
    SSL *ssl = bufferevent_openssl_get_ssl(session->wire);
    evutil_socket_t fd = bufferevent_getfd(session->wire);
    bool ok = !session->is_over && fd >= 0 &&
              evbuffer_get_length(bufferevent_get_output(session->wire)) == 0 &&
              nghttp2_session_terminate_session(session->h2, NGHTTP2_NO_ERROR) == 0;
    session->is_over = true;
    while (ok) {
        const uint8_t *data;
        ssize_t n = nghttp2_session_mem_send(session->h2, &data);
        if (n <= 0)
            break;
        ok = ssl ? SSL_write(ssl, data, (int)n) == n
                 : send(fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) == n;
    }
    if (ok && ssl)
        SSL_shutdown(ssl);
    ERR_clear_error();
}

void grpc_session_free(struct grpc_session *session) {
    if (!session)
        return;
    say_goodbye(session);
    nghttp2_session_del(session->h2);
    event_free(session->pump);
    event_free(session->watch);
    bufferevent_setcb(session->wire, NULL, NULL, NULL, NULL);
    bufferevent_free(session->wire);
    free(session);
}

/* ---- streams ---- */

bool grpc_session_is_accepting(const struct grpc_session *session) {
    return !session->is_over && !session->is_told_to_go &&
           nghttp2_session_check_request_allowed(session->h2);
}

bool grpc_session_has_room(const struct grpc_session *session) {
    return grpc_session_is_accepting(session) &&
           session->open_streams < nghttp2_session_get_remote_settings(
                                       session->h2, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool grpc_session_open(struct grpc_session *session, struct grpc_stream *stream,
                       const nghttp2_nv *fields, size_t count, struct err *err) {
    *stream = (struct grpc_stream){0};
    const nghttp2_data_provider body = {.read_callback = on_read_source};
    int32_t id = nghttp2_submit_request(session->h2, NULL, fields, count, &body, stream);
    if (id < 0)
        return err_set(err, ERR_INTERNAL, "the request cannot be made: %s", nghttp2_strerror(id));
    stream->id = id;
    if (!is_watched(session)) /* silence counts from here */
        session->heard_ms = clock_mono_ms();
    session->open_streams++;
    session->is_unanswered = true;
    event_active(session->pump, EV_TIMEOUT, 0);
    return true;
}

void grpc_session_resume(struct grpc_session *session, struct grpc_stream *stream) {
    /* One that was not put off says so by an error, and needs nothing. */
    if (stream->id && nghttp2_session_resume_data(session->h2, stream->id) == 0)
        event_active(session->pump, EV_TIMEOUT, 0);
}

void grpc_session_drop(struct grpc_session *session, struct grpc_stream *stream, uint32_t code) {
    if (stream->id == 0)
        return;
    int32_t id = stream->id;
    detach(session, stream);
    bool is_sent = nghttp2_session_get_stream_local_close(session->h2, id) == 1;
    if (!stream->is_ended_by_peer || !is_sent)
        nghttp2_submit_rst_stream(session->h2, NGHTTP2_FLAG_NONE, id,
                                  stream->is_ended_by_peer ? NGHTTP2_NO_ERROR : code);
    event_active(session->pump, EV_TIMEOUT, 0);
}

bool grpc_session_is_unseen(const struct grpc_session *session, const struct grpc_stream *stream) {
    uint64_t waiting = evbuffer_get_length(bufferevent_get_output(session->wire));
    return !stream->is_framed || session->queued - waiting <= stream->at;
}

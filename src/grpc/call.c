#include "grpc/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "grpc/status.h"

static struct grpc_call *call_of(struct grpc_stream *stream) {
    return (struct grpc_call *)stream;
}

/* ---- the end ---- */

static void end(struct grpc_call *call, uint32_t code) {
    if (call->is_over)
        return;
    call->is_over = true;
    if (call->deadline)
        event_del(call->deadline);
    call->keeper->over(call, code);
}

void grpc_call_fail(struct grpc_call *call, uint32_t code, const struct err *err) {
    if (call->is_over)
        return;
    call->err = *err;
    end(call, code);
}

static void fail(struct grpc_call *call, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct grpc_call *call, enum err_code code, const char *fmt, ...) {
    struct err err;
    va_list ap;
    va_start(ap, fmt);
    err_setv(&err, code, fmt, ap);
    va_end(ap);
    grpc_call_fail(call, NGHTTP2_CANCEL, &err);
}

static void fail_by_deadline(struct grpc_call *call) {
    char wait[GRPC_CALL_WAIT_MAX];
    const char *missing = call->request.is_sent ? "the answer did not come"
                                                : "the request was not sent in full";
    if (!call->connection) {
        call->keeper->explain_wait(call, wait);
        missing = wait;
    }
    fail(call, ERR_DEADLINE_EXCEEDED, "%s at %s took longer than %d ms: %s", call->request.path,
         call->peer, call->deadline_ms, missing);
}

static void on_deadline(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    fail_by_deadline(payload);
}

/* ---- the request ---- */

static void put_message(struct grpc_call_request *request) {
    grpc_frame_prefix(request->message.len, request->prefix);
    request->sent = 0;
}

/* To where nothing has been sent. */
static void rewind_request(struct grpc_call_request *request) {
    request->sent = 0;
    request->is_sent = false;
}

static void reset_answer(struct grpc_call_answer *answer) {
    struct grpc_frame_reader reader = answer->reader;
    *answer = (struct grpc_call_answer){.reader = reader, .status = ERR_UNKNOWN};
    grpc_frame_reader_next(&answer->reader);
}

/* False: there is none yet, or the call is over. */
static bool fetch_message(struct grpc_call *call) {
    struct grpc_call_request *request = &call->request;
    struct err err = ERR_INIT;
    request->is_asked = true;
    buf_reset(&request->message);
    enum grpc_next next = request->next(call->payload, &request->message, &err);
    if (next == GRPC_NEXT_LATER)
        return false;
    if (next == GRPC_NEXT_FAILED) {
        grpc_call_fail(call, NGHTTP2_CANCEL, &err);
        return false;
    }
    if (!buf_ok(&request->message)) {
        fail(call, ERR_RESOURCE_EXHAUSTED, "a message to %s is larger than the limit of %d bytes",
             call->peer, GRPC_MESSAGE_MAX);
        return false;
    }
    request->is_wanted = false;
    request->is_last = next == GRPC_NEXT_LAST;
    put_message(request);
    return true;
}

/* The next bytes of prefix and message, at most `room`. */
static size_t take(struct grpc_call_request *request, uint8_t *to, size_t room) {
    const uint8_t *from = request->prefix + request->sent;
    size_t n = sizeof request->prefix - request->sent;
    if (request->sent >= sizeof request->prefix) {
        size_t at = request->sent - sizeof request->prefix;
        from = (const uint8_t *)request->message.data + at;
        n = request->message.len - at;
    }
    if (n > room)
        n = room;
    if (n)
        memcpy(to, from, n);
    request->sent += n;
    return n;
}

bool grpc_call_read(struct grpc_stream *stream, uint8_t *to, size_t room, size_t *ret_len,
                    bool *ret_is_last) {
    struct grpc_call *call = call_of(stream);
    struct grpc_call_request *request = &call->request;
    size_t len = 0;
    bool is_last = false;
    while (len < room && !is_last) {
        if (request->is_wanted && !fetch_message(call))
            break;
        len += take(request, to + len, room - len);
        if (request->sent < sizeof request->prefix + request->message.len)
            continue;
        is_last = request->is_last;
        request->is_wanted = !is_last;
    }
    if (call->is_over)
        return false;
    request->is_sent = is_last;
    *ret_len = len;
    *ret_is_last = is_last;
    return true;
}

#define FIELD(n, v, f)                                                                             \
    ((nghttp2_nv){.name = (uint8_t *)(uintptr_t)(n),                                               \
                  .value = (uint8_t *)(uintptr_t)(v),                                              \
                  .namelen = strlen(n),                                                            \
                  .valuelen = strlen(v),                                                           \
                  .flags = (f)})

void grpc_call_open(struct grpc_call *call, struct grpc_session *session, const char *user_agent) {
    nghttp2_nv fields[9] = {
        FIELD(":method", "POST", 0),
        FIELD(":scheme", "https", 0),
        FIELD(":path", call->request.path, 0),
        FIELD(":authority", call->peer, 0),
        FIELD("content-type", "application/grpc", 0),
        FIELD("user-agent", user_agent, 0),
        FIELD("te", "trailers", 0),
    };
    size_t count = 7;
    char timeout[GRPC_TIMEOUT_MAX];
    if (call->deadline) {
        int64_t left = call->deadline_at_ms - clock_mono_ms();
        grpc_status_timeout(left < 1 ? 1 : left, timeout);
        fields[count++] = FIELD("grpc-timeout", timeout, 0);
    }
    /* Never indexed: no table of any hop may keep it. */
    if (secret_is_set(&call->request.authorization))
        fields[count++] = FIELD("authorization", secret_reveal(&call->request.authorization),
                                NGHTTP2_NV_FLAG_NO_INDEX);
    struct err err;
    if (!grpc_session_open(session, &call->stream, fields, count, &err))
        grpc_call_fail(call, NGHTTP2_CANCEL, &err);
}

/* ---- the answer ---- */

static bool is_name(const char *name, size_t len, const char *wanted) {
    return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

static bool is_grpc_type(const char *value, size_t len) {
    static const char type[] = "application/grpc";
    size_t n = sizeof type - 1;
    return len >= n && memcmp(value, type, n) == 0 &&
           (len == n || value[n] == '+' || value[n] == ';');
}

void grpc_call_header(struct grpc_stream *stream, const char *name, size_t name_len,
                      const char *value, size_t value_len) {
    struct grpc_call_answer *answer = &call_of(stream)->answer;
    if (is_name(name, name_len, ":status")) {
        answer->http_status = 0; /* three digits: nghttp2 has looked */
        for (size_t i = 0; i < value_len && i < 3; i++)
            answer->http_status = answer->http_status * 10 + (value[i] - '0');
    } else if (is_name(name, name_len, "content-type") && !answer->has_begun) {
        answer->is_grpc = is_grpc_type(value, value_len);
        grpc_status_printable(value, value_len, answer->content_type,
                              sizeof answer->content_type);
    } else if (is_name(name, name_len, "grpc-status")) {
        answer->has_status = true;
        answer->status = grpc_status_parse(value, value_len);
    } else if (is_name(name, name_len, "grpc-message")) {
        grpc_status_text(value, value_len, answer->status_text, sizeof answer->status_text);
    }
}

static void end_with_status(struct grpc_call *call) {
    struct grpc_call_answer *answer = &call->answer;
    call->is_from_server = true;
    err_set(&call->err, answer->status, "%s",
            *answer->status_text ? answer->status_text : "the server gave no reason");
    if (answer->status == ERR_OK)
        err_clear(&call->err);
    end(call, NGHTTP2_CANCEL);
}

static void end_as_strange(struct grpc_call *call) {
    const struct grpc_call_answer *answer = &call->answer;
    fail(call, grpc_status_from_http(answer->http_status),
         "%s answered HTTP %d with content type \"%s\", not with gRPC: is it the right address, "
         "and does every proxy on the way let gRPC through?",
         call->peer, answer->http_status, answer->content_type);
}

/* The server has said all. */
static void finish(struct grpc_call *call) {
    struct grpc_call_answer *answer = &call->answer;
    if (answer->has_status && answer->status != ERR_OK)
        end_with_status(call);
    else if (grpc_frame_is_cut(&answer->reader))
        fail(call, ERR_INTERNAL, "the answer of %s ends inside its message", call->peer);
    else if (!answer->has_status)
        fail(call, ERR_UNKNOWN, "the answer of %s ends without grpc-status", call->peer);
    else if (!answer->has_message)
        fail(call, ERR_INTERNAL, "%s said that all is well, but sent no answer", call->peer);
    else
        end_with_status(call);
}

void grpc_call_headers_end(struct grpc_stream *stream, bool is_end_of_stream) {
    struct grpc_call *call = call_of(stream);
    struct grpc_call_answer *answer = &call->answer;
    if (call->is_over)
        return;
    if (answer->http_status >= 100 && answer->http_status < 200) {
        reset_answer(answer); /* an interim answer; the real one follows */
        return;
    }
    bool is_first = !answer->has_begun;
    answer->has_begun = true;
    if (is_first && (answer->http_status != 200 || !answer->is_grpc)) {
        if (answer->has_status && answer->status != ERR_OK)
            end_with_status(call);
        else
            end_as_strange(call);
    } else if (is_end_of_stream) {
        finish(call);
    }
}

void grpc_call_data(struct grpc_stream *stream, const uint8_t *data, size_t len) {
    struct grpc_call *call = call_of(stream);
    struct grpc_call_answer *answer = &call->answer;
    struct err err = ERR_INIT;
    if (call->is_over || len == 0)
        return;
    if (!answer->has_message && !grpc_frame_read(&answer->reader, &data, &len, &err)) {
        err_wrap(&err, "the answer of %s", call->peer);
        grpc_call_fail(call, NGHTTP2_CANCEL, &err);
        return;
    }
    answer->has_message = answer->reader.is_whole;
    if (len > 0)
        fail(call, ERR_INTERNAL, "%s sent more than one answer", call->peer);
}

void grpc_call_data_end(struct grpc_stream *stream) {
    struct grpc_call *call = call_of(stream);
    if (!call->is_over)
        finish(call);
}

void grpc_call_reset(struct grpc_stream *stream, uint32_t code, bool is_unseen,
                     const struct err *err) {
    struct grpc_call *call = call_of(stream);
    if (call->is_over)
        return;
    /* Once next() was asked, what it gave is gone. */
    bool is_repeatable = !call->request.next || !call->request.is_asked;
    if (is_unseen && is_repeatable && call->tries < GRPC_CALL_TRIES) {
        rewind_request(&call->request);
        reset_answer(&call->answer);
        call->keeper->again(call);
    } else if (code == NGHTTP2_CANCEL && call->deadline &&
               clock_mono_ms() >= call->deadline_at_ms) {
        fail_by_deadline(call); /* the server's clock was first */
    } else {
        grpc_call_fail(call, code, err);
    }
}

/* ---- life ---- */

static void copy_request(struct grpc_call *call, const struct grpc_call_options *options) {
    struct grpc_call_request *request = &call->request;
    request->path = mem_strdup(options->path);
    if (options->authorization)
        secret_set(&request->authorization, options->authorization,
                   strlen(options->authorization));
    buf_init(&request->message, GRPC_MESSAGE_MAX);
    request->next = options->next;
    request->is_wanted = request->next != NULL;
    if (request->next)
        return;
    request->is_last = true;
    if (options->message_len)
        buf_add(&request->message, options->message, options->message_len);
    put_message(request);
}

struct grpc_call *grpc_call_new(struct event_base *base, const struct grpc_call_options *options,
                                const struct grpc_call_keeper *keeper, const char *peer) {
    assert(options->path && options->done);
    struct grpc_call *call = mem_zalloc(sizeof *call);
    call->keeper = keeper;
    call->peer = peer;
    call->done = options->done;
    call->payload = options->payload;
    copy_request(call, options);
    grpc_frame_reader_init(&call->answer.reader,
                           options->answer_max ? options->answer_max : GRPC_ANSWER_MAX);
    reset_answer(&call->answer);
    if (options->deadline_ms > 0) {
        call->deadline_ms = options->deadline_ms;
        call->deadline_at_ms = clock_mono_ms() + options->deadline_ms;
        call->deadline = evtimer_new(base, on_deadline, call);
        struct timeval after = {.tv_sec = options->deadline_ms / 1000,
                                .tv_usec = options->deadline_ms % 1000 * 1000};
        if (!call->deadline || event_add(call->deadline, &after) < 0)
            mem_die();
    }
    return call;
}

void grpc_call_free(struct grpc_call *call) {
    if (!call)
        return;
    if (call->deadline)
        event_free(call->deadline);
    free(call->request.path);
    secret_done(&call->request.authorization);
    buf_done(&call->request.message);
    grpc_frame_reader_done(&call->answer.reader);
    free(call);
}

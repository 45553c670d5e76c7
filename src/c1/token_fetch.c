#include "c1/token_fetch.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "c1/assertion.h"
#include "c1/http_answer.h"
#include "c1/token_request.h"
#include "net/dial.h"

struct c1_token_fetch {
    struct c1_token_fetch_options options;
    c1_token_fetch_done *done;
    void *payload;
    struct dial *dial;          /* until there is a stream */
    struct bufferevent *stream; /* NULL before */
    struct event *timer;
    struct c1_http_answer answer;
};

static void free_fetch(struct c1_token_fetch *f) {
    dial_cancel(f->dial);
    if (f->stream)
        bufferevent_free(f->stream);
    event_free(f->timer);
    c1_http_answer_done(&f->answer);
    free(f);
}

void c1_token_fetch_cancel(struct c1_token_fetch *fetch) {
    if (fetch)
        free_fetch(fetch);
}

/* Ends it, with one of the two. */
static void finish(struct c1_token_fetch *f, const struct c1_token_answer *answer,
                   const struct err *err) {
    c1_token_fetch_done *done = f->done;
    void *payload = f->payload;
    free_fetch(f);
    done(answer, err, payload);
}

static void fail(struct c1_token_fetch *f, struct err *err) {
    err_wrap(err, "failed to get token");
    finish(f, NULL, err);
}

static void judge(struct c1_token_fetch *f) {
    struct c1_token_answer answer;
    struct err err = ERR_INIT;
    struct c1_token_reply reply = {
        .status = f->answer.status,
        .date = f->answer.date,
        .retry_after = f->answer.retry_after,
        .body = f->answer.body,
        .body_len = f->answer.body_len,
        .now_unix_s = clock_now_ns() / CLOCK_NS_PER_S,
    };
    if (!c1_token_answer_read(&reply, &answer, &err)) {
        finish(f, NULL, &err);
        return;
    }
    finish(f, &answer, NULL);
    c1_token_answer_done(&answer);
}

/* -- answer ---------------------------------------------------------------------------------------- */

static void on_read(struct bufferevent *stream, void *payload) {
    struct c1_token_fetch *f = payload;
    struct evbuffer *input = bufferevent_get_input(stream);
    struct err err = ERR_INIT;
    size_t n = evbuffer_get_length(input);
    unsigned char *bytes = evbuffer_pullup(input, -1);
    bool ok = !bytes || c1_http_answer_feed(&f->answer, bytes, n, &err);
    if (bytes)
        explicit_bzero(bytes, n);
    evbuffer_drain(input, n);
    /* Only a good status has a body that matters. */
    bool is_refusal = c1_http_answer_has_head(&f->answer) && f->answer.status != 200;
    if (!ok)
        fail(f, &err);
    else if (is_refusal || f->answer.part == C1_ANSWER_COMPLETE)
        judge(f);
}

/* An end without TLS's own goodbye may be an answer cut short: it counts as a broken connection. */
static void on_event(struct bufferevent *stream, short what, void *payload) {
    struct c1_token_fetch *f = payload;
    struct err err = ERR_INIT;
    (void)stream;
    if (what & BEV_EVENT_EOF) {
        if (c1_http_answer_end(&f->answer, &err))
            judge(f);
        else
            fail(f, &err);
    } else if (what & BEV_EVENT_ERROR) {
        err_set(&err, ERR_UNAVAILABLE, "%s: the connection broke before the answer was complete",
                f->options.credential->authority);
        fail(f, &err);
    }
}

/* -- request --------------------------------------------------------------------------------------- */

static void wipe_sent(const void *data, size_t n, void *payload) {
    struct secret *request = payload;
    (void)data;
    (void)n;
    secret_done(request);
    free(request);
}

static bool make_request(const struct c1_credential *credential, struct secret *ret_request,
                         struct err *err) {
    uint8_t nonce[C1_NONCE_BYTES];
    secret_auto struct secret assertion = SECRET_INIT;
    if (RAND_bytes(nonce, sizeof nonce) != 1)
        return err_set(err, ERR_INTERNAL, "OpenSSL has no random bytes");
    if (!c1_assertion_make(credential, clock_now_ns() / CLOCK_NS_PER_S, nonce, &assertion, err))
        return false;
    c1_token_request_make(credential, &assertion, ret_request);
    return true;
}

static bool send_request(struct c1_token_fetch *f, struct err *err) {
    struct secret *request = mem_zalloc(sizeof *request);
    if (!make_request(f->options.credential, request, err)) {
        free(request);
        return false;
    }
    bufferevent_setcb(f->stream, on_read, NULL, on_event, f);
    if (evbuffer_add_reference(bufferevent_get_output(f->stream), secret_reveal(request),
                               request->len, wipe_sent, request) != 0)
        mem_die();
    bufferevent_enable(f->stream, EV_READ | EV_WRITE);
    return true;
}

static void on_dialed(struct bufferevent *stream, const struct err *dial_err, void *payload) {
    struct c1_token_fetch *f = payload;
    struct err err = ERR_INIT;
    f->dial = NULL;
    f->stream = stream;
    if (stream && send_request(f, &err))
        return;
    if (!stream)
        err = *dial_err;
    /* Whoever waits for a token has a deadline of his own, and this is not it. */
    if (err.code == ERR_DEADLINE_EXCEEDED)
        err.code = ERR_UNAVAILABLE;
    fail(f, &err);
}

static void on_timeout(evutil_socket_t fd, short what, void *payload) {
    struct c1_token_fetch *f = payload;
    struct err err = ERR_INIT;
    (void)fd;
    (void)what;
    err_set(&err, ERR_UNAVAILABLE, "%s: %s within %d ms", f->options.credential->authority,
            f->stream ? "no answer" : "no connection", f->options.timeout_ms);
    fail(f, &err);
}

struct c1_token_fetch *c1_token_fetch_start(const struct c1_token_fetch_options *options,
                                            c1_token_fetch_done *done, void *payload) {
    struct c1_token_fetch *f = mem_alloc(sizeof *f);
    f->options = *options;
    f->done = done;
    f->payload = payload;
    f->stream = NULL;
    c1_http_answer_init(&f->answer);
    if (f->options.timeout_ms <= 0)
        f->options.timeout_ms = C1_TOKEN_TIMEOUT_MS;
    int ms = f->options.timeout_ms;
    f->timer = evtimer_new(options->base, on_timeout, f);
    if (!f->timer)
        mem_die();
    event_add(f->timer, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
    struct dial_options dial = {
        .base = options->base,
        .trust = options->trust,
        .host = options->credential->host,
        .port = options->credential->port,
        .protocol = "http/1.1",
        .timeout_ms = ms < DIAL_TIMEOUT_MS ? ms : DIAL_TIMEOUT_MS,
    };
    f->dial = dial_start(&dial, on_dialed, f);
    return f;
}

#include "c1/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct c1_exchange {
    struct c1_exchange_options options;
    int64_t due_mono_ms; /* 0: never */
    struct event *timer; /* runs while the token is waited for; NULL without a deadline */
    struct c1_token_wait *wait;
    struct grpc_call *call;
    struct secret authorization; /* of the call that runs */
    bool is_second;
};

static void free_exchange(struct c1_exchange *x) {
    c1_token_cancel(x->wait);
    grpc_call_cancel(x->call);
    if (x->timer)
        event_free(x->timer);
    secret_done(&x->authorization);
    free(x);
}

void c1_exchange_cancel(struct c1_exchange *exchange) {
    if (exchange)
        free_exchange(exchange);
}

void c1_exchange_wake(struct c1_exchange *exchange) {
    if (exchange->call)
        grpc_call_wake(exchange->call);
}

static void finish(struct c1_exchange *x, const struct grpc_outcome *outcome) {
    grpc_call_done *done = x->options.done;
    void *payload = x->options.payload;
    free_exchange(x);
    done(outcome, payload);
}

static void fail(struct c1_exchange *x, const struct err *err) {
    struct grpc_outcome outcome = {.err = *err};
    finish(x, &outcome);
}

/* -1: it has passed; 0: there is none. */
static int left_ms(const struct c1_exchange *x) {
    if (x->due_mono_ms == 0)
        return 0;
    int64_t left = x->due_mono_ms - clock_mono_ms();
    return left > 0 ? (int)left : -1;
}

static void ask_for_token(struct c1_exchange *x);

static void on_called(const struct grpc_outcome *outcome, void *payload) {
    struct c1_exchange *x = payload;
    x->call = NULL;
    bool is_refused = outcome->is_from_server && outcome->err.code == ERR_UNAUTHENTICATED;
    if (is_refused)
        c1_token_drop(x->options.link->token, secret_reveal(&x->authorization));
    if (!is_refused || x->is_second || left_ms(x) < 0) {
        finish(x, outcome);
        return;
    }
    x->is_second = true;
    ask_for_token(x);
}

static enum grpc_next on_next(void *payload, struct buf *message, struct err *err) {
    const struct c1_exchange *x = payload;
    return x->options.next(x->options.payload, message, err);
}

static void fail_late(struct c1_exchange *x) {
    struct err err = ERR_INIT;
    err_set(&err, ERR_DEADLINE_EXCEEDED, "%s: %d ms passed while waiting for a token",
            x->options.path, x->options.deadline_ms);
    fail(x, &err);
}

static void call(struct c1_exchange *x) {
    const struct c1_exchange_options *o = &x->options;
    int deadline_ms = left_ms(x);
    if (deadline_ms < 0) {
        fail_late(x);
        return;
    }
    struct grpc_call_options options = {
        .path = o->path,
        .authorization = secret_reveal(&x->authorization),
        .deadline_ms = deadline_ms,
        .answer_max = GRPC_ANSWER_MAX,
        .message = o->message,
        .message_len = o->message_len,
        .next = o->next ? on_next : NULL,
        .done = on_called,
        .payload = x,
    };
    x->call = grpc_call_start(o->link->channel, &options);
}

static void on_token(const char *authorization, const struct err *err, void *payload) {
    struct c1_exchange *x = payload;
    x->wait = NULL;
    if (x->timer)
        event_del(x->timer);
    if (!authorization) {
        fail(x, err);
        return;
    }
    secret_set(&x->authorization, authorization, strlen(authorization));
    if (x->options.restart)
        x->options.restart(x->options.payload);
    call(x);
}

static void on_late(evutil_socket_t fd, short what, void *payload) {
    (void)fd;
    (void)what;
    fail_late(payload);
}

static void ask_for_token(struct c1_exchange *x) {
    int ms = left_ms(x);
    if (x->timer)
        event_add(x->timer, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
    x->wait = c1_token_get(x->options.link->token, on_token, x);
}

struct c1_exchange *c1_exchange_start(const struct c1_exchange_options *options) {
    struct c1_exchange *x = mem_zalloc(sizeof *x);
    x->options = *options;
    if (options->deadline_ms > 0) {
        x->due_mono_ms = clock_mono_ms() + options->deadline_ms;
        x->timer = evtimer_new(options->link->base, on_late, x);
        if (!x->timer)
            mem_die();
    }
    ask_for_token(x);
    return x;
}

/* Any bytes from the server, while two calls wait on one connection. Each call ends exactly once, its
 * text is UTF-8, its answer within the limit; nothing hangs and little is buffered. */
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "grpc/channel.h"
#include "grpc/session.h"
#include "net/dial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_MAX = 2000, TURNS = 12, OUTPUT_BOUND = 2 * GRPC_SESSION_OUTPUT };

static struct event_base *base;
static struct bufferevent *server;
static int dials, ended;

/* ---- in the place of net/dial: the first time a pair, then nobody is there ---- */

struct dial {
    struct event *event;
    dial_done *done;
    void *payload;
};

static void dialed(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct dial dial = *(struct dial *)payload;
    event_free(dial.event);
    free(payload);
    if (dials++ > 0) {
        struct err err;
        err_set(&err, ERR_UNAVAILABLE, "nobody is there");
        dial.done(NULL, &err, dial.payload);
        return;
    }
    struct bufferevent *pair[2];
    if (bufferevent_pair_new(base, BEV_OPT_DEFER_CALLBACKS, pair))
        abort();
    server = pair[1];
    bufferevent_enable(server, EV_READ | EV_WRITE);
    dial.done(pair[0], NULL, dial.payload);
}

struct dial *dial_start(const struct dial_options *options, dial_done *done, void *payload) {
    struct dial *dial = mem_zalloc(sizeof *dial);
    *dial = (struct dial){.done = done, .payload = payload};
    dial->event = event_new(options->base, -1, 0, dialed, dial);
    event_active(dial->event, EV_TIMEOUT, 0);
    return dial;
}

void dial_progress(const struct dial *dial, char ret_text[DIAL_PROGRESS_MAX]) {
    assert(dial);
    ret_text[0] = '\0';
}

void dial_cancel(struct dial *dial) {
    if (!dial)
        return;
    event_free(dial->event);
    free(dial);
}

/* ---- the calls ---- */

/* Five messages, every other one later than it is asked for. */
static struct source {
    struct grpc_call *call; /* NULL once it has ended */
    int left;
    bool is_awaited, is_there;
} source;

static enum grpc_next next_message(void *payload, struct buf *message, struct err *err) {
    (void)payload, (void)err;
    source.is_awaited = source.left % 2 == 0 && !source.is_there;
    if (source.is_awaited)
        return GRPC_NEXT_LATER;
    source.is_there = false;
    buf_extend(message, 40000);
    return --source.left == 0 ? GRPC_NEXT_LAST : GRPC_NEXT_MESSAGE;
}

static void bring_message(void) {
    source.is_there = source.is_awaited;
    source.is_awaited = false;
    if (source.call)
        grpc_call_wake(source.call);
}

static void on_done(const struct grpc_outcome *outcome, void *payload) {
    if (payload)
        source.call = NULL;
    ended++;
    assert(utf8_valid(outcome->err.msg, strlen(outcome->err.msg)));
    assert((outcome->err.code == ERR_OK) == (outcome->answer != NULL));
    assert(outcome->answer_len <= ANSWER_MAX);
}

static void turn_the_loop(void) {
    bring_message();
    for (int i = 0; i < TURNS; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    if (server) {
        struct evbuffer *input = bufferevent_get_input(server);
        assert(evbuffer_get_length(input) < OUTPUT_BOUND);
        evbuffer_drain(input, evbuffer_get_length(input));
    }
}

static void feed(const uint8_t *data, size_t size, size_t step) {
    for (size_t at = 0; at < size; at += step) {
        bufferevent_write(server, data + at, size - at < step ? size - at : step);
        turn_the_loop();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 64 * 1024)
        return 0;
    source = (struct source){.left = 5};
    base = event_base_new();
    dials = ended = 0;
    struct grpc_channel *channel = grpc_channel_new(&(struct grpc_channel_options){
        .base = base, .host = "fuzz", .port = 1, .user_agent = "fuzz"});
    grpc_call_start(channel, &(struct grpc_call_options){.path = "/a/b",
                                                         .answer_max = ANSWER_MAX,
                                                         .message = (const uint8_t *)"hi",
                                                         .message_len = 2,
                                                         .done = on_done});
    source.call = grpc_call_start(channel, &(struct grpc_call_options){.path = "/a/c",
                                                                       .answer_max = ANSWER_MAX,
                                                                       .next = next_message,
                                                                       .done = on_done,
                                                                       .payload = &source});
    turn_the_loop();
    /* Mostly in large pieces: small ones cost time. */
    feed(data + 1, size - 1, data[0] < 200 ? size : data[0]);
    /* The end of the connection is the end of all calls; or else the channel goes before them. */
    bool is_cut = data[0] % 2 == 0;
    if (is_cut) {
        bufferevent_flush(server, EV_READ | EV_WRITE, BEV_FINISHED);
        turn_the_loop();
        turn_the_loop();
        assert(ended == 2);
    }
    grpc_channel_free(channel);
    bufferevent_free(server);
    server = NULL;
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
    assert(ended <= 2);
    return 0;
}

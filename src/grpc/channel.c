#include "grpc/channel.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grpc/call.h"
#include "grpc/session.h"
#include "net/dial.h"

TAILQ_HEAD(connection_list, grpc_connection);

struct grpc_connection {
    TAILQ_ENTRY(grpc_connection) link;
    struct grpc_channel *channel;
    struct grpc_session *session;
    struct grpc_call_list calls;
    bool is_refusing; /* a call came back unseen: it wants another connection */
    bool was_used;    /* a call was put on it */
};

/* Whatever happens only changes lists and wakes turn(), which alone does what may free things: from
 * there nothing of nghttp2 or of a bufferevent is on the stack. */
struct grpc_channel {
    struct event_base *base;
    struct trust *trust;
    char *host, *authority, *user_agent;
    int port, dial_timeout_ms, ping_after_ms, ping_answer_ms, idle_ms;
    struct event *turn, *idle;
    struct dial *dial;
    struct grpc_connection *current;  /* takes new calls; also in `connections` */
    struct connection_list connections;
    struct grpc_call_list waiting, finished;
    size_t running; /* calls that have not ended */
    bool is_wanted; /* dial even if no call waits */
};

static void wake(struct grpc_channel *channel) {
    event_active(channel->turn, EV_TIMEOUT, 0);
}

/* ---- calls ---- */

static void leave(struct grpc_call *call) {
    if (call->list)
        TAILQ_REMOVE(call->list, call, link);
    call->list = NULL;
}

static void drop_stream(struct grpc_call *call, uint32_t code) {
    if (call->connection)
        grpc_session_drop(call->connection->session, &call->stream, code);
    call->connection = NULL;
}

static void on_over(struct grpc_call *call, uint32_t code) {
    drop_stream(call, code);
    leave(call);
    call->list = &call->channel->finished;
    TAILQ_INSERT_TAIL(call->list, call, link);
    call->channel->running--;
    wake(call->channel);
}

static void on_again(struct grpc_call *call) {
    call->connection->is_refusing = true;
    call->connection = NULL;
    leave(call);
    call->list = &call->channel->waiting;
    TAILQ_INSERT_HEAD(call->list, call, link);
    wake(call->channel);
}

static void explain_wait(const struct grpc_call *call, char ret_text[GRPC_CALL_WAIT_MAX]) {
    char progress[DIAL_PROGRESS_MAX] = "";
    if (call->channel->dial)
        dial_progress(call->channel->dial, progress);
    snprintf(ret_text, GRPC_CALL_WAIT_MAX, "%s%s",
             *progress ? "there was no connection yet: "
                       : "the server allowed no more calls on its connection",
             progress);
}

static const struct grpc_call_keeper keeper = {
    .over = on_over,
    .again = on_again,
    .explain_wait = explain_wait,
};

struct grpc_call *grpc_call_start(struct grpc_channel *channel,
                                  const struct grpc_call_options *options) {
    struct grpc_call *call = grpc_call_new(channel->base, options, &keeper, channel->authority);
    struct err err = ERR_INIT;
    call->channel = channel;
    call->list = &channel->waiting;
    TAILQ_INSERT_TAIL(call->list, call, link);
    if (++channel->running > GRPC_CALLS_MAX)
        err_set(&err, ERR_RESOURCE_EXHAUSTED, "more than %d calls to %s at a time", GRPC_CALLS_MAX,
                channel->authority);
    else if (!buf_ok(&call->request.message))
        err_set(&err, ERR_RESOURCE_EXHAUSTED,
                "the message to %s has %zu bytes, more than the limit of %d", channel->authority,
                options->message_len, GRPC_MESSAGE_MAX);
    if (err.code != ERR_OK)
        grpc_call_fail(call, NGHTTP2_CANCEL, &err);
    wake(channel);
    return call;
}

void grpc_call_cancel(struct grpc_call *call) {
    if (!call)
        return;
    struct grpc_channel *channel = call->channel;
    drop_stream(call, NGHTTP2_CANCEL);
    leave(call);
    if (!call->is_over)
        channel->running--;
    grpc_call_free(call);
    wake(channel);
}

void grpc_call_wake(struct grpc_call *call) {
    if (call->connection) /* without one, it will be asked anyway */
        grpc_session_resume(call->connection->session, &call->stream);
}

static void fail_waiting(struct grpc_channel *channel, const struct err *err) {
    struct grpc_call *call;
    while ((call = TAILQ_FIRST(&channel->waiting)))
        grpc_call_fail(call, NGHTTP2_CANCEL, err);
}

/* ---- connections ---- */

static void on_changed(void *payload) {
    struct grpc_connection *connection = payload;
    wake(connection->channel);
}

/* Calls that wait for a connection try once more, too, when the one they could have used has gone
 * without taking a single call: a server that hangs up on everyone is not dialed for ever. */
static void charge_waiting(struct grpc_channel *channel, const struct err *err) {
    struct grpc_call *call, *next;
    for (call = TAILQ_FIRST(&channel->waiting); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (++call->tries >= GRPC_CALL_TRIES)
            grpc_call_fail(call, NGHTTP2_CANCEL, err);
    }
}

/* No new calls on the current connection; those on it go on. */
static void retire_current(struct grpc_channel *channel, const struct err *err) {
    if (!channel->current->was_used)
        charge_waiting(channel, err);
    channel->current = NULL;
}

static void connection_free(struct grpc_connection *connection) {
    TAILQ_REMOVE(&connection->channel->connections, connection, link);
    grpc_session_free(connection->session);
    free(connection);
}

static void on_lost(void *payload, const struct err *cause) {
    struct grpc_connection *connection = payload;
    struct grpc_channel *channel = connection->channel;
    struct err err = *cause;
    err_wrap(&err, "the connection to %s was lost", channel->authority);
    if (channel->current == connection)
        retire_current(channel, &err);
    /* From the last on, because those that are tried again go to the head of those that wait. */
    struct grpc_call *call;
    while ((call = TAILQ_LAST(&connection->calls, grpc_call_list))) {
        bool is_unseen = grpc_session_is_unseen(connection->session, &call->stream);
        call->stream.id = 0;
        grpc_call_reset(&call->stream, NGHTTP2_NO_ERROR, is_unseen, &err);
    }
    connection_free(connection);
    wake(channel);
}

static const struct grpc_session_events session_events = {
    GRPC_CALL_EVENTS,
    .changed = on_changed,
    .lost = on_lost,
};

static void on_dialed(struct bufferevent *stream, const struct err *err, void *payload) {
    struct grpc_channel *channel = payload;
    channel->dial = NULL;
    channel->is_wanted = false;
    if (!stream) {
        fail_waiting(channel, err);
        return;
    }
    struct grpc_connection *connection = mem_zalloc(sizeof *connection);
    connection->channel = channel;
    TAILQ_INIT(&connection->calls);
    TAILQ_INSERT_TAIL(&channel->connections, connection, link);
    connection->session = grpc_session_new(&(struct grpc_session_options){
        .base = channel->base,
        .wire = stream,
        .ping_after_ms = channel->ping_after_ms,
        .ping_answer_ms = channel->ping_answer_ms,
        .events = &session_events,
        .payload = connection,
    });
    channel->current = connection;
    wake(channel);
}

static void dial(struct grpc_channel *channel) {
    channel->dial = dial_start(&(struct dial_options){.base = channel->base,
                                                      .trust = channel->trust,
                                                      .host = channel->host,
                                                      .port = channel->port,
                                                      .protocol = "h2",
                                                      .timeout_ms = channel->dial_timeout_ms},
                               on_dialed, channel);
}

/* ---- the turn ---- */

/* Closes connections that take no calls any more and have none left. */
static void sweep(struct grpc_channel *channel) {
    struct grpc_connection *connection = channel->current, *next;
    if (connection &&
        (connection->is_refusing || !grpc_session_is_accepting(connection->session))) {
        struct err err;
        err_set(&err, ERR_UNAVAILABLE, "%s ends its connections without taking a call",
                channel->authority);
        retire_current(channel, &err);
    }
    for (connection = TAILQ_FIRST(&channel->connections); connection; connection = next) {
        next = TAILQ_NEXT(connection, link);
        if (connection != channel->current && TAILQ_EMPTY(&connection->calls))
            connection_free(connection);
    }
}

static void place(struct grpc_channel *channel, struct grpc_call *call) {
    struct grpc_connection *connection = channel->current;
    leave(call);
    call->list = &connection->calls;
    TAILQ_INSERT_TAIL(call->list, call, link);
    call->connection = connection;
    call->tries++;
    connection->was_used = true;
    grpc_call_open(call, connection->session, channel->user_agent);
}

static void place_waiting(struct grpc_channel *channel) {
    struct grpc_call *call;
    while (channel->current && (call = TAILQ_FIRST(&channel->waiting)) &&
           grpc_session_has_room(channel->current->session))
        place(channel, call);
    bool is_needed = channel->is_wanted || !TAILQ_EMPTY(&channel->waiting);
    if (is_needed && !channel->current && !channel->dial)
        dial(channel);
}

static void watch_idle(struct grpc_channel *channel) {
    if (!channel->current || channel->running > 0) {
        event_del(channel->idle);
    } else if (!event_pending(channel->idle, EV_TIMEOUT, NULL)) {
        struct timeval after = {.tv_sec = channel->idle_ms / 1000,
                                .tv_usec = channel->idle_ms % 1000 * 1000};
        event_add(channel->idle, &after);
    }
}

static void on_idle(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct grpc_channel *channel = payload;
    struct grpc_connection *connection = channel->current;
    if (!connection || channel->running > 0)
        return;
    channel->current = NULL;
    connection_free(connection);
}

/* `done` may free the channel: it is called last, and one call a turn. */
static void deliver(struct grpc_channel *channel) {
    struct grpc_call *call = TAILQ_FIRST(&channel->finished);
    if (!call)
        return;
    leave(call);
    if (!TAILQ_EMPTY(&channel->finished))
        wake(channel);
    struct grpc_outcome outcome = {.err = call->err, .is_from_server = call->is_from_server};
    if (outcome.err.code == ERR_OK) {
        outcome.answer = (const uint8_t *)call->answer.reader.message.data;
        outcome.answer_len = call->answer.reader.message.len;
    }
    call->done(&outcome, call->payload);
    grpc_call_free(call);
}

static void turn(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct grpc_channel *channel = payload;
    sweep(channel);
    place_waiting(channel);
    watch_idle(channel);
    deliver(channel);
}

/* ---- life ---- */

static int or_default(int value, int otherwise) {
    return value > 0 ? value : otherwise;
}

struct grpc_channel *grpc_channel_new(const struct grpc_channel_options *options) {
    struct grpc_channel *channel = mem_zalloc(sizeof *channel);
    bool is_ipv6 = strchr(options->host, ':') != NULL;
    channel->base = options->base;
    channel->trust = options->trust;
    channel->host = mem_strdup(options->host);
    channel->port = options->port;
    channel->authority = mem_printf(is_ipv6 ? "[%s]:%d" : "%s:%d", options->host, options->port);
    channel->user_agent = mem_strdup(options->user_agent);
    channel->dial_timeout_ms = options->dial_timeout_ms;
    channel->ping_after_ms = or_default(options->ping_after_ms, GRPC_PING_AFTER_MS);
    channel->ping_answer_ms = or_default(options->ping_answer_ms, GRPC_PING_ANSWER_MS);
    channel->idle_ms = or_default(options->idle_ms, GRPC_IDLE_MS);
    TAILQ_INIT(&channel->connections);
    TAILQ_INIT(&channel->waiting);
    TAILQ_INIT(&channel->finished);
    channel->turn = event_new(options->base, -1, 0, turn, channel);
    channel->idle = evtimer_new(options->base, on_idle, channel);
    if (!channel->turn || !channel->idle)
        mem_die();
    return channel;
}

static void free_calls(struct grpc_call_list *list) {
    struct grpc_call *call;
    while ((call = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, call, link);
        grpc_call_free(call);
    }
}

void grpc_channel_free(struct grpc_channel *channel) {
    if (!channel)
        return;
    dial_cancel(channel->dial);
    free_calls(&channel->waiting);
    free_calls(&channel->finished);
    struct grpc_connection *connection;
    while ((connection = TAILQ_FIRST(&channel->connections))) {
        struct grpc_call_list calls = TAILQ_HEAD_INITIALIZER(calls);
        TAILQ_CONCAT(&calls, &connection->calls, link);
        connection_free(connection);
        free_calls(&calls);
    }
    event_free(channel->turn);
    event_free(channel->idle);
    free(channel->host);
    free(channel->authority);
    free(channel->user_agent);
    free(channel);
}

void grpc_channel_warm_up(struct grpc_channel *channel) {
    channel->is_wanted = !channel->current;
    wake(channel);
}

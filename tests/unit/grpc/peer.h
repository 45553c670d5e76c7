/* peer: a gRPC server for the unit tests, on nghttp2's own server side, in the same loop.
 *
 * It takes the place of net/dial: a channel that dials gets one end of a socket pair, the peer keeps the
 * other. What it does is a script: `on_frame` is called for each frame of a request. Included by one
 * test only. */
#ifndef TESTS_UNIT_GRPC_PEER_H
#define TESTS_UNIT_GRPC_PEER_H

#include <dirent.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dial.h"

enum { PEERS_MAX = 8, PATIENCE_MS = 20000 };

struct peer {
    struct world *world;
    struct bufferevent *wire;
    nghttp2_session *h2;
    int number; /* of the connection, from 0 on */
    bool is_gone;
};

/* What the peers do and what they have seen. */
struct world {
    struct event_base *base;
    void (*on_frame)(struct peer *peer, const nghttp2_frame *frame);
    void (*on_accept)(struct peer *peer);
    bool is_dial_failing, is_dial_hanging, is_without_ping_answers;
    bool is_mute;  /* says nothing of its own */
    bool is_eager; /* its first bytes are there with the connection, as they may be after TLS */
    nghttp2_settings_entry settings[4];
    size_t setting_count;
    struct peer peers[PEERS_MAX];
    int accepted, dials, cancelled_dials, pings, goaways;
    uint32_t last_reset; /* code of the last RST_STREAM of the client, +1 */
    size_t received;     /* bytes of data */
    char heads[4096];    /* of the requests, a line a field */
};

static struct world world;

/* ---- the loop ---- */

static void on_patience(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    *(bool *)payload = true;
}

/* Runs the loop until *counter is at least `value`. */
static void run_until(const int *counter, int value) {
    bool is_late = false;
    struct event *patience = evtimer_new(world.base, on_patience, &is_late);
    const struct timeval after = {PATIENCE_MS / 1000, 0};
    evtimer_add(patience, &after);
    while (*counter < value && !is_late)
        event_base_loop(world.base, EVLOOP_ONCE);
    event_free(patience);
    assert_false(is_late);
}

/* Lets the loop do what is to be done without waiting. */
static void run_dry(void) {
    for (int i = 0; i < 50; i++)
        event_base_loop(world.base, EVLOOP_NONBLOCK);
}

static int count_fds(void) {
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

/* ---- the peer ---- */

static void peer_flush(struct peer *peer) {
    const uint8_t *data;
    for (ssize_t n; !world.is_mute && (n = nghttp2_session_mem_send(peer->h2, &data)) > 0;)
        bufferevent_write(peer->wire, data, (size_t)n);
}

static void peer_read(struct bufferevent *wire, void *payload) {
    struct peer *peer = payload;
    struct evbuffer *input = bufferevent_get_input(wire);
    size_t n;
    while ((n = evbuffer_get_contiguous_space(input)) > 0) {
        ssize_t got = nghttp2_session_mem_recv(peer->h2, evbuffer_pullup(input, (ssize_t)n), n);
        if (got < 0)
            peer->is_gone = true;
        evbuffer_drain(input, n);
    }
    peer_flush(peer);
}

static void peer_event(struct bufferevent *wire, short what, void *payload) {
    (void)wire;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        ((struct peer *)payload)->is_gone = true;
}

static int peer_on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                          size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                          void *payload) {
    (void)h2, (void)frame, (void)payload;
    size_t used = strlen(world.heads);
    snprintf(world.heads + used, sizeof world.heads - used, "%.*s: %.*s%s\n", (int)name_len,
             (const char *)name, (int)value_len, (const char *)value,
             flags & NGHTTP2_NV_FLAG_NO_INDEX ? " (never indexed)" : "");
    return 0;
}

static int peer_on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *payload) {
    (void)h2;
    struct peer *peer = payload;
    if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        world.pings++;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        world.goaways++;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        world.last_reset = frame->rst_stream.error_code + 1;
    if (world.on_frame)
        world.on_frame(peer, frame);
    return 0;
}

static int peer_on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data,
                        size_t len, void *payload) {
    (void)h2, (void)flags, (void)id, (void)data, (void)payload;
    world.received += len;
    return 0;
}

/* nghttp2 would send a RST_STREAM before headers that were queued with it. */
static int peer_on_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *payload) {
    (void)payload;
    int32_t id = frame->hd.stream_id;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
        !nghttp2_session_get_stream_remote_close(h2, id))
        nghttp2_submit_rst_stream(h2, 0, id, NGHTTP2_NO_ERROR);
    return 0;
}

static void peer_begin(struct peer *peer, int fd) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, peer_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, peer_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, peer_on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, peer_on_sent);
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_ping_ack(option, world.is_without_ping_answers);
    nghttp2_option_set_max_send_header_block_length(option, 1024 * 1024);
    nghttp2_session_server_new2(&peer->h2, callbacks, peer, option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    nghttp2_submit_settings(peer->h2, 0, world.settings, world.setting_count);
    peer->wire = bufferevent_socket_new(world.base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(peer->wire, peer_read, NULL, peer_event, peer);
    bufferevent_enable(peer->wire, EV_READ | EV_WRITE);
}

static void peer_cut(struct peer *peer) {
    if (peer->wire)
        bufferevent_free(peer->wire);
    peer->wire = NULL;
    peer->is_gone = true;
}

/* ---- answers ---- */

#define NV(n, v)                                                                                   \
    ((nghttp2_nv){(uint8_t *)(uintptr_t)(n), (uint8_t *)(uintptr_t)(v), strlen(n), strlen(v), 0})
#define COUNT(a) (sizeof(a) / sizeof *(a))

struct body {
    uint8_t *data;
    size_t len, at;
    const char *status; /* NULL: no trailers */
};

static ssize_t body_read(nghttp2_session *h2, int32_t id, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *payload) {
    (void)payload;
    struct body *body = source->ptr;
    size_t n = body->len - body->at < room ? body->len - body->at : room;
    memcpy(to, body->data + body->at, n);
    body->at += n;
    if (body->at < body->len)
        return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (body->status) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const nghttp2_nv trailer = NV("grpc-status", body->status);
        nghttp2_submit_trailer(h2, id, &trailer, 1);
    }
    free(body->data);
    free(body);
    return (ssize_t)n;
}

/* Headers, raw data, and trailers with the status if there is one. */
static void peer_answer_raw(struct peer *peer, int32_t id, const void *data, size_t len,
                            const char *status) {
    const nghttp2_nv head[] = {NV(":status", "200"), NV("content-type", "application/grpc")};
    struct body *body = calloc(1, sizeof *body);
    body->data = malloc(len + 1);
    memcpy(body->data, data, len);
    body->len = len;
    body->status = status;
    const nghttp2_data_provider provider = {.source.ptr = body, .read_callback = body_read};
    nghttp2_submit_response(peer->h2, id, head, COUNT(head), &provider);
}

/* A whole answer: "hello" and status 0. */
static void peer_answer(struct peer *peer, int32_t id) {
    peer_answer_raw(peer, id, "\0\0\0\0\5hello", 10, "0");
}

/* Status and message in the first and only headers. */
static void peer_refuse(struct peer *peer, int32_t id, const char *status, const char *message) {
    const nghttp2_nv head[] = {NV(":status", "200"), NV("content-type", "application/grpc"),
                               NV("grpc-status", status), NV("grpc-message", message)};
    nghttp2_submit_response(peer->h2, id, head, COUNT(head), NULL);
}

static bool is_request_head(const nghttp2_frame *frame) {
    return frame->hd.type == NGHTTP2_HEADERS;
}

static bool is_request_end(const nghttp2_frame *frame) {
    return (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
           frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
}

static void answer_all(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame))
        peer_answer(peer, frame->hd.stream_id);
}

/* ---- in the place of net/dial ---- */

struct dial {
    struct event *event;
    dial_done *done;
    void *payload;
};

static void dialed(evutil_socket_t ignored, short what, void *payload) {
    (void)ignored, (void)what;
    struct dial dial = *(struct dial *)payload;
    event_free(dial.event);
    free(payload);
    if (world.is_dial_failing) {
        struct err err;
        err_set(&err, ERR_UNAVAILABLE, "nobody listens there");
        dial.done(NULL, &err, dial.payload);
        return;
    }
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_true(world.accepted < PEERS_MAX);
    struct peer *peer = &world.peers[world.accepted];
    *peer = (struct peer){.world = &world, .number = world.accepted++};
    peer_begin(peer, fds[1]);
    struct bufferevent *stream = bufferevent_socket_new(world.base, fds[0], BEV_OPT_CLOSE_ON_FREE);
    if (world.is_eager) {
        const uint8_t *data;
        struct evbuffer *input = bufferevent_get_input(stream);
        ssize_t n = nghttp2_session_mem_send(peer->h2, &data);
        evbuffer_unfreeze(input, 0);
        evbuffer_add(input, data, (size_t)n);
        evbuffer_freeze(input, 0);
    }
    dial.done(stream, NULL, dial.payload);
    if (world.on_accept)
        world.on_accept(peer);
    if (peer->wire)
        peer_flush(peer);
}

struct dial *dial_start(const struct dial_options *options, dial_done *done, void *payload) {
    struct dial *dial = calloc(1, sizeof *dial);
    assert_string_equal(options->protocol, "h2");
    dial->done = done;
    dial->payload = payload;
    dial->event = event_new(options->base, -1, 0, dialed, dial);
    world.dials++;
    if (!world.is_dial_hanging)
        event_active(dial->event, EV_TIMEOUT, 0);
    return dial;
}

void dial_progress(const struct dial *dial, char ret_text[DIAL_PROGRESS_MAX]) {
    assert_non_null(dial);
    snprintf(ret_text, DIAL_PROGRESS_MAX, "its name was still being looked up");
}

void dial_cancel(struct dial *dial) {
    if (!dial)
        return;
    event_free(dial->event);
    free(dial);
    world.cancelled_dials++;
}

static void world_begin(void) {
    world = (struct world){.base = event_base_new()};
}

static void world_end(void) {
    run_dry();
    for (int i = 0; i < world.accepted; i++) {
        nghttp2_session_del(world.peers[i].h2);
        peer_cut(&world.peers[i]);
    }
    event_base_free(world.base);
}

#endif

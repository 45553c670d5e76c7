/* session: HTTP/2 over a bufferevent: bytes to nghttp2 and back, with limits and a watch.
 *
 * Takes the bufferevent. Owns no stream: the owner embeds a struct grpc_stream in what it opens and
 * hears of it by the events, until it drops it, or `reset` or `lost` is told. Stream events come from
 * inside nghttp2: they may open and drop streams, but not free the session. `lost` is the last thing a
 * session does and may (must) free it. Nothing in here is of the client only but the way it is
 * made and grpc_session_open().
 *
 * Limits: what waits to be written stays below GRPC_SESSION_OUTPUT plus one frame, header fields of one
 * stream are bounded in number and bytes, and nghttp2's own bounds on PING, SETTINGS and
 * CONTINUATION are left as they are.
 *
 * The watch: while a stream is open, or nothing has come since one was, and it is silent for
 * `ping_after_ms`, a PING goes out; nothing within `ping_answer_ms` after it, and the session is lost.
 * A PING behind an upload has longer: as long as the peer's machine takes of the bytes before it in
 * each `ping_answer_ms`. Servers of grpc-go and grpc's C core hang up on the fourth PING that comes
 * within 5 minutes of the one before while they send no headers or data (grpc-go
 * internal/transport/http2_server.go, handlePing; C core's ping_strikes): so after three the next
 * waits for longer than that.
 *
 * Errors of `lost`: Unavailable, the cause in words. Those of `reset`: grpc_status_from_h2().
 */
#ifndef GRPC_SESSION_H
#define GRPC_SESSION_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum {
    GRPC_SESSION_OUTPUT = 256 * 1024,
    GRPC_SESSION_WINDOW = 1024 * 1024, /* of a stream; the connection's is four times as large */
    GRPC_SESSION_FIELDS_MAX = 256,
    GRPC_SESSION_FIELD_BYTES_MAX = 64 * 1024, /* names, values, and 32 for each, as HPACK counts */
    GRPC_SESSION_QUICK_PINGS = 3,
    GRPC_SESSION_SLOW_PING_MS = 310 * 1000,
};

struct grpc_stream {
    int32_t id; /* 0: not open */
    bool is_framed, is_ended_by_peer, is_reset_by_peer;
    uint64_t at; /* where on the wire it begins, once framed */
    size_t fields, field_bytes;
};

struct grpc_session_events {
    void (*header)(struct grpc_stream *stream, const char *name, size_t name_len, const char *value,
                   size_t value_len);
    void (*headers_end)(struct grpc_stream *stream, bool is_end_of_stream);
    void (*data)(struct grpc_stream *stream, const uint8_t *data, size_t len);
    /* The end of the stream came with data, or without anything. */
    void (*data_end)(struct grpc_stream *stream);
    /* Fills `to` with what is to be sent; *ret_is_last: it ends with this. Nothing at all: asked again
     * after grpc_session_resume(). False: the stream was dropped instead. */
    bool (*read)(struct grpc_stream *stream, uint8_t *to, size_t room, size_t *ret_len,
                 bool *ret_is_last);
    /* It is over without an end from the peer. is_unseen: the peer did not look at it. */
    void (*reset)(struct grpc_stream *stream, uint32_t code, bool is_unseen, const struct err *err);
    /* There may be room for streams now, or never again. */
    void (*changed)(void *payload);
    void (*lost)(void *payload, const struct err *err);
};

struct grpc_session_options {
    struct event_base *base;      /* borrowed */
    struct bufferevent *wire;     /* taken */
    int ping_after_ms, ping_answer_ms;
    const struct grpc_session_events *events; /* borrowed */
    void *payload;
};

struct grpc_session;

struct grpc_session *grpc_session_new(const struct grpc_session_options *options);
/* Says good-bye if that needs no waiting, and closes. Takes NULL. */
void grpc_session_free(struct grpc_session *session);

/* False: no new streams on this connection any more. */
bool grpc_session_is_accepting(const struct grpc_session *session);
/* The peer allows another stream at this moment. */
bool grpc_session_has_room(const struct grpc_session *session);
/* Begins a request; its body comes from `read`. Header fields are copied. */
bool grpc_session_open(struct grpc_session *session, struct grpc_stream *stream,
                       const nghttp2_nv *fields, size_t count, struct err *err);
/* There is something to send again. */
void grpc_session_resume(struct grpc_session *session, struct grpc_stream *stream);
/* No event of this stream any more. Resets it with the code unless both sides are through; with
 * NO_ERROR if the peer is through. */
void grpc_session_drop(struct grpc_session *session, struct grpc_stream *stream, uint32_t code);
/* No byte of it has left this machine. */
bool grpc_session_is_unseen(const struct grpc_session *session, const struct grpc_stream *stream);

#endif

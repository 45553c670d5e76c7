/* channel: gRPC calls to one server over one HTTP/2 connection.
 *
 * The connection is dialed at the first call, shared by all calls, and dialed again when it is lost,
 * refused new streams (GOAWAY), or stands still. Nothing blocks: everything happens in the caller's
 * libevent loop, in one thread. A call is unary, or streams its requests; its answer is one message.
 * It ends with exactly one `done`, never from inside grpc_call_start(), or with grpc_call_cancel().
 *
 * A call that no byte of has left this machine, or that the server says it did not look at
 * (REFUSED_STREAM, a GOAWAY below its id), is tried again once on a new connection; any other
 * failure is the caller's to judge.
 *
 * A status that the server sends before the requests are all sent ends the call with that status; the
 * rest of the requests is not asked for. Messages go out uncompressed; a compressed answer is
 * Unimplemented, one above `answer_max` ResourceExhausted, one that is not gRPC is told by the HTTP
 * status (grpc's http-grpc-status-mapping). Deadlines go out as grpc-timeout and are kept here too:
 * DeadlineExceeded says what the call was waiting for. A PING is sent when a call is on its way and
 * nothing has come for GRPC_PING_AFTER_MS; no answer within GRPC_PING_ANSWER_MS ends the connection.
 * A call for which the server has no room waits for room, the deadline, or the end of the connection
 * (if that dies silently: TCP keep-alive, 150 s).
 *
 * Knows nothing of Baton. The header values and messages are never logged.
 */
#ifndef GRPC_CHANNEL_H
#define GRPC_CHANNEL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/trust.h"

enum {
    GRPC_ANSWER_MAX = 4 * 1024 * 1024, /* grpc-go's default limit for what is received */
    GRPC_PING_AFTER_MS = 20000,
    GRPC_PING_ANSWER_MS = 10000,
    GRPC_IDLE_MS = 360000, /* a connection without a call is closed after this long */
    GRPC_MESSAGE_MAX = 16 * 1024 * 1024, /* one message that is sent; above it ResourceExhausted */
    GRPC_CALLS_MAX = 1024,               /* calls of a channel at a time; above it the same */
};

struct grpc_channel;

struct grpc_channel_options {
    struct event_base *base; /* borrowed */
    struct trust *trust;     /* borrowed */
    const char *host;        /* copied */
    int port;
    const char *user_agent; /* copied */
    int dial_timeout_ms;    /* 0: DIAL_TIMEOUT_MS */
    /* 0: the constants above */
    int ping_after_ms, ping_answer_ms, idle_ms;
};

struct grpc_channel *grpc_channel_new(const struct grpc_channel_options *options);
/* Calls still running are cancelled: their `done` is not called. Takes NULL. */
void grpc_channel_free(struct grpc_channel *channel);
/* Dials now, so that the first call finds the connection ready. */
void grpc_channel_warm_up(struct grpc_channel *channel);

/* How a call ended. Everything is borrowed for the call of `done`. */
struct grpc_outcome {
    struct err err;       /* code OK: there is an answer */
    bool is_from_server;  /* the status was the server's own word, not made up here */
    const uint8_t *answer;
    size_t answer_len;
};

struct grpc_call;

enum grpc_next {
    GRPC_NEXT_MESSAGE,
    GRPC_NEXT_LAST,   /* a message, and no other after this one */
    GRPC_NEXT_LATER,  /* there is none yet: asked again after grpc_call_wake(), perhaps once before */
    GRPC_NEXT_FAILED, /* err is set, and ends the call (RST_STREAM) */
};

/* Puts the next request message, without its frame, into the empty `message`. It may start calls, but
 * not wake or cancel its own nor free the channel. */
typedef enum grpc_next grpc_next_message(void *payload, struct buf *message, struct err *err);
typedef void grpc_call_done(const struct grpc_outcome *outcome, void *payload);

struct grpc_call_options {
    const char *path;          /* "/package.Service/Method"; copied */
    const char *authorization; /* a header value; copied and wiped; NULL: none */
    int deadline_ms;           /* 0: none */
    size_t answer_max;         /* 0: GRPC_ANSWER_MAX */
    /* One of these: the only message (copied), or a function that is asked for one after the other. A
     * call of a function is tried again by the channel only before the function was first asked. */
    const uint8_t *message;
    size_t message_len;
    grpc_next_message *next;
    grpc_call_done *done;
    void *payload; /* of next and done */
};

struct grpc_call *grpc_call_start(struct grpc_channel *channel, const struct grpc_call_options *options);
/* What GRPC_NEXT_LATER put off is there. Not after `done`; not from `next`. */
void grpc_call_wake(struct grpc_call *call);
/* Gives the call up (RST_STREAM CANCEL); `done` will not be called. Not after `done`. Takes NULL. */
void grpc_call_cancel(struct grpc_call *call);

#endif

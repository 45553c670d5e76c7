/* call: one gRPC call on its way: what it sends, what it has understood of the answer, how it ended.
 *
 * Internal to grpc/: channel.h is the face. The call is the owner of an HTTP/2 stream (session.h) and
 * judges what comes on it; which connection it is on, and when it is over or tried again, is told to
 * and decided by its keeper, the channel. One that is over stays as it is until it is freed.
 */
#ifndef GRPC_CALL_H
#define GRPC_CALL_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "grpc/channel.h"
#include "grpc/frame.h"
#include "grpc/session.h"

enum { GRPC_CALL_TRIES = 2, GRPC_CALL_WAIT_MAX = 600 };

TAILQ_HEAD(grpc_call_list, grpc_call);

struct grpc_connection;

struct grpc_call_keeper {
    /* The call has ended; its stream, if it has one, is to be dropped with this HTTP/2 code. */
    void (*over)(struct grpc_call *call, uint32_t code);
    /* Nobody has looked at the call: it is as new, and has a try left. */
    void (*again)(struct grpc_call *call);
    /* Why it has no stream yet, in words. */
    void (*explain_wait)(const struct grpc_call *call, char ret_text[GRPC_CALL_WAIT_MAX]);
};

struct grpc_call_request {
    char *path;
    struct secret authorization;
    grpc_next_message *next; /* NULL: `message` is all */
    struct buf message;      /* that is being sent */
    uint8_t prefix[GRPC_FRAME_PREFIX];
    size_t sent; /* of prefix and message */
    bool is_asked, is_wanted, is_last, is_sent; /* is_wanted: `next` has to be asked */
};

struct grpc_call_answer {
    int http_status;
    bool has_begun, is_grpc, has_status, has_message;
    char content_type[64];
    enum err_code status;
    char status_text[ERR_MSG_MAX];
    struct grpc_frame_reader reader;
};

struct grpc_call {
    struct grpc_stream stream; /* first: the session hands it back */
    /* The keeper's. */
    TAILQ_ENTRY(grpc_call) link;
    struct grpc_call_list *list;
    struct grpc_channel *channel;
    struct grpc_connection *connection; /* while it has a stream */
    unsigned tries;

    const struct grpc_call_keeper *keeper; /* borrowed */
    const char *peer;                      /* "host:port", borrowed */
    struct event *deadline;                /* NULL: none */
    int deadline_ms;
    int64_t deadline_at_ms;
    struct grpc_call_request request;
    struct grpc_call_answer answer;
    bool is_over, is_from_server;
    struct err err;
    grpc_call_done *done;
    void *payload;
};

/* The events of a stream that is part of a call; `changed` and `lost` are the channel's. */
#define GRPC_CALL_EVENTS                                                                           \
    .header = grpc_call_header, .headers_end = grpc_call_headers_end, .data = grpc_call_data,      \
    .data_end = grpc_call_data_end, .read = grpc_call_read, .reset = grpc_call_reset

struct grpc_call *grpc_call_new(struct event_base *base, const struct grpc_call_options *options,
                                const struct grpc_call_keeper *keeper, const char *peer);
void grpc_call_free(struct grpc_call *call);
/* Sends the headers. The call is over if that fails. */
void grpc_call_open(struct grpc_call *call, struct grpc_session *session, const char *user_agent);
/* Ends it with this error, which was not the server's word. */
void grpc_call_fail(struct grpc_call *call, uint32_t code, const struct err *err);

void grpc_call_header(struct grpc_stream *stream, const char *name, size_t name_len,
                      const char *value, size_t value_len);
void grpc_call_headers_end(struct grpc_stream *stream, bool is_end_of_stream);
void grpc_call_data(struct grpc_stream *stream, const uint8_t *data, size_t len);
void grpc_call_data_end(struct grpc_stream *stream);
bool grpc_call_read(struct grpc_stream *stream, uint8_t *to, size_t room, size_t *ret_len,
                    bool *ret_is_last);
void grpc_call_reset(struct grpc_stream *stream, uint32_t code, bool is_unseen,
                     const struct err *err);

#endif

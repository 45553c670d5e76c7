/* client: the calls a connector makes to C1, typed (service-mode.md 2.4, 3.2, 3.3, 5.8).
 *
 * One connection and one token serve all calls. A call is a message that goes, a message that comes,
 * and an error that says whether the server itself gave it. Refused as Unauthenticated by the server,
 * a call or upload is made once more with a fresh token; every other retry is the caller's to decide.
 *
 * Each call ends with exactly one `done`, on a later turn of the loop, or with its cancel function.
 * Nothing blocks, nothing is logged; one thread, the caller's libevent loop.
 *
 * Errors: those of the token (token_fetch.h) and of the connection (grpc/channel.h), what the server
 * says with is_from_server, Internal for an answer that is no such message.
 */
#ifndef C1_CLIENT_H
#define C1_CLIENT_H

#include <event2/event.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/err.h"
#include "c1/credential.h"
#include "net/trust.h"

enum {
    C1_STALL_MS = 60000,    /* an upload of which the peer takes no chunk for so long is given up */
    C1_VERDICT_MS = 120000, /* the same, from the last message to the answer: C1 stores the file */
};

struct c1_client_options {
    struct event_base *base;                /* borrowed */
    struct trust *trust;                    /* borrowed */
    const struct c1_credential *credential; /* borrowed */
    int http_timeout_ms;                    /* of a token request; 0: C1_TOKEN_TIMEOUT_MS */
    int stall_ms;                           /* 0: C1_STALL_MS, and C1_VERDICT_MS; for tests */
};

struct c1_client;

struct c1_client *c1_client_new(const struct c1_client_options *options);
/* Every call and upload must have ended or been cancelled (asserted). Not from inside a callback.
 * Takes NULL. */
void c1_client_free(struct c1_client *client);
/* Dials and fetches a token at the same time, so that the first call finds both. */
void c1_client_warm_up(struct c1_client *client);

/* What each takes and gives is its row in client.c: Api__BatonService<Name>Request and ...Response. */
enum c1_method { C1_HELLO, C1_GET_TASK, C1_GET_TASKS, C1_HEARTBEAT, C1_FINISH_TASK };

/* One of err and answer (borrowed for the call) is NULL. */
typedef void c1_call_done(const struct err *err, bool is_from_server,
                          const ProtobufCMessage *answer, void *payload);

struct c1_call;

/* Copies the request. deadline_ms covers all of it, the token too; 0: none. */
struct c1_call *c1_call_start(struct c1_client *client, enum c1_method method,
                              const ProtobufCMessage *request, int deadline_ms,
                              c1_call_done *done, void *payload);
/* Not after `done`. Takes NULL. */
void c1_call_cancel(struct c1_call *call);

/* err: NULL if the server has it all. */
typedef void c1_upload_done(const struct err *err, bool is_from_server, void *payload);

struct c1_upload;

/* One attempt to upload the file, from its start to the size it has. Borrows the descriptor until
 * the end, copies the ids. Unavailable, "the upload stalled ...", if the server lets it stand still.
 * A file that is growing is sent as far as c1_upload_grow() says that it is written, and its end only
 * after c1_upload_complete(). */
struct c1_upload *c1_upload_start(struct c1_client *client, const char *host_id,
                                  const char *task_id, int fd, bool is_growing,
                                  c1_upload_done *done, void *payload);
/* So many bytes are there. Not after `done`. */
void c1_upload_grow(struct c1_upload *upload, int64_t size);
/* So many, and no more will come. Not after `done`. */
void c1_upload_complete(struct c1_upload *upload, int64_t size);
/* Not after `done`. Takes NULL. */
void c1_upload_cancel(struct c1_upload *upload);

#endif

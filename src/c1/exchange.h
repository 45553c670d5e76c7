/* exchange: one gRPC call with C1's token on it (service-mode.md 2.4).
 *
 * Waits for a token, calls, and, if the server answers Unauthenticated, drops that token and does
 * both once more: a token may have been revoked or the server's keys rotated. `restart` is called
 * before each of the two attempts. Exactly one call of `done` ends it, never from inside
 * c1_exchange_start(); or c1_exchange_cancel().
 *
 * The deadline covers everything, the wait for the token too. An error that comes with the token has
 * is_from_server false.
 */
#ifndef C1_EXCHANGE_H
#define C1_EXCHANGE_H

#include <event2/event.h>

#include "c1/token.h"
#include "grpc/channel.h"

/* All borrowed until the exchange has ended. */
struct c1_link {
    struct event_base *base;
    struct c1_token *token;
    struct grpc_channel *channel;
};

typedef void c1_exchange_restart(void *payload);

struct c1_exchange_options {
    const struct c1_link *link;
    const char *path; /* static */
    int deadline_ms;  /* 0: none */
    /* The only message (borrowed until the end), or a function, as in grpc/channel.h. */
    const uint8_t *message;
    size_t message_len;
    grpc_next_message *next;
    c1_exchange_restart *restart; /* may be NULL */
    grpc_call_done *done;
    void *payload; /* of next, restart and done */
};

struct c1_exchange;

struct c1_exchange *c1_exchange_start(const struct c1_exchange_options *options);
/* As grpc_call_wake(). */
void c1_exchange_wake(struct c1_exchange *exchange);
/* Not after `done`. Takes NULL. */
void c1_exchange_cancel(struct c1_exchange *exchange);

#endif

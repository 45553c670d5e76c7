/* token: the access token that all calls of the process share (service-mode.md 2.4, 2.5).
 *
 * Fetched when somebody asks and there is none, by one fetch however many ask; kept until ten seconds
 * before it ends, counted from when it was asked for on a clock that runs while the machine sleeps. A
 * token that lives no longer than these ten seconds serves those who waited for it and is not kept.
 * Better than the SDK: a token that the server refuses can be dropped, and a fetch that failed for a
 * passing reason is told as Unavailable.
 *
 * Wiped when it is dropped, replaced or freed. Errors: those of token_fetch.h. Everything happens in
 * the caller's libevent loop, in one thread; no callback comes from inside one of these functions.
 */
#ifndef C1_TOKEN_H
#define C1_TOKEN_H

#include "base/err.h"
#include "c1/token_fetch.h"

enum { C1_TOKEN_MARGIN_S = 10 };

struct c1_token;
struct c1_token_wait;

/* One of authorization ("Bearer ...", borrowed for the call) and err is NULL. */
typedef void c1_token_done(const char *authorization, const struct err *err, void *payload);

struct c1_token *c1_token_new(const struct c1_token_fetch_options *options);
/* Forgets those who wait: they are not called. Not from inside a callback. Takes NULL. */
void c1_token_free(struct c1_token *token);

/* The one that is kept, NULL if there is none; borrowed until the next turn of the loop. */
const char *c1_token_peek(struct c1_token *token);

/* Exactly one call of `done` ends it, on a later turn of the loop, or c1_token_cancel(). */
struct c1_token_wait *c1_token_get(struct c1_token *token, c1_token_done *done, void *payload);
/* The fetch goes on, for the next one who asks. Not after `done`. Takes NULL. */
void c1_token_cancel(struct c1_token_wait *wait);

/* Starts a fetch if there is no token, for nobody yet. */
void c1_token_warm_up(struct c1_token *token);

/* Forgets the token if it still is this one. */
void c1_token_drop(struct c1_token *token, const char *authorization);

#endif

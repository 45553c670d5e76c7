/* token_fetch: one trip to the token endpoint, without blocking (service-mode.md 2.1 - 2.3).
 *
 * Dials the host of the credential for HTTP/1.1, sends one signed request, reads one answer, hangs
 * up. Exactly one call of `done` ends it, never from inside c1_token_fetch_start(); or
 * c1_token_fetch_cancel(). The whole trip has one time limit.
 *
 * Errors: those of token_answer.h; for a connection that cannot be had or breaks, Unavailable with
 * the cause; Unknown if the file of trusted certificates cannot be read. All begin with "failed to
 * get token: ". The exchanged bytes are wiped. One thread.
 */
#ifndef C1_TOKEN_FETCH_H
#define C1_TOKEN_FETCH_H

#include <event2/event.h>

#include "base/err.h"
#include "c1/credential.h"
#include "c1/token_answer.h"
#include "net/trust.h"

enum { C1_TOKEN_TIMEOUT_MS = 300000 }; /* the SDK's default of http-timeout-seconds */

struct c1_token_fetch_options {
    struct event_base *base;                /* borrowed */
    struct trust *trust;                    /* borrowed */
    const struct c1_credential *credential; /* borrowed */
    int timeout_ms;                         /* 0: C1_TOKEN_TIMEOUT_MS */
};

struct c1_token_fetch;

/* One of answer (borrowed for the call) and err is NULL. */
typedef void c1_token_fetch_done(const struct c1_token_answer *answer, const struct err *err,
                                 void *payload);

struct c1_token_fetch *c1_token_fetch_start(const struct c1_token_fetch_options *options,
                                            c1_token_fetch_done *done, void *payload);
/* Not after `done`. Takes NULL. */
void c1_token_fetch_cancel(struct c1_token_fetch *fetch);

#endif

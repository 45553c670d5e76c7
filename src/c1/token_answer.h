/* token_answer: what the token endpoint's answer means (service-mode.md 2.3, 2.4, 5.10).
 *
 * Pure: an HTTP answer goes in; a header value with its lifetime, or an error, comes out.
 *
 * Errors begin with the SDK's words, "failed to get token: ". Unauthenticated: C1 does not give us
 * one, which trying again does not change. Unavailable: trying again may help (408, 429, 5xx; with
 * retry_at_unix if the server said when). The token is in none of them.
 */
#ifndef C1_TOKEN_ANSWER_H
#define C1_TOKEN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

enum {
    C1_TOKEN_LIFE_MAX_S = 30 * 24 * 3600, /* longer promises are taken for this */
    C1_CLOCK_SLACK_S = 100,               /* how wrong the clock may be; the proof is good for 120 */
};

struct c1_token_reply {
    int status;
    const char *date, *retry_after; /* header values, "" if there are none */
    const char *body;
    size_t body_len;
    int64_t now_unix_s;
};

struct c1_token_answer {
    struct secret authorization; /* "Bearer <token>" */
    int64_t expires_in_s;        /* 0 if unknown; never negative */
};

bool c1_token_answer_read(const struct c1_token_reply *reply, struct c1_token_answer *ret_answer,
                          struct err *err);
void c1_token_answer_done(struct c1_token_answer *answer);

#endif

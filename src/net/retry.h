/* retry: whether a failed request is tried again, and after how long (crisp-api.md 9).
 *
 * Pure functions: what happened goes in, a verdict comes out; the caller waits. Requests are GETs,
 * so trying again is always safe. Never without end: a policy has a number of tries, and a server
 * that asks for more than `wait_max_s` ends the run with the time at which it may be worth another
 * one. Waits are in units of `unit_ms`: 1000, a second, in earnest, and 1 in a test.
 */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    int tries;       /* in all, the first included */
    int unit_ms;     /* one second of waiting */
    int wait_max_s;  /* the longest wait a server may ask for */
    int reset_hint_s; /* when to come back after a rate limit without a time */
};

#define RETRY_POLICY_DEFAULT                                                                       \
    ((struct retry_policy){.tries = 3, .unit_ms = 1000, .wait_max_s = 60, .reset_hint_s = 60})

/* One failed try. */
struct retry_event {
    int try_number;          /* from 1 */
    int status;              /* HTTP status, 0 if there was no answer */
    bool is_transient;       /* no answer, but the next try may get one */
    const char *retry_after; /* header value: seconds or HTTP date; "" or NULL: none */
    const char *rate_reset;  /* value of a rate limit's reset header, the same */
    int64_t now_unix;        /* seconds */
    uint32_t random;         /* spreads the waits of several clients */
};

struct retry_verdict {
    bool is_again;
    int64_t wait_ms;       /* if is_again */
    int64_t retry_at_unix; /* if not: when it may work, 0 if unknown */
};

struct retry_verdict retry_decide(const struct retry_policy *policy,
                                  const struct retry_event *event);

/* 420 ("Enhance Your Calm") is Crisp's other 429 (crisp-api.md 2.4). */
bool retry_is_rate_limit(int status);

/* Reads seconds or an HTTP date; false if the text is neither. Past dates give 0. */
bool retry_parse_after(const char *text, int64_t now_unix, int64_t *ret_wait_s);
/* Reads the value of a reset header: seconds from now, Unix seconds, Unix milliseconds, or an HTTP
 * date, told apart by size as baton-sdk pkg/ratelimit/http.go does. */
bool retry_parse_reset(const char *text, int64_t now_unix, int64_t *ret_wait_s);

#endif

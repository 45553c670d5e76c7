#include "net/retry.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

/* A longer wait than this is taken for it: it only ends up in a hint. */
static const int64_t WAIT_CEILING_S = INT64_C(366) * 24 * 3600;

/* Thirty years in seconds: nobody asks for such a wait, so a larger number is a time, and one that
 * is a thousand times larger a time in milliseconds (baton-sdk v0.25.0 pkg/ratelimit/http.go,
 * parseTime). */
static const int64_t FIRST_UNIX_S = INT64_C(946080000), FIRST_UNIX_MS = INT64_C(946080000000);

enum cause { CAUSE_FINAL, CAUSE_TROUBLE, CAUSE_RATE_LIMIT };

static const struct {
    int status;
    enum cause cause;
} causes[] = {
    {408, CAUSE_TROUBLE},    {420, CAUSE_RATE_LIMIT}, {429, CAUSE_RATE_LIMIT},
    {500, CAUSE_TROUBLE},    {502, CAUSE_TROUBLE},    {503, CAUSE_TROUBLE},
    {504, CAUSE_TROUBLE},    {521, CAUSE_TROUBLE},    {522, CAUSE_TROUBLE},
    {524, CAUSE_TROUBLE},
};

/* Seconds before the second, the third … try when the server names none. */
static const int64_t trouble_waits_s[] = {1, 2}, rate_waits_s[] = {10, 30};

static enum cause cause_of(int status) {
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (causes[i].status == status)
            return causes[i].cause;
    return CAUSE_FINAL;
}

bool retry_is_rate_limit(int status) {
    return cause_of(status) == CAUSE_RATE_LIMIT;
}

static int64_t clamp_wait(int64_t wait_s) {
    return wait_s < 0 ? 0 : wait_s > WAIT_CEILING_S ? WAIT_CEILING_S : wait_s;
}

/* Digits only; no sign, no fraction, no blanks. Long numbers stop at a value far above any ceiling.
 * */
static bool parse_digits(const char *text, int64_t *ret_value) {
    int64_t value = 0;
    if (!*text)
        return false;
    for (const char *p = text; *p; p++) {
        if (!isdigit((unsigned char)*p))
            return false;
        if (value < INT64_MAX / 100)
            value = value * 10 + (*p - '0');
    }
    *ret_value = value;
    return true;
}

static bool parse_date(const char *text, int64_t now_unix, int64_t *ret_wait_s) {
    int64_t at;
    if (!clock_parse_http(text, &at))
        return false;
    *ret_wait_s = clamp_wait(at - now_unix);
    return true;
}

bool retry_parse_after(const char *text, int64_t now_unix, int64_t *ret_wait_s) {
    int64_t value;
    if (!text)
        return false;
    if (!parse_digits(text, &value))
        return parse_date(text, now_unix, ret_wait_s);
    *ret_wait_s = clamp_wait(value);
    return true;
}

bool retry_parse_reset(const char *text, int64_t now_unix, int64_t *ret_wait_s) {
    int64_t value;
    if (!text)
        return false;
    if (!parse_digits(text, &value))
        return parse_date(text, now_unix, ret_wait_s);
    if (value > FIRST_UNIX_MS)
        value /= 1000;
    *ret_wait_s = clamp_wait(value > FIRST_UNIX_S ? value - now_unix : value);
    return true;
}

/* What the server itself asks for. A reset header counts only where a limit was hit: elsewhere it
 * tells when the budget is refilled, not when to come back. */
static bool asked_wait(const struct retry_event *e, enum cause cause, int64_t *ret_wait_s) {
    if (retry_parse_after(e->retry_after, e->now_unix, ret_wait_s))
        return true;
    return cause == CAUSE_RATE_LIMIT && retry_parse_reset(e->rate_reset, e->now_unix, ret_wait_s);
}

static int64_t own_wait_s(enum cause cause, int try_number) {
    const int64_t *waits = cause == CAUSE_RATE_LIMIT ? rate_waits_s : trouble_waits_s;
    return waits[try_number <= 1 ? 0 : 1];
}

struct retry_verdict retry_decide(const struct retry_policy *policy,
                                  const struct retry_event *event) {
    enum cause cause = cause_of(event->status);
    if (event->status == 0 && event->is_transient)
        cause = CAUSE_TROUBLE;
    if (cause == CAUSE_FINAL)
        return (struct retry_verdict){0};

    int64_t wait_s = 0;
    bool is_asked = asked_wait(event, cause, &wait_s);
    if (event->try_number < policy->tries && (!is_asked || wait_s <= policy->wait_max_s)) {
        if (!is_asked)
            wait_s = own_wait_s(cause, event->try_number);
        /* A tenth of a second at most, also on top of a wait that was asked for: clients that were
         * told the same second should not all come back in the same millisecond. */
        int64_t spread = event->random % (uint32_t)(policy->unit_ms / 10 + 1);
        return (struct retry_verdict){.is_again = true,
                                      .wait_ms = wait_s * policy->unit_ms + spread};
    }
    if (is_asked)
        return (struct retry_verdict){.retry_at_unix = event->now_unix + wait_s};
    if (cause == CAUSE_RATE_LIMIT)
        return (struct retry_verdict){.retry_at_unix = event->now_unix + policy->reset_hint_s};
    return (struct retry_verdict){0};
}

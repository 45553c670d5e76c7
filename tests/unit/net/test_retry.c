/* retry: crisp-api.md section 9, as a table. */
#include "tests/unit/test.h"

#include "net/retry.h"

/* 2026-11-22T08:00:00Z */
static const int64_t now_unix = 1795334400;
#define IN_30_S "Sun, 22 Nov 2026 08:00:30 GMT"
#define IN_1_H "Sun, 22 Nov 2026 09:00:00 GMT"
#define AN_HOUR_AGO "Sun, 22 Nov 2026 07:00:00 GMT"

struct row {
    int try_number, status;
    bool is_transient;
    const char *retry_after, *rate_reset;
    bool is_again;
    int64_t wait_s;   /* if again */
    int64_t reset_in; /* if not: seconds from now, 0: unknown */
};

static const struct row rows[] = {
    /* trouble: 1 s, 2 s, then give up */
    {1, 0, true, NULL, NULL, true, 1, 0},
    {2, 0, true, NULL, NULL, true, 2, 0},
    {3, 0, true, NULL, NULL, false, 0, 0},
    {1, 500, false, "", "", true, 1, 0},
    {2, 502, false, "", "", true, 2, 0},
    {1, 503, false, "", "", true, 1, 0},
    {1, 504, false, "", "", true, 1, 0},
    {1, 521, false, "", "", true, 1, 0},
    {1, 522, false, "", "", true, 1, 0},
    {1, 524, false, "", "", true, 1, 0},
    {1, 408, false, "", "", true, 1, 0},
    {3, 503, false, "", "", false, 0, 0},
    /* Retry-After wins up to a minute */
    {1, 503, false, "7", "", true, 7, 0},
    {2, 503, false, "60", "", true, 60, 0},
    {1, 503, false, IN_30_S, "", true, 30, 0},
    {1, 503, false, AN_HOUR_AGO, "", true, 0, 0},
    {1, 503, false, "61", "", false, 0, 61},
    {1, 503, false, IN_1_H, "", false, 0, 3600},
    {3, 503, false, "5", "", false, 0, 5},
    /* a reset header says nothing about an outage */
    {1, 503, false, "", "3600", true, 1, 0},
    /* odd values count as none */
    {1, 503, false, "soon", "", true, 1, 0},
    {1, 503, false, "-1", "", true, 1, 0},
    {1, 503, false, "1.5", "", true, 1, 0},
    {1, 503, false, " 7", "", true, 1, 0},
    {1, 503, false, "99999999999999999999999999", "", false, 0, 366 * 24 * 3600},
    /* rate limits: 10 s, 30 s, then a hint of a minute; 420 is 429 */
    {1, 429, false, "", "", true, 10, 0},
    {2, 429, false, "", "", true, 30, 0},
    {3, 429, false, "", "", false, 0, 60},
    {1, 420, false, "", "", true, 10, 0},
    {2, 420, false, "", "", true, 30, 0},
    {3, 420, false, "", "", false, 0, 60},
    {1, 429, false, "2", "", true, 2, 0},
    {1, 420, false, "2", "", true, 2, 0},
    {1, 429, false, "0", "", true, 0, 0},
    {1, 429, false, "3600", "", false, 0, 3600},
    {1, 420, false, "3600", "", false, 0, 3600},
    /* without Retry-After a reset header is as good: seconds, Unix seconds, milliseconds */
    {1, 429, false, "", "20", true, 20, 0},
    {1, 429, false, "", "1795334420", true, 20, 0},
    {1, 429, false, "", "1795334420000", true, 20, 0},
    {1, 429, false, "", "1795338000", false, 0, 3600},
    {1, 429, false, "5", "3600", true, 5, 0},
    {1, 429, false, "", "1795330000", true, 0, 0},
    /* never again */
    {1, 400, false, "", "", false, 0, 0},
    {1, 401, false, "1", "", false, 0, 0},
    {1, 403, false, "", "", false, 0, 0},
    {1, 404, false, "", "", false, 0, 0},
    {1, 409, false, "", "", false, 0, 0},
    {1, 422, false, "", "", false, 0, 0},
    {1, 302, false, "", "", false, 0, 0},
    {1, 501, false, "", "", false, 0, 0},
    {1, 0, false, NULL, NULL, false, 0, 0}, /* TLS verification, a body that is not JSON */
};

static struct retry_event event_of(const struct row *row, uint32_t random) {
    return (struct retry_event){
        .try_number = row->try_number,
        .status = row->status,
        .is_transient = row->is_transient,
        .retry_after = row->retry_after,
        .rate_reset = row->rate_reset,
        .now_unix = now_unix,
        .random = random,
    };
}

static void test_retry_follows_the_table(void **state) {
    (void)state;
    const struct retry_policy policy = RETRY_POLICY_DEFAULT;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct retry_event event = event_of(row, 0);
        struct retry_verdict v = retry_decide(&policy, &event);
        if (v.is_again != row->is_again || (v.is_again && v.wait_ms != row->wait_s * 1000))
            fail_msg("row %zu: again %d, wait %lld ms", i, v.is_again, (long long)v.wait_ms);
        int64_t expected = row->reset_in ? now_unix + row->reset_in : 0;
        if (!row->is_again && v.retry_at_unix != expected)
            fail_msg("row %zu: retry at %lld", i, (long long)v.retry_at_unix);
    }
}

static void test_retry_spreads_waits_by_a_tenth_of_a_second(void **state) {
    (void)state;
    const struct retry_policy policy = RETRY_POLICY_DEFAULT;
    const struct row row = {.try_number = 1, .status = 503};
    for (uint32_t random = 0; random < 500; random += 7) {
        struct retry_event event = event_of(&row, random);
        struct retry_verdict v = retry_decide(&policy, &event);
        assert_in_range(v.wait_ms, 1000, 1100);
        assert_int_equal(v.wait_ms, 1000 + random % 101);
    }
}

static void test_retry_scales_with_its_unit(void **state) {
    (void)state;
    struct retry_policy policy = RETRY_POLICY_DEFAULT;
    policy.unit_ms = 1;
    const struct row row = {.try_number = 2, .status = 429};
    struct retry_event event = event_of(&row, 12345);
    assert_int_equal(retry_decide(&policy, &event).wait_ms, 30);
}

static void test_retry_obeys_the_number_of_tries(void **state) {
    (void)state;
    struct retry_policy policy = RETRY_POLICY_DEFAULT;
    policy.tries = 1;
    const struct row row = {.try_number = 1, .status = 503};
    struct retry_event event = event_of(&row, 0);
    assert_false(retry_decide(&policy, &event).is_again);
}

static void test_retry_knows_both_rate_limits(void **state) {
    (void)state;
    assert_true(retry_is_rate_limit(420));
    assert_true(retry_is_rate_limit(429));
    assert_false(retry_is_rate_limit(503));
    assert_false(retry_is_rate_limit(0));
}

static void test_retry_parse_leaves_its_output_alone_on_failure(void **state) {
    (void)state;
    int64_t wait_s = 42;
    assert_false(retry_parse_after("", now_unix, &wait_s));
    assert_false(retry_parse_after(NULL, now_unix, &wait_s));
    assert_false(retry_parse_reset("tomorrow", now_unix, &wait_s));
    assert_int_equal(wait_s, 42);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_follows_the_table),
        cmocka_unit_test(test_retry_spreads_waits_by_a_tenth_of_a_second),
        cmocka_unit_test(test_retry_scales_with_its_unit),
        cmocka_unit_test(test_retry_obeys_the_number_of_tries),
        cmocka_unit_test(test_retry_knows_both_rate_limits),
        cmocka_unit_test(test_retry_parse_leaves_its_output_alone_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

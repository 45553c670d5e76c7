/* retention: which runs go, as baton-sdk v0.25.0 decides it. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "c1z/retention.h"

#define RUN(name, kind, start, end)                                                                \
    {.id = name, .type = kind, .started_at_ns = start, .ended_at_ns = end, .token = "",           \
     .parent_id = "", .linked_id = ""}

enum { MAX = 12 };

/* The marked ids, one after the other. */
static const char *selected(const struct c1z_run *runs, size_t n, const char *open, size_t limit) {
    static char text[256];
    bool doomed[MAX] = {false};
    retention_select(runs, n, open, limit, doomed);
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (doomed[i])
            len += (size_t)snprintf(text + len, sizeof text - len, "%s ", runs[i].id);
    }
    return text;
}

static void test_retention_keeps_limit_of_full_runs(void **state) {
    (void)state;
    const struct c1z_run runs[] = {RUN("a", "full", 1, 2), RUN("b", "full", 3, 4),
                                   RUN("c", "full", 5, 6), RUN("open", "full", 7, 0)};
    assert_string_equal(selected(runs, 4, "open", 1), "a b ");
    assert_string_equal(selected(runs, 4, "open", 2), "a ");
    assert_string_equal(selected(runs, 4, "open", 3), "");
    assert_string_equal(selected(runs, 4, "open", 0), "a b c ");
}

static void test_retention_never_takes_unfinished_or_open_runs(void **state) {
    (void)state;
    const struct c1z_run runs[] = {RUN("u", "full", 1, 0), RUN("a", "full", 2, 3),
                                   RUN("b", "full", 4, 5), RUN("open", "full", 6, 7)};
    assert_string_equal(selected(runs, 4, "open", 1), "a ");
}

static void test_retention_counts_unknown_types_as_full(void **state) {
    (void)state;
    const struct c1z_run runs[] = {RUN("a", "weird", 1, 2), RUN("b", "full", 3, 4),
                                   RUN("open", "full", 5, 0)};
    assert_string_equal(selected(runs, 3, "open", 1), "a ");
}

static void test_retention_takes_partial_runs_older_than_the_newest_that_goes(void **state) {
    (void)state;
    const struct c1z_run runs[] = {
        RUN("p1", "partial", 1, 2),  RUN("a", "full", 3, 4),  RUN("r1", "resources_only", 5, 6),
        RUN("b", "full", 7, 8),      RUN("p2", "partial", 9, 10), RUN("open", "full", 11, 0),
    };
    /* b goes with a limit of 0: what ended before b began goes as well. */
    assert_string_equal(selected(runs, 6, "open", 0), "p1 a r1 b ");
    /* a goes: only p1 ended before it. */
    assert_string_equal(selected(runs, 6, "open", 1), "p1 a ");
    /* no full run goes: partial ones stay. */
    assert_string_equal(selected(runs, 6, "open", 2), "");
}

static void test_retention_keeps_the_newest_diff_and_its_partner(void **state) {
    (void)state;
    struct c1z_run runs[] = {
        RUN("d1", "partial_upserts", 1, 2), RUN("d2", "partial_deletions", 1, 2),
        RUN("d3", "partial_upserts", 3, 4), RUN("d4", "partial_deletions", 3, 4),
        RUN("open", "full", 5, 0),
    };
    runs[3].linked_id = "d3";
    assert_string_equal(selected(runs, 5, "open", 1), "d1 d2 ");
    runs[3].linked_id = "";
    assert_string_equal(selected(runs, 5, "open", 1), "d1 d2 d3 ");
    assert_string_equal(selected(runs + 2, 3, "open", 1), "");
}

static void test_retention_reads_the_limit(void **state) {
    (void)state;
    static const struct {
        const char *value;
        size_t limit;
    } cases[] = {{"", 1}, {"1", 0}, {"2", 1}, {"5", 4}, {"0", 1}, {"-3", 1}, {"many", 1}};
    unsetenv("BATON_KEEP_SYNC_COUNT");
    assert_int_equal(retention_limit(), 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("BATON_KEEP_SYNC_COUNT", cases[i].value, 1);
        assert_int_equal(retention_limit(), cases[i].limit);
    }
    unsetenv("BATON_KEEP_SYNC_COUNT");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retention_keeps_limit_of_full_runs),
        cmocka_unit_test(test_retention_never_takes_unfinished_or_open_runs),
        cmocka_unit_test(test_retention_counts_unknown_types_as_full),
        cmocka_unit_test(test_retention_takes_partial_runs_older_than_the_newest_that_goes),
        cmocka_unit_test(test_retention_keeps_the_newest_diff_and_its_partner),
        cmocka_unit_test(test_retention_reads_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

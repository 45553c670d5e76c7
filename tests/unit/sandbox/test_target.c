/* target and pattern: taking a request target apart, and saying which requests are meant. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/pattern.h"
#include "sandbox/target.h"

static void test_target_splits_before_it_decodes(void **state) {
    (void)state;
    struct target t;
    assert_true(target_parse("/v1/web%73ite/a%2Fb/?x=1", &t));
    assert_int_equal(t.count, 4);
    assert_string_equal(t.segment[1], "website");
    assert_string_equal(t.segment[2], "a/b");
    assert_string_equal(t.segment[3], "");
    assert_string_equal(t.path, "/v1/web%73ite/a%2Fb/");
    assert_string_equal(t.query, "x=1");
    target_done(&t);
    target_done(&t);
}

static void test_target_refuses_what_is_no_path(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "v1", "http://x/v1", "*", "/%", "/%4", "/%zz", "/%00", "/%0a", "/a%7f",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct target t;
        assert_false(target_parse(bad[i], &t));
        assert_null(t.path);
    }
    char longest[TARGET_LEN_MAX + 2];
    struct target t;
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[TARGET_LEN_MAX + 1] = '\0';
    assert_false(target_parse(longest, &t));
    longest[TARGET_LEN_MAX] = '\0';
    assert_true(target_parse(longest, &t));
    target_done(&t);
}

static void check_param(const struct target *t, const char *name, size_t n, const char *expected) {
    mem_auto char *value = target_param(t, name, n);
    if (expected)
        assert_string_equal(value, expected);
    else
        assert_null(value);
}

static void test_target_param_decodes_and_counts(void **state) {
    (void)state;
    struct target t;
    assert_true(target_parse("/?a=1&b=x%20y+z&a=2&ab=3&flag&bad=%zz&=&c=", &t));
    check_param(&t, "a", 0, "1");
    check_param(&t, "a", 1, "2");
    check_param(&t, "a", 2, NULL);
    check_param(&t, "b", 0, "x y z");
    check_param(&t, "flag", 0, "");
    check_param(&t, "c", 0, "");
    check_param(&t, "bad", 0, NULL);
    check_param(&t, "fla", 0, NULL);
    assert_true(target_flag(&t, "a"));
    assert_false(target_flag(&t, "ab"));
    assert_false(target_flag(&t, "flag"));
    target_done(&t);
}

static void test_target_is_uuid(void **state) {
    (void)state;
    assert_true(target_is_uuid("5f0c1a2b-1111-4222-8333-abcdef000001"));
    assert_true(target_is_uuid("5F0C1A2B-1111-4222-8333-ABCDEF000001"));
    assert_false(target_is_uuid(""));
    assert_false(target_is_uuid("5f0c1a2b-1111-4222-8333-abcdef00000"));
    assert_false(target_is_uuid("5f0c1a2b-1111-4222-8333-abcdef0000011"));
    assert_false(target_is_uuid("5f0c1a2b11111-4222-8333-abcdef000001"));
    assert_false(target_is_uuid("gf0c1a2b-1111-4222-8333-abcdef000001"));
}

static void test_pattern_means_whole_last_segments(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *route, *path;
        bool matches;
    } cases[] = {
        {"*", "", "/", true},
        {"website", "website", "/v1/website/1", true},
        {"website", "website/operators/list", "/v1/website/1/operators/list", false},
        {"operators/list", "website/operators/list", "/v1/website/1/operators/list", true},
        {"ist", "website/operators/list", "/v1/website/1/operators/list", false},
        {"operators", "website/operators/list", "/v1/website/1/operators/list", false},
        {"/v1/website/1", "website", "/v1/website/1", true},
        {"/v1/website", "website", "/v1/website/1", false},
        {"no/such", "", "/v1/no/such", true},
        {"", "website", "/v1/website/1", false},
        {"", "", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pattern_matches(cases[i].pattern, cases[i].route, cases[i].path),
                         cases[i].matches);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target_splits_before_it_decodes),
        cmocka_unit_test(test_target_refuses_what_is_no_path),
        cmocka_unit_test(test_target_param_decodes_and_counts),
        cmocka_unit_test(test_target_is_uuid),
        cmocka_unit_test(test_pattern_means_whole_last_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

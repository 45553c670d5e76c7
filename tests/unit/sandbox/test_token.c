/* token: pairs, tiers, quotas, scopes. */
#include "tests/unit/test.h"

#include <string.h>

#include "sandbox/token.h"

static struct token tokens[TIER_COUNT];

static int make_tokens(void **state) {
    (void)state;
    for (int i = 0; i < TIER_COUNT; i++)
        token_init(&tokens[i], (enum tier)i);
    return 0;
}

static int drop_tokens(void **state) {
    (void)state;
    for (int i = 0; i < TIER_COUNT; i++) {
        token_done(&tokens[i]);
        token_done(&tokens[i]);
    }
    return 0;
}

/* The worked example of crisp-api.md 1.1. */
#define EXAMPLE                                                                                    \
    "MWQwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDBjMGRlOjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm" \
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

static struct token *find(const char *authorization, const char *tier) {
    return token_find(tokens, TIER_COUNT, authorization, tier);
}

static void test_token_find_takes_the_documented_example(void **state) {
    (void)state;
    assert_ptr_equal(find("Basic " EXAMPLE, "plugin"), &tokens[TIER_PLUGIN]);
    assert_ptr_equal(find("bASIC   " EXAMPLE, "plugin"), &tokens[TIER_PLUGIN]);
}

static void test_token_find_wants_pair_and_tier_together(void **state) {
    (void)state;
    static const char *const tiers[] = {"user", "website", "Plugin", "", "owner", NULL};
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++)
        assert_null(find("Basic " EXAMPLE, tiers[i]));
}

static void test_token_find_refuses_what_is_no_basic(void **state) {
    (void)state;
    static const char *const bad[] = {
        NULL, "", "Basic", "Basic ", "Basic =", "Basic ====", "Basic YWJj", "Basic YQ=", "Basic YQ",
        "Basic Y!==", "Basic YWI6AGM=" /* a NUL in it */, "Bearer " EXAMPLE, "Basic " EXAMPLE "A",
        "Basic " EXAMPLE EXAMPLE, "Basic\t" EXAMPLE,
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(find(bad[i], "plugin"));
}

static void test_token_find_splits_at_the_first_colon(void **state) {
    (void)state;
    token_set(&tokens[TIER_PLUGIN].identifier, "a");
    token_set(&tokens[TIER_PLUGIN].key, "b:c");
    assert_non_null(find("Basic YTpiOmM=", "plugin"));
    token_set(&tokens[TIER_PLUGIN].identifier, "a:b");
    token_set(&tokens[TIER_PLUGIN].key, "c");
    assert_null(find("Basic YTpiOmM=", "plugin"));
}

static void test_token_find_survives_a_long_header(void **state) {
    (void)state;
    char text[20000];
    memset(text, 'A', sizeof text);
    memcpy(text, "Basic ", 6);
    text[sizeof text - 1] = '\0';
    assert_null(find(text, "plugin"));
}

static void test_token_spend_counts_by_day(void **state) {
    (void)state;
    struct token *t = &tokens[TIER_PLUGIN];
    for (int i = 0; i < 100; i++)
        assert_true(token_spend(t, 1));
    t->quota = 2;
    assert_true(token_spend(t, 2));
    assert_true(token_spend(t, 2));
    assert_false(token_spend(t, 2));
    assert_int_equal(t->used, 2);
    assert_true(token_spend(t, 3));
    t->quota = 0;
    assert_false(token_spend(t, 4));
}

static void test_scopes_parse_knows_names_and_halves(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned set;
    } cases[] = {
        {"all", SCOPE_ALL},
        {"none", 0},
        {"", 0},
        {"website:operators:read", SCOPE_OPERATORS_READ},
        {"website:operators", SCOPE_OPERATORS_READ | SCOPE_OPERATORS_WRITE},
        {"plan:subscription:write,,website:settings:read", SCOPE_PLAN_WRITE | SCOPE_SETTINGS_READ},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned set = 12345;
        assert_true(scopes_parse(cases[i].text, &set, NULL));
        assert_int_equal(set, cases[i].set);
    }
}

static void test_scopes_parse_refuses_unknown_ones_and_leaves_the_output(void **state) {
    (void)state;
    static const char *const bad[] = {"website", "website:operators:list", "website:operator",
                                      "ALL", "website:operators:read;x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = ERR_INIT;
        unsigned set = 77;
        assert_false(scopes_parse(bad[i], &set, &err));
        assert_int_equal(set, 77);
        assert_non_null(strstr(err.msg, bad[i]));
    }
}

static void test_scope_name_lists_the_set(void **state) {
    (void)state;
    unsigned set = SCOPE_OPERATORS_WRITE | SCOPE_PLAN_READ;
    assert_string_equal(scope_name(set, 0), "website:operators:write");
    assert_string_equal(scope_name(set, 1), "plan:subscription:read");
    assert_null(scope_name(set, 2));
    assert_null(scope_name(0, 0));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_tokens, drop_tokens)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_token_find_takes_the_documented_example),
        CASE(test_token_find_wants_pair_and_tier_together),
        CASE(test_token_find_refuses_what_is_no_basic),
        CASE(test_token_find_splits_at_the_first_colon),
        CASE(test_token_find_survives_a_long_header),
        CASE(test_token_spend_counts_by_day),
        cmocka_unit_test(test_scopes_parse_knows_names_and_halves),
        cmocka_unit_test(test_scopes_parse_refuses_unknown_ones_and_leaves_the_output),
        cmocka_unit_test(test_scope_name_lists_the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

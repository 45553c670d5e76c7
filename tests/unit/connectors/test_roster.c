#include "tests/unit/test.h"

#include "connectors/crisp/roster.h"

#define OP(...)                                                                                    \
    {.type = "operator", .user_id = "", .email = "", .first_name = "", .last_name = "",            \
     .role = "", .title = "", __VA_ARGS__}

static struct roster make(struct crisp_operator *operators, size_t count, struct arena *arena) {
    struct crisp_team team = {.operators = operators, .count = count};
    struct roster r;
    roster_init(&r, &team, arena);
    return r;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

static void test_roster_sorts_by_user_id(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator ops[] = {OP(.user_id = "b", .role = "member"),
                                   OP(.user_id = "a", .role = "owner")};
    struct roster r = make(ops, 2, &arena);
    assert_int_equal(r.count, 2);
    assert_string_equal(r.entries[0].operator->user_id, "a");
    assert_int_equal(r.entries[0].role, ROSTER_OWNER);
    assert_int_equal(r.owners, 1);
    assert_int_equal(r.members, 1);
}

static void test_roster_owner_wins_whatever_the_order(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    for (int order = 0; order < 2; order++) {
        struct crisp_operator ops[] = {OP(.user_id = "a", .role = order ? "owner" : "member"),
                                       OP(.user_id = "a", .role = order ? "member" : "owner"),
                                       OP(.user_id = "a", .role = "")};
        struct roster r = make(ops, 3, &arena);
        assert_int_equal(r.count, 1);
        assert_int_equal(r.entries[0].role, ROSTER_OWNER);
        assert_int_equal(r.duplicates, 2);
        assert_int_equal(r.role_conflicts, 2);
    }
}

static void test_roster_compares_roles_without_case_and_blanks(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator ops[] = {
        OP(.user_id = "a", .role = "OWNER"), OP(.user_id = "b", .role = " Member\n"),
        OP(.user_id = "c", .role = "admin"), OP(.user_id = "d", .role = "")};
    struct roster r = make(ops, 4, &arena);
    assert_int_equal(r.entries[0].role, ROSTER_OWNER);
    assert_int_equal(r.entries[1].role, ROSTER_MEMBER);
    assert_int_equal(r.entries[2].role, ROSTER_NO_ROLE);
    assert_int_equal(r.without_role, 2);
    assert_string_equal(r.strange_role, "admin");
}

static void test_roster_keeps_an_unknown_type_only_with_a_role(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator ops[] = {OP(.type = "sandbox", .user_id = "a", .role = "member"),
                                   OP(.type = "sandbox", .user_id = "b")};
    struct roster r = make(ops, 2, &arena);
    assert_int_equal(r.count, 1);
    assert_string_equal(r.entries[0].operator->user_id, "a");
    assert_int_equal(r.unknown_types, 1);
    assert_int_equal(r.skipped, 1);
}

#pragma GCC diagnostic pop

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roster_sorts_by_user_id),
        cmocka_unit_test(test_roster_owner_wins_whatever_the_order),
        cmocka_unit_test(test_roster_compares_roles_without_case_and_blanks),
        cmocka_unit_test(test_roster_keeps_an_unknown_type_only_with_a_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

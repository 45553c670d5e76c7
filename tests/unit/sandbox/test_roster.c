/* roster and team: the people of a website, and the lists they are shown in. */
#include "tests/unit/test.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "sandbox/roster.h"
#include "sandbox/team.h"

static struct roster roster;

static int make_roster(void **state) {
    (void)state;
    roster_init(&roster);
    return 0;
}

static int drop_roster(void **state) {
    (void)state;
    roster_done(&roster);
    roster_done(&roster);
    return 0;
}

static void add_generated(size_t index) {
    buf_auto struct buf text;
    struct team_member member;
    buf_init(&text, 4096);
    team_generate(index, team_is_owner(index), &text, &member);
    roster_add_member(&roster, text.data, text.len, &member);
}

static void add_json(const char *text) {
    json_auto_t *entry = json_loads(text, 0, NULL);
    assert_true(roster_add(&roster, entry, 0, NULL));
}

/* The list as text; checks that it is JSON. */
static struct blob *render(enum roster_view view) {
    struct blob *b = roster_render(&roster, view);
    json_auto_t *value = json_loadb(b->data, b->len, 0, NULL);
    assert_non_null(value);
    assert_true(json_is_array(json_object_get(value, "data")));
    return b;
}

static void check_list(const char *expected) {
    struct blob *b = render(ROSTER_LIST);
    assert_string_equal(b->data, expected);
    assert_int_equal(b->len, strlen(expected));
    blob_unref(b);
}

#define HEAD "{\"error\":false,\"reason\":\"listed\",\"data\":["

static void test_roster_empty_list(void **state) {
    (void)state;
    check_list(HEAD "]}");
}

static void test_roster_keeps_entries_of_any_shape_as_they_are(void **state) {
    (void)state;
    add_json("{\"details\":null}");
    add_json("{\"type\":\"x\",\"details\":{\"user_id\":\"u\"},\"more\":[1.5]}");
    add_json("{\"a\":{\"details\":1},\"type\":7,\"details\":\"\\\"details\\\":\"}");
    check_list(HEAD "{\"details\":null},"
                    "{\"type\":\"x\",\"details\":{\"user_id\":\"u\"},\"more\":[1.5]},"
                    "{\"type\":7,\"details\":\"\\\"details\\\":\",\"a\":{\"details\":1}}]}");
    struct blob *one = roster_render_one(&roster, 2);
    assert_string_equal(one->data,
                        "{\"error\":false,\"reason\":\"resolved\",\"data\":\"\\\"details\\\":\"}");
    blob_unref(one);
}

static void test_roster_refuses_what_is_no_entry(void **state) {
    (void)state;
    json_auto_t *none = json_loads("{\"type\":\"operator\"}", 0, NULL);
    json_auto_t *array = json_loads("[]", 0, NULL);
    struct err err = ERR_INIT;
    assert_false(roster_add(&roster, none, 0, &err));
    assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
    assert_false(roster_add(&roster, array, 0, &err));
    assert_int_equal(roster.count, 0);
}

static void test_roster_finds_counts_and_removes(void **state) {
    (void)state;
    struct team_invite invite;
    for (size_t i = 0; i < 40; i++)
        add_generated(i);
    team_invite(0, &invite);
    roster_add_invite(&roster, &invite);
    assert_int_equal(roster.count, 41);
    assert_int_equal(roster.operators, 40);
    size_t index = roster_find_email(&roster, "PENDING.invitee@example.com", true);
    assert_int_equal(index, 40);
    assert_int_equal(roster_find_email(&roster, "pending.invitee@example.com", false), SIZE_MAX);
    size_t seventh = roster_find(&roster, roster.entries[7].user_id);
    assert_int_equal(seventh, 7);
    roster_remove(&roster, 40);
    roster_remove(&roster, 0);
    assert_int_equal(roster.operators, 39);
    assert_int_equal(roster_find(&roster, "nobody"), SIZE_MAX);
}

static void test_roster_renders_again_only_after_a_change(void **state) {
    (void)state;
    add_generated(0);
    struct blob *first = render(ROSTER_LIST), *second = render(ROSTER_LIST);
    assert_ptr_equal(first, second);
    add_generated(1);
    struct blob *third = render(ROSTER_LIST);
    assert_ptr_not_equal(first, third);
    assert_true(third->len > first->len);
    blob_unref(first);
    blob_unref(second);
    blob_unref(third);
}

static void test_roster_replace_keeps_the_place(void **state) {
    (void)state;
    add_json("{\"type\":\"operator\",\"details\":{\"user_id\":\"a\"}}");
    add_json("{\"type\":\"operator\",\"details\":{\"user_id\":\"b\"}}");
    json_auto_t *entry = json_loads("{\"type\":\"invite\",\"details\":{}}", 0, NULL);
    assert_true(roster_replace(&roster, 0, entry, 0, NULL));
    assert_int_equal(roster.operators, 1);
    assert_int_equal(roster_find(&roster, "a"), SIZE_MAX);
    check_list(HEAD "{\"type\":\"invite\",\"details\":{}},"
                    "{\"type\":\"operator\",\"details\":{\"user_id\":\"b\"}}]}");
}

static void test_roster_active_names_and_flushes(void **state) {
    (void)state;
    json_auto_t *entry = json_loads("{\"type\":\"operator\",\"details\":{\"user_id\":\"a\","
                                    "\"first_name\":\"Ada\",\"last_name\":null}}",
                                    0, NULL);
    assert_true(roster_add(&roster, entry, 1763789940000, NULL));
    struct blob *b = render(ROSTER_ACTIVE);
    assert_string_equal(b->data, HEAD "{\"user_id\":\"a\",\"avatar\":null,\"nickname\":\"Ada\","
                                      "\"timestamp\":1763789940000}]}");
    blob_unref(b);
    roster_flush_active(&roster);
    b = render(ROSTER_ACTIVE);
    assert_string_equal(b->data, HEAD "]}");
    blob_unref(b);
}

static void test_team_generate_is_json_and_depends_on_the_index_alone(void **state) {
    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        buf_auto struct buf once, again;
        struct team_member a, b;
        buf_init(&once, 4096);
        buf_init(&again, 4096);
        team_generate(i, false, &once, &a);
        team_generate(i, false, &again, &b);
        assert_string_equal(once.data, again.data);
        json_auto_t *value = json_loadb(once.data, once.len, JSON_REJECT_DUPLICATES, NULL);
        assert_int_equal(json_object_size(value), 9);
        assert_string_equal(json_string_value(json_object_get(value, "user_id")), a.user_id);
        assert_string_equal(json_string_value(json_object_get(value, "role")), "member");
        assert_int_equal(a.user_id[14], '4');
        assert_non_null(strchr("89ab", a.user_id[19]));
    }
}

static void test_team_generate_stays_the_same_between_versions(void **state) {
    (void)state;
    buf_auto struct buf text;
    struct team_member member;
    buf_init(&text, 4096);
    team_generate(0, true, &text, &member);
    assert_string_equal(
        text.data,
        "{\"user_id\":\"86249f17-bce5-4b09-8435-023b5bcd2232\","
        "\"email\":\"zoe.muster.1@example.com\",\"avatar\":\"https://storage.example.com/avatar/"
        "86249f17-bce5-4b09-8435-023b5bcd2232.png\",\"first_name\":\"Zoë\","
        "\"last_name\":\"Muster\",\"role\":\"owner\",\"title\":\"Agent\","
        "\"availability\":\"away\",\"has_token\":true}");
}

static void test_team_invites_have_pairs_of_their_own(void **state) {
    (void)state;
    struct team_invite a, b;
    team_invite(0, &a);
    team_invite(1, &b);
    assert_int_equal(strlen(a.key), 64);
    assert_int_equal(strlen(b.key), 64);
    assert_int_equal(strspn(b.key, "0123456789abcdef"), 64);
    assert_string_not_equal(a.key, b.key);
    assert_string_not_equal(a.identifier, b.identifier);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_roster, drop_roster)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_roster_empty_list),
        CASE(test_roster_keeps_entries_of_any_shape_as_they_are),
        CASE(test_roster_refuses_what_is_no_entry),
        CASE(test_roster_finds_counts_and_removes),
        CASE(test_roster_renders_again_only_after_a_change),
        CASE(test_roster_replace_keeps_the_place),
        CASE(test_roster_active_names_and_flushes),
        cmocka_unit_test(test_team_generate_is_json_and_depends_on_the_index_alone),
        cmocka_unit_test(test_team_generate_stays_the_same_between_versions),
        cmocka_unit_test(test_team_invites_have_pairs_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

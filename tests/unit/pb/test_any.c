/* any: types by URL, unpacking, finding an annotation. */
#include "tests/unit/test.h"

#include <string.h>

#include "connector.pb-c.h"
#include "pb/any.h"

static int set_up(void **state) {
    static struct arena arena;
    arena_init(&arena);
    *state = &arena;
    return 0;
}

static int tear_down(void **state) {
    arena_done(*state);
    return 0;
}

static Pb__Any *any_of(const char *url, const char *bytes, struct arena *arena) {
    Pb__Any *any = arena_alloc(arena, sizeof *any);
    pb__any__init(any);
    any->type_url = arena_strdup(arena, url);
    any->value.len = strlen(bytes);
    any->value.data = (uint8_t *)arena_strdup(arena, bytes);
    return any;
}

static void test_any_carries_type_and_bytes(void **state) {
    C1__ExternalLink link;
    c1__external_link__init(&link);
    link.url = "https://example.com/";
    Pb__Any *any = pb_any_new(&link.base, *state);
    assert_string_equal(any->type_url, "type.googleapis.com/c1.connector.v2.ExternalLink");
    assert_int_equal(any->value.len, 22);
    assert_ptr_equal(pb_any_type(any), &c1__external_link__descriptor);
    assert_true(pb_any_is(any, &c1__external_link__descriptor));
    assert_false(pb_any_is(any, &c1__user_trait__descriptor));
    C1__ExternalLink *back = (C1__ExternalLink *)pb_any_unpack(any, *state, NULL);
    assert_non_null(back);
    assert_string_equal(back->url, link.url);
}

static void test_any_of_empty_message_has_no_value(void **state) {
    C1__SkipGrants skip;
    c1__skip_grants__init(&skip);
    assert_int_equal(pb_any_new(&skip.base, *state)->value.len, 0);
}

static void test_any_type_is_what_follows_the_last_slash(void **state) {
    static const struct {
        const char *url;
        const ProtobufCMessageDescriptor *type;
    } cases[] = {
        {"type.googleapis.com/c1.connector.v2.UserTrait", &c1__user_trait__descriptor},
        {"https://example.com/a/c1.connector.v2.UserTrait", &c1__user_trait__descriptor},
        {"c1.connector.v2.UserTrait", &c1__user_trait__descriptor},
        {"type.googleapis.com/c1.connector.v2.UserTrai", NULL},
        {"type.googleapis.com/c1.connector.v2.UserTraits", NULL},
        {"type.googleapis.com/", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_ptr_equal(pb_any_type(any_of(cases[i].url, "", *state)), cases[i].type);
}

static void test_any_unpack_tells_unknown_from_damaged(void **state) {
    struct err err = ERR_INIT;
    assert_null(pb_any_unpack(any_of("type.googleapis.com/acme.Thing", "", *state), *state, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.msg, "acme.Thing"));
    Pb__Any *damaged = any_of("type.googleapis.com/c1.connector.v2.RawId", "\x0a\x05x", *state);
    assert_null(pb_any_unpack(damaged, *state, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
}

static void test_any_find_takes_the_first_of_the_type(void **state) {
    Pb__Any *list[] = {
        any_of("type.googleapis.com/acme.Thing", "", *state),
        any_of("type.googleapis.com/c1.connector.v2.RawId", "\x0a\x01x", *state),
        any_of("type.googleapis.com/c1.connector.v2.RawId", "\x0a\x01y", *state),
    };
    C1__RawId *found = (C1__RawId *)pb_any_find(list, 3, &c1__raw_id__descriptor, *state);
    assert_non_null(found);
    assert_string_equal(found->id, "x");
    assert_null(pb_any_find(list, 3, &c1__user_trait__descriptor, *state));
    assert_null(pb_any_find(NULL, 0, &c1__raw_id__descriptor, *state));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_carries_type_and_bytes),
        cmocka_unit_test(test_any_of_empty_message_has_no_value),
        cmocka_unit_test(test_any_type_is_what_follows_the_last_slash),
        cmocka_unit_test(test_any_unpack_tells_unknown_from_damaged),
        cmocka_unit_test(test_any_find_takes_the_first_of_the_type),
    };
    return cmocka_run_group_tests_name("pb any", tests, set_up, tear_down);
}

/* structs: order of keys, replacement, growth. */
#include "tests/unit/test.h"

#include <string.h>

#include "pb/pack.h"
#include "pb/structs.h"
#include "tests/unit/pb/hex.h"

static void test_structs_are_sorted_by_key(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    Pb__Struct *s = pb_struct_new(&arena);
    static const char *const keys[] = {"role", "email", "zone", "a", "first_name", "first", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        pb_struct_add_string(s, &arena, keys[i], keys[i]);
    static const char *const want[] = {"a", "email", "first", "first_name", "role", "zone", "\xc3\xa9"};
    assert_int_equal(s->n_fields, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(s->fields[i]->key, want[i]);
        assert_string_equal(s->fields[i]->value->string_value, want[i]);
    }
}

static void test_structs_last_value_of_a_key_counts(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    Pb__Struct *s = pb_struct_new(&arena);
    pb_struct_add_string(s, &arena, "k", "text");
    pb_struct_add_bool(s, &arena, "k", true);
    assert_int_equal(s->n_fields, 1);
    assert_int_equal(s->fields[0]->value->kind_case, PB__VALUE__KIND_BOOL_VALUE);
    assert_true(s->fields[0]->value->bool_value);
    pb_struct_add_number(s, &arena, "k", 1.5);
    assert_int_equal(s->fields[0]->value->kind_case, PB__VALUE__KIND_NUMBER_VALUE);
    assert_true(s->fields[0]->value->number_value == 1.5);
}

static void test_structs_grow(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    Pb__Struct *s = pb_struct_new(&arena);
    enum { COUNT = 100 };
    for (int i = 0; i < COUNT; i++)
        pb_struct_add_number(s, &arena, arena_printf(&arena, "%03d", (i * 37) % COUNT), i);
    assert_int_equal(s->n_fields, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_string_equal(s->fields[i]->key, arena_printf(&arena, "%03d", i));
}

static void test_structs_empty_values_reach_the_wire(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    Pb__Struct *s = pb_struct_new(&arena);
    pb_struct_add_string(s, &arena, "s", "");
    pb_struct_add_bool(s, &arena, "b", false);
    pb_struct_add_number(s, &arena, "n", 0);
    size_t n, want_n;
    uint8_t *bytes = pb_pack(&s->base, &arena, &n);
    /* as `protoc --encode` gives for {"b":false,"n":0,"s":""} */
    uint8_t *want = hex_decode("0a 07 0a0162 1202 2000  0a 0e 0a016e 1209 110000000000000000"
                               "0a 07 0a0173 1202 1a00",
                               &arena, &want_n);
    assert_int_equal(n, want_n);
    assert_memory_equal(bytes, want, n);
}

static void test_structs_copy_text(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    char key[] = "key", value[] = "value";
    Pb__Struct *s = pb_struct_new(&arena);
    pb_struct_add_string(s, &arena, key, value);
    key[0] = value[0] = '?';
    assert_string_equal(s->fields[0]->key, "key");
    assert_string_equal(s->fields[0]->value->string_value, "value");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structs_are_sorted_by_key),
        cmocka_unit_test(test_structs_last_value_of_a_key_counts),
        cmocka_unit_test(test_structs_grow),
        cmocka_unit_test(test_structs_empty_values_reach_the_wire),
        cmocka_unit_test(test_structs_copy_text),
    };
    return cmocka_run_group_tests_name("pb structs", tests, NULL, NULL);
}

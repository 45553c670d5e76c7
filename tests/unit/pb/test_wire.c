/* wire: one level of fields, and every way in which bytes can be cut. */
#include "tests/unit/test.h"

#include <string.h>

#include "connector.pb-c.h"
#include "pb/wire.h"
#include "tests/unit/pb/hex.h"

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

static struct pb_wire wire_of(const char *hex, struct arena *arena) {
    size_t n;
    uint8_t *bytes = hex_decode(hex, arena, &n);
    return (struct pb_wire){bytes, bytes + n};
}

static void test_wire_walks_every_kind_of_field(void **state) {
    struct pb_wire wire = wire_of("0896 01  1203616263  1d 01020304  21 0102030405060708"
                                  "f8ffffff0f00",
                                  *state);
    struct pb_field f;
    assert_int_equal(pb_wire_next(&wire, &f), PB_WIRE_FIELD);
    assert_true(f.id == 1 && f.num == 150);
    assert_int_equal(pb_wire_next(&wire, &f), PB_WIRE_FIELD);
    assert_true(f.id == 2 && f.len == 3 && memcmp(f.bytes, "abc", 3) == 0);
    assert_int_equal(pb_wire_next(&wire, &f), PB_WIRE_FIELD);
    assert_true(f.id == 3 && f.num == 0x04030201);
    assert_int_equal(pb_wire_next(&wire, &f), PB_WIRE_FIELD);
    assert_true(f.id == 4 && f.num == 0x0807060504030201);
    assert_int_equal(pb_wire_next(&wire, &f), PB_WIRE_FIELD);
    assert_true(f.id == 536870911 && f.num == 0); /* the largest number there is */
    assert_int_equal(pb_wire_next(&wire, &f), PB_WIRE_END);
}

static void test_wire_takes_varints_of_64_bits_only(void **state) {
    uint64_t value = 0;
    struct pb_wire wire = wire_of("ffffffffffffffffff01", *state);
    assert_true(pb_wire_varint(&wire, &value));
    assert_true(value == UINT64_MAX && wire.p == wire.end);
    static const char *const bad[] = {"", "80", "ffffffffffffffffff02", "ffffffffffffffffffff01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wire = wire_of(bad[i], *state);
        const uint8_t *start = wire.p;
        value = 7;
        assert_false(pb_wire_varint(&wire, &value));
        assert_true(value == 7 && wire.p == start);
    }
}

static void test_wire_sees_damage(void **state) {
    static const char *const bad[] = {
        "00",                 /* number 0 */
        "08",                 /* no value */
        "0d 010203",          /* a fixed number cut */
        "09 01020304050607",  "12 04 616263", /* a text cut */
        "12 ffffffffffffffffff01",            /* a length that wraps */
        "0b", "0c",           /* groups */
        "0e", "0f",           /* wire types that do not exist */
        "808080801008",       /* a number above 32 bits */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pb_wire wire = wire_of(bad[i], *state);
        struct pb_field f;
        assert_int_equal(pb_wire_next(&wire, &f), PB_WIRE_DAMAGED);
    }
}

static void test_wire_finds_fields_of_types_with_and_without_gaps(void **state) {
    (void)state;
    const ProtobufCMessageDescriptor *type = &c1__role_scope_conditions__descriptor; /* 1 and 3 */
    assert_string_equal(pb_wire_field_of(type, 1)->name, "type");
    assert_null(pb_wire_field_of(type, 2));
    assert_string_equal(pb_wire_field_of(type, 3)->name, "conditions");
    assert_null(pb_wire_field_of(type, 4));
    assert_null(pb_wire_field_of(type, 0));
    assert_null(pb_wire_field_of(&c1__skip_grants__descriptor, 1));
    assert_string_equal(pb_wire_field_of(&c1__user_trait__descriptor, 13)->name, "employee_ids");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_walks_every_kind_of_field),
        cmocka_unit_test(test_wire_takes_varints_of_64_bits_only),
        cmocka_unit_test(test_wire_sees_damage),
        cmocka_unit_test(test_wire_finds_fields_of_types_with_and_without_gaps),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

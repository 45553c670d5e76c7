/* json: the protojson rules one by one; whole files are compared in tests/system. */
#include "tests/unit/test.h"

#include <string.h>

#include "connector.pb-c.h"
#include "pb/any.h"
#include "pb/json.h"
#include "pb/pack.h"
#include "pb/structs.h"
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

static void assert_json(const ProtobufCMessage *m, const char *want) {
    buf_auto struct buf out;
    struct jsonw w;
    buf_init(&out, 64 * 1024);
    jsonw_init(&w, &out, false);
    struct err err = ERR_INIT;
    assert_true(pb_json_write(&w, m, &err));
    assert_string_equal(out.data, want);
}

static bool write_hex(const ProtobufCMessageDescriptor *type, const char *hex, struct buf *out,
                      struct err *err) {
    arena_auto struct arena arena;
    arena_init(&arena);
    size_t n;
    uint8_t *bytes = hex_decode(hex, &arena, &n);
    struct jsonw w;
    buf_reset(out);
    jsonw_init(&w, out, false);
    return pb_json_write_bytes(&w, type, bytes, n, err);
}

static void assert_hex_json(const ProtobufCMessageDescriptor *type, const char *hex,
                            const char *want) {
    buf_auto struct buf out;
    buf_init(&out, 64 * 1024);
    struct err err = ERR_INIT;
    bool ok = write_hex(type, hex, &out, &err);
    assert_string_equal(err.msg, "");
    assert_true(ok);
    assert_string_equal(out.data, want);
}

static void assert_hex_refused(const ProtobufCMessageDescriptor *type, const char *hex) {
    buf_auto struct buf out;
    buf_init(&out, 64 * 1024);
    struct err err = ERR_INIT;
    assert_false(write_hex(type, hex, &out, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
}

static void test_json_names_are_camel_case(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"id", "id"},         {"resource_type_id", "resourceTypeId"}, {"a_1", "a1"},
        {"_lead", "Lead"},    {"trail_", "trail"},                    {"already", "already"},
        {"x__y", "xY"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[PB_JSON_NAME_MAX];
        pb_json_name(cases[i][0], name);
        assert_string_equal(name, cases[i][1]);
    }
}

static void test_json_of_resource_type(void **state) {
    struct arena *arena = *state;
    C1__SkipEntitlementsAndGrants skip;
    c1__skip_entitlements_and_grants__init(&skip);
    Pb__Any *annotations[] = {pb_any_new(&skip.base, arena)};
    C1__ResourceType__Trait traits[] = {C1__RESOURCE_TYPE__TRAIT__TRAIT_USER, 99};
    C1__ResourceType type;
    c1__resource_type__init(&type);
    type.id = "operator";
    type.display_name = "Op \"1\"\n";
    type.traits = traits;
    type.n_traits = 2;
    type.annotations = annotations;
    type.n_annotations = 1;
    type.sourced_externally = true;
    assert_json(&type.base,
                "{\"id\":\"operator\",\"displayName\":\"Op \\\"1\\\"\\n\",\"traits\":[\"TRAIT_USER\",99],"
                "\"annotations\":[{\"@type\":\"type.googleapis.com/"
                "c1.connector.v2.SkipEntitlementsAndGrants\"}],\"sourcedExternally\":true}");
}

static void test_json_omits_defaults_and_shows_empty_messages(void **state) {
    (void)state;
    C1__Resource resource;
    c1__resource__init(&resource);
    assert_json(&resource.base, "{}");
    C1__Status status;
    c1__status__init(&status);
    resource.status = &status;
    assert_json(&resource.base, "{\"status\":{}}");
    /* defaults that a foreign writer put on the wire: display_name "" and baton_resource false */
    assert_hex_json(&c1__resource__descriptor, "1a00 3000", "{}");
}

static void test_json_members_stand_as_declared_not_by_number(void **state) {
    struct arena *arena = *state;
    C1__GrantSources__GrantSource source;
    c1__grant_sources__grant_source__init(&source);
    source.is_direct = true;
    C1__GrantSources__SourcesEntry entry;
    c1__grant_sources__sources_entry__init(&entry);
    entry.key = "e1";
    entry.value = &source;
    C1__GrantSources__SourcesEntry *entries[] = {&entry};
    C1__GrantSources sources;
    c1__grant_sources__init(&sources);
    sources.sources = entries;
    sources.n_sources = 1;
    C1__GrantImmutable immutable;
    c1__grant_immutable__init(&immutable);
    Pb__Any *annotations[] = {pb_any_new(&immutable.base, arena)};
    C1__Grant grant;
    c1__grant__init(&grant);
    grant.id = "g";
    grant.annotations = annotations;
    grant.n_annotations = 1;
    grant.sources = &sources;
    assert_json(&grant.base,
                "{\"id\":\"g\",\"sources\":{\"sources\":{\"e1\":{\"isDirect\":true}}},\"annotations\":"
                "[{\"@type\":\"type.googleapis.com/c1.connector.v2.GrantImmutable\"}]}");
}

static void test_json_of_struct_in_any(void **state) {
    struct arena *arena = *state;
    C1__UserTrait trait;
    c1__user_trait__init(&trait);
    trait.profile = pb_struct_new(arena);
    pb_struct_add_string(trait.profile, arena, "name", "Ada");
    pb_struct_add_bool(trait.profile, arena, "admin", false);
    pb_struct_add_number(trait.profile, arena, "n", 2);
    pb_struct_add_number(trait.profile, arena, "half", 0.5);
    Pb__Any *any = pb_any_new(&trait.base, arena);
    assert_json(&any->base, "{\"@type\":\"type.googleapis.com/c1.connector.v2.UserTrait\",\"profile\":"
                            "{\"admin\":false,\"half\":0.5,\"n\":2,\"name\":\"Ada\"}}");
}

static void test_json_sorts_map_entries_and_takes_the_last_of_a_key(void **state) {
    (void)state;
    /* "b": true, "a": false, "b": "x", key without value */
    assert_hex_json(&pb__struct__descriptor,
                    "0a07 0a0162 1202 2001  0a07 0a0161 1202 2000  0a08 0a0162 1203 1a0178 "
                    "0a03 0a0163",
                    "{\"a\":false,\"b\":\"x\",\"c\":null}");
}

static void test_json_sorts_many_map_entries(void **state) {
    struct arena *arena = *state;
    Pb__Struct *s = pb_struct_new(arena);
    buf_auto struct buf want;
    buf_init(&want, 64 * 1024);
    for (int i = 0; i < 100; i++) {
        char *key = arena_printf(arena, "k%02d", i);
        pb_struct_add_number(s, arena, key, i);
        buf_addf(&want, "%c\"%s\":%d", i ? ',' : '{', key, i);
    }
    buf_addc(&want, '}');
    for (size_t i = 0; i < s->n_fields / 2; i++) {
        Pb__Struct__FieldsEntry *swap = s->fields[i];
        s->fields[i] = s->fields[99 - i];
        s->fields[99 - i] = swap;
    }
    assert_json(&s->base, want.data);
}

static void test_json_of_list_and_null(void **state) {
    (void)state;
    /* [null, 1, [], {}, "x", nothing set] */
    assert_hex_json(&pb__list_value__descriptor,
                    "0a02 0800  0a09 11000000000000f03f  0a02 3200  0a02 2a00  0a03 1a0178  0a00",
                    "[null,1,[],{},\"x\",null]");
}

static void test_json_of_timestamps(void **state) {
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
        const char *want;
    } cases[] = {
        {0, 0, "\"1970-01-01T00:00:00Z\""},
        {1795326204, 405163180, "\"2026-11-22T05:43:24.405163180Z\""},
        {1795326204, 5000, "\"2026-11-22T05:43:24.000005Z\""},
        {1795326204, 50000000, "\"2026-11-22T05:43:24.050Z\""},
        {-62135596800, 0, "\"0001-01-01T00:00:00Z\""}, /* Go's zero time */
        {253402300799, 999999999, "\"9999-12-31T23:59:59.999999999Z\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pb__Timestamp t;
        pb__timestamp__init(&t);
        t.seconds = cases[i].seconds;
        t.nanos = cases[i].nanos;
        assert_json(&t.base, cases[i].want);
    }
    assert_hex_refused(&pb__timestamp__descriptor, "08 80f88bb0b007"); /* the year 10000 */
    assert_hex_refused(&pb__timestamp__descriptor, "10 80 94eb dc03"); /* 10^9 nanoseconds */
    assert_hex_refused(&pb__timestamp__descriptor, "0a00");
}

static void test_json_drops_any_of_unknown_type(void **state) {
    struct arena *arena = *state;
    Pb__Any unknown;
    pb__any__init(&unknown);
    unknown.type_url = "type.googleapis.com/acme.Thing";
    C1__RawId raw;
    c1__raw_id__init(&raw);
    raw.id = "r";
    Pb__Any *both[] = {&unknown, pb_any_new(&raw.base, arena), &unknown};
    C1__Resource resource;
    c1__resource__init(&resource);
    resource.annotations = both;
    resource.n_annotations = 3;
    assert_json(&resource.base, "{\"annotations\":[{\"@type\":\"type.googleapis.com/"
                                "c1.connector.v2.RawId\",\"id\":\"r\"}]}");
    resource.n_annotations = 1;
    assert_json(&resource.base, "{}");
}

static void test_json_of_special_message_in_any(void **state) {
    struct arena *arena = *state;
    Pb__Timestamp t;
    pb__timestamp__init(&t);
    assert_json(&pb_any_new(&t.base, arena)->base,
                "{\"@type\":\"type.googleapis.com/google.protobuf.Timestamp\","
                "\"value\":\"1970-01-01T00:00:00Z\"}");
}

static void test_json_of_bytes_is_base64(void **state) {
    (void)state;
    /* The Any message itself has the only bytes field, and a form of its own: read as the entry of
     * a made-up type. */
    static const ProtobufCFieldDescriptor fields[] = {
        {"raw", 1, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_BYTES, 0, 0, NULL, NULL, 0, 0, NULL, NULL},
    };
    static const ProtobufCIntRange ranges[] = {{1, 0}, {0, 1}};
    static const ProtobufCMessageDescriptor type = {
        .name = "test.Raw", .short_name = "Raw", .n_fields = 1, .fields = fields,
        .n_field_ranges = 1, .field_ranges = ranges,
    };
    assert_hex_json(&type, "0a0166", "{\"raw\":\"Zg==\"}");
    assert_hex_json(&type, "0a02666f", "{\"raw\":\"Zm8=\"}");
    assert_hex_json(&type, "0a03666f6f", "{\"raw\":\"Zm9v\"}");
    assert_hex_json(&type, "0a04fffefdfc", "{\"raw\":\"//79/A==\"}");
}

#define NUMBER(i, n, t, l)                                                                         \
    { (n), (i), (l), (t), 0, (unsigned)(i), NULL, NULL, 0, 0, NULL, NULL }

static void test_json_of_every_kind_of_number(void **state) {
    (void)state;
    static const ProtobufCFieldDescriptor fields[] = {
        NUMBER(1, "i32", PROTOBUF_C_TYPE_INT32, PROTOBUF_C_LABEL_NONE),
        NUMBER(2, "s32", PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_LABEL_NONE),
        NUMBER(3, "u32", PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_NONE),
        NUMBER(4, "i64", PROTOBUF_C_TYPE_INT64, PROTOBUF_C_LABEL_NONE),
        NUMBER(5, "s64", PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_LABEL_NONE),
        NUMBER(6, "u64", PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_LABEL_NONE),
        NUMBER(7, "sf32", PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_LABEL_NONE),
        NUMBER(8, "f64", PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_LABEL_NONE),
        NUMBER(9, "real", PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_LABEL_NONE),
        NUMBER(10, "list", PROTOBUF_C_TYPE_INT32, PROTOBUF_C_LABEL_REPEATED),
    };
    static const ProtobufCIntRange ranges[] = {{1, 0}, {0, 10}};
    static const ProtobufCMessageDescriptor type = {
        .name = "test.Numbers", .short_name = "Numbers", .n_fields = 10, .fields = fields,
        .n_field_ranges = 1, .field_ranges = ranges,
    };
    assert_hex_json(&type,
                    "08ffffffffffffffffff01 1003 18ffffffff0f 20ffffffffffffffffff01 2801"
                    "30ffffffffffffffffff01 3dffffffff 410100000000000000 4d0000c03f",
                    "{\"i32\":-1,\"s32\":-2,\"u32\":4294967295,\"i64\":\"-1\",\"s64\":\"-1\","
                    "\"u64\":\"18446744073709551615\",\"sf32\":-1,\"f64\":\"1\",\"real\":1.5}");
    /* packed, unpacked, packed and empty */
    assert_hex_json(&type, "5202 0102 5003 5200", "{\"list\":[1,2,3]}");
    assert_hex_json(&type, "5200", "{}");
    assert_hex_refused(&type, "5201 80");
}

static void test_json_merges_a_message_that_stands_twice(void **state) {
    (void)state;
    assert_hex_json(&c1__resource__descriptor, "0a03 0a0174  1a0178  0a03 120169",
                    "{\"id\":{\"resourceType\":\"t\",\"resource\":\"i\"},\"displayName\":\"x\"}");
}

static void test_json_last_member_of_a_oneof_counts(void **state) {
    (void)state;
    assert_hex_json(&pb__value__descriptor, "2001 1a0178", "\"x\"");
    assert_hex_json(&pb__value__descriptor, "1a0178 2000", "false");
}

static void test_json_replaces_bad_utf8(void **state) {
    (void)state;
    assert_hex_json(&c1__raw_id__descriptor, "0a03 61ff62", "{\"id\":\"a\uFFFDb\"}");
}

static void test_json_refuses_damage(void **state) {
    (void)state;
    static const char *const cases[] = {
        "0a05 7765", "0a", "00", "0b0c", "0801", /* a number where a message should be */
        "1801",                                  /* a number where a string should be */
        "2205 0a 05 78",                         /* damage in an Any */
        "4a04 0a02 1205",                        /* damage in a map entry */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_hex_refused(&c1__resource__descriptor, cases[i]);
    /* damage in the message in an Any */
    assert_hex_refused(&pb__any__descriptor,
                       "0a29 747970652e676f6f676c65617069732e636f6d2f63312e636f6e6e6563746f722e7632"
                       "2e5261774964 12 02 0a05");
}

static void test_json_limits_nesting(void **state) {
    struct arena *arena = *state;
    uint8_t *bytes = arena_alloc(arena, 4096);
    size_t n = 0;
    for (int i = 0; i < 100; i++) {
        memmove(bytes + 3, bytes, n);
        bytes[0] = i % 2 ? 0x0a : 0x32;
        bytes[1] = (uint8_t)(n | 0x80);
        bytes[2] = (uint8_t)(n >> 7);
        n += 3;
    }
    buf_auto struct buf out;
    buf_init(&out, 4096);
    struct jsonw w;
    jsonw_init(&w, &out, false);
    struct err err = ERR_INIT;
    assert_false(pb_json_write_bytes(&w, &pb__list_value__descriptor, bytes, n, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_names_are_camel_case),
        cmocka_unit_test(test_json_of_resource_type),
        cmocka_unit_test(test_json_omits_defaults_and_shows_empty_messages),
        cmocka_unit_test(test_json_members_stand_as_declared_not_by_number),
        cmocka_unit_test(test_json_of_struct_in_any),
        cmocka_unit_test(test_json_sorts_map_entries_and_takes_the_last_of_a_key),
        cmocka_unit_test(test_json_sorts_many_map_entries),
        cmocka_unit_test(test_json_of_list_and_null),
        cmocka_unit_test(test_json_of_timestamps),
        cmocka_unit_test(test_json_drops_any_of_unknown_type),
        cmocka_unit_test(test_json_of_special_message_in_any),
        cmocka_unit_test(test_json_of_bytes_is_base64),
        cmocka_unit_test(test_json_of_every_kind_of_number),
        cmocka_unit_test(test_json_merges_a_message_that_stands_twice),
        cmocka_unit_test(test_json_last_member_of_a_oneof_counts),
        cmocka_unit_test(test_json_replaces_bad_utf8),
        cmocka_unit_test(test_json_refuses_damage),
        cmocka_unit_test(test_json_limits_nesting),
    };
    return cmocka_run_group_tests_name("pb json", tests, set_up, tear_down);
}

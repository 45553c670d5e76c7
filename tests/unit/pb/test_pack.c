/* pack: byte vectors, refusals of damaged bytes, and the blobs of files that the SDK wrote. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connector.pb-c.h"
#include "pb/any.h"
#include "pb/pack.h"
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

/* c1z.md section 9 */
static const char website_type[] =
    "0A07776562736974651207576562736974652A0F412043726973702077656273697465";

static void assert_packs_to(const ProtobufCMessage *m, const char *hex, struct arena *arena) {
    size_t want_n, got_n;
    uint8_t *want = hex_decode(hex, arena, &want_n);
    uint8_t *got = pb_pack(m, arena, &got_n);
    assert_int_equal(got_n, want_n);
    assert_memory_equal(got, want, want_n);
}

static void test_pack_website_type(void **state) {
    C1__ResourceType type;
    c1__resource_type__init(&type);
    type.id = "website";
    type.display_name = "Website";
    type.description = "A Crisp website";
    assert_packs_to(&type.base, website_type, *state);
}

static void test_pack_operator_type_with_traits_and_empty_any(void **state) {
    struct arena *arena = *state;
    C1__SkipEntitlementsAndGrants skip;
    c1__skip_entitlements_and_grants__init(&skip);
    Pb__Any *annotations[] = {pb_any_new(&skip.base, arena)};
    C1__ResourceType__Trait traits[] = {C1__RESOURCE_TYPE__TRAIT__TRAIT_USER};
    C1__ResourceType type;
    c1__resource_type__init(&type);
    type.id = "operator";
    type.display_name = "Operator";
    type.traits = traits;
    type.n_traits = 1;
    type.annotations = annotations;
    type.n_annotations = 1;
    type.description = "A member of the Crisp website team";
    assert_packs_to(&type.base,
                    "0a 08 6f70657261746f72 12 08 4f70657261746f72 1a 01 01 22 3f 0a 3d"
                    "747970652e676f6f676c65617069732e636f6d2f63312e636f6e6e6563746f722e76322e"
                    "536b6970456e7469746c656d656e7473416e644772616e7473"
                    "2a 22 41206d656d626572206f66207468652043726973702077656273697465207465616d",
                    arena);
}

static void test_pack_grant_of_owner_has_395_bytes(void **state) {
    struct arena *arena = *state;
    const char *site = "11111111-2222-4333-8444-555555555555";
    C1__ExternalLink link;
    c1__external_link__init(&link);
    link.url = arena_printf(arena, "https://app.crisp.chat/website/%s/", site);
    Pb__Any *annotations[] = {pb_any_new(&link.base, arena)};
    C1__ResourceId site_id, person_id;
    c1__resource_id__init(&site_id);
    c1__resource_id__init(&person_id);
    site_id.resource_type = "website";
    site_id.resource = arena_strdup(arena, site);
    person_id.resource_type = "operator";
    person_id.resource = "00000001-0000-4000-8000-000000000001";
    C1__Resource website, person;
    c1__resource__init(&website);
    c1__resource__init(&person);
    website.id = &site_id;
    website.display_name = "Acme Support";
    website.annotations = annotations;
    website.n_annotations = 1;
    person.id = &person_id;
    C1__Entitlement owner;
    c1__entitlement__init(&owner);
    owner.resource = &website;
    owner.id = arena_printf(arena, "website:%s:owner", site);
    C1__Grant grant;
    c1__grant__init(&grant);
    grant.entitlement = &owner;
    grant.principal = &person;
    grant.id = arena_printf(arena, "%s:operator:%s", owner.id, person_id.resource);
    size_t n;
    uint8_t *bytes = pb_pack(&grant.base, arena, &n);
    assert_int_equal(n, 395);
    assert_memory_equal(bytes, "\x0a\xf2\x01\x0a\xbb\x01", 6);
}

static void test_pack_buf_replaces_and_keeps_ceiling(void **state) {
    (void)state;
    C1__ResourceId id;
    c1__resource_id__init(&id);
    id.resource_type = "website";
    buf_auto struct buf out;
    buf_init(&out, 16);
    buf_adds(&out, "old");
    assert_true(pb_pack_buf(&id.base, &out));
    assert_int_equal(out.len, 9);
    assert_memory_equal(out.data, "\x0a\x07website", 9);
    id.resource = "longer than the sixteen bytes";
    assert_false(pb_pack_buf(&id.base, &out));
    assert_false(buf_ok(&out));
}

static void assert_refused(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n,
                           const char *text, struct arena *arena) {
    struct err err = ERR_INIT;
    assert_null(pb_unpack(type, bytes, n, arena, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
    assert_non_null(strstr(err.msg, text));
}

static void test_unpack_gives_back_what_was_packed(void **state) {
    struct arena *arena = *state;
    size_t n;
    uint8_t *bytes = hex_decode(website_type, arena, &n);
    C1__ResourceType *type =
        (C1__ResourceType *)pb_unpack(&c1__resource_type__descriptor, bytes, n, arena, NULL);
    assert_non_null(type);
    assert_string_equal(type->id, "website");
    assert_string_equal(type->display_name, "Website");
    assert_string_equal(type->description, "A Crisp website");
    assert_packs_to(&type->base, website_type, arena);
}

static void test_unpack_of_nothing_is_the_default_message(void **state) {
    C1__Grant *grant = (C1__Grant *)pb_unpack(&c1__grant__descriptor, NULL, 0, *state, NULL);
    assert_non_null(grant);
    assert_null(grant->entitlement);
    assert_string_equal(grant->id, "");
}

static void test_unpack_keeps_unknown_fields(void **state) {
    struct arena *arena = *state;
    /* field 100 = "hi", then field 200 = 5 (dependencies.md section 4) */
    const char *hex = "0a0178 a206026869 c00c05";
    size_t n;
    uint8_t *bytes = hex_decode(hex, arena, &n);
    ProtobufCMessage *m = pb_unpack(&c1__resource_id__descriptor, bytes, n, arena, NULL);
    assert_non_null(m);
    assert_int_equal(m->n_unknown_fields, 2);
    assert_packs_to(m, hex, arena);
}

static void test_unpack_refuses_damage(void **state) {
    static const struct {
        const char *hex, *text;
    } cases[] = {
        {"0a0577656273", "not a whole message"},             /* cut in a string */
        {"0a", "not a whole message"},                       /* cut before the length */
        {"00", "not a whole message"},                       /* field number 0 */
        {"0b0c", "not a whole message"},                     /* a group */
        {"0affffffffffffffffff7f", "not a whole message"},   /* a length of 2^64 */
        {"ffffffffffffffffffffff01", "not a whole message"}, /* a tag of more than 64 bits */
        {"0a02c328", "id is not UTF-8"},
        {"0a03610062", "id holds a NUL byte"},
        {"2203 0a 01 ff", "type_url is not UTF-8"}, /* nested */
        {"0801", "not such a message"},             /* a number where a string should be */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        uint8_t *bytes = hex_decode(cases[i].hex, *state, &n);
        assert_refused(&c1__resource_type__descriptor, bytes, n, cases[i].text, *state);
    }
}

static void test_unpack_cut_ends_a_string_at_a_nul(void **state) {
    size_t n;
    uint8_t *bytes = hex_decode("0a03610062 120163", *state, &n);
    C1__ResourceType *type =
        (C1__ResourceType *)pb_unpack_cut(&c1__resource_type__descriptor, bytes, n, *state, NULL);
    assert_non_null(type);
    assert_string_equal(type->id, "a");
    assert_string_equal(type->display_name, "c");
    struct err err = ERR_INIT;
    bytes = hex_decode("0a02c328", *state, &n); /* all else is as strict */
    assert_null(pb_unpack_cut(&c1__resource_type__descriptor, bytes, n, *state, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
}

static void test_unpack_refuses_size_above_ceiling(void **state) {
    uint8_t byte = 0;
    assert_refused(&c1__resource__descriptor, &byte, (size_t)PB_MESSAGE_MAX + 1, "16 MiB", *state);
}

/* List in value in list ..., `levels` messages in all. */
static uint8_t *nested(int levels, struct arena *arena, size_t *ret_n) {
    uint8_t *bytes = arena_alloc(arena, 1024);
    size_t n = 0;
    for (int i = 1; i < levels; i++) {
        memmove(bytes + 3, bytes, n);
        bool in_list = (levels - i) % 2 == 1;
        bytes[0] = in_list ? 0x0a : 0x32;
        bytes[1] = (uint8_t)(n | 0x80);
        bytes[2] = (uint8_t)(n >> 7);
        n += 3;
    }
    *ret_n = n;
    return bytes;
}

static void test_unpack_limits_nesting(void **state) {
    size_t n;
    uint8_t *bytes = nested(PB_MAX_DEPTH, *state, &n);
    struct err err = ERR_INIT;
    assert_non_null(pb_unpack(&pb__list_value__descriptor, bytes, n, *state, &err));
    bytes = nested(PB_MAX_DEPTH + 1, *state, &n);
    assert_refused(&pb__list_value__descriptor, bytes, n, "nested deeper", *state);
}

static void test_unpack_limits_memory(void **state) {
    /* Six million empty resource types in 12 MiB of bytes would unpack to a gigabyte. */
    size_t n = 12 * 1024 * 1024;
    uint8_t *bytes = arena_alloc(*state, n);
    for (size_t i = 0; i < n; i += 2)
        bytes[i] = 0x2a;
    assert_refused(&c1__entitlement__descriptor, bytes, n, "would take more than", *state);
}

static const ProtobufCMessageDescriptor *type_of_table(const char *line) {
    static const struct {
        const char *table;
        const ProtobufCMessageDescriptor *type;
    } tables[] = {
        {"INSERT INTO v1_resource_types ", &c1__resource_type__descriptor},
        {"INSERT INTO v1_resources ", &c1__resource__descriptor},
        {"INSERT INTO v1_entitlements ", &c1__entitlement__descriptor},
        {"INSERT INTO v1_grants ", &c1__grant__descriptor},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (strncmp(line, tables[i].table, strlen(tables[i].table)) == 0)
            return tables[i].type;
    }
    return NULL;
}

/* Every blob of a dump: unpacked and packed again it must be the same bytes. */
static size_t check_dump(const char *name, struct arena *arena) {
    FILE *f = fopen(arena_printf(arena, "%s/golden/c1z/%s", getenv("TEST_FIXTURES"), name), "re");
    assert_non_null(f);
    static char line[64 * 1024];
    size_t count = 0;
    while (fgets(line, sizeof line, f)) {
        const ProtobufCMessageDescriptor *type = type_of_table(line);
        const char *hex = type ? strstr(line, ",X'") : NULL;
        if (!hex)
            continue;
        size_t n, got_n;
        uint8_t *blob = hex_decode_n(hex + 3, strcspn(hex + 3, "'"), arena, &n);
        struct err err = ERR_INIT;
        ProtobufCMessage *m = pb_unpack(type, blob, n, arena, &err);
        assert_non_null(m);
        uint8_t *got = pb_pack(m, arena, &got_n);
        assert_int_equal(got_n, n);
        assert_memory_equal(got, blob, n);
        arena_reset(arena);
        count++;
    }
    fclose(f);
    return count;
}

static void test_pack_round_trip_of_sdk_files(void **state) {
    assert_int_equal(check_dump("three-operators.v1.sql", *state), 11);
    assert_int_equal(check_dump("two-syncs.v1.sql", *state), 24);
    assert_int_equal(check_dump("interrupted.v1.sql", *state), 8);
}

/* protobuf-c merges a message field that comes again and copies what it has: a few bytes, much memory. */
static void test_unpack_refuses_a_field_repeated_to_exhaust_memory(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    static uint8_t bytes[4 * 20000];
    for (size_t i = 0; i < sizeof bytes; i += 4)
        memcpy(bytes + i, "\x0a\x02\x32\x00", 4); /* an entitlement with one empty annotation */
    struct err err = ERR_INIT;
    assert_null(pb_unpack(&c1__grant__descriptor, bytes, sizeof bytes, &arena, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
    err_clear(&err);
    assert_non_null(pb_unpack(&c1__grant__descriptor, bytes, 8, &arena, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack_website_type),
        cmocka_unit_test(test_pack_operator_type_with_traits_and_empty_any),
        cmocka_unit_test(test_pack_grant_of_owner_has_395_bytes),
        cmocka_unit_test(test_pack_buf_replaces_and_keeps_ceiling),
        cmocka_unit_test(test_unpack_gives_back_what_was_packed),
        cmocka_unit_test(test_unpack_of_nothing_is_the_default_message),
        cmocka_unit_test(test_unpack_keeps_unknown_fields),
        cmocka_unit_test(test_unpack_refuses_damage),
        cmocka_unit_test(test_unpack_cut_ends_a_string_at_a_nul),
        cmocka_unit_test(test_unpack_refuses_size_above_ceiling),
        cmocka_unit_test(test_unpack_limits_nesting),
        cmocka_unit_test(test_unpack_limits_memory),
        cmocka_unit_test(test_pack_round_trip_of_sdk_files),
        cmocka_unit_test(test_unpack_refuses_a_field_repeated_to_exhaust_memory),
    };
    return cmocka_run_group_tests_name("pb pack", tests, set_up, tear_down);
}

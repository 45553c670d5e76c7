/* packer: the same bytes as protobuf-c, for messages made at random and for kinds of field that no message of
 * ours has. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "connector.pb-c.h"
#include "pb/any.h"
#include "pb/packer.h"

enum { ROUNDS = 3000, DEPTH_MAX = 5, ROOM = 1024 * 1024 };

struct maker {
    struct arena *arena;
    uint64_t seed;
    int depth;
};

/* splitmix64, https://prng.di.unimi.it/splitmix64.c */
static uint64_t next(struct maker *m) {
    uint64_t z = m->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t below(struct maker *m, uint64_t n) {
    return next(m) % n;
}

/* Numbers of every length, zero more often than chance would have it. */
static uint64_t number(struct maker *m) {
    return below(m, 4) == 0 ? 0 : next(m) >> below(m, 64);
}

static char *text(struct maker *m) {
    size_t n = below(m, 8) == 0 ? below(m, 300) : below(m, 12);
    char *s = arena_alloc(m->arena, n + 1);
    for (size_t i = 0; i < n; i++)
        s[i] = (char)('a' + below(m, 26));
    return s;
}

static ProtobufCMessage *message(struct maker *m, const ProtobufCMessageDescriptor *type);

static size_t size_of(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    default:
        return 4;
    }
}

static void fill_value(struct maker *m, const ProtobufCFieldDescriptor *field, void *member) {
    uint64_t value = number(m);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)member = text(m);
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        char *bytes = text(m);
        *(ProtobufCBinaryData *)member = (ProtobufCBinaryData){strlen(bytes), (uint8_t *)bytes};
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)member = message(m, field->descriptor);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = (protobuf_c_boolean)below(m, 2);
        break;
    default:
        memcpy(member, &value, size_of(field->type));
    }
}

static void fill_field(struct maker *m, const ProtobufCFieldDescriptor *field, char *base) {
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
    if (below(m, 2) == 0 || (is_message && m->depth >= DEPTH_MAX))
        return;
    char *member = base + field->offset, *quantifier = base + field->quantifier_offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = below(m, 4), size = size_of(field->type);
        char *items = arena_array(m->arena, count, size);
        for (size_t i = 0; i < count; i++)
            fill_value(m, field, items + i * size);
        *(void **)member = items;
        *(size_t *)quantifier = count;
        return;
    }
    fill_value(m, field, member);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        *(uint32_t *)quantifier = field->id;
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset)
        *(protobuf_c_boolean *)quantifier = (protobuf_c_boolean)below(m, 2);
}

static void add_unknown(struct maker *m, ProtobufCMessage *msg) {
    static uint8_t varint[] = {0xac, 0x02};
    msg->n_unknown_fields = (unsigned)below(m, 3);
    msg->unknown_fields = arena_array(m->arena, msg->n_unknown_fields, sizeof *msg->unknown_fields);
    for (unsigned i = 0; i < msg->n_unknown_fields; i++)
        msg->unknown_fields[i] = (ProtobufCMessageUnknownField){
            .tag = (uint32_t)(1000 + below(m, 1 << 28)), .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT,
            .len = sizeof varint, .data = varint};
}

static ProtobufCMessage *message(struct maker *m, const ProtobufCMessageDescriptor *type) {
    ProtobufCMessage *msg = arena_alloc(m->arena, type->sizeof_message);
    protobuf_c_message_init(type, msg);
    m->depth++;
    for (unsigned i = 0; i < type->n_fields; i++)
        fill_field(m, &type->fields[i], (char *)msg);
    m->depth--;
    if (below(m, 8) == 0)
        add_unknown(m, msg);
    return msg;
}

static void assert_same(const ProtobufCMessage *m) {
    static uint8_t room[ROOM], want[ROOM];
    size_t n = protobuf_c_message_get_packed_size(m);
    if (n > ROOM)
        return;
    assert_int_equal(protobuf_c_message_pack(m, want), n);
    /* Exactly enough room, and one byte too little. */
    uint8_t *got = pb_packer_write(m, room, room + n);
    assert_ptr_equal(got, room);
    assert_memory_equal(got, want, n);
    if (n > 0)
        assert_null(pb_packer_write(m, room + 1, room + n));
}

static void test_packer_gives_the_bytes_of_protobuf_c(void **state) {
    (void)state;
    static const ProtobufCMessageDescriptor *const types[] = {
        &c1__resource__descriptor,    &c1__grant__descriptor,     &c1__entitlement__descriptor,
        &c1__resource_type__descriptor, &c1__user_trait__descriptor, &pb__any__descriptor,
        &pb__value__descriptor,       &pb__timestamp__descriptor, &c1__grant_expandable__descriptor,
    };
    arena_auto struct arena arena;
    arena_init(&arena);
    struct maker m = {.arena = &arena, .seed = 1};
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_same(message(&m, types[i % (sizeof types / sizeof *types)]));
        arena_reset(&arena);
    }
}

/* One value in each way a field can be there: alone, optional, repeated, packed, in a oneof. */
struct sample {
    ProtobufCMessage base;
    uint32_t quantifier;
    size_t count;
    uint64_t value[2];
};

static ProtobufCFieldDescriptor field_of(ProtobufCType type, ProtobufCLabel label, uint32_t flags) {
    bool is_repeated = label == PROTOBUF_C_LABEL_REPEATED;
    return (ProtobufCFieldDescriptor){
        .name = "f", .id = 300, .label = label, .type = type, .flags = flags,
        .quantifier_offset = is_repeated ? offsetof(struct sample, count)
                                         : offsetof(struct sample, quantifier),
        .offset = offsetof(struct sample, value)};
}

static void check_field(ProtobufCFieldDescriptor field, uint64_t value, uint32_t quantifier) {
    ProtobufCMessageDescriptor type = {.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC, .name = "sample",
                                       .sizeof_message = sizeof(struct sample), .n_fields = 1,
                                       .fields = &field};
    struct sample s = {.base.descriptor = &type, .quantifier = quantifier, .value = {value, value}};
    uint64_t pair[2] = {value, value};
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
        void *items = pair;
        memcpy(s.value, &items, sizeof items);
        s.count = quantifier ? 2 : 0;
    }
    assert_same(&s.base);
}

static void test_packer_knows_every_kind_of_number(void **state) {
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
                                      UINT64_C(0x8000000000000000), UINT64_MAX};
    static const struct {
        ProtobufCLabel label;
        uint32_t flags;
    } ways[] = {
        {PROTOBUF_C_LABEL_REQUIRED, 0}, {PROTOBUF_C_LABEL_NONE, 0}, {PROTOBUF_C_LABEL_OPTIONAL, 0},
        {PROTOBUF_C_LABEL_REPEATED, 0}, {PROTOBUF_C_LABEL_REPEATED, PROTOBUF_C_FIELD_FLAG_PACKED},
        {PROTOBUF_C_LABEL_NONE, PROTOBUF_C_FIELD_FLAG_ONEOF},
        {PROTOBUF_C_LABEL_OPTIONAL, PROTOBUF_C_FIELD_FLAG_ONEOF},
    };
    for (ProtobufCType type = PROTOBUF_C_TYPE_INT32; type <= PROTOBUF_C_TYPE_ENUM; type++)
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
            for (size_t v = 0; v < sizeof values / sizeof *values; v++)
                for (uint32_t quantifier = 0; quantifier <= 300; quantifier += 300) {
                    uint64_t value = type == PROTOBUF_C_TYPE_BOOL ? values[v] != 0 : values[v];
                    check_field(field_of(type, ways[w].label, ways[w].flags), value, quantifier);
                }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packer_gives_the_bytes_of_protobuf_c),
        cmocka_unit_test(test_packer_knows_every_kind_of_number),
    };
    return cmocka_run_group_tests_name("pb packer", tests, NULL, NULL);
}

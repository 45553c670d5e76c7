/* The first byte chooses a type, the rest is unpacked as a message of it and packed again; what
 * unpacks must survive the round trip. Then the bytes are printed as JSON, which gives a value or
 * DataLoss. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "connector.pb-c.h"
#include "pb/any.h"
#include "pb/json.h"
#include "pb/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const ProtobufCMessage *m, struct arena *arena) {
    size_t n, again_n;
    uint8_t *bytes = pb_pack(m, arena, &n);
    ProtobufCMessage *again = pb_unpack(m->descriptor, bytes, n, arena, NULL);
    assert(again);
    uint8_t *again_bytes = pb_pack(again, arena, &again_n);
    assert(again_n == n && (n == 0 || memcmp(bytes, again_bytes, n) == 0));
}

/* Our own packer gives the bytes of protobuf-c. */
static void compare_packers(const ProtobufCMessage *m, struct arena *arena) {
    size_t n, want_n = protobuf_c_message_get_packed_size(m);
    uint8_t *got = pb_pack(m, arena, &n), *want = arena_alloc(arena, want_n);
    protobuf_c_message_pack(m, want);
    assert(n == want_n && memcmp(got, want, n) == 0);
}

static void look_into(const ProtobufCMessage *m, struct arena *arena) {
    if (m->descriptor != &c1__resource__descriptor)
        return;
    const C1__Resource *resource = (const C1__Resource *)m;
    pb_any_find(resource->annotations, resource->n_annotations, &c1__user_trait__descriptor, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const ProtobufCMessageDescriptor *const types[] = {
        &c1__resource__descriptor,    &c1__grant__descriptor,     &c1__entitlement__descriptor,
        &c1__resource_type__descriptor, &c1__user_trait__descriptor, &pb__any__descriptor,
        &pb__value__descriptor,       &pb__timestamp__descriptor,
    };
    if (size == 0)
        return 0;
    const ProtobufCMessageDescriptor *type = types[data[0] % (sizeof types / sizeof *types)];
    struct arena arena;
    arena_init(&arena);
    ProtobufCMessage *m = pb_unpack(type, data + 1, size - 1, &arena, NULL);
    if (m) {
        round_trip(m, &arena);
        compare_packers(m, &arena);
        look_into(m, &arena);
    }
    struct buf out;
    struct jsonw w;
    buf_init(&out, 64 * 1024 * 1024);
    jsonw_init(&w, &out, false);
    struct err err = ERR_INIT;
    bool ok = pb_json_write_bytes(&w, type, data + 1, size - 1, &err);
    assert(ok ? w.depth == 0 && out.len > 0 : err.code == ERR_DATA_LOSS);
    buf_done(&out);
    arena_done(&arena);
    return 0;
}

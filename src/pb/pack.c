#include "pb/pack.h"

#include <string.h>

#include "base/utf8.h"
#include "pb/packer.h"
#include "pb/wire.h"

/* What one unpacked message may take in memory. Two bytes on the wire can become a struct of 200: a
 * ceiling on the wire alone would let 16 MiB of empty messages grow to gigabytes. */
enum { UNPACKED_MAX = 128 * 1024 * 1024 };

/* What protobuf-c keeps for each field it has seen while it unpacks, rounded up. */
enum { BYTES_A_FIELD = 64 };

/* Larger messages are left to protobuf-c. */
enum { QUICK_MAX = 4096 };

struct check {
    size_t memory; /* estimate of what unpacking takes */
    int depth;
    bool allows_nul;
    struct err *err;
};

static bool check_message(struct check *c, const ProtobufCMessageDescriptor *type,
                          const uint8_t *bytes, size_t n);

static bool check_text(struct check *c, const ProtobufCMessageDescriptor *type,
                       const ProtobufCFieldDescriptor *field, const struct pb_field *value) {
    if (!c->allows_nul && memchr(value->bytes, '\0', value->len))
        return err_set(c->err, ERR_DATA_LOSS, "%s: %s holds a NUL byte", type->name, field->name);
    if (!utf8_valid((const char *)value->bytes, value->len))
        return err_set(c->err, ERR_DATA_LOSS, "%s: %s is not UTF-8", type->name, field->name);
    return true;
}

static bool check_field(struct check *c, const ProtobufCMessageDescriptor *type,
                        const struct pb_field *value) {
    const ProtobufCFieldDescriptor *field = pb_wire_field_of(type, value->id);
    c->memory += BYTES_A_FIELD;
    if (value->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return true;
    /* Packed numbers of one byte become at most eight. */
    bool is_numbers = field && field->type < PROTOBUF_C_TYPE_STRING;
    c->memory += is_numbers ? value->len * 8 : value->len;
    if (!field)
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return check_text(c, type, field, value);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_message(c, field->descriptor, value->bytes, value->len);
    return true;
}

static bool check_message(struct check *c, const ProtobufCMessageDescriptor *type,
                          const uint8_t *bytes, size_t n) {
    if (c->depth == PB_MAX_DEPTH)
        return err_set(c->err, ERR_DATA_LOSS, "%s: messages are nested deeper than %d", type->name,
                       PB_MAX_DEPTH);
    c->depth++;
    c->memory += type->sizeof_message;
    struct pb_wire wire = {bytes, bytes + n};
    struct pb_field value;
    enum pb_wire_step step;
    uint64_t seen = 0;
    while ((step = pb_wire_next(&wire, &value)) == PB_WIRE_FIELD) {
        if (!check_field(c, type, &value))
            return false;
        /* A message field that comes again is merged: protobuf-c then copies every array it has so far,
         * and an arena keeps each copy. A pointer of 8 bytes stands for 2 bytes on the wire. */
        const ProtobufCFieldDescriptor *field = pb_wire_field_of(type, value.id);
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            field->label != PROTOBUF_C_LABEL_REPEATED && field - type->fields < 64) {
            uint64_t bit = UINT64_C(1) << (field - type->fields);
            c->memory += seen & bit ? 4 * (size_t)(wire.p - bytes) : 0;
            seen |= bit;
        }
        if (c->memory > UNPACKED_MAX)
            return err_set(c->err, ERR_DATA_LOSS, "%s: the message would take more than %d MiB",
                           type->name, UNPACKED_MAX / (1024 * 1024));
    }
    c->depth--;
    if (step == PB_WIRE_DAMAGED)
        return err_set(c->err, ERR_DATA_LOSS, "%s: the bytes are not a whole message", type->name);
    return true;
}

static void *allocate(void *arena, size_t size) {
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *p) {
    (void)arena;
    (void)p;
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n,
                                bool allows_nul, struct arena *arena, struct err *err) {
    if (n > PB_MESSAGE_MAX) {
        err_set(err, ERR_DATA_LOSS, "%s: the message has %zu bytes, more than %d MiB", type->name,
                n, PB_MESSAGE_MAX / (1024 * 1024));
        return NULL;
    }
    struct check check = {.allows_nul = allows_nul, .err = err};
    if (n > 0 && !check_message(&check, type, bytes, n))
        return NULL;
    ProtobufCAllocator in_arena = {.alloc = allocate, .free = keep, .allocator_data = arena};
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &in_arena, n, bytes);
    if (!m)
        err_set(err, ERR_DATA_LOSS, "%s: the bytes are not such a message", type->name);
    return m;
}

ProtobufCMessage *pb_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n,
                            struct arena *arena, struct err *err) {
    return unpack(type, bytes, n, false, arena, err);
}

ProtobufCMessage *pb_unpack_cut(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n,
                                struct arena *arena, struct err *err) {
    return unpack(type, bytes, n, true, arena, err);
}

/* Where a message of ordinary size is packed: pb_packer_write() needs room of a size known before. */
struct quick {
    uint8_t room[QUICK_MAX];
    const uint8_t *bytes; /* somewhere in `room` */
    size_t len;
};

/* False if the message is too large for it. */
static bool pack_quickly(const ProtobufCMessage *m, struct quick *ret) {
    uint8_t *end = ret->room + sizeof ret->room;
    ret->bytes = pb_packer_write(m, ret->room, end);
    ret->len = ret->bytes ? (size_t)(end - ret->bytes) : 0;
    return ret->bytes;
}

uint8_t *pb_pack(const ProtobufCMessage *m, struct arena *arena, size_t *ret_len) {
    struct quick quick;
    bool is_quick = pack_quickly(m, &quick);
    *ret_len = is_quick ? quick.len : protobuf_c_message_get_packed_size(m);
    uint8_t *bytes = arena_alloc(arena, *ret_len);
    if (is_quick)
        memcpy(bytes, quick.bytes, quick.len);
    else
        protobuf_c_message_pack(m, bytes);
    return bytes;
}

bool pb_pack_buf(const ProtobufCMessage *m, struct buf *out) {
    struct quick quick;
    buf_reset(out);
    if (pack_quickly(m, &quick))
        return buf_add(out, quick.bytes, quick.len);
    uint8_t *bytes = buf_extend(out, protobuf_c_message_get_packed_size(m));
    if (!bytes)
        return false;
    protobuf_c_message_pack(m, bytes);
    return true;
}

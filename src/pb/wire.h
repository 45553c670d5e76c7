/* wire: walks the fields of a packed message, one level, without unpacking it.
 *
 * Borrows the bytes; allocates nothing. Format: https://protobuf.dev/programming-guides/encoding/
 * Groups (wire types 3 and 4) are not supported, as in protobuf-c.
 */
#ifndef PB_WIRE_H
#define PB_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pb_wire {
    const uint8_t *p, *end;
};

struct pb_field {
    uint32_t id;
    unsigned wire_type;   /* PROTOBUF_C_WIRE_TYPE_... */
    uint64_t num;         /* value of a varint, 32-bit or 64-bit field */
    const uint8_t *bytes; /* of a length-prefixed field */
    size_t len;
};

enum pb_wire_step { PB_WIRE_FIELD, PB_WIRE_END, PB_WIRE_DAMAGED };

/* False, and the reader unmoved, if there is no whole varint of at most 64 bits. */
static inline bool pb_wire_varint(struct pb_wire *w, uint64_t *ret_value) {
    uint64_t value = 0;
    const uint8_t *p = w->p;
    for (unsigned shift = 0; shift < 64 && p < w->end; shift += 7) {
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            w->p = p;
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* A little-endian number of 4 or 8 bytes. */
static inline bool pb_wire_fixed(struct pb_wire *w, size_t size, uint64_t *ret_value) {
    if (size > (size_t)(w->end - w->p))
        return false;
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | w->p[i];
    w->p += size;
    *ret_value = value;
    return true;
}

static inline bool pb_wire_value(struct pb_wire *w, struct pb_field *field) {
    switch (field->wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return pb_wire_varint(w, &field->num);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return pb_wire_fixed(w, 4, &field->num);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        return pb_wire_fixed(w, 8, &field->num);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: {
        uint64_t len;
        if (!pb_wire_varint(w, &len) || len > (uint64_t)(w->end - w->p))
            return false;
        field->bytes = w->p;
        field->len = (size_t)len;
        w->p += len;
        return true;
    }
    default:
        return false;
    }
}

static inline enum pb_wire_step pb_wire_next(struct pb_wire *w, struct pb_field *ret_field) {
    if (w->p == w->end)
        return PB_WIRE_END;
    uint64_t tag;
    if (!pb_wire_varint(w, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
        return PB_WIRE_DAMAGED;
    *ret_field = (struct pb_field){.id = (uint32_t)(tag >> 3), .wire_type = (unsigned)(tag & 7)};
    return pb_wire_value(w, ret_field) ? PB_WIRE_FIELD : PB_WIRE_DAMAGED;
}

/* The field of that number, NULL if the type has none. Most types number theirs without a gap. */
static inline const ProtobufCFieldDescriptor *
pb_wire_field_of(const ProtobufCMessageDescriptor *type, uint32_t id) {
    if (id - 1 < type->n_fields && type->fields[id - 1].id == id)
        return &type->fields[id - 1];
    return protobuf_c_message_descriptor_get_field(type, id);
}

#endif

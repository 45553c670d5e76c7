#include "pb/packer.h"

#include <stdbool.h>
#include <string.h>

/* A varint of 64 bits. */
enum { VARINT_MAX = 10 };

struct packer {
    uint8_t *room; /* nothing may be written before it */
    uint8_t *at;   /* the first byte written so far */
};

static bool add_message(struct packer *p, const ProtobufCMessage *m);

static inline bool add_bytes(struct packer *p, const void *bytes, size_t n) {
    if (n > (size_t)(p->at - p->room))
        return false;
    p->at -= n;
    if (n > 0)
        memcpy(p->at, bytes, n);
    return true;
}

static bool add_long_varint(struct packer *p, uint64_t value) {
    uint8_t bytes[VARINT_MAX];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    return add_bytes(p, bytes, n);
}

/* Most lengths, tags and numbers are below 128. */
static inline bool add_varint(struct packer *p, uint64_t value) {
    if (value >= 0x80 || p->at == p->room)
        return add_long_varint(p, value);
    *--p->at = (uint8_t)value;
    return true;
}

/* Little-endian, of 4 or 8 bytes. */
static bool add_fixed(struct packer *p, uint64_t value, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return add_bytes(p, bytes, size);
}

static bool add_tag(struct packer *p, uint32_t id, unsigned wire_type) {
    return add_varint(p, (uint64_t)id << 3 | wire_type);
}

static bool add_prefixed(struct packer *p, const void *bytes, size_t n) {
    return add_bytes(p, bytes, n) && add_varint(p, n);
}

static uint32_t load32(const void *member) {
    uint32_t value;
    memcpy(&value, member, sizeof value);
    return value;
}

static uint64_t load64(const void *member) {
    uint64_t value;
    memcpy(&value, member, sizeof value);
    return value;
}

static const void *load_pointer(const void *member) {
    const void *value;
    memcpy(&value, member, sizeof value);
    return value;
}

static uint64_t extend(uint32_t value) {
    return (uint64_t)(int64_t)(int32_t)value;
}

static uint64_t zigzag(uint64_t value) {
    return value << 1 ^ (0 - (value >> 63));
}

static bool add_text(struct packer *p, const char *text) {
    return text ? add_prefixed(p, text, strlen(text)) : add_varint(p, 0);
}

static bool add_nested(struct packer *p, const ProtobufCMessage *m) {
    const uint8_t *end = p->at;
    return (!m || add_message(p, m)) && add_varint(p, (uint64_t)(end - p->at));
}

/* The value without its tag. */
static bool add_value(struct packer *p, ProtobufCType type, const void *member) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        return add_varint(p, extend(load32(member)));
    case PROTOBUF_C_TYPE_SINT32:
        return add_varint(p, zigzag(extend(load32(member))));
    case PROTOBUF_C_TYPE_UINT32:
        return add_varint(p, load32(member));
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return add_varint(p, load64(member));
    case PROTOBUF_C_TYPE_SINT64:
        return add_varint(p, zigzag(load64(member)));
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return add_fixed(p, load32(member), 4);
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return add_fixed(p, load64(member), 8);
    case PROTOBUF_C_TYPE_BOOL:
        return add_varint(p, load32(member) != 0);
    case PROTOBUF_C_TYPE_STRING:
        return add_text(p, load_pointer(member));
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *data = member;
        return add_prefixed(p, data->data, data->len);
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        return add_nested(p, load_pointer(member));
    }
    return false;
}

static unsigned wire_type_of(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

static inline bool add_one(struct packer *p, const ProtobufCFieldDescriptor *field, const void *member) {
    return add_value(p, field->type, member) && add_tag(p, field->id, wire_type_of(field->type));
}

static size_t element_size(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

static bool add_repeated(struct packer *p, const ProtobufCFieldDescriptor *field, const char *items,
                         size_t count) {
    bool is_packed = field->flags & PROTOBUF_C_FIELD_FLAG_PACKED;
    size_t size = element_size(field->type);
    const uint8_t *end = p->at;
    for (size_t i = count; i-- > 0;) {
        const char *item = items + i * size;
        if (!(is_packed ? add_value(p, field->type, item) : add_one(p, field, item)))
            return false;
    }
    return !is_packed || count == 0 ||
           (add_varint(p, (uint64_t)(end - p->at)) &&
            add_tag(p, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED));
}

/* A field that proto3 leaves out because it has its zero value; -0.0 counts as zero, as in protobuf-c. */
static inline bool is_zero(ProtobufCType type, const void *member) {
    switch (type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = load_pointer(member);
        return !text || !*text;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        return !load_pointer(member);
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)member)->len == 0;
    case PROTOBUF_C_TYPE_FLOAT:
        return (load32(member) & INT32_MAX) == 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        return (load64(member) & INT64_MAX) == 0;
    default:
        return element_size(type) == 8 ? load64(member) == 0 : load32(member) == 0;
    }
}

/* Whether a field that stands at most once is to be written. Most are not: this is the innermost loop. */
static inline bool is_present(const ProtobufCFieldDescriptor *field, const void *member,
                       const void *quantifier) {
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    bool is_choice = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
    if (is_choice && load32(quantifier) != field->id)
        return false;
    if (!is_choice && field->label == PROTOBUF_C_LABEL_NONE)
        return !is_zero(field->type, member);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING) {
        const void *value = load_pointer(member);
        return value && value != field->default_value;
    }
    return is_choice || load32(quantifier) != 0;
}

static inline bool add_field(struct packer *p, const ProtobufCFieldDescriptor *field,
                      const ProtobufCMessage *m) {
    const char *member = (const char *)m + field->offset;
    const char *quantifier = (const char *)m + field->quantifier_offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count;
        memcpy(&count, quantifier, sizeof count);
        return count == 0 || add_repeated(p, field, load_pointer(member), count);
    }
    return !is_present(field, member, quantifier) || add_one(p, field, member);
}

static bool add_message(struct packer *p, const ProtobufCMessage *m) {
    for (unsigned i = m->n_unknown_fields; i-- > 0;) {
        const ProtobufCMessageUnknownField *field = &m->unknown_fields[i];
        if (!add_bytes(p, field->data, field->len) || !add_tag(p, field->tag, field->wire_type))
            return false;
    }
    for (unsigned i = m->descriptor->n_fields; i-- > 0;) {
        if (!add_field(p, &m->descriptor->fields[i], m))
            return false;
    }
    return true;
}

uint8_t *pb_packer_write(const ProtobufCMessage *m, uint8_t *room, uint8_t *end) {
    struct packer p = {.room = room, .at = end};
    return add_message(&p, m) ? p.at : NULL;
}

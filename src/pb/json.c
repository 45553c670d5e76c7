#include "pb/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "pb/any.h"
#include "pb/pack.h"
#include "pb/wire.h"
#include "wellknown.pb-c.h"

enum {
    FIELDS_MAX = 32,              /* of one type; all types are our own */
    MAP_ENTRIES_MAX = 256 * 1024, /* that must be sorted */
    MAP_ENTRIES_ON_STACK = 16,
};

struct printer {
    struct jsonw *w;
    int depth;
    struct err *err;
};

/* Where a field stands in its message: from the first to behind the last occurrence. */
struct span {
    const uint8_t *first, *end;
    size_t count;
    struct pb_field last;
};

typedef bool print_fn(struct printer *pr, const uint8_t *bytes, size_t n);

static bool print_message(struct printer *pr, const ProtobufCMessageDescriptor *type,
                          const uint8_t *bytes, size_t n);

static bool damaged(struct printer *pr, const char *type_name) {
    return err_set(pr->err, ERR_DATA_LOSS, "%s: the bytes are not such a message", type_name);
}

void pb_json_name(const char *field_name, char ret_name[PB_JSON_NAME_MAX]) {
    size_t n = 0;
    bool is_up = false;
    for (const char *p = field_name; *p && n + 1 < PB_JSON_NAME_MAX; p++) {
        if (*p == '_') {
            is_up = true;
            continue;
        }
        ret_name[n++] = is_up && *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
        is_up = false;
    }
    ret_name[n] = '\0';
}

static void print_key(struct printer *pr, const ProtobufCFieldDescriptor *field) {
    char name[PB_JSON_NAME_MAX];
    pb_json_name(field->name, name);
    jsonw_key(pr->w, name);
}

/* --- scalars --- */

static bool is_number(const ProtobufCFieldDescriptor *field) {
    return field->type < PROTOBUF_C_TYPE_STRING;
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

static double as_double(ProtobufCType type, uint64_t num) {
    if (type == PROTOBUF_C_TYPE_FLOAT) {
        uint32_t bits = (uint32_t)num;
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &num, sizeof value);
    return value;
}

static int64_t as_signed(ProtobufCType type, uint64_t num) {
    switch (type) {
    case PROTOBUF_C_TYPE_SINT32:
        num &= UINT32_MAX;
        return (int32_t)((uint32_t)(num >> 1) ^ -(uint32_t)(num & 1));
    case PROTOBUF_C_TYPE_SINT64:
        return (int64_t)((num >> 1) ^ -(num & 1));
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_INT64:
        return (int64_t)num;
    default:
        return (int32_t)(uint32_t)num;
    }
}

static void print_enum(struct printer *pr, const ProtobufCEnumDescriptor *type, int value) {
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
    if (known)
        jsonw_string(pr->w, known->name);
    else
        jsonw_int(pr->w, value);
}

static void print_int64(struct printer *pr, ProtobufCType type, uint64_t num) {
    char text[24];
    bool is_unsigned = type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
    if (is_unsigned)
        snprintf(text, sizeof text, "%llu", (unsigned long long)num);
    else
        snprintf(text, sizeof text, "%lld", (long long)as_signed(type, num));
    jsonw_string(pr->w, text);
}

static void print_number(struct printer *pr, const ProtobufCFieldDescriptor *field, uint64_t num) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        jsonw_bool(pr->w, num != 0);
        return;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(pr, field->descriptor, (int)as_signed(field->type, num));
        return;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        jsonw_double(pr->w, as_double(field->type, num));
        return;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        jsonw_uint(pr->w, (uint32_t)num);
        return;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        jsonw_int(pr->w, as_signed(field->type, num));
        return;
    default:
        print_int64(pr, field->type, num);
        return;
    }
}

static void print_base64(struct printer *pr, const uint8_t *p, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    jsonw_raw(pr->w, "\"", 1);
    struct buf *out = pr->w->out;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t bits = (uint32_t)p[i] << 16;
        bits |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        bits |= left > 2 ? p[i + 2] : 0;
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        buf_add(out, four, sizeof four);
    }
    buf_addc(out, '"');
}

static bool is_default(const ProtobufCFieldDescriptor *field, const struct pb_field *value) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        return value->len == 0;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_ENUM:
        return (uint32_t)value->num == 0;
    default:
        return value->num == 0;
    }
}

/* One value of a field; its wire type has been checked. */
static bool print_value(struct printer *pr, const ProtobufCFieldDescriptor *field,
                        const struct pb_field *value) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        jsonw_stringn(pr->w, (const char *)value->bytes, value->len);
        return true;
    case PROTOBUF_C_TYPE_BYTES:
        print_base64(pr, value->bytes, value->len);
        return true;
    case PROTOBUF_C_TYPE_MESSAGE:
        return print_message(pr, field->descriptor, value->bytes, value->len);
    default:
        print_number(pr, field, value->num);
        return true;
    }
}

/* --- walking --- */

/* The next occurrence of the field; PB_WIRE_DAMAGED also for a wire type it cannot have. */
static enum pb_wire_step next_of(struct pb_wire *wire, const ProtobufCFieldDescriptor *field,
                                 struct pb_field *ret_value) {
    enum pb_wire_step step;
    while ((step = pb_wire_next(wire, ret_value)) == PB_WIRE_FIELD) {
        if (ret_value->id != field->id)
            continue;
        bool is_packed = is_number(field) && field->label == PROTOBUF_C_LABEL_REPEATED &&
                         ret_value->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
        if (!is_packed && ret_value->wire_type != wire_type_of(field->type))
            return PB_WIRE_DAMAGED;
        return PB_WIRE_FIELD;
    }
    return step;
}

/* Splits an Any. The last occurrence of each of its two fields counts. */
static bool read_any(const uint8_t *bytes, size_t n, struct pb_field *ret_url,
                     struct pb_field *ret_value) {
    struct pb_wire wire = {bytes, bytes + n};
    struct pb_field field;
    *ret_url = *ret_value = (struct pb_field){.bytes = bytes};
    enum pb_wire_step step;
    while ((step = pb_wire_next(&wire, &field)) == PB_WIRE_FIELD) {
        if (field.id > 2)
            continue;
        if (field.wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            return false;
        *(field.id == 1 ? ret_url : ret_value) = field;
    }
    return step == PB_WIRE_END;
}

/* False for an Any of a type we do not know: it is left out. */
static bool is_shown(const ProtobufCFieldDescriptor *field, const struct pb_field *value) {
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->descriptor != &pb__any__descriptor)
        return true;
    struct pb_field url, message;
    return !read_any(value->bytes, value->len, &url, &message) ||
           pb_any_type_of_url((const char *)url.bytes, url.len) != NULL;
}

/* --- maps --- */

struct entry {
    struct pb_field key, value;
    bool has_value;
};

/* protoc names the message behind `map<k, v> things` ThingsEntry and its fields key and value. */
static bool is_map(const ProtobufCFieldDescriptor *field) {
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t len = strlen(entry->short_name);
    return entry->n_fields == 2 && entry->fields[0].id == 1 && entry->fields[1].id == 2 &&
           entry->fields[0].type == PROTOBUF_C_TYPE_STRING && len > 5 &&
           strcmp(entry->short_name + len - 5, "Entry") == 0 &&
           strcmp(entry->fields[0].name, "key") == 0 && strcmp(entry->fields[1].name, "value") == 0;
}

static bool read_entry(const ProtobufCMessageDescriptor *type, const struct pb_field *packed,
                       struct entry *ret_entry) {
    struct pb_wire wire = {packed->bytes, packed->bytes + packed->len};
    struct pb_field field;
    *ret_entry = (struct entry){.key.bytes = packed->bytes, .value.bytes = packed->bytes};
    enum pb_wire_step step;
    while ((step = pb_wire_next(&wire, &field)) == PB_WIRE_FIELD) {
        if (field.id > 2)
            continue;
        if (field.wire_type != wire_type_of(type->fields[field.id - 1].type))
            return false;
        *(field.id == 1 ? &ret_entry->key : &ret_entry->value) = field;
        ret_entry->has_value |= field.id == 2;
    }
    return step == PB_WIRE_END;
}

static int compare_keys(const struct pb_field *a, const struct pb_field *b) {
    size_t shorter = a->len < b->len ? a->len : b->len;
    int order = shorter ? memcmp(a->bytes, b->bytes, shorter) : 0;
    if (order != 0)
        return order;
    return a->len < b->len ? -1 : a->len > b->len;
}

/* By key, then by place in the message. */
static int compare_entries(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = compare_keys(&x->key, &y->key);
    if (order != 0)
        return order;
    return x->key.bytes < y->key.bytes ? -1 : x->key.bytes > y->key.bytes;
}

static bool print_entry(struct printer *pr, const ProtobufCMessageDescriptor *type,
                        const struct entry *entry) {
    jsonw_keyn(pr->w, (const char *)entry->key.bytes, entry->key.len);
    return print_value(pr, &type->fields[1], &entry->value);
}

/* Reads all entries into `entries`, which has room for span->count. */
static bool collect(const ProtobufCFieldDescriptor *field, const struct span *span,
                    struct entry *entries, bool *ret_is_sorted) {
    struct pb_wire wire = {span->first, span->end};
    struct pb_field packed;
    bool is_sorted = true;
    for (size_t i = 0; i < span->count; i++) {
        if (next_of(&wire, field, &packed) != PB_WIRE_FIELD ||
            !read_entry(field->descriptor, &packed, &entries[i]))
            return false;
        if (i > 0 && compare_keys(&entries[i - 1].key, &entries[i].key) >= 0)
            is_sorted = false;
    }
    *ret_is_sorted = is_sorted;
    return true;
}

static bool print_sorted(struct printer *pr, const ProtobufCFieldDescriptor *field,
                         const struct span *span, struct entry *entries) {
    bool is_sorted;
    if (!collect(field, span, entries, &is_sorted))
        return damaged(pr, field->name);
    if (!is_sorted)
        qsort(entries, span->count, sizeof *entries, compare_entries);
    for (size_t i = 0; i < span->count; i++) {
        /* Of entries with the same key the last one counts. */
        if (i + 1 < span->count && compare_keys(&entries[i].key, &entries[i + 1].key) == 0)
            continue;
        if (!print_entry(pr, field->descriptor, &entries[i]))
            return false;
    }
    return true;
}

/* The members; the caller has opened the object. */
static bool print_entries(struct printer *pr, const ProtobufCFieldDescriptor *field,
                          const struct span *span) {
    if (span->count <= MAP_ENTRIES_ON_STACK) {
        struct entry entries[MAP_ENTRIES_ON_STACK];
        return print_sorted(pr, field, span, entries);
    }
    if (span->count > MAP_ENTRIES_MAX)
        return err_set(pr->err, ERR_DATA_LOSS, "%s: more than %d entries", field->name,
                       MAP_ENTRIES_MAX);
    struct entry *entries = mem_realloc_array(NULL, span->count, sizeof *entries);
    bool ok = print_sorted(pr, field, span, entries);
    free(entries);
    return ok;
}

/* --- fields --- */

static bool print_packed(struct printer *pr, const ProtobufCFieldDescriptor *field,
                         const struct pb_field *packed) {
    struct pb_wire wire = {packed->bytes, packed->bytes + packed->len};
    struct pb_field one = {.wire_type = wire_type_of(field->type)};
    while (wire.p < wire.end) {
        if (!pb_wire_value(&wire, &one))
            return damaged(pr, field->name);
        print_number(pr, field, one.num);
    }
    return true;
}

static bool print_items(struct printer *pr, const ProtobufCFieldDescriptor *field,
                        const struct span *span) {
    struct pb_wire wire = {span->first, span->end};
    struct pb_field value;
    bool is_open = false;
    enum pb_wire_step step;
    while ((step = next_of(&wire, field, &value)) == PB_WIRE_FIELD) {
        bool is_packed =
            is_number(field) && value.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
        if ((is_packed && value.len == 0) || !is_shown(field, &value))
            continue;
        if (!is_open) {
            print_key(pr, field);
            jsonw_array(pr->w);
            is_open = true;
        }
        if (!(is_packed ? print_packed(pr, field, &value) : print_value(pr, field, &value)))
            return false;
    }
    if (step == PB_WIRE_DAMAGED)
        return damaged(pr, field->name);
    if (is_open)
        jsonw_array_end(pr->w);
    return true;
}

/* A message field that stands several times is the merge of all: their bytes in a row. */
static bool print_merged(struct printer *pr, const ProtobufCFieldDescriptor *field,
                         const struct span *span) {
    buf_auto struct buf merged;
    buf_init(&merged, PB_MESSAGE_MAX);
    struct pb_wire wire = {span->first, span->end};
    struct pb_field value;
    while (next_of(&wire, field, &value) == PB_WIRE_FIELD)
        buf_add(&merged, value.bytes, value.len);
    return print_message(pr, field->descriptor, (const uint8_t *)merged.data, merged.len);
}

static bool print_field(struct printer *pr, const ProtobufCFieldDescriptor *field,
                        const struct span *span) {
    if (field->label == PROTOBUF_C_LABEL_REPEATED && !is_map(field))
        return print_items(pr, field, span);
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        print_key(pr, field);
        jsonw_object(pr->w);
        if (!print_entries(pr, field, span))
            return false;
        jsonw_object_end(pr->w);
        return true;
    }
    if (span->last.wire_type != wire_type_of(field->type))
        return damaged(pr, field->name);
    bool has_presence = field->type == PROTOBUF_C_TYPE_MESSAGE ||
                        field->label != PROTOBUF_C_LABEL_NONE ||
                        (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
    if ((!has_presence && is_default(field, &span->last)) || !is_shown(field, &span->last))
        return true;
    print_key(pr, field);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE && span->count > 1)
        return print_merged(pr, field, span);
    return print_value(pr, field, &span->last);
}

/* Of the members of a oneof only the one that stands last is set. */
static bool is_overruled(const ProtobufCMessageDescriptor *type, const struct span *spans,
                         size_t i) {
    if (!(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        return false;
    for (size_t k = 0; k < type->n_fields; k++) {
        bool is_rival = type->fields[k].flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
                        type->fields[k].quantifier_offset == type->fields[i].quantifier_offset;
        if (is_rival && spans[k].count && spans[k].end > spans[i].end)
            return true;
    }
    return false;
}

static bool find_spans(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n,
                       struct span *spans) {
    struct pb_wire wire = {bytes, bytes + n};
    enum pb_wire_step step;
    struct pb_field value;
    for (;;) {
        const uint8_t *at = wire.p;
        if ((step = pb_wire_next(&wire, &value)) != PB_WIRE_FIELD)
            return step == PB_WIRE_END;
        const ProtobufCFieldDescriptor *field = pb_wire_field_of(type, value.id);
        if (!field)
            continue;
        struct span *span = &spans[field - type->fields];
        if (span->count++ == 0)
            span->first = at;
        span->end = wire.p;
        span->last = value;
    }
}

/* Descriptors list fields by number; the struct has them in the order of the declaration, which is
 * the order of the JSON form. Oneof members share one offset. */
static void declaration_order(const ProtobufCMessageDescriptor *type, uint8_t order[FIELDS_MAX]) {
    for (unsigned i = 0; i < type->n_fields; i++) {
        unsigned at = i;
        for (; at > 0 && type->fields[order[at - 1]].offset > type->fields[i].offset; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
}

/* The members; the caller has opened the object. */
static bool print_members(struct printer *pr, const ProtobufCMessageDescriptor *type,
                          const uint8_t *bytes, size_t n) {
    assert(type->n_fields <= FIELDS_MAX);
    struct span spans[FIELDS_MAX];
    for (unsigned i = 0; i < type->n_fields; i++)
        spans[i].count = 0;
    if (!find_spans(type, bytes, n, spans))
        return damaged(pr, type->name);
    uint8_t order[FIELDS_MAX];
    declaration_order(type, order);
    for (unsigned i = 0; i < type->n_fields; i++) {
        unsigned k = order[i];
        if (spans[k].count && !is_overruled(type, spans, k) &&
            !print_field(pr, &type->fields[k], &spans[k]))
            return false;
    }
    return true;
}

/* --- special forms --- */

/* The year 1 to the end of the year 9999: what RFC 3339 can say. */
static const int64_t first_second = -62135596800, last_second = 253402300799;

static bool print_timestamp(struct printer *pr, const uint8_t *bytes, size_t n) {
    const ProtobufCMessageDescriptor *type = &pb__timestamp__descriptor;
    struct span spans[2] = {{.count = 0}, {.count = 0}};
    if (!find_spans(type, bytes, n, spans) || spans[0].last.wire_type || spans[1].last.wire_type)
        return damaged(pr, type->name);
    int64_t seconds = (int64_t)spans[0].last.num;
    int64_t nanos = as_signed(PROTOBUF_C_TYPE_INT32, spans[1].last.num);
    if (seconds < first_second || seconds > last_second || nanos < 0 || nanos > 999999999)
        return err_set(pr->err, ERR_DATA_LOSS, "%s: out of range", type->name);
    struct tm tm;
    time_t t = (time_t)seconds;
    char text[64];
    gmtime_r(&t, &tm);
    int used = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    int digits = nanos == 0 ? 0 : nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
    static const int64_t divisors[] = {1, 0, 0, 1000000, 0, 0, 1000, 0, 0, 1};
    char *rest = text + used;
    size_t room = sizeof text - (size_t)used;
    if (digits)
        snprintf(rest, room, ".%0*lldZ", digits, (long long)(nanos / divisors[digits]));
    else
        snprintf(rest, room, "Z");
    jsonw_string(pr->w, text);
    return true;
}

static bool print_struct(struct printer *pr, const uint8_t *bytes, size_t n) {
    struct span span = {.count = 0};
    if (!find_spans(&pb__struct__descriptor, bytes, n, &span))
        return damaged(pr, pb__struct__descriptor.name);
    jsonw_object(pr->w);
    if (span.count && !print_entries(pr, &pb__struct__descriptor.fields[0], &span))
        return false;
    jsonw_object_end(pr->w);
    return true;
}

static bool print_list(struct printer *pr, const uint8_t *bytes, size_t n) {
    const ProtobufCFieldDescriptor *values = &pb__list_value__descriptor.fields[0];
    struct pb_wire wire = {bytes, bytes + n};
    struct pb_field value;
    enum pb_wire_step step;
    jsonw_array(pr->w);
    while ((step = next_of(&wire, values, &value)) == PB_WIRE_FIELD) {
        if (!print_value(pr, values, &value))
            return false;
    }
    if (step == PB_WIRE_DAMAGED)
        return damaged(pr, pb__list_value__descriptor.name);
    jsonw_array_end(pr->w);
    return true;
}

/* A Value in which nothing is set prints as null. */
static bool print_struct_value(struct printer *pr, const uint8_t *bytes, size_t n) {
    struct pb_wire wire = {bytes, bytes + n};
    struct pb_field value, last = {.id = 1, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT};
    enum pb_wire_step step;
    while ((step = pb_wire_next(&wire, &value)) == PB_WIRE_FIELD) {
        if (pb_wire_field_of(&pb__value__descriptor, value.id))
            last = value;
    }
    const ProtobufCFieldDescriptor *field = pb_wire_field_of(&pb__value__descriptor, last.id);
    if (step == PB_WIRE_DAMAGED || last.wire_type != wire_type_of(field->type))
        return damaged(pr, pb__value__descriptor.name);
    if (last.id == 1) {
        jsonw_null(pr->w);
        return true;
    }
    return print_value(pr, field, &last);
}

static print_fn *special_form(const ProtobufCMessageDescriptor *type);

static bool print_any(struct printer *pr, const uint8_t *bytes, size_t n) {
    struct pb_field url, message;
    if (!read_any(bytes, n, &url, &message))
        return damaged(pr, pb__any__descriptor.name);
    const ProtobufCMessageDescriptor *type = pb_any_type_of_url((const char *)url.bytes, url.len);
    jsonw_object(pr->w);
    if (type) {
        jsonw_key(pr->w, "@type");
        jsonw_stringn(pr->w, (const char *)url.bytes, url.len);
        if (special_form(type)) {
            jsonw_key(pr->w, "value");
            if (!print_message(pr, type, message.bytes, message.len))
                return false;
        } else if (!print_members(pr, type, message.bytes, message.len)) {
            return false;
        }
    }
    jsonw_object_end(pr->w);
    return true;
}

static print_fn *special_form(const ProtobufCMessageDescriptor *type) {
    static const struct {
        const ProtobufCMessageDescriptor *type;
        print_fn *print;
    } forms[] = {
        {&pb__value__descriptor, print_struct_value}, {&pb__any__descriptor, print_any},
        {&pb__struct__descriptor, print_struct},      {&pb__list_value__descriptor, print_list},
        {&pb__timestamp__descriptor, print_timestamp},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (forms[i].type == type)
            return forms[i].print;
    }
    return NULL;
}

static bool print_message(struct printer *pr, const ProtobufCMessageDescriptor *type,
                          const uint8_t *bytes, size_t n) {
    /* One message opens at most two groups, the object and an array in it. */
    if (pr->depth == PB_MAX_DEPTH || pr->w->depth > JSONW_MAX_DEPTH - 3)
        return err_set(pr->err, ERR_DATA_LOSS, "%s: messages are nested too deep", type->name);
    pr->depth++;
    print_fn *print = special_form(type);
    bool ok;
    if (print) {
        ok = print(pr, bytes, n);
    } else {
        jsonw_object(pr->w);
        ok = print_members(pr, type, bytes, n);
        if (ok)
            jsonw_object_end(pr->w);
    }
    pr->depth--;
    return ok;
}

bool pb_json_write_bytes(struct jsonw *w, const ProtobufCMessageDescriptor *type,
                         const uint8_t *bytes, size_t n, struct err *err) {
    struct printer pr = {.w = w, .err = err};
    if (n > PB_MESSAGE_MAX)
        return err_set(err, ERR_DATA_LOSS, "%s: the message has %zu bytes, more than %d MiB",
                       type->name, n, PB_MESSAGE_MAX / (1024 * 1024));
    /* An empty message has bytes nowhere; the walk wants a pointer all the same. */
    static const uint8_t nothing[1];
    return print_message(&pr, type, n ? bytes : nothing, n);
}

bool pb_json_write(struct jsonw *w, const ProtobufCMessage *m, struct err *err) {
    buf_auto struct buf packed;
    buf_init(&packed, PB_MESSAGE_MAX);
    if (!pb_pack_buf(m, &packed))
        return err_set(err, ERR_DATA_LOSS, "%s: the message is larger than %d MiB",
                       m->descriptor->name, PB_MESSAGE_MAX / (1024 * 1024));
    return pb_json_write_bytes(w, m->descriptor, (const uint8_t *)packed.data, packed.len, err);
}

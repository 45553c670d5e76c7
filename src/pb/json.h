/* json: any message in the JSON form of protobuf (protojson), from its descriptor.
 *
 * lowerCamelCase names, members in the order of their declaration, unset and default ones left
 * out, 64-bit integers as strings, enums by name (unknown ones by number), bytes as base64,
 * Timestamp, Struct, Value, ListValue and Any in their special forms, map entries sorted by key.
 * An Any of a type we do not know is dropped, as the real CLI does (c1z.md 5.3); a repeated Any
 * loses the element. Source: https://protobuf.dev/programming-guides/json/
 *
 * The work is done on the packed bytes, field by field: printing a stored message needs no
 * unpacking and no memory but the output's. Text that is not UTF-8 comes out with U+FFFD in the
 * place of the bad bytes.
 *
 * Both fail with DataLoss on bytes that are not such a message (also inside an Any) and on nesting
 * deeper than PB_MAX_DEPTH; what was written by then stays in the buffer.
 */
#ifndef PB_JSON_H
#define PB_JSON_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jsonw.h"

/* Writes one value: an object, or what the special form asks for. */
bool pb_json_write(struct jsonw *w, const ProtobufCMessage *m, struct err *err);
bool pb_json_write_bytes(struct jsonw *w, const ProtobufCMessageDescriptor *type,
                         const uint8_t *bytes, size_t n, struct err *err);

/* "resource_type_id" to "resourceTypeId". */
enum { PB_JSON_NAME_MAX = 64 };
void pb_json_name(const char *field_name, char ret_name[PB_JSON_NAME_MAX]);

#endif

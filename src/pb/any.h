/* any: google.protobuf.Any in and out, and the registry of the message types we know.
 *
 * type_url is "type.googleapis.com/" + full name; an empty message has no value bytes (c1z.md 3.2).
 * Only what stands behind the last slash counts when a type is looked up, as in Go. Messages in an
 * Any from outside pass the checks of pb_unpack() when they are unpacked, not before.
 */
#ifndef PB_ANY_H
#define PB_ANY_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "wellknown.pb-c.h"

/* Packs the message; everything lives in the arena. */
Pb__Any *pb_any_new(const ProtobufCMessage *m, struct arena *arena);

/* The type an Any names, NULL if we do not know it. */
const ProtobufCMessageDescriptor *pb_any_type(const Pb__Any *any);
const ProtobufCMessageDescriptor *pb_any_type_of_url(const char *url, size_t n);
bool pb_any_is(const Pb__Any *any, const ProtobufCMessageDescriptor *type);
/* NULL with NotFound for an unknown type, DataLoss for bad bytes. */
ProtobufCMessage *pb_any_unpack(const Pb__Any *any, struct arena *arena, struct err *err);

/* First annotation of that type, NULL if none or damaged. */
ProtobufCMessage *pb_any_find(Pb__Any *const *annotations, size_t count,
                              const ProtobufCMessageDescriptor *type, struct arena *arena);

#endif

/* pack: protobuf messages to bytes and back, with the checks protobuf-c leaves out.
 *
 * Unpacking foreign bytes: the size has a ceiling, nesting has a ceiling, every string field must
 * be UTF-8 without NUL (protobuf-c would cut it there). The message lives in the arena and
 * vanishes with it; never call the generated free functions. Unknown fields are kept.
 *
 * Packing: fields in number order, as Go's deterministic marshalling does. Map entries must be
 * sorted by the builder (see structs.h).
 */
#ifndef PB_PACK_H
#define PB_PACK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The largest single message we take from a file or a peer. */
enum { PB_MESSAGE_MAX = 16 * 1024 * 1024, PB_MAX_DEPTH = 64 };

/* Returns the bytes in the arena. */
uint8_t *pb_pack(const ProtobufCMessage *m, struct arena *arena, size_t *ret_len);
/* Replaces the content of the buffer. False only if its ceiling is passed. */
bool pb_pack_buf(const ProtobufCMessage *m, struct buf *out);

/* NULL with DataLoss if the bytes are not such a message. */
ProtobufCMessage *pb_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n,
                            struct arena *arena, struct err *err);
/* The same, but a NUL ends its string and no more. For messages of which one bad string must not cost the
 * rest, and none is kept. */
ProtobufCMessage *pb_unpack_cut(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n,
                                struct arena *arena, struct err *err);

#endif

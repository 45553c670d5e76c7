/* frame: the five bytes before each gRPC message, and messages out of a stream of bytes.
 *
 * A message on the wire is one byte "compressed" (only 0 here), four bytes of length, most significant
 * first, and the message (grpc's PROTOCOL-HTTP2.md, Length-Prefixed-Message). The reader owns the
 * message it collects; memory grows with what has come, never with what the length promises.
 *
 * Errors: Unimplemented for a compressed message, ResourceExhausted for one above the ceiling.
 */
#ifndef GRPC_FRAME_H
#define GRPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { GRPC_FRAME_PREFIX = 5 };

/* The bytes that go before a message of this length, which must fit into 32 bits. */
void grpc_frame_prefix(size_t message_len, uint8_t ret_prefix[GRPC_FRAME_PREFIX]);

struct grpc_frame_reader {
    uint8_t prefix[GRPC_FRAME_PREFIX];
    size_t prefix_len, length; /* length: of the message that is coming, once the prefix is whole */
    bool is_whole;
    struct buf message;
};

void grpc_frame_reader_init(struct grpc_frame_reader *reader, size_t message_max);
void grpc_frame_reader_done(struct grpc_frame_reader *reader);

/* Takes from the front of *data until a message is whole or the bytes are used up. When `is_whole`
 * is set, `message` is there and nothing more is taken before grpc_frame_reader_next(). */
bool grpc_frame_read(struct grpc_frame_reader *reader, const uint8_t **data, size_t *len,
                     struct err *err);
void grpc_frame_reader_next(struct grpc_frame_reader *reader);
/* A message has begun and is not whole. */
bool grpc_frame_is_cut(const struct grpc_frame_reader *reader);

#endif

/* packer: protobuf messages to bytes in one pass, from the end to the beginning.
 *
 * protobuf-c counts the size of a nested message again at every level above it before it writes a byte.
 * Written backwards, a message is already there when its length is due. The bytes are those of
 * protobuf_c_message_pack(). Borrows everything; allocates nothing.
 */
#ifndef PB_PACKER_H
#define PB_PACKER_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* Packs the message so that its last byte stands just before `end`. Returns its first byte; NULL if it
 * does not fit behind `room`, whose content is undefined then. */
uint8_t *pb_packer_write(const ProtobufCMessage *m, uint8_t *room, uint8_t *end);

#endif

#include "grpc/frame.h"

#include <string.h>

void grpc_frame_prefix(size_t message_len, uint8_t ret_prefix[GRPC_FRAME_PREFIX]) {
    ret_prefix[0] = 0;
    for (int i = 0; i < 4; i++)
        ret_prefix[1 + i] = (uint8_t)(message_len >> (24 - 8 * i));
}

void grpc_frame_reader_init(struct grpc_frame_reader *reader, size_t message_max) {
    *reader = (struct grpc_frame_reader){0};
    buf_init(&reader->message, message_max);
}

void grpc_frame_reader_done(struct grpc_frame_reader *reader) {
    if (reader)
        buf_done(&reader->message);
}

void grpc_frame_reader_next(struct grpc_frame_reader *reader) {
    reader->prefix_len = reader->length = 0;
    reader->is_whole = false;
    buf_reset(&reader->message);
}

bool grpc_frame_is_cut(const struct grpc_frame_reader *reader) {
    return !reader->is_whole && reader->prefix_len > 0;
}

static bool look_at_prefix(struct grpc_frame_reader *reader, struct err *err) {
    const uint8_t *p = reader->prefix;
    if (p[0] != 0)
        return err_set(err, ERR_UNIMPLEMENTED,
                       "the message is compressed (flag %u), which was not asked for", p[0]);
    reader->length = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (reader->length > reader->message.max)
        return err_set(err, ERR_RESOURCE_EXHAUSTED,
                       "the message has %zu bytes, more than the limit of %zu", reader->length,
                       reader->message.max);
    return true;
}

static size_t at_most(size_t a, size_t b) {
    return a < b ? a : b;
}

bool grpc_frame_read(struct grpc_frame_reader *reader, const uint8_t **data, size_t *len,
                     struct err *err) {
    if (reader->prefix_len < GRPC_FRAME_PREFIX) {
        size_t n = at_most(*len, GRPC_FRAME_PREFIX - reader->prefix_len);
        if (n)
            memcpy(reader->prefix + reader->prefix_len, *data, n);
        reader->prefix_len += n;
        *data += n;
        *len -= n;
        if (reader->prefix_len < GRPC_FRAME_PREFIX)
            return true;
        if (!look_at_prefix(reader, err))
            return false;
    }
    size_t n = at_most(*len, reader->length - reader->message.len);
    buf_add(&reader->message, *data, n);
    *data += n;
    *len -= n;
    reader->is_whole = reader->message.len == reader->length;
    return true;
}

/* Messages out of any bytes, in pieces: whatever comes, the ceiling holds, and the pieces do not matter. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "grpc/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 300 };

struct sum {
    size_t count, bytes;
    bool ok, is_cut;
};

static struct sum read_all(const uint8_t *data, size_t size, size_t step) {
    struct grpc_frame_reader reader;
    struct sum sum = {.ok = true};
    struct err err = ERR_INIT;
    grpc_frame_reader_init(&reader, MESSAGE_MAX);
    for (size_t at = 0; sum.ok && at < size; at += step) {
        const uint8_t *p = data + at;
        size_t len = size - at < step ? size - at : step;
        while (sum.ok && len > 0) {
            sum.ok = grpc_frame_read(&reader, &p, &len, &err);
            assert(reader.message.len <= MESSAGE_MAX && reader.message.cap <= MESSAGE_MAX + 1);
            if (!sum.ok || !reader.is_whole)
                continue;
            sum.count++;
            sum.bytes += reader.message.len;
            grpc_frame_reader_next(&reader);
        }
    }
    assert(sum.ok == (err.code == ERR_OK));
    sum.is_cut = sum.ok && grpc_frame_is_cut(&reader);
    grpc_frame_reader_done(&reader);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct sum whole = read_all(data + 1, size - 1, size);
    struct sum pieces = read_all(data + 1, size - 1, data[0] % 16 + 1u);
    assert(whole.count == pieces.count && whole.bytes == pieces.bytes);
    assert(whole.ok == pieces.ok && whole.is_cut == pieces.is_cut);
    assert(!whole.ok || whole.bytes + whole.count * GRPC_FRAME_PREFIX <= size - 1);
    return 0;
}

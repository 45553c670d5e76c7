/* The v1 container behind its magic: any bytes, in one piece and in small ones, with small limits. Both
 * ways must come to the same end. */
#include <assert.h>
#include <stdint.h>

#include "c1z/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE = 7 };

struct sum {
    uint64_t bytes, hash;
};

static bool add(void *payload, const void *bytes, size_t n, struct err *err) {
    struct sum *s = payload;
    (void)err;
    for (size_t i = 0; i < n; i++)
        s->hash = s->hash * 31 + ((const uint8_t *)bytes)[i];
    s->bytes += n;
    return true;
}

static bool decode(const uint8_t *data, size_t size, size_t piece, struct sum *ret_sum) {
    static const struct envelope_limits limits = {.max_window = 1 << 20, .max_decoded = 1 << 20};
    struct err err = ERR_INIT;
    struct envelope_reader *r = envelope_reader_new(&limits, add, ret_sum, &err);
    uint64_t decoded = 0;
    bool ok = r != NULL;
    for (size_t at = 0; ok && at < size; at += piece)
        ok = envelope_reader_feed(r, data + at, size - at < piece ? size - at : piece, &err);
    ok = ok && envelope_reader_end(r, &decoded, &err);
    envelope_reader_free(r);
    assert(ok ? decoded == ret_sum->bytes : err.code != ERR_OK);
    assert(ret_sum->bytes <= limits.max_decoded);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sum whole = {0}, pieces = {0};
    bool ok = decode(data, size, size ? size : 1, &whole);
    assert(decode(data, size, PIECE, &pieces) == ok);
    assert(!ok || whole.hash == pieces.hash);
    return 0;
}

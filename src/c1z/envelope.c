#include "c1z/envelope.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"
#include "c1z/env.h"

#define MIB (UINT64_C(1024) * 1024)

/* A zstd frame header is at most magic 4 + descriptor 1 + window 1 + dictionary 4 + size 8 (RFC 8878
 * 3.1.1.1). */
enum { HEADER_MAX = 18, MAGIC_MAX = 4 };
/* Half the time of level 3, which the Go writer takes, and on this kind of data no larger (20,000
 * operators: 4.82 MB against 4.99). The window is at most 2 MiB (2^21), below the 8 MiB that c1z.md 1.2
 * allows. */
enum { LEVEL = 1 };
/* A quarter of what zstd suggests: a small sync should stay small. */
enum { OUT_SIZE = 32 * 1024 };

static const uint8_t magic_v1[ENVELOPE_MAGIC_LEN] = {'C', '1', 'Z', 'F', 0};
static const uint8_t magic_v3[ENVELOPE_MAGIC_LEN] = {'C', '1', 'Z', '3', 0};

/* The two spaces, here and below, are in the original (baton-sdk pkg/dotc1z/decoder.go). */
static const char raise_window[] = "c1z: window size exceeded, increase DecoderMaxMemory using "
                                   "BATON_DECODER_MAX_MEMORY_MB  environment variable";
static const char raise_size[] = "c1z: max decoded size exceeded, increase DecoderMaxDecodedSize "
                                 "using BATON_DECODER_MAX_DECODED_SIZE_MB environment variable";

enum envelope_kind envelope_kind(const uint8_t magic[ENVELOPE_MAGIC_LEN]) {
    if (memcmp(magic, magic_v1, ENVELOPE_MAGIC_LEN) == 0)
        return ENVELOPE_V1;
    if (memcmp(magic, magic_v3, ENVELOPE_MAGIC_LEN) == 0)
        return ENVELOPE_V3;
    return ENVELOPE_UNKNOWN;
}

static bool read_mib(const char *name, uint64_t *value, struct err *err) {
    uint64_t mib;
    if (!c1z_env_number(name, &mib))
        return true;
    if (mib == 0)
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "%s is 0: give a number of MiB of at least 1, or unset it", name);
    if (__builtin_mul_overflow(mib, MIB, value))
        *value = UINT64_MAX;
    return true;
}

bool envelope_limits_init(struct envelope_limits *ret_limits, struct err *err) {
    struct envelope_limits l = {.max_window = 128 * MIB, .max_decoded = 10 * 1024 * MIB};
    if (!read_mib("BATON_DECODER_MAX_MEMORY_MB", &l.max_window, err) ||
        !read_mib("BATON_DECODER_MAX_DECODED_SIZE_MB", &l.max_decoded, err))
        return false;
    const char *off = getenv("BATON_DISABLE_FCS_FAIL_FAST");
    l.trust_no_size = off && strcmp(off, "1") == 0;
    *ret_limits = l;
    return true;
}

/* --- reading --- */

struct envelope_reader {
    ZSTD_DCtx *zstd;
    struct envelope_limits limits;
    envelope_sink sink;
    void *payload;
    uint64_t decoded;
    /* Between frames the header is collected here and judged before zstd sees a byte of it, because
     * zstd allocates the window that it asks for. */
    bool in_frame;
    uint8_t header[HEADER_MAX];
    size_t header_len;
    uint64_t declared; /* of the current frame; 0 if it does not say */
    size_t out_size;
    uint8_t out[];
};

struct envelope_reader *envelope_reader_new(const struct envelope_limits *limits, envelope_sink sink,
                                            void *payload, struct err *err) {
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    if (!zstd) {
        err_set(err, ERR_RESOURCE_EXHAUSTED, "out of memory: prepare to decompress");
        return NULL;
    }
    /* check_header() is the judge of windows. */
    ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax,
                           ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound);
    size_t out_size = ZSTD_DStreamOutSize();
    struct envelope_reader *r = mem_alloc(sizeof *r + out_size);
    *r = (struct envelope_reader){.zstd = zstd, .limits = *limits, .sink = sink, .payload = payload,
                                  .out_size = out_size};
    return r;
}

void envelope_reader_free(struct envelope_reader *r) {
    if (!r)
        return;
    ZSTD_freeDCtx(r->zstd);
    free(r);
}

static uint64_t little_endian(const uint8_t *p, size_t n) {
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static bool is_skippable(const uint8_t *magic) {
    return (little_endian(magic, 4) & ~UINT64_C(0xF)) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* True while these bytes can be the begin of a frame. */
static bool may_be_frame(const uint8_t *p, size_t n) {
    static const uint8_t frame[MAGIC_MAX] = {0x28, 0xB5, 0x2F, 0xFD};
    static const uint8_t skippable[MAGIC_MAX] = {0x50, 0x2A, 0x4D, 0x18};
    if (n > MAGIC_MAX)
        n = MAGIC_MAX;
    return memcmp(p, frame, n) == 0 ||
           ((p[0] & 0xF0) == skippable[0] && memcmp(p + 1, skippable + 1, n - 1) == 0);
}

/* How long the header is, as far as its first n bytes tell. */
static size_t header_size(const uint8_t *p, size_t n) {
    if (n < MAGIC_MAX + 1)
        return MAGIC_MAX + 1;
    if (is_skippable(p))
        return MAGIC_MAX + 4;
    static const uint8_t dictionary_bytes[] = {0, 1, 2, 4};
    static const uint8_t size_bytes[] = {0, 2, 4, 8};
    uint8_t descriptor = p[MAGIC_MAX];
    bool single = descriptor & 0x20;
    size_t size_len = size_bytes[descriptor >> 6];
    if (single && size_len == 0)
        size_len = 1;
    return MAGIC_MAX + 1 + (size_t)(single ? 0 : 1) + dictionary_bytes[descriptor & 3] + size_len;
}

struct frame_header {
    uint64_t window, size;
    bool has_size;
};

static struct frame_header parse_header(const uint8_t *p, size_t n) {
    uint8_t descriptor = p[MAGIC_MAX];
    bool single = descriptor & 0x20;
    struct frame_header h = {.has_size = single || descriptor >> 6 != 0};
    if (h.has_size) {
        size_t len = single && descriptor >> 6 == 0 ? 1 : (size_t)1 << (descriptor >> 6);
        h.size = little_endian(p + n - len, len) + (len == 2 ? 256 : 0);
    }
    if (single) {
        h.window = h.size;
    } else {
        uint8_t w = p[MAGIC_MAX + 1];
        uint64_t base = UINT64_C(1) << (10 + (w >> 3));
        h.window = base + base / 8 * (w & 7);
    }
    return h;
}

static bool check_header(struct envelope_reader *r, struct err *err) {
    r->declared = 0;
    if (is_skippable(r->header))
        return true;
    struct frame_header h = parse_header(r->header, r->header_len);
    uint64_t max = r->limits.max_decoded;
    if (h.has_size && !r->limits.trust_no_size && (h.size > max || r->decoded > max - h.size))
        return err_set(err, ERR_UNKNOWN,
                       "c1z: declared decoded size %" PRIu64 " exceeds cap %" PRIu64 ": %s", h.size,
                       max, raise_size);
    if (h.window > r->limits.max_window)
        return err_set(err, ERR_UNKNOWN,
                       "c1z: window size (%" PRIu64 ") exceeded:  window size exceeded: %s",
                       r->limits.max_window, raise_window);
    r->declared = h.has_size ? h.size : 0;
    return true;
}

static bool zstd_failed(size_t code, struct err *err) {
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_checksum_wrong:
        return err_set(err, ERR_UNKNOWN, "CRC check failed: the file is damaged");
    case ZSTD_error_prefix_unknown:
        return err_set(err, ERR_UNKNOWN, "invalid input: magic number mismatch");
    case ZSTD_error_memory_allocation:
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "out of memory: decompress");
    case ZSTD_error_dictionary_wrong:
        return err_set(err, ERR_UNKNOWN, "the file needs a zstd dictionary, which no c1z has");
    default:
        return err_set(err, ERR_UNKNOWN, "corruption detected: %s", ZSTD_getErrorName(code));
    }
}

static bool hand_out(struct envelope_reader *r, size_t n, struct err *err) {
    r->decoded += n;
    if (r->decoded > r->limits.max_decoded) {
        err_set(err, ERR_UNKNOWN, "c1z: max decoded size exceeded: %" PRIu64 " > %" PRIu64, r->decoded,
                r->limits.max_decoded);
        if (r->declared)
            err_append(err, " (declared: %" PRIu64 ")", r->declared);
        return err_append(err, ": %s", raise_size);
    }
    return n == 0 || r->sink(r->payload, r->out, n, err);
}

/* Gives zstd all of `in`, or as much as belongs to the current frame. */
static bool decompress(struct envelope_reader *r, ZSTD_inBuffer *in, struct err *err) {
    for (;;) {
        ZSTD_outBuffer out = {.dst = r->out, .size = r->out_size};
        size_t rc = ZSTD_decompressStream(r->zstd, &out, in);
        if (ZSTD_isError(rc))
            return zstd_failed(rc, err);
        if (!hand_out(r, out.pos, err))
            return false;
        if (rc == 0) {
            r->in_frame = false;
            return true;
        }
        if (in->pos == in->size && out.pos < out.size)
            return true;
    }
}

/* Collects header bytes; once all are there, judges them and passes them on. */
static bool feed_header(struct envelope_reader *r, const uint8_t *p, size_t n, size_t *ret_used,
                        struct err *err) {
    size_t want = header_size(r->header, r->header_len), used = 0;
    while (used < n && r->header_len < want) {
        r->header[r->header_len++] = p[used++];
        if (!may_be_frame(r->header, r->header_len))
            return err_set(err, ERR_UNKNOWN, "invalid input: magic number mismatch");
        want = header_size(r->header, r->header_len);
    }
    *ret_used = used;
    if (r->header_len < want)
        return true;
    if (!check_header(r, err))
        return false;
    ZSTD_inBuffer in = {.src = r->header, .size = r->header_len};
    r->in_frame = true;
    r->header_len = 0;
    return decompress(r, &in, err);
}

bool envelope_reader_feed(struct envelope_reader *r, const void *bytes, size_t n, struct err *err) {
    const uint8_t *p = bytes;
    while (n > 0) {
        size_t used = 0;
        if (r->in_frame) {
            ZSTD_inBuffer in = {.src = p, .size = n};
            if (!decompress(r, &in, err))
                return false;
            used = in.pos;
        } else if (!feed_header(r, p, n, &used, err)) {
            return false;
        }
        p += used;
        n -= used;
    }
    return true;
}

bool envelope_reader_end(struct envelope_reader *r, uint64_t *ret_decoded, struct err *err) {
    if (r->in_frame || r->header_len > 0)
        return err_set(err, ERR_UNKNOWN, "unexpected EOF: the file ends too early");
    *ret_decoded = r->decoded;
    return true;
}

/* --- writing --- */

struct envelope_writer {
    ZSTD_CCtx *zstd;
    envelope_sink sink;
    void *payload;
    uint64_t written;
    bool has_magic;
    size_t out_size;
    uint8_t out[];
};

static bool set_parameters(ZSTD_CCtx *zstd, uint64_t size) {
    static const struct {
        ZSTD_cParameter name;
        int value;
    } parameters[] = {
        {ZSTD_c_compressionLevel, LEVEL},
        {ZSTD_c_checksumFlag, 1},
        {ZSTD_c_contentSizeFlag, 1},
    };
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        if (ZSTD_isError(ZSTD_CCtx_setParameter(zstd, parameters[i].name, parameters[i].value)))
            return false;
    }
    return !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, size));
}

struct envelope_writer *envelope_writer_new(uint64_t size, envelope_sink sink, void *payload,
                                            struct err *err) {
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (!zstd || !set_parameters(zstd, size)) {
        ZSTD_freeCCtx(zstd);
        err_set(err, ERR_RESOURCE_EXHAUSTED, "out of memory: prepare to compress");
        return NULL;
    }
    size_t out_size = OUT_SIZE;
    struct envelope_writer *w = mem_alloc(sizeof *w + out_size);
    *w = (struct envelope_writer){.zstd = zstd, .sink = sink, .payload = payload, .out_size = out_size};
    return w;
}

void envelope_writer_free(struct envelope_writer *w) {
    if (!w)
        return;
    ZSTD_freeCCtx(w->zstd);
    free(w);
}

static bool put_out(struct envelope_writer *w, const void *bytes, size_t n, struct err *err) {
    w->written += n;
    return n == 0 || w->sink(w->payload, bytes, n, err);
}

static bool compress(struct envelope_writer *w, ZSTD_inBuffer *in, ZSTD_EndDirective end,
                     struct err *err) {
    if (!w->has_magic) {
        w->has_magic = true;
        if (!put_out(w, magic_v1, sizeof magic_v1, err))
            return false;
    }
    for (;;) {
        ZSTD_outBuffer out = {.dst = w->out, .size = w->out_size};
        size_t rc = ZSTD_compressStream2(w->zstd, &out, in, end);
        if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
            return err_set(err, ERR_RESOURCE_EXHAUSTED, "out of memory: compress");
        if (ZSTD_isError(rc))
            return err_set(err, ERR_INTERNAL, "compress: %s", ZSTD_getErrorName(rc));
        if (!put_out(w, w->out, out.pos, err))
            return false;
        if (end == ZSTD_e_end ? rc == 0 : in->pos == in->size)
            return true;
    }
}

bool envelope_writer_feed(struct envelope_writer *w, const void *bytes, size_t n, struct err *err) {
    ZSTD_inBuffer in = {.src = bytes, .size = n};
    return compress(w, &in, ZSTD_e_continue, err);
}

bool envelope_writer_end(struct envelope_writer *w, uint64_t *ret_written, struct err *err) {
    ZSTD_inBuffer in = {.src = w->out, .size = 0};
    if (!compress(w, &in, ZSTD_e_end, err))
        return false;
    *ret_written = w->written;
    return true;
}

/* envelope: the v1 container around the database: "C1ZF\0", then zstd (c1z.md section 1).
 *
 * No I/O here. Bytes are pushed in, bytes come out of a sink that the caller gives; both sides work in
 * pieces of any size, so memory is what zstd needs for the window (at most max_window on reading, 2 MiB
 * on writing) and nothing else. A sink returns false, with its own error set, to stop.
 *
 * Reading takes what the Go readers take (1.3): concatenated frames, skippable frames, any level, size
 * and checksum present or not. Errors are of code Unknown with the texts of section 6 of c1z.md in them.
 */
#ifndef C1Z_ENVELOPE_H
#define C1Z_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { ENVELOPE_MAGIC_LEN = 5 };

enum envelope_kind { ENVELOPE_V1, ENVELOPE_V3, ENVELOPE_UNKNOWN };

/* By the first ENVELOPE_MAGIC_LEN bytes. */
enum envelope_kind envelope_kind(const uint8_t magic[ENVELOPE_MAGIC_LEN]);

typedef bool (*envelope_sink)(void *payload, const void *bytes, size_t n, struct err *err);

struct envelope_limits {
    uint64_t max_window;  /* bytes a frame may ask for; 128 MiB */
    uint64_t max_decoded; /* bytes of all frames together; 10 GiB */
    bool trust_no_size;   /* do not refuse by the declared size, count instead */
};

/* The defaults, and BATON_DECODER_MAX_MEMORY_MB, BATON_DECODER_MAX_DECODED_SIZE_MB,
 * BATON_DISABLE_FCS_FAIL_FAST over them. Fails if one of the numbers is 0. */
bool envelope_limits_init(struct envelope_limits *ret_limits, struct err *err);

struct envelope_reader;

/* Begins behind the magic. Copies the limits, borrows the payload. */
struct envelope_reader *envelope_reader_new(const struct envelope_limits *limits, envelope_sink sink,
                                            void *payload, struct err *err);
void envelope_reader_free(struct envelope_reader *r);
bool envelope_reader_feed(struct envelope_reader *r, const void *bytes, size_t n, struct err *err);
/* No more bytes come: fails if a frame is not whole. */
bool envelope_reader_end(struct envelope_reader *r, uint64_t *ret_decoded, struct err *err);

struct envelope_writer;

/* Writes magic, then one frame that declares its size of `size` bytes and carries a checksum. */
struct envelope_writer *envelope_writer_new(uint64_t size, envelope_sink sink, void *payload,
                                            struct err *err);
void envelope_writer_free(struct envelope_writer *w);
bool envelope_writer_feed(struct envelope_writer *w, const void *bytes, size_t n, struct err *err);
/* Ends the frame. Fails if not exactly `size` bytes were fed. */
bool envelope_writer_end(struct envelope_writer *w, uint64_t *ret_written, struct err *err);

#endif

/* out: standard output (or a file), written in chunks, so that memory does not grow with the
 * output.
 *
 * Writers append to `buf` and call out_flush_some() after each item; it writes once a chunk is
 * full. A failed write is remembered and reported by out_finish(); later writes do nothing. Owns
 * the buffer; borrows the descriptor.
 */
#ifndef INSPECT_OUT_H
#define INSPECT_OUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* One item (a message of at most PB_MESSAGE_MAX in JSON) must fit. */
enum { OUT_CHUNK = 64 * 1024, OUT_ITEM_MAX = 256 * 1024 * 1024 };

struct out {
    int fd;
    int failed_errno; /* 0: fine */
    struct buf buf;
};

void out_init(struct out *out, int fd);
void out_done(struct out *out);

void out_flush_some(struct out *out);
/* Writes the rest. False if anything could not be written. */
bool out_finish(struct out *out, struct err *err);

/* True if people look at it: a terminal that takes bold text, and NO_COLOR is not set. */
bool out_is_styled(const struct out *out);

#endif

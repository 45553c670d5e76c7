/* seen: which identities a run has put already, in about 12 bytes each.
 *
 * Keeps a 64-bit keyed hash of each (SipHash-2-4, https://www.aumasson.jp/siphash/siphash.pdf), so that
 * the unique index of a table need not exist while it is filled. "Not seen" is certain; "perhaps seen"
 * is wrong once in 2^64 / n. A set that reached SEEN_MAX answers "perhaps" from then on, so memory is
 * bounded at any number of rows.
 */
#ifndef C1Z_SEEN_H
#define C1Z_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SEEN_MAX = 1024 * 1024 };

struct seen {
    uint64_t *slots; /* 0: free */
    size_t count, size;
    uint64_t key[2];
};

/* Fails only if the system gives no random bytes. */
bool seen_init(struct seen *s, struct err *err);
void seen_done(struct seen *s);

/* True if the text is certainly new; it is in the set from then on. */
bool seen_add(struct seen *s, const char *text, size_t n);

/* SipHash-2-4, for the tests. */
uint64_t seen_hash(const uint64_t key[2], const void *bytes, size_t n);

#endif

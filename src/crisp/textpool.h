/* textpool: many small strings, packed one behind the other.
 *
 * An arena aligns every string to 16 bytes; in a team of 100,000 that alone is several MiB. The
 * pool owns its blocks until textpool_give() hands them to an arena, whose end is then theirs.
 * Returned strings are NUL-terminated UTF-8 and never move; empty ones take no room. An interned
 * string is stored once as long as the pool has seen few different ones: it is for roles and types,
 * not names.
 */
#ifndef CRISP_TEXTPOOL_H
#define CRISP_TEXTPOOL_H

#include <stddef.h>

#include "base/arena.h"
#include "net/jsonr.h"

enum { TEXTPOOL_INTERNED_MAX = 16 };

struct textpool {
    char **blocks;
    size_t count, capacity;
    size_t used, size; /* of the newest block */
    const char *interned[TEXTPOOL_INTERNED_MAX];
    size_t interned_count;
};

void textpool_init(struct textpool *pool);
void textpool_done(struct textpool *pool);

/* Decodes the string into the pool. */
const char *textpool_add(struct textpool *pool, const struct jsonr_string *s);
const char *textpool_intern(struct textpool *pool, const struct jsonr_string *s);

/* Moves everything to the arena and leaves an empty pool. */
void textpool_give(struct textpool *pool, struct arena *arena);

#endif

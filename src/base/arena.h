/* arena: memory for one unit of work (a page of a sync, a decoded message), freed all at once.
 *
 * The arena owns every block. arena_reset() keeps the first chunk for the next unit of work, so a
 * loop that resets once a round settles at a fixed size. Not shared between threads.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena_adopted;

struct arena {
    struct arena_chunk *head; /* newest first */
    struct arena_adopted *adopted;
    size_t used, size;        /* of the newest chunk */
    size_t total;             /* bytes handed out since the last reset */
};

void arena_init(struct arena *a);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type, never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_array(struct arena *a, size_t count, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
/* The texts one behind the other, up to a NULL. */
char *arena_join(struct arena *a, ...) __attribute__((sentinel, returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull(2), returns_nonnull));

/* Takes over a block from malloc(): it is freed with all the rest. For what had to grow by realloc()
 * before its size was known, and would be held twice if it were copied. */
void arena_adopt(struct arena *a, void *block);

/* For `arena_auto struct arena a;` after arena_init(). */
#define arena_auto __attribute__((cleanup(arena_done)))

#endif

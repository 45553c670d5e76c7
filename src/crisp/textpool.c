#include "crisp/textpool.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK_BYTES = 64 * 1024 };

void textpool_init(struct textpool *pool) {
    *pool = (struct textpool){0};
}

void textpool_done(struct textpool *pool) {
    if (!pool)
        return;
    for (size_t i = 0; i < pool->count; i++)
        free(pool->blocks[i]);
    free(pool->blocks);
    textpool_init(pool);
}

static void add_block(struct textpool *pool, size_t at_least) {
    if (pool->count == pool->capacity) {
        pool->capacity = pool->capacity ? pool->capacity * 2 : 16;
        pool->blocks = mem_realloc_array(pool->blocks, pool->capacity, sizeof *pool->blocks);
    }
    pool->size = at_least > BLOCK_BYTES ? at_least : BLOCK_BYTES;
    pool->used = 0;
    pool->blocks[pool->count++] = mem_alloc(pool->size);
}

const char *textpool_add(struct textpool *pool, const struct jsonr_string *s) {
    if (s->len == 0)
        return "";
    /* Decoding never makes a string longer. */
    if (s->len + 1 > pool->size - pool->used)
        add_block(pool, s->len + 1);
    char *text = pool->blocks[pool->count - 1] + pool->used;
    pool->used += jsonr_decode(s, text) + 1;
    return text;
}

const char *textpool_intern(struct textpool *pool, const struct jsonr_string *s) {
    if (s->len == 0)
        return "";
    for (size_t i = 0; i < pool->interned_count; i++)
        if (jsonr_equals(s, pool->interned[i]))
            return pool->interned[i];
    const char *text = textpool_add(pool, s);
    if (pool->interned_count < TEXTPOOL_INTERNED_MAX)
        pool->interned[pool->interned_count++] = text;
    return text;
}

void textpool_give(struct textpool *pool, struct arena *arena) {
    for (size_t i = 0; i < pool->count; i++)
        arena_adopt(arena, pool->blocks[i]);
    free(pool->blocks);
    textpool_init(pool);
}

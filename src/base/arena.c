#include "base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 256 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

/* The nodes themselves lie in the chunks. */
struct arena_adopted {
    struct arena_adopted *next;
    void *block;
};

void arena_init(struct arena *a) {
    *a = (struct arena){0};
}

static void free_from(struct arena_chunk *c) {
    while (c) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
}

static void free_adopted(struct arena *a) {
    for (struct arena_adopted *node = a->adopted; node; node = node->next)
        free(node->block);
    a->adopted = NULL;
}

void arena_done(struct arena *a) {
    if (!a)
        return;
    free_adopted(a);
    free_from(a->head);
    arena_init(a);
}

void arena_reset(struct arena *a) {
    if (!a->head)
        return;
    free_adopted(a);
    /* The newest chunk is the largest of the ordinary ones: keep it, so that the next round of
     * about the same size needs no allocation at all. */
    free_from(a->head->next);
    a->head->next = NULL;
    if (a->head->size > LARGEST_CHUNK) {
        free_from(a->head);
        arena_init(a);
        return;
    }
    a->used = 0;
    a->total = 0;
}

static void add_chunk(struct arena *a, size_t at_least) {
    size_t size = a->size ? a->size * 2 : FIRST_CHUNK;
    if (size > LARGEST_CHUNK)
        size = LARGEST_CHUNK;
    if (size < at_least)
        size = at_least;
    if (size > SIZE_MAX - sizeof(struct arena_chunk))
        mem_die();
    struct arena_chunk *c = mem_alloc(sizeof *c + size);
    c->next = a->head;
    c->size = size;
    a->head = c;
    a->size = size;
    a->used = 0;
}

void *arena_alloc(struct arena *a, size_t size) {
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align)
        mem_die();
    size = (size + align - 1) / align * align;
    if (!a->head || size > a->size - a->used)
        add_chunk(a, size);
    void *p = a->head->bytes + a->used;
    a->used += size;
    a->total += size;
    memset(p, 0, size);
    return p;
}

void arena_adopt(struct arena *a, void *block) {
    struct arena_adopted *node = arena_alloc(a, sizeof *node);
    *node = (struct arena_adopted){.next = a->adopted, .block = block};
    a->adopted = node;
}

void *arena_array(struct arena *a, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        mem_die();
    return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t n) {
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s) {
    return arena_strndup(a, s, strlen(s));
}

char *arena_join(struct arena *a, ...) {
    va_list ap, again;
    va_start(ap, a);
    va_copy(again, ap);
    size_t n = 0;
    for (const char *s; (s = va_arg(ap, const char *)) != NULL;)
        n += strlen(s);
    va_end(ap);
    char *joined = arena_alloc(a, n + 1), *end = joined;
    for (const char *s; (s = va_arg(again, const char *)) != NULL;) {
        size_t part = strlen(s);
        memcpy(end, s, part);
        end += part;
    }
    va_end(again);
    return joined;
}

char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        mem_die();
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

#include "inspect/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/mem.h"

enum { FIRST_SIZE = 64 }; /* a power of two */

struct slot {
    const char *key; /* NULL: free */
    void *value;
    uint64_t hash;
};

struct map {
    struct arena keys;
    struct slot *slots;
    size_t size, count;
    uint64_t seed;
};

static struct slot *new_slots(size_t size) {
    struct slot *slots = mem_realloc_array(NULL, size, sizeof *slots);
    memset(slots, 0, size * sizeof *slots);
    return slots;
}

struct map *map_new(void) {
    struct map *m = mem_zalloc(sizeof *m);
    arena_init(&m->keys);
    m->size = FIRST_SIZE;
    m->slots = new_slots(m->size);
    /* A seed of our own: ids in a file cannot be chosen to collide. Without one it is only slower. */
    if (getrandom(&m->seed, sizeof m->seed, GRND_NONBLOCK) < 0)
        m->seed = (uintptr_t)m;
    return m;
}

void map_free(struct map *m) {
    if (!m)
        return;
    arena_done(&m->keys);
    free(m->slots);
    free(m);
}

static uint64_t hash_of(const struct map *m, const char *key) {
    uint64_t h = m->seed;
    for (const unsigned char *p = (const unsigned char *)key; *p; p++) {
        h = (h ^ *p) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    return h;
}

/* The slot of the key, or the free one where it belongs. */
static struct slot *find(const struct map *m, const char *key, uint64_t hash) {
    size_t i = hash & (m->size - 1);
    while (m->slots[i].key && (m->slots[i].hash != hash || strcmp(m->slots[i].key, key) != 0))
        i = (i + 1) & (m->size - 1);
    return &m->slots[i];
}

void *map_get(const struct map *m, const char *key) {
    return find(m, key, hash_of(m, key))->value;
}

static void grow(struct map *m) {
    struct slot *old = m->slots;
    size_t old_size = m->size;
    m->size *= 2;
    m->slots = new_slots(m->size);
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].key)
            *find(m, old[i].key, old[i].hash) = old[i];
    }
    free(old);
}

bool map_add(struct map *m, const char *key, void *value) {
    uint64_t hash = hash_of(m, key);
    struct slot *slot = find(m, key, hash);
    if (slot->key)
        return false;
    *slot = (struct slot){.key = arena_strdup(&m->keys, key), .value = value, .hash = hash};
    if (++m->count * 2 > m->size)
        grow(m);
    return true;
}

bool map_see(struct map *m, const char *key) {
    static char seen;
    return map_add(m, key, &seen);
}

size_t map_count(const struct map *m) {
    return m->count;
}

#include "c1z/seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

enum { FIRST_SIZE = 256 };

static inline uint64_t rotate(uint64_t x, int by) {
    return x << by | x >> (64 - by);
}

struct sip {
    uint64_t a, b, c, d;
};

static inline void sip_rounds(struct sip *s, int n) {
    while (n-- > 0) {
        s->a += s->b, s->c += s->d;
        s->b = rotate(s->b, 13) ^ s->a, s->d = rotate(s->d, 16) ^ s->c;
        s->a = rotate(s->a, 32);
        s->c += s->b, s->a += s->d;
        s->b = rotate(s->b, 17) ^ s->c, s->d = rotate(s->d, 21) ^ s->a;
        s->c = rotate(s->c, 32);
    }
}

static inline void sip_block(struct sip *s, uint64_t block) {
    s->d ^= block;
    sip_rounds(s, 2);
    s->a ^= block;
}

uint64_t seen_hash(const uint64_t key[2], const void *bytes, size_t n) {
    struct sip s = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                    key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    const uint8_t *p = bytes;
    size_t rest = n;
    for (; rest >= 8; rest -= 8, p += 8) {
        uint64_t block;
        memcpy(&block, p, 8);
        sip_block(&s, block);
    }
    uint64_t last = (uint64_t)(n & 0xFF) << 56;
    for (size_t i = 0; i < rest; i++)
        last |= (uint64_t)p[i] << (8 * i);
    sip_block(&s, last);
    s.c ^= 0xFF;
    sip_rounds(&s, 4);
    return s.a ^ s.b ^ s.c ^ s.d;
}

bool seen_init(struct seen *s, struct err *err) {
    struct seen fresh = {0};
    if (getrandom(fresh.key, sizeof fresh.key, 0) != (ssize_t)sizeof fresh.key)
        return err_set_errno(err, ERR_INTERNAL, errno, "key a hash: no random bytes");
    *s = fresh;
    return true;
}

void seen_done(struct seen *s) {
    free(s->slots);
    s->slots = NULL;
    s->count = s->size = 0;
}

/* Where the search for a hash begins: its high bits scaled to the size, so that any size will do. */
static inline size_t home(uint64_t hash, size_t size) {
    return (size_t)(((unsigned __int128)hash * size) >> 64);
}

/* False if it is there already. */
static bool insert(uint64_t *slots, size_t size, uint64_t hash) {
    size_t i = home(hash, size);
    while (slots[i]) {
        if (slots[i] == hash)
            return false;
        i = i + 1 < size ? i + 1 : 0;
    }
    slots[i] = hash;
    return true;
}

/* Half as large again, so that between 8 and 13 bytes are used for each member. */
static void grow(struct seen *s) {
    size_t size = s->size ? s->size + s->size / 2 : FIRST_SIZE;
    uint64_t *slots = mem_realloc_array(NULL, size, sizeof *slots);
    memset(slots, 0, size * sizeof *slots);
    for (size_t i = 0; i < s->size; i++) {
        if (s->slots[i])
            insert(slots, size, s->slots[i]);
    }
    free(s->slots);
    s->slots = slots;
    s->size = size;
}

bool seen_add(struct seen *s, const char *text, size_t n) {
    if (s->count == SEEN_MAX)
        return false;
    if (s->count >= s->size - s->size / 8)
        grow(s);
    uint64_t hash = seen_hash(s->key, text, n);
    if (!insert(s->slots, s->size, hash ? hash : 1))
        return false;
    s->count++;
    return true;
}

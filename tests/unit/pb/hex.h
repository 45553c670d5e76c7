/* hex: byte vectors of the tests, written as hex digits; spaces are ignored. */
#ifndef TESTS_UNIT_PB_HEX_H
#define TESTS_UNIT_PB_HEX_H

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"

/* n digits to bytes in the arena. */
static inline uint8_t *hex_decode_n(const char *text, size_t n, struct arena *arena, size_t *ret_n) {
    uint8_t *bytes = arena_alloc(arena, n / 2 + 1);
    char pair[3] = "";
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        if (isspace((unsigned char)text[i]))
            continue;
        pair[digits % 2] = text[i];
        if (digits++ % 2)
            bytes[digits / 2 - 1] = (uint8_t)strtoul(pair, NULL, 16);
    }
    *ret_n = digits / 2;
    return bytes;
}

static inline uint8_t *hex_decode(const char *text, struct arena *arena, size_t *ret_n) {
    return hex_decode_n(text, strlen(text), arena, ret_n);
}

#endif

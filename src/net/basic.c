#include "net/basic.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Writes 4 characters for every 3 bytes, the last of them padded, and no NUL. */
static char *put_base64(char *out, const unsigned char *in, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t three = (uint32_t)in[i] << 16;
        if (i + 1 < n)
            three |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < n)
            three |= in[i + 2];
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = i + 1 < n ? digits[three >> 6 & 63] : '=';
        *out++ = i + 2 < n ? digits[three & 63] : '=';
    }
    return out;
}

static void free_wiped(void *p, size_t n) {
    explicit_bzero(p, n);
    free(p);
}

void basic_header(const char *identifier, const struct secret *key, struct secret *ret_line) {
    static const char start[] = "Authorization: Basic ";
    size_t id_len = strlen(identifier), pair_len = id_len + 1 + key->len;
    unsigned char *pair = mem_alloc(pair_len);
    memcpy(pair, identifier, id_len);
    pair[id_len] = ':';
    memcpy(pair + id_len + 1, secret_reveal(key), key->len);

    size_t line_len = strlen(start) + (pair_len + 2) / 3 * 4;
    char *line = mem_alloc(line_len);
    memcpy(line, start, strlen(start));
    put_base64(line + strlen(start), pair, pair_len);
    secret_set(ret_line, line, line_len);
    free_wiped(line, line_len);
    free_wiped(pair, pair_len);
}

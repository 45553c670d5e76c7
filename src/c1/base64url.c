#include "c1/base64url.h"

bool base64url_add(struct buf *out, const void *bytes, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *in = bytes;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | in[i];
        for (count += 8; count >= 6; count -= 6)
            buf_addc(out, digits[bits >> (count - 6) & 63]);
    }
    if (count > 0)
        buf_addc(out, digits[bits << (6 - count) & 63]);
    return buf_ok(out);
}

/* -1: no digit. */
static int value_of(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_read(const char *text, size_t n, uint8_t *out, size_t size, size_t *ret_len) {
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\r' || text[i] == '\n')
            continue;
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        if (len == size)
            return false;
        count -= 8;
        out[len++] = (uint8_t)(bits >> count);
    }
    if (count == 6) /* one digit alone is no byte */
        return false;
    *ret_len = len;
    return true;
}

#include "inspect/plain.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* Characters beyond ASCII that print nothing but change what stands around them. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x80, 0x9F},       /* C1 controls: 0x9B starts an escape sequence */
    {0x061C, 0x061C},   /* Arabic letter mark */
    {0x200E, 0x200F},   /* direction marks */
    {0x2028, 0x202E},   /* line and paragraph separator, embeddings, overrides */
    {0x2066, 0x2069},   /* isolates */
    {0xFEFF, 0xFEFF},   /* byte order mark */
    {0xFFF9, 0xFFFB},   /* interlinear annotation */
    {0xE0000, 0xE007F}, /* tags */
};

static bool is_hidden(uint32_t c) {
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    }
    return false;
}

/* Length of the character at s and the character, 0 if it is malformed. */
static size_t character(const char *s, size_t n, uint32_t *ret_c) {
    unsigned char first = (unsigned char)s[0];
    size_t len = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (len > n || !utf8_valid(s, len))
        return 0;
    uint32_t c = first & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3Fu);
    *ret_c = c;
    return len;
}

static void add_control(struct buf *out, unsigned char c) {
    if (c == '\n')
        buf_adds(out, "\\n");
    else if (c == '\t')
        buf_adds(out, "\\t");
    else
        buf_addf(out, "\\x%02x", c);
}

/* One character that does not begin with a plain ASCII byte; returns its length. */
static size_t add_other(struct buf *out, const char *s, size_t n) {
    uint32_t c;
    size_t len = (unsigned char)s[0] < 0x80 ? 0 : character(s, n, &c);
    if (len == 0) {
        add_control(out, (unsigned char)s[0]);
        return 1;
    }
    if (is_hidden(c))
        buf_addf(out, "\\u{%x}", (unsigned)c);
    else
        buf_add(out, s, len);
    return len;
}

void plain_add(struct buf *out, const char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t run = 0;
        while (i + run < n && s[i + run] >= 0x20 && s[i + run] < 0x7F)
            run++;
        buf_add(out, s + i, run);
        i += run;
        if (i < n)
            i += add_other(out, s + i, n - i);
    }
}

void plain_adds(struct buf *out, const char *s) {
    plain_add(out, s, strlen(s));
}

void plain_adds_clipped(struct buf *out, const char *s, size_t columns) {
    buf_auto struct buf whole;
    buf_init(&whole, 4 * strlen(s) + 16); /* a byte becomes \xHH at worst */
    plain_adds(&whole, s);
    size_t end = 0, used = 0;
    bool is_long = utf8_columns(whole.data, whole.len) > columns;
    while (is_long && end < whole.len) {
        uint32_t c;
        const char *at = whole.data + end;
        size_t len = (unsigned char)*at < 0x80 ? 1 : character(at, whole.len - end, &c);
        used += utf8_columns(at, len);
        if (len == 0 || used >= columns)
            break;
        end += len;
    }
    buf_add(out, whole.data, is_long ? end : whole.len);
    if (is_long)
        buf_adds(out, "\u2026");
}

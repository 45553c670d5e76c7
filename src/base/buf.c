#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char empty[1] = "";

void buf_init(struct buf *b, size_t max_bytes) {
    *b = (struct buf){.data = empty, .max = max_bytes};
}

void buf_done(struct buf *b) {
    if (!b)
        return;
    if (b->cap)
        free(b->data);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b) {
    b->len = 0;
    b->overflow = false;
    if (b->cap)
        b->data[0] = '\0';
}

/* Makes room for n more bytes and the NUL. */
static bool reserve(struct buf *b, size_t n) {
    if (b->overflow)
        return false;
    if (n > b->max || b->len > b->max - n) {
        b->overflow = true;
        return false;
    }
    size_t need = b->len + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    b->data = mem_realloc_array(b->cap ? b->data : NULL, cap, 1);
    b->cap = cap;
    return true;
}

bool buf_add(struct buf *b, const void *p, size_t n) {
    if (!reserve(b, n))
        return false;
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
    return true;
}

void *buf_extend(struct buf *b, size_t n) {
    if (!reserve(b, n))
        return NULL;
    char *p = b->data + b->len;
    b->len += n;
    b->data[b->len] = '\0';
    return p;
}

bool buf_adds(struct buf *b, const char *s) {
    return buf_add(b, s, strlen(s));
}

bool buf_addc(struct buf *b, char c) {
    return buf_add(b, &c, 1);
}

bool buf_addf(struct buf *b, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    bool ok = n >= 0 && reserve(b, (size_t)n);
    if (ok) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return ok;
}

void buf_drop(struct buf *b, size_t n) {
    if (n > b->len)
        n = b->len;
    if (n == 0)
        return;
    memmove(b->data, b->data + n, b->len - n + 1);
    b->len -= n;
}

char *buf_detach(struct buf *b) {
    char *p = b->cap ? b->data : mem_strdup("");
    buf_init(b, b->max);
    return p;
}

#include "baton/masker.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "baton/gotext.h"

enum { QUOTED_MAX = 6 * SECRET_MAX };

static const char stars[] = "***";

static void keep(struct masker *m, const char *value, size_t len) {
    for (size_t i = 0; i < m->count; i++) {
        if (m->items[i].len == len && memcmp(m->items[i].value, value, len) == 0)
            return;
    }
    m->items = mem_realloc_array(m->items, m->count + 1, sizeof *m->items);
    m->items[m->count] = SECRET_INIT;
    secret_set(&m->items[m->count++], value, len);
}

void masker_add(struct masker *m, const char *value) {
    size_t len = strlen(value);
    if (len < MASKER_SECRET_MIN)
        return;
    keep(m, value, len);
    buf_auto struct buf quoted;
    buf_init(&quoted, QUOTED_MAX);
    gotext_quote(&quoted, value);
    if (buf_ok(&quoted) && quoted.len != len + 2)
        keep(m, quoted.data + 1, quoted.len - 2);
    explicit_bzero(quoted.data, quoted.len);
}

/* Bytes at the begin of the text that are the secret or a long part of it. */
static size_t leak_at(const struct secret *s, const char *text, size_t len) {
    if (len >= s->len && memcmp(text, s->value, s->len) == 0)
        return s->len;
    const char *found =
        len >= MASKER_PART_MIN ? memmem(s->value, s->len, text, MASKER_PART_MIN) : NULL;
    if (!found)
        return 0;
    size_t n = MASKER_PART_MIN, left = s->len - (size_t)(found - s->value);
    while (n < left && n < len && found[n] == text[n])
        n++;
    return n;
}

void masker_apply(const struct masker *m, char *text) {
    size_t len = strlen(text), to = 0;
    for (size_t from = 0; from < len;) {
        size_t longest = 0;
        for (size_t i = 0; i < m->count; i++) {
            size_t n = leak_at(&m->items[i], text + from, len - from);
            longest = n > longest ? n : longest;
        }
        if (longest) {
            memcpy(text + to, stars, sizeof stars - 1);
            to += sizeof stars - 1;
            from += longest;
        } else {
            text[to++] = text[from++];
        }
    }
    text[to] = '\0';
}

void masker_done(struct masker *m) {
    for (size_t i = 0; i < m->count; i++)
        secret_done(&m->items[i]);
    free(m->items);
    *m = (struct masker){0};
}

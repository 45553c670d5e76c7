#include "baton/strlist.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void strlist_clear(struct strlist *l) {
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i]);
    l->count = 0;
}

void strlist_done(struct strlist *l) {
    if (!l)
        return;
    strlist_clear(l);
    free(l->items);
    *l = (struct strlist){0};
}

/* Takes the string. */
static void push(struct strlist *l, char *s) {
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 4;
        l->items = mem_realloc_array(l->items, l->cap, sizeof *l->items);
    }
    l->items[l->count++] = s;
}

void strlist_addn(struct strlist *l, const char *s, size_t n) {
    push(l, mem_strndup(s, n));
}

void strlist_add(struct strlist *l, const char *s) {
    strlist_addn(l, s, strlen(s));
}

void strlist_addf(struct strlist *l, const char *fmt, ...) {
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        mem_die();
    va_end(ap);
    push(l, s);
}

static int compare(const void *a, const void *b) {
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

void strlist_sort(struct strlist *l) {
    if (l->count > 1)
        qsort(l->items, l->count, sizeof *l->items, compare);
}

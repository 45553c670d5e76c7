/* strlist: strings in order. The list owns copies. Zero-initialised it is empty and good. */
#ifndef BATON_STRLIST_H
#define BATON_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

struct strlist {
    char **items;
    size_t count, cap;
};

void strlist_done(struct strlist *l);
#define strlist_auto __attribute__((cleanup(strlist_done)))

void strlist_add(struct strlist *l, const char *s);
void strlist_addn(struct strlist *l, const char *s, size_t n);
void strlist_addf(struct strlist *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strlist_clear(struct strlist *l);
/* By strcmp. */
void strlist_sort(struct strlist *l);
/* The items in the form of const strings. */
static inline const char *const *strlist_items(const struct strlist *l) {
    return (const char *const *)l->items;
}

#endif

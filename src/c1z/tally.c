#include "c1z/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void tally_done(struct tally *t) {
    for (size_t i = 0; i < t->count; i++)
        free(t->types[i].id);
    free(t->types);
    *t = (struct tally){0};
}

void tally_lose(struct tally *t) {
    tally_done(t);
    t->is_lost = true;
}

const struct tally_type *tally_find(const struct tally *t, const char *type_id) {
    /* Rows of one type come together: the latest is nearly always the one. */
    if (t->count > 0 && strcmp(t->types[t->latest].id, type_id) == 0)
        return &t->types[t->latest];
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->types[i].id, type_id) == 0)
            return &t->types[i];
    }
    return NULL;
}

void tally_add(struct tally *t, const char *type_id, int64_t rowid) {
    if (t->is_lost)
        return;
    const struct tally_type *found = tally_find(t, type_id);
    if (found) {
        t->latest = (size_t)(found - t->types);
    } else if (t->count == TALLY_TYPES_MAX) {
        tally_lose(t);
        return;
    } else {
        t->types = mem_realloc_array(t->types, t->count + 1, sizeof *t->types);
        t->latest = t->count++;
        t->types[t->latest] = (struct tally_type){.id = mem_strdup(type_id), .first = rowid};
    }
    struct tally_type *type = &t->types[t->latest];
    type->count++;
    type->last = rowid;
}

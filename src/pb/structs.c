#include "pb/structs.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

Pb__Struct *pb_struct_new(struct arena *arena) {
    Pb__Struct *s = arena_alloc(arena, sizeof *s);
    pb__struct__init(s);
    return s;
}

/* The first entry whose key is not below this one. */
static size_t position(const Pb__Struct *s, const char *key) {
    size_t low = 0, high = s->n_fields;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(s->fields[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The array holds 8, 16, 32, ... pointers: it is full whenever the count is one of these. */
static void make_room(Pb__Struct *s, struct arena *arena) {
    size_t n = s->n_fields;
    bool is_full = n == 0 || (n >= FIRST_CAPACITY && (n & (n - 1)) == 0);
    if (!is_full)
        return;
    Pb__Struct__FieldsEntry **fields =
        arena_array(arena, n ? n * 2 : FIRST_CAPACITY, sizeof *fields);
    if (n)
        memcpy(fields, s->fields, n * sizeof *fields);
    s->fields = fields;
}

/* The value to fill in: a new one in its place, or the one the key has. */
static Pb__Value *value_of(Pb__Struct *s, struct arena *arena, const char *key) {
    size_t at = position(s, key);
    if (at < s->n_fields && strcmp(s->fields[at]->key, key) == 0)
        return s->fields[at]->value;
    make_room(s, arena);
    memmove(s->fields + at + 1, s->fields + at, (s->n_fields - at) * sizeof *s->fields);
    Pb__Struct__FieldsEntry *entry = arena_alloc(arena, sizeof *entry);
    pb__struct__fields_entry__init(entry);
    entry->key = arena_strdup(arena, key);
    entry->value = arena_alloc(arena, sizeof *entry->value);
    pb__value__init(entry->value);
    s->fields[at] = entry;
    s->n_fields++;
    return entry->value;
}

void pb_struct_add_string(Pb__Struct *s, struct arena *arena, const char *key, const char *value) {
    Pb__Value *v = value_of(s, arena, key);
    v->kind_case = PB__VALUE__KIND_STRING_VALUE;
    v->string_value = arena_strdup(arena, value);
}

void pb_struct_add_bool(Pb__Struct *s, struct arena *arena, const char *key, bool value) {
    Pb__Value *v = value_of(s, arena, key);
    v->kind_case = PB__VALUE__KIND_BOOL_VALUE;
    v->bool_value = value;
}

void pb_struct_add_number(Pb__Struct *s, struct arena *arena, const char *key, double value) {
    Pb__Value *v = value_of(s, arena, key);
    v->kind_case = PB__VALUE__KIND_NUMBER_VALUE;
    v->number_value = value;
}

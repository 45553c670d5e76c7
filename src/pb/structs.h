/* structs: builds google.protobuf.Struct, entries sorted by key.
 *
 * Sorted also inside an Any, unlike Go, so that two syncs of the same data give the same bytes and
 * `baton diff` shows no false change (c1z.md 3.4). Everything lives in the arena; keys and values
 * are copied. A second value for a key replaces the first.
 */
#ifndef PB_STRUCTS_H
#define PB_STRUCTS_H

#include <stdbool.h>

#include "base/arena.h"
#include "wellknown.pb-c.h"

Pb__Struct *pb_struct_new(struct arena *arena);
void pb_struct_add_string(Pb__Struct *s, struct arena *arena, const char *key, const char *value);
void pb_struct_add_bool(Pb__Struct *s, struct arena *arena, const char *key, bool value);
void pb_struct_add_number(Pb__Struct *s, struct arena *arena, const char *key, double value);

#endif

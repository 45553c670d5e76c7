/* map: text to pointer, in memory.
 *
 * Keys are copied, values borrowed. Nothing is ever removed. Open addressing; at most half full.
 */
#ifndef INSPECT_MAP_H
#define INSPECT_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *map_new(void);
void map_free(struct map *m);

/* NULL if absent. */
void *map_get(const struct map *m, const char *key);
/* False, and nothing changed, if the key is there already. `value` must not be NULL. */
bool map_add(struct map *m, const char *key, void *value);
/* map_add() for a set: true if the key is new. */
bool map_see(struct map *m, const char *key);
size_t map_count(const struct map *m);

#endif

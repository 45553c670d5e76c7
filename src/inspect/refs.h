/* refs: what ids in a row stand for, looked up in the same sync, with a cache.
 *
 * Resource types, entitlements and the resources that entitlements are on are few and named by
 * every row: their JSON (or their names) is kept, up to REFS_CACHE_MAX bytes. Principals are many
 * and each is named by few rows: they are looked up anew.
 *
 * An id that is not in the sync gives a placeholder with the display name `MISSING RESOURCE
 * (type:id)`, `MISSING RESOURCE TYPE (id)` or `MISSING ENTITLEMENT (id)`, as in the real CLI, and
 * one line on stderr the first time.
 *
 * Borrows the view. Calls c1z_get(): a row that an iterator gave is gone afterwards.
 */
#ifndef INSPECT_REFS_H
#define INSPECT_REFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "inspect/view.h"

enum { REFS_CACHE_MAX = 16 * 1024 * 1024 };

struct refs;

struct refs *refs_new(struct view *view);
void refs_free(struct refs *refs);

/* Keep it for the rows to come, or not. */
enum refs_keep { REFS_ONCE, REFS_KEEP };

/* The packed message; valid until the next call. `id` is the external id ("type:id" for
 * resources). */
struct refs_bytes {
    const uint8_t *data;
    size_t len;
};
bool refs_get(struct refs *refs, enum c1z_table table, const char *id, struct refs_bytes *ret,
              struct err *err);

/* Writes the message as one JSON value. */
bool refs_write_json(struct refs *refs, enum c1z_table table, const char *id, enum refs_keep keep,
                     struct jsonw *w, struct err *err);

/* What tables show of a message. Never NULL; "" where the message has no such thing. */
struct refs_names {
    const char *name; /* display name */
    const char *slug; /* of an entitlement */
    const char *mail; /* of a person: the primary address, else the first */
};
/* Kept ones are valid as long as `refs`, others as long as the arena. */
bool refs_names(struct refs *refs, enum c1z_table table, const char *id, enum refs_keep keep,
                struct arena *arena, struct refs_names *ret, struct err *err);

/* "type:id", the external id of a resource. */
char *refs_resource_id(struct arena *arena, const char *type_id, const char *resource_id);

#endif

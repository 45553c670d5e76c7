/* items: lists of resource types, resources, entitlements, grants and principals, as JSON or as a
 * table, row by row.
 *
 * The shapes of ResourceTypeOutput, ResourceOutput, EntitlementOutput and GrantOutput of
 * proto/baton/v1/outputs.proto, and the columns of the real CLI (c1z.md 5.2, 5.3). What a row
 * names is looked up (refs.h). Rows come in the order of the file.
 */
#ifndef INSPECT_ITEMS_H
#define INSPECT_ITEMS_H

#include "base/jsonw.h"
#include "inspect/session.h"

struct items_kind;
extern const struct items_kind items_resource_types, items_resources, items_entitlements,
    items_grants;
/* Over the rows of grants: each principal once, shown as a resource. */
extern const struct items_kind items_principals;

/* Whether to show a row. Must say the same each time: a table asks twice. */
typedef bool items_pick_fn(const struct c1z_row *row, void *payload);

struct items_query {
    const struct items_kind *kind;
    struct c1z_filter filter;
    items_pick_fn *pick; /* NULL: all */
    void *payload;
};

/* Writes `"key":[...]` into the open object; nothing at all if there is no row. */
bool items_write_json(struct session *s, const struct items_query *query, const char *key,
                      struct jsonw *w, struct err *err);
bool items_print_table(struct session *s, const struct items_query *query, struct err *err);

/* What is asked for on the command line: a whole JSON document or a table. */
bool items_show(struct session *s, const struct items_query *query, struct err *err);

#endif

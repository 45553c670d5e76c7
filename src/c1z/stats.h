/* stats: how many rows a run has, counted, as JSON in its `stats` column, and read back (c1z.md 4.5).
 *
 * Counts live in the caller's arena, sorted by type id.
 */
#ifndef C1Z_STATS_H
#define C1Z_STATS_H

#include "base/buf.h"
#include "c1z/db.h"
#include "c1z/put.h"
#include "c1z/store.h"

/* Asks the tables. Entitlements and grants of a resources_only run are not counted. */
bool stats_count(struct db *db, const char *sync_id, const char *type, struct arena *arena,
                 struct c1z_counts *ret_counts, struct err *err);

/* Counts from what was put, without reading a table; false if a tally was lost. */
bool stats_from_put(const struct put *put, const char *type, struct arena *arena,
                    struct c1z_counts *ret_counts);

/* Reads a stats column. *ret_ok is false if it is no such JSON, or says that there is no resource type:
 * then the tables must be asked. */
bool stats_parse(struct db *db, const char *json, struct arena *arena, struct c1z_counts *ret_counts,
                 bool *ret_ok, struct err *err);

/* Appends the JSON, as Go's encoding/json writes it: zero members left out. */
void stats_write(const struct c1z_counts *counts, struct buf *out);

#endif

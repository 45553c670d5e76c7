/* retention: which finished runs make room when a new one ends (c1z.md 2.11).
 *
 * The rules are those of baton-sdk v0.25.0 pkg/dotc1z/c1zstore/cleanup_policy.go.
 */
#ifndef C1Z_RETENTION_H
#define C1Z_RETENTION_H

#include "c1z/db.h"
#include "c1z/store.h"

/* Full runs to keep beside an open one: 1, or one less than BATON_KEEP_SYNC_COUNT. */
size_t retention_limit(void);

/* Marks what to delete: ret_delete has `count` entries, all false at the start. `open_id` is the run that
 * is about to end, never marked. Runs are in the order of the file. */
void retention_select(const struct c1z_run *runs, size_t count, const char *open_id, size_t limit,
                      bool *ret_delete);

/* Deletes the runs that have to go, unless BATON_SKIP_CLEANUP is true. */
bool retention_apply(struct db *db, const char *open_id, struct err *err);

#endif

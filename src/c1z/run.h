/* run: the rows of v1_sync_runs, each one sync (c1z.md 2.3, 2.8, 2.11).
 *
 * Returned runs live in the caller's arena.
 */
#ifndef C1Z_RUN_H
#define C1Z_RUN_H

#include "base/arena.h"
#include "c1z/db.h"
#include "c1z/store.h"

bool run_list(struct db *db, struct arena *arena, struct c1z_run **ret_runs, size_t *ret_count,
              struct err *err);

/* False with InvalidArgument if runs of this type cannot be begun. */
bool run_check_type(const char *type, struct err *err);

/* The unfinished run of this type to continue; *ret_found false if there is none. */
bool run_find_unfinished(struct db *db, const char *type, struct arena *arena,
                         struct c1z_run *ret_run, bool *ret_found, struct err *err);

/* Adds a run that begins now. */
bool run_add(struct db *db, const char *type, struct arena *arena, struct c1z_run *ret_run,
             struct err *err);

/* Takes back what an earlier attempt left in the run's own row: its token, marker, supports_diff. */
bool run_restart(struct db *db, const char *id, struct err *err);

/* Deletes the run's rows from every table but v1_sync_runs; `and_itself`: there too. */
bool run_delete_rows(struct db *db, const char *id, bool and_itself, struct err *err);

bool run_set_token(struct db *db, const char *id, const char *token, struct err *err);

/* Sets ended_at to now, stats, and what a finished run of its type carries. */
bool run_finish(struct db *db, const char *id, const char *type, const char *stats, struct err *err);

#endif

/* view: one c1z file opened for reading, and the sync in it that we look at.
 *
 * Which sync: the one asked for; else the newest finished one of any type; else the newest
 * unfinished one of the last 7 days; else the rows of all (c1z.md 5.1). view_prefer() narrows
 * that.
 *
 * Errors: those of c1z_open(), with what to do behind a missing file; NotFound for a sync that is not there.
 */
#ifndef INSPECT_VIEW_H
#define INSPECT_VIEW_H

#include "base/arena.h"
#include "base/err.h"
#include "c1z/store.h"

struct view {
    struct c1z_store *store; /* owned */
    struct c1z_run *runs;    /* in the order of the file */
    size_t run_count;
    const struct c1z_run *run; /* the chosen one, NULL: none */
    struct arena arena;        /* holds the runs */
};

/* `flag` is what names the file on the command line, for errors. `sync_id` may be NULL. */
struct view *view_open(const char *path, const char *flag, const char *sync_id, struct err *err);
void view_close(struct view *v);

/* Chooses the newest finished sync of this type instead, if there is one. */
void view_prefer(struct view *v, const char *type);

/* Id of the chosen sync, NULL: rows of all. */
const char *view_sync_id(const struct view *v);

/* Rows of the chosen sync; its id in the filter is set here. */
struct c1z_iter *view_list(struct view *v, enum c1z_table table, struct c1z_filter filter,
                           struct err *err);
/* One row of the chosen sync; where none is chosen, of the newest that has it. */
bool view_get(struct view *v, enum c1z_table table, const char *external_id,
              struct c1z_row *ret_row, struct err *err);

#endif

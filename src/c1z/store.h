/* store: an open .c1z, to be read or to be written, whatever engine its bytes need.
 *
 * A .c1z holds sync runs; each run holds resource types, resources, entitlements and grants. The
 * store owns a private copy of the database (a temporary file without a name, or memory where no
 * directory is writable). The file at `path` is touched by c1z_save() alone, which replaces it by
 * rename: until then, and after any failure before it, the old file is there byte for byte.
 *
 * One engine exists: SQLite in zstd ("v1", c1z.md). A second one (Pebble, "v3") will stand behind
 * this same header; until then a v3 file is recognised and refused.
 *
 * Messages given to the put calls are borrowed for the call. Text in a returned c1z_run or c1z_row is
 * valid as said there. Not thread-safe.
 *
 * Errors: FailedPrecondition (wrong state), a damaged file is Unknown (exit 2) with the
 * texts of c1z.md section 6, disk trouble is Unknown, no space is ResourceExhausted, Canceled.
 */
#ifndef C1Z_STORE_H
#define C1Z_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/ksuid.h"
#include "connector.pb-c.h"

struct c1z_store;

enum c1z_mode { C1Z_READ, C1Z_WRITE };

struct c1z_options {
    enum c1z_mode mode;
    const char *temp_dir;        /* NULL or "": see base/tmp.h */
    const char *engine;          /* NULL, "", "sqlite", "pebble": the user's wish */
    const struct cancel *cancel; /* NULL: cannot be cancelled */
};

/* Opens. For writing a missing or empty file is a new store; for reading it is an error. */
struct c1z_store *c1z_open(const char *path, const struct c1z_options *options, struct err *err);
/* A new store that no path belongs to: to be written with c1z_save_to(). `mode` must be C1Z_WRITE. */
struct c1z_store *c1z_open_new(const struct c1z_options *options, struct err *err);
/* Drops the private copy; what was not saved is gone. Takes NULL. */
void c1z_close(struct c1z_store *store);

struct c1z_saved {
    bool is_written; /* false: nothing had changed, the file was left alone */
    uint64_t decompressed_bytes, compressed_bytes;
};

/* Checks early that c1z_save() will be able to write beside `path`: directory there, writable. */
bool c1z_check_target(const char *path, struct err *err);
/* A run that is still open is saved unfinished; nothing can be put into it afterwards. */
bool c1z_save(struct c1z_store *store, struct c1z_saved *ret_saved, struct err *err);
typedef void c1z_written(uint64_t bytes, void *payload);

/* Writes the file into an empty descriptor, from its start to its end: what is written is never changed, and
 * `written` is told of each piece. Nothing is synced to disk: for a file that is handed on and forgotten. */
bool c1z_save_to(struct c1z_store *store, int fd, c1z_written *written, void *payload,
                 struct c1z_saved *ret_saved, struct err *err);

/* --- sync runs --- */

struct c1z_run {
    const char *id;
    int64_t started_at_ns;
    int64_t ended_at_ns; /* 0: unfinished */
    const char *token;
    const char *type; /* "full", "resources_only", ... */
    const char *parent_id, *linked_id;
    bool supports_diff;
    const char *stats; /* JSON as stored, NULL if none */
};

/* All runs in the order of the file. Strings and array live in the arena. */
bool c1z_list_runs(struct c1z_store *store, struct arena *arena, struct c1z_run **ret_runs,
                   size_t *ret_count, struct err *err);

/* An unfinished run that began longer ago is abandoned. */
#define C1Z_RESUMABLE_NS (INT64_C(7) * 24 * 3600 * 1000000000)

/* The run that the real CLI shows: the newest finished one, of that type if it is not NULL; else, if
 * there is none, the newest that can still be resumed (c1z.md 5.1). NULL if there is none. Borrowed. */
const struct c1z_run *c1z_newest_finished(const struct c1z_run *runs, size_t count, const char *type);
const struct c1z_run *c1z_newest_unfinished(const struct c1z_run *runs, size_t count);

/* --- writing --- */

/* Continues the newest unfinished run of this type that began within the last 7 days (c1z.md 2.11),
 * or begins a new one. The rows an earlier process put into a continued run are deleted: what the
 * source no longer lists must not survive in it. `ret_run` lives in the arena. */
bool c1z_begin_run(struct c1z_store *store, const char *type, struct arena *arena,
                   struct c1z_run *ret_run, bool *ret_resumed, struct err *err);

/* Upserts (c1z.md 2.10): a second put of the same identity replaces the blob. */
bool c1z_put_resource_type(struct c1z_store *store, const C1__ResourceType *type, struct err *err);
bool c1z_put_resource(struct c1z_store *store, const C1__Resource *resource, struct err *err);
bool c1z_put_entitlement(struct c1z_store *store, const C1__Entitlement *e, struct err *err);
bool c1z_put_grant(struct c1z_store *store, const C1__Grant *grant, struct err *err);

/* Stores the token of the running, unfinished run. */
bool c1z_checkpoint(struct c1z_store *store, const char *token, struct err *err);

/* Ends the run: final token, retention (BATON_KEEP_SYNC_COUNT, BATON_SKIP_CLEANUP), ended_at, stats,
 * invariant marker (full runs). Indexes and VACUUM come with c1z_save(). */
bool c1z_end_run(struct c1z_store *store, const char *token, struct err *err);

/* --- reading --- */

enum c1z_table { C1Z_RESOURCE_TYPES, C1Z_RESOURCES, C1Z_ENTITLEMENTS, C1Z_GRANTS, C1Z_TABLE_COUNT };

/* NULL members do not filter. */
struct c1z_filter {
    const char *sync_id;
    const char *resource_type_id; /* of the row's resource; the id for resource types */
    const char *resource_id;
    const char *entitlement_id;           /* grants */
    const char *principal_type_id, *principal_id; /* grants */
};

struct c1z_row {
    int64_t rowid;
    const uint8_t *data; /* the message; valid until the next call on the iterator or store_get */
    size_t data_len;
    /* Valid as long. NULL where the table has no such column. */
    const char *external_id;
    const char *resource_type_id, *resource_id;
    const char *entitlement_id;
    const char *principal_type_id, *principal_id;
    const char *sync_id;
};

struct c1z_iter;

/* Rows in rowid order. */
struct c1z_iter *c1z_list(struct c1z_store *store, enum c1z_table table,
                          const struct c1z_filter *filter, struct err *err);
/* True and a row; or false at the end (err->code stays OK) or on failure (err set). */
bool c1z_next(struct c1z_iter *iter, struct c1z_row *ret_row, struct err *err);
void c1z_iter_free(struct c1z_iter *iter);

/* One row by external id ("type:id" for resources). False with NotFound if absent. */
bool c1z_get(struct c1z_store *store, enum c1z_table table, const char *sync_id,
             const char *external_id, struct c1z_row *ret_row, struct err *err);

/* Counts of one run, by resource type; in the arena; sorted by type id. */
struct c1z_type_count {
    const char *resource_type_id;
    bool is_listed; /* the run has a resource type of this id; only such resources are counted */
    int64_t resources, entitlements, grants;
};
struct c1z_counts {
    int64_t resource_types, resources, entitlements, grants;
    struct c1z_type_count *by_type;
    size_t by_type_count;
};
bool c1z_count_run(struct c1z_store *store, const struct c1z_run *run, struct arena *arena,
                   struct c1z_counts *ret_counts, struct err *err);

#endif

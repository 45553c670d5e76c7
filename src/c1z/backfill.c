#include "c1z/backfill.h"

#include "c1z/expandable.h"
#include "pb/pack.h"

/* The work of one pass over the grants. */
struct pass {
    struct db *db;
    sqlite3_stmt *rows, *update;
    struct arena arena;
    struct buf data;
};

static bool update_row(struct pass *p, const C1__Grant *grant, struct err *err) {
    struct expandable split;
    if (!expandable_split(grant, &p->arena, &split, err))
        return false;
    if (!split.bytes)
        return true;
    if (!pb_pack_buf(&split.grant.base, &p->data))
        return err_set(err, ERR_UNKNOWN, "a grant is larger than %d MiB", PB_MESSAGE_MAX >> 20);
    sqlite3_bind_int64(p->update, 1, sqlite3_column_int64(p->rows, 0));
    db_bind_blob(p->update, 2, split.bytes, split.len);
    db_bind_blob(p->update, 3, p->data.data, p->data.len);
    return db_run(p->db, p->update, err);
}

static bool handle_row(struct pass *p, struct err *err) {
    const void *bytes = sqlite3_column_blob(p->rows, 1);
    size_t n = (size_t)sqlite3_column_bytes(p->rows, 1);
    const C1__Grant *grant =
        (const C1__Grant *)pb_unpack(&c1__grant__descriptor, bytes, n, &p->arena, err);
    bool ok = grant && (!expandable_is(grant) || update_row(p, grant, err));
    arena_reset(&p->arena);
    if (ok)
        return true;
    if (err && (err->code == ERR_DATA_LOSS || err->code == ERR_NOT_FOUND))
        err->code = ERR_UNKNOWN; /* a damaged file, as any other damage to it */
    return err_wrap(err, "read the grant in row %lld", sqlite3_column_int64(p->rows, 0));
}

static bool walk(struct pass *p, struct err *err) {
    bool has_row;
    for (;;) {
        if (!db_step(p->db, p->rows, &has_row, err))
            return false;
        if (!has_row)
            return true;
        if (!handle_row(p, err))
            return false;
    }
}

static bool run_pass(struct db *db, struct err *err) {
    /* In order of id, which the update leaves alone, so that no row is met twice. */
    db_stmt_auto sqlite3_stmt *rows = db_prepare(
        db, "SELECT id, data FROM v1_grants NOT INDEXED WHERE expansion IS NULL AND sync_id IN "
            "(SELECT sync_id FROM v1_sync_runs WHERE grants_backfilled = 0) ORDER BY id", false, err);
    db_stmt_auto sqlite3_stmt *update = db_prepare(
        db, "UPDATE v1_grants SET expansion = ?2, needs_expansion = 1, data = ?3 WHERE id = ?1", true,
        err);
    if (!rows || !update)
        return false;
    struct pass p = {.db = db, .rows = rows, .update = update};
    arena_init(&p.arena);
    buf_init(&p.data, PB_MESSAGE_MAX);
    bool ok = walk(&p, err);
    buf_done(&p.data);
    arena_done(&p.arena);
    return ok;
}

bool backfill_grants(struct db *db, struct err *err) {
    int64_t pending;
    if (!db_int(db, "SELECT EXISTS (SELECT 1 FROM v1_sync_runs WHERE grants_backfilled = 0)", &pending,
                err))
        return false;
    if (!pending)
        return true;
    return run_pass(db, err) && db_exec(db, "UPDATE v1_grants SET expansion = NULL "
                                            "WHERE expansion IS NOT NULL AND length(expansion) = 0;"
                                            "UPDATE v1_sync_runs SET grants_backfilled = 1 "
                                            "WHERE grants_backfilled = 0", err);
}

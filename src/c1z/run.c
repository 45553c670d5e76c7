#include "c1z/run.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "c1z/schema.h"

/* What finished runs of each type claim (c1z.md 2.8, 2.9 and 4.1, item 7). */
static const struct {
    const char *name;
    bool supports_diff, has_marker;
} types[] = {
    {"full", true, true},
    {"resources_only", false, false},
    {"partial", true, false},
    {"partial_upserts", true, false},
    {"partial_deletions", true, false},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char columns[] = "sync_id, started_at, ended_at, sync_token, sync_type, parent_sync_id, "
                              "linked_sync_id, supports_diff, stats";
enum {
    C_SYNC_ID, C_STARTED_AT, C_ENDED_AT, C_TOKEN, C_TYPE, C_PARENT, C_LINKED, C_SUPPORTS_DIFF, C_STATS
};

static bool read_text(struct db *db, sqlite3_stmt *stmt, int column, struct arena *arena,
                      const char **ret_text, struct err *err) {
    const char *text;
    if (!db_text(db, stmt, column, &text, err))
        return false;
    *ret_text = arena_strdup(arena, text);
    return true;
}

static bool read_time(struct db *db, sqlite3_stmt *stmt, int column, int64_t *ret_ns,
                      struct err *err) {
    const char *text;
    if (!db_text(db, stmt, column, &text, err))
        return false;
    if (!clock_parse_sqlite(text, ret_ns))
        return err_set(err, ERR_UNKNOWN, "the file is damaged: %s of a sync run is not a time",
                       sqlite3_column_name(stmt, column));
    /* 0 means "not set"; the first nanosecond of 1970 can spare being exact. */
    if (*ret_ns == 0)
        *ret_ns = 1;
    return true;
}

static bool read_run(struct db *db, sqlite3_stmt *stmt, struct arena *arena, struct c1z_run *ret_run,
                     struct err *err) {
    struct c1z_run run = {.supports_diff = sqlite3_column_int(stmt, C_SUPPORTS_DIFF) != 0};
    if (!read_text(db, stmt, C_SYNC_ID, arena, &run.id, err) ||
        !read_time(db, stmt, C_STARTED_AT, &run.started_at_ns, err) ||
        !read_text(db, stmt, C_TOKEN, arena, &run.token, err) ||
        !read_text(db, stmt, C_TYPE, arena, &run.type, err) ||
        !read_text(db, stmt, C_PARENT, arena, &run.parent_id, err) ||
        !read_text(db, stmt, C_LINKED, arena, &run.linked_id, err))
        return false;
    if (sqlite3_column_type(stmt, C_ENDED_AT) != SQLITE_NULL &&
        !read_time(db, stmt, C_ENDED_AT, &run.ended_at_ns, err))
        return false;
    if (sqlite3_column_type(stmt, C_STATS) != SQLITE_NULL &&
        !read_text(db, stmt, C_STATS, arena, &run.stats, err))
        return false;
    *ret_run = run;
    return true;
}

bool run_list(struct db *db, struct arena *arena, struct c1z_run **ret_runs, size_t *ret_count,
              struct err *err) {
    mem_auto char *sql = mem_printf("SELECT %s FROM v1_sync_runs ORDER BY id", columns);
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(db, sql, false, err);
    if (!stmt)
        return false;
    struct c1z_run *runs = NULL;
    size_t count = 0, room = 0;
    bool has_row;
    for (;;) {
        if (!db_step(db, stmt, &has_row, err))
            return false;
        if (!has_row)
            break;
        if (count == room) {
            room = room ? room * 2 : 8;
            struct c1z_run *more = arena_array(arena, room, sizeof *more);
            if (count)
                memcpy(more, runs, count * sizeof *more);
            runs = more;
        }
        if (!read_run(db, stmt, arena, &runs[count], err))
            return false;
        count++;
    }
    *ret_runs = runs;
    *ret_count = count;
    return true;
}

bool run_check_type(const char *type, struct err *err) {
    for (size_t i = 0; i < COUNT(types); i++) {
        if (strcmp(types[i].name, type) == 0)
            return true;
    }
    return err_set(err, ERR_INVALID_ARGUMENT, "invalid sync type: %s", type);
}

bool run_find_unfinished(struct db *db, const char *type, struct arena *arena,
                         struct c1z_run *ret_run, bool *ret_found, struct err *err) {
    /* Compared as text in local time, like the Go tools. */
    char cutoff[CLOCK_TEXT_MAX];
    clock_format_sqlite(clock_now_ns() - C1Z_RESUMABLE_NS, cutoff);
    mem_auto char *sql = mem_printf("SELECT %s FROM v1_sync_runs WHERE ended_at IS NULL AND "
                                    "started_at >= ?1 AND sync_type = ?2 "
                                    "AND length(CAST(sync_id AS BLOB)) = 27 "
                                    "ORDER BY started_at DESC LIMIT 1", columns);
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(db, sql, false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, cutoff);
    db_bind_text(stmt, 2, type);
    bool has_row;
    if (!db_step(db, stmt, &has_row, err) || (has_row && !read_run(db, stmt, arena, ret_run, err)))
        return false;
    *ret_found = has_row;
    return true;
}

bool run_add(struct db *db, const char *type, struct arena *arena, struct c1z_run *ret_run,
             struct err *err) {
    int64_t now = clock_now_ns();
    char id[KSUID_LEN + 1], started_at[CLOCK_TEXT_MAX];
    if (!ksuid_new(now / CLOCK_NS_PER_S, id, err))
        return false;
    clock_format_sqlite(now, started_at);
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(
        db, "INSERT INTO v1_sync_runs (sync_id, started_at, sync_token, sync_type, parent_sync_id, "
            "linked_sync_id, grants_backfilled) VALUES (?1, ?2, '', ?3, '', '', 1)", false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, id);
    db_bind_text(stmt, 2, started_at);
    db_bind_text(stmt, 3, type);
    if (!db_run(db, stmt, err))
        return false;
    *ret_run = (struct c1z_run){
        .id = arena_strdup(arena, id),
        .started_at_ns = now,
        .token = "",
        .type = arena_strdup(arena, type),
        .parent_id = "",
        .linked_id = "",
    };
    return true;
}

/* Runs a statement whose only parameter is the id. */
static bool run_with_id(struct db *db, const char *sql, const char *id, struct err *err) {
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(db, sql, false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, id);
    return db_run(db, stmt, err);
}

bool run_restart(struct db *db, const char *id, struct err *err) {
    return run_with_id(db, "UPDATE v1_sync_runs SET sync_token = '', supports_diff = 0, "
                           "grants_backfilled = 1, stats = NULL, ingest_invariant_generation = '', "
                           "ingest_invariant_coverage = '', ingest_invariant_mode = '' "
                           "WHERE sync_id = ?1", id, err);
}

bool run_delete_rows(struct db *db, const char *id, bool and_itself, struct err *err) {
    static const char *const others[] = {"v1_assets", "v1_connector_sessions", "v1_sync_runs"};
    for (size_t i = 0; i < C1Z_TABLE_COUNT + COUNT(others) - !and_itself; i++) {
        const char *table = i < C1Z_TABLE_COUNT ? schema_row_tables[i] : others[i - C1Z_TABLE_COUNT];
        mem_auto char *sql = mem_printf("DELETE FROM %s WHERE sync_id = ?1", table);
        if (!run_with_id(db, sql, id, err))
            return false;
    }
    return true;
}

/* A run that is not there would otherwise be ended without a word. */
static bool changed_one(struct db *db, const char *id, struct err *err) {
    return sqlite3_changes(db->sql) == 1 ||
           err_set(err, ERR_INTERNAL, "the sync run %s is not in the private copy any more", id);
}

bool run_set_token(struct db *db, const char *id, const char *token, struct err *err) {
    db_stmt_auto sqlite3_stmt *stmt =
        db_prepare(db, "UPDATE v1_sync_runs SET sync_token = ?2 WHERE sync_id = ?1", false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, id);
    db_bind_text(stmt, 2, token);
    return db_run(db, stmt, err) && changed_one(db, id, err);
}

bool run_finish(struct db *db, const char *id, const char *type, const char *stats, struct err *err) {
    bool supports_diff = false, has_marker = false;
    for (size_t i = 0; i < COUNT(types); i++) {
        if (strcmp(types[i].name, type) == 0) {
            supports_diff = types[i].supports_diff;
            has_marker = types[i].has_marker;
        }
    }
    char ended_at[CLOCK_TEXT_MAX];
    clock_format_sqlite(clock_now_ns(), ended_at);
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(
        db, "UPDATE v1_sync_runs SET ended_at = ?2, stats = ?3, supports_diff = ?4, "
            "ingest_invariant_generation = ?5, ingest_invariant_coverage = ?6, "
            "ingest_invariant_mode = ?7 WHERE sync_id = ?1 AND ended_at IS NULL", false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, id);
    db_bind_text(stmt, 2, ended_at);
    db_bind_text(stmt, 3, stats);
    sqlite3_bind_int(stmt, 4, supports_diff);
    db_bind_text(stmt, 5, has_marker ? "1" : "");
    db_bind_text(stmt, 6, has_marker ? "[\"I5\",\"I10\"]" : "");
    db_bind_text(stmt, 7, has_marker ? "connector" : "");
    return db_run(db, stmt, err) && changed_one(db, id, err);
}

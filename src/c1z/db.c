#include "c1z/db.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* Instructions of SQLite's virtual machine between two looks at the cancel token: well below 1 ms. */
enum { CANCEL_EVERY = 5000 };

static int is_cancelled(void *cancel) {
    return cancel_reason(cancel) != 0;
}

static bool set_switches(sqlite3 *sql, bool can_write) {
    static const struct {
        int name, value;
    } switches[] = {
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},   {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},   {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},          {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
    };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (sqlite3_db_config(sql, switches[i].name, switches[i].value, NULL) != SQLITE_OK)
            return false;
    }
    sqlite3_limit(sql, SQLITE_LIMIT_LENGTH, DB_ROW_MAX);
    sqlite3_limit(sql, SQLITE_LIMIT_SQL_LENGTH, DB_SQL_MAX);
    sqlite3_limit(sql, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    sqlite3_limit(sql, SQLITE_LIMIT_WORKER_THREADS, 0);
    /* VACUUM attaches its own temporary database. */
    sqlite3_limit(sql, SQLITE_LIMIT_ATTACHED, can_write ? 1 : 0);
    return true;
}

/* Deleted rows are wiped from pages that stay (secure_delete=FAST), so that an operator who left is not
 * found in the slack of a page. */
static const char pragmas[] = "PRAGMA page_size=4096;"
                              "PRAGMA cache_size=-8192;"
                              "PRAGMA locking_mode=EXCLUSIVE;"
                              "PRAGMA journal_mode=OFF;"
                              "PRAGMA synchronous=OFF;"
                              "PRAGMA temp_store=FILE;"
                              "PRAGMA secure_delete=FAST;"
                              "PRAGMA cell_size_check=ON;"
                              "PRAGMA recursive_triggers=OFF;"
                              "PRAGMA automatic_index=OFF;";

bool db_open(struct privfs *fs, bool can_write, const struct cancel *cancel, struct db *ret_db,
             struct err *err) {
    struct db db = {.fs = fs, .cancel = cancel};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    bool ok = sqlite3_open_v2(PRIVFS_DB, &db.sql, flags, privfs_name(fs)) == SQLITE_OK &&
              sqlite3_extended_result_codes(db.sql, 1) == SQLITE_OK && set_switches(db.sql, can_write);
    if (!ok)
        db_fail(&db, "open the private copy", err);
    int64_t version;
    ok = ok && db_int(&db, "PRAGMA schema_version", &version, err) && db_exec(&db, pragmas, err);
    /* Not before: it would forbid journal_mode=OFF. */
    if (ok && sqlite3_db_config(db.sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK)
        ok = db_fail(&db, "open the private copy", err);
    if (!ok) {
        db_close(&db);
        return false;
    }
    privfs_set_cancel(fs, cancel);
    if (cancel)
        sqlite3_progress_handler(db.sql, CANCEL_EVERY, is_cancelled, (void *)(uintptr_t)cancel);
    *ret_db = db;
    return true;
}

void db_close(struct db *db) {
    if (db->sql) {
        int rc = sqlite3_close(db->sql);
        /* Busy means a statement was not finalized: an error of this program. */
        assert(rc == SQLITE_OK);
        (void)rc;
    }
    db->sql = NULL;
    privfs_close(db->fs);
    db->fs = NULL;
}

bool db_fail(struct db *db, const char *doing, struct err *err) {
    int code = db->sql ? sqlite3_errcode(db->sql) : SQLITE_NOMEM;
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        err_set(err, ERR_RESOURCE_EXHAUSTED, "out of memory");
        break;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        privfs_fail(db->fs, err);
        break;
    case SQLITE_INTERRUPT:
        err_set(err, ERR_CANCELLED, "stopped on request");
        break;
    default:
        err_set(err, ERR_UNKNOWN, "%s (%d)", sqlite3_errmsg(db->sql), code);
    }
    return err_wrap(err, "%s", doing);
}

bool db_exec(struct db *db, const char *sql, struct err *err) {
    if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    db->is_broken = true;
    return db_fail(db, "change the database", err);
}

sqlite3_stmt *db_prepare(struct db *db, const char *sql, bool keep, struct err *err) {
    sqlite3_stmt *stmt = NULL;
    unsigned flags = keep ? SQLITE_PREPARE_PERSISTENT : 0;
    if (sqlite3_prepare_v3(db->sql, sql, -1, flags, &stmt, NULL) == SQLITE_OK)
        return stmt;
    db_fail(db, "read the database", err);
    return NULL;
}

bool db_step(struct db *db, sqlite3_stmt *stmt, bool *ret_row, struct err *err) {
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return db_fail(db, "read the database", err);
    *ret_row = rc == SQLITE_ROW;
    return true;
}

bool db_run(struct db *db, sqlite3_stmt *stmt, struct err *err) {
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_DONE) {
        sqlite3_reset(stmt);
        return true;
    }
    db->is_broken = true;
    db_fail(db, "change the database", err);
    sqlite3_reset(stmt);
    return false;
}

void db_finalize(sqlite3_stmt **stmt) {
    sqlite3_finalize(*stmt);
    *stmt = NULL;
}

bool db_int(struct db *db, const char *sql, int64_t *ret_value, struct err *err) {
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(db, sql, false, err);
    bool has_row = false;
    if (!stmt || !db_step(db, stmt, &has_row, err))
        return false;
    if (!has_row)
        return err_set(err, ERR_INTERNAL, "no answer to: %s", sql);
    *ret_value = sqlite3_column_int64(stmt, 0);
    return true;
}

void db_bind_text(sqlite3_stmt *stmt, int index, const char *text) {
    if (text)
        sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, index);
}

void db_bind_blob(sqlite3_stmt *stmt, int index, const void *bytes, size_t n) {
    /* A NULL pointer would bind NULL; no bytes are an empty blob. */
    sqlite3_bind_blob64(stmt, index, bytes ? bytes : "", n, SQLITE_STATIC);
}

bool db_text(struct db *db, sqlite3_stmt *stmt, int column, const char **ret_text, struct err *err) {
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    if (!text) {
        if (sqlite3_column_type(stmt, column) != SQLITE_NULL)
            return db_fail(db, "read the database", err);
        text = "";
    }
    if (strlen(text) != (size_t)sqlite3_column_bytes(stmt, column))
        return err_set(err, ERR_UNKNOWN, "the file is damaged: column %s holds a NUL byte",
                       sqlite3_column_name(stmt, column));
    *ret_text = text;
    return true;
}

/* db: the SQLite connection to a private copy, set up for files from strangers.
 *
 * Owns the privfs given to it. Journalling is off: a failed change leaves the copy unusable, which
 * is_broken then says; the file of the user is not touched by that. What the schema of a hostile file
 * could do is off too: triggers, views, extensions, untrusted functions, ATTACH (a reader), and the
 * size of a row and of a statement is limited.
 *
 * Statements are plain sqlite3_stmt; db_finalize() takes NULL, for cleanup use db_stmt_auto.
 * Errors: code Unknown with SQLite's text, ResourceExhausted where memory or disk ran out, Canceled
 * when the cancel token stopped a long statement.
 */
#ifndef C1Z_DB_H
#define C1Z_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "c1z/privfs.h"

/* The largest row: a message of PB_MESSAGE_MAX and its keys. */
enum { DB_ROW_MAX = 17 * 1024 * 1024, DB_SQL_MAX = 64 * 1024, DB_PAGE_SIZE = 4096 };

struct db {
    sqlite3 *sql;
    struct privfs *fs;
    const struct cancel *cancel; /* borrowed; NULL: none */
    bool is_broken;              /* a change failed half-way: not to be saved */
};

/* Takes fs, also on failure. `can_write` lets SQL change it. */
bool db_open(struct privfs *fs, bool can_write, const struct cancel *cancel, struct db *ret_db,
             struct err *err);
void db_close(struct db *db);

/* Fills err from the connection's last error. `doing` says what failed. Returns false. */
bool db_fail(struct db *db, const char *doing, struct err *err);

/* Runs statements that return no rows. A failure breaks the copy. */
bool db_exec(struct db *db, const char *sql, struct err *err);
/* The first column of the first row; fails without a row. */
bool db_int(struct db *db, const char *sql, int64_t *ret_value, struct err *err);

/* NULL on failure. `keep` tells SQLite that the statement will be used many times. */
sqlite3_stmt *db_prepare(struct db *db, const char *sql, bool keep, struct err *err);
/* True and a row in *ret_row, or true and no row. */
bool db_step(struct db *db, sqlite3_stmt *stmt, bool *ret_row, struct err *err);
/* Steps a statement that changes something and resets it. A failure breaks the copy. */
bool db_run(struct db *db, sqlite3_stmt *stmt, struct err *err);
void db_finalize(sqlite3_stmt **stmt);
#define db_stmt_auto __attribute__((cleanup(db_finalize)))

/* Borrowed text, NULL binds NULL. */
void db_bind_text(sqlite3_stmt *stmt, int index, const char *text);
void db_bind_blob(sqlite3_stmt *stmt, int index, const void *bytes, size_t n);

/* A text column as a string: NULL gives "". Fails on an embedded NUL byte, which would hide what follows.
 * Valid until the statement moves. */
bool db_text(struct db *db, sqlite3_stmt *stmt, int column, const char **ret_text, struct err *err);

#endif

/* wrap: makes a .c1z from SQL, so that a test can have a file that no writer of ours makes. */
#ifndef TESTS_UNIT_C1Z_WRAP_H
#define TESTS_UNIT_C1Z_WRAP_H

#include <sqlite3.h>

#include "c1z/envelope.h"
#include "tests/unit/c1z/scratch.h"

static inline bool wrap_sink(void *file, const void *bytes, size_t n, struct err *err) {
    return fwrite(bytes, 1, n, file) == n || err_set(err, ERR_UNKNOWN, "write");
}

/* Puts the bytes into an envelope. */
static inline void wrap_bytes(const void *bytes, size_t n, const char *path) {
    struct err err = ERR_INIT;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    struct envelope_writer *w = envelope_writer_new(n, wrap_sink, f, &err);
    uint64_t written;
    assert_true(envelope_writer_feed(w, bytes, n, &err));
    assert_true(envelope_writer_end(w, &written, &err));
    envelope_writer_free(w);
    assert_int_equal(fclose(f), 0);
}

/* Runs the SQL on an empty database and puts that into an envelope. */
static inline void wrap_sql(const struct scratch *s, const char *sql, const char *path) {
    mem_auto char *db_path = scratch_path(s, "wrap.db");
    sqlite3 *db;
    char *message = NULL;
    assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    sqlite3_close(db);
    size_t n;
    mem_auto uint8_t *bytes = read_bytes(db_path, &n);
    unlink(db_path);
    wrap_bytes(bytes, n, path);
}

/* A golden .sql file, owned by the caller. */
static inline char *wrap_golden_sql(const char *name) {
    mem_auto char *path = golden_path(name);
    size_t n;
    uint8_t *text = read_bytes(path, &n);
    text[n] = '\0';
    return (char *)text;
}

#endif

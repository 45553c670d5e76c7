/* privfs: what SQLite writes reaches the file late, but never too late, and a write that failed late is not
 * forgotten; a mapped file is read like another. */
#include "tests/unit/test.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "c1z/db.h"

enum { ROWS = 5000, ROW_BYTES = 600 };

static int set_up(void **state) {
    static struct db db;
    struct err err = ERR_INIT;
    struct privfs *fs = privfs_open("/tmp", &err);
    assert_non_null(fs);
    assert_true(db_open(fs, true, NULL, &db, &err));
    /* A small cache, so that pages are written and read again long before the commit. */
    assert_true(db_exec(&db, "PRAGMA cache_size=20; CREATE TABLE t (id integer primary key, a, b)", &err));
    *state = &db;
    return 0;
}

static int tear_down(void **state) {
    db_close(*state);
    return 0;
}

static bool insert_rows(struct db *db, struct err *err) {
    static const char sql[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
                              "INSERT INTO t (a, b) SELECT i * 7919 % 5000, zeroblob(?2) FROM n";
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(db, sql, false, err);
    if (!stmt)
        return false;
    sqlite3_bind_int(stmt, 1, ROWS);
    sqlite3_bind_int(stmt, 2, ROW_BYTES);
    return db_run(db, stmt, err);
}

static int64_t number(struct db *db, const char *sql) {
    int64_t value = -1;
    assert_true(db_int(db, sql, &value, NULL));
    return value;
}

static void assert_sound(struct db *db) {
    static const char check[] = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
    assert_int_equal(number(db, check), 0);
    assert_int_equal(number(db, "SELECT sum(length(b)) FROM t"), ROWS * ROW_BYTES);
}

static void test_privfs_reads_what_it_has_not_written_yet(void **state) {
    struct db *db = *state;
    assert_true(db_exec(db, "BEGIN", NULL) && insert_rows(db, NULL));
    assert_int_equal(number(db, "SELECT sum(length(b)) FROM t"), ROWS * ROW_BYTES);
    assert_true(db_exec(db, "UPDATE t SET a = a + 1 WHERE id % 100 = 0", NULL));
    assert_sound(db);
    assert_true(db_exec(db, "COMMIT", NULL));
}

static void test_privfs_has_written_all_after_a_commit(void **state) {
    struct db *db = *state;
    for (int i = 0; i < 3; i++) {
        assert_true(db_exec(db, "INSERT INTO t (a, b) VALUES (1, zeroblob(9000))", NULL));
        struct stat st;
        assert_int_equal(fstat(privfs_fd(db->fs), &st), 0);
        assert_int_equal(st.st_size, DB_PAGE_SIZE * number(db, "PRAGMA page_count"));
        char last[DB_PAGE_SIZE];
        assert_int_equal(pread(privfs_fd(db->fs), last, sizeof last, st.st_size - DB_PAGE_SIZE),
                         DB_PAGE_SIZE);
    }
}

static void test_privfs_maps_the_database_and_still_grows(void **state) {
    struct db *db = *state;
    assert_true(insert_rows(db, NULL));
    assert_true(db_exec(db, "PRAGMA mmap_size=1099511627776; BEGIN; CREATE INDEX i ON t (a);"
                            "CREATE INDEX j ON t (b); UPDATE t SET a = a + 1; COMMIT", NULL));
    assert_sound(db);
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE a > 0"), ROWS);
    assert_true(db_exec(db, "DELETE FROM t WHERE id > 10; VACUUM; PRAGMA mmap_size=0", NULL));
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 10);
}

static void test_privfs_does_not_forget_a_late_failure(void **state) {
    struct db *db = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {300 * 1024, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_true(db_exec(db, "BEGIN", NULL));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct err err = ERR_INIT;
    bool ok = insert_rows(db, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(ok);
    assert_int_equal(err.code, ERR_RESOURCE_EXHAUSTED);
    assert_true(db->is_broken);
    /* There is room again, but something is missing in the file. */
    assert_false(db_exec(db, "INSERT INTO t (a) VALUES (1)", NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_privfs_reads_what_it_has_not_written_yet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_privfs_has_written_all_after_a_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_privfs_maps_the_database_and_still_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_privfs_does_not_forget_a_late_failure, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("c1z privfs", tests, NULL, NULL);
}

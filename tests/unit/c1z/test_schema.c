/* schema: what we create is what the SDK creates, and older files are brought up to it. */
#include "tests/unit/test.h"

#include <string.h>

#include "base/buf.h"
#include "c1z/schema.h"
#include "tests/unit/c1z/wrap.h"

/* Everything about columns and indexes, as text. */
static const char describe_sql[] =
    "SELECT group_concat(line, char(10)) FROM ("
    "SELECT t.name || ' ' || c.cid || ' ' || c.name || ' ' || lower(c.type) || ' ' || c.\"notnull\" || ' ' "
    "|| ifnull(c.dflt_value, '-') || ' ' || c.pk AS line FROM sqlite_schema t, pragma_table_info(t.name) c "
    "WHERE t.type = 'table' "
    "UNION ALL SELECT i.tbl_name || ' ' || i.name || ' ' || l.\"unique\" || l.partial || ' ' || x.seqno "
    "|| ' ' "
    "|| ifnull(x.name, 'rowid') || x.desc || x.coll || ' ' || "
    "CASE WHEN l.partial THEN lower(substr(i.sql, instr(lower(i.sql), 'where'))) ELSE '' END "
    "FROM sqlite_schema i, pragma_index_list(i.tbl_name) l, pragma_index_xinfo(i.name) x "
    "WHERE i.type = 'index' AND l.name = i.name ORDER BY 1)";

/* Owned by the caller. */
static char *describe(sqlite3 *sql) {
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(sql, describe_sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    char *text = mem_strdup((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return text;
}

static char *describe_sdk(void) {
    mem_auto char *ddl = wrap_golden_sql("schema-v0.25.0.sql");
    sqlite3 *sql;
    assert_int_equal(sqlite3_open(":memory:", &sql), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sql, ddl, NULL, NULL, NULL), SQLITE_OK);
    char *text = describe(sql);
    sqlite3_close(sql);
    return text;
}

struct fixture {
    struct privfs *fs;
    struct db db;
};

static int set_up(void **state) {
    static struct fixture f;
    struct err err = ERR_INIT;
    f.fs = privfs_open("/tmp", &err);
    assert_non_null(f.fs);
    assert_true(db_open(f.fs, true, NULL, &f.db, &err));
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    db_close(&f->db); /* and its fs */
    return 0;
}

static void test_schema_is_the_one_of_the_sdk(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    assert_true(schema_migrate(&f->db, &err));
    assert_true(schema_index(&f->db, &err));
    mem_auto char *ours = describe(f->db.sql);
    mem_auto char *theirs = describe_sdk();
    assert_string_equal(ours, theirs);
    assert_non_null(strstr(ours, "v1_resources idx_resources_parent_resource_id_v1 10 0 external_id"));
    int64_t tables, indexes;
    assert_true(db_int(&f->db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'", &tables, &err));
    assert_true(db_int(&f->db, "SELECT count(*) FROM sqlite_schema WHERE type = 'index'", &indexes, &err));
    assert_int_equal(tables, 7);
    assert_int_equal(indexes, 16);
}

static void test_schema_migrates_an_old_file(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    /* v0.7.27: sync_runs ends at supports_diff, grants have no expansion (c1z.md 2.3, 2.5). */
    assert_true(db_exec(&f->db,
                        "CREATE TABLE v1_sync_runs (id integer primary key, sync_id text not null, "
                        "started_at datetime not null, ended_at datetime, sync_token text not null);"
                        "CREATE TABLE v1_grants (id integer primary key, resource_type_id text not null, "
                        "resource_id text not null, entitlement_id text not null, "
                        "principal_resource_type_id text not null, principal_resource_id text not null, "
                        "external_id text not null, data blob not null, sync_id text not null, "
                        "discovered_at datetime not null);"
                        "INSERT INTO v1_sync_runs VALUES (1, 's', '2026-01-01 00:00:00', NULL, '')", &err));
    assert_true(schema_migrate(&f->db, &err));
    assert_true(schema_index(&f->db, &err));
    int64_t n;
    assert_true(db_int(&f->db, "SELECT count(*) FROM v1_sync_runs WHERE sync_type = 'full' AND "
                               "parent_sync_id = '' AND grants_backfilled = 1 AND stats IS NULL AND "
                               "ingest_invariant_mode = ''", &n, &err));
    assert_int_equal(n, 1);
    assert_true(db_int(&f->db, "SELECT count(*) FROM sqlite_schema WHERE type = 'index'", &n, &err));
    assert_int_equal(n, 16);
    /* A second time there is nothing to do. */
    assert_true(schema_migrate(&f->db, &err));
}

static void test_schema_refuses_views_and_virtual_tables(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    assert_true(db_exec(&f->db, "CREATE VIEW v1_grants AS SELECT 1", &err));
    assert_false(schema_migrate(&f->db, &err));
    assert_non_null(strstr(err.msg, "v1_grants is not an ordinary table"));
    assert_true(db_exec(&f->db, "DROP VIEW v1_grants; CREATE VIRTUAL TABLE v1_grants USING fts5(x)", &err));
    err_clear(&err);
    assert_false(schema_migrate(&f->db, &err));
    assert_non_null(strstr(err.msg, "v1_grants is not an ordinary table"));
}

static void test_schema_drops_and_makes_the_row_indexes(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    int64_t n;
    static const char count[] = "SELECT count(*) FROM sqlite_schema WHERE type = 'index'";
    assert_true(schema_migrate(&f->db, &err));
    assert_true(schema_index(&f->db, &err));
    assert_true(schema_unindex(&f->db, &err));
    assert_true(db_int(&f->db, count, &n, &err));
    assert_int_equal(n, 5); /* runs, assets, sessions, and two partial ones */
    assert_true(schema_index_unique(&f->db, C1Z_GRANTS, &err));
    assert_true(db_int(&f->db, "SELECT count(*) FROM sqlite_schema WHERE name = "
                               "'idx_grants_external_sync_v1'", &n, &err));
    assert_int_equal(n, 1);
    assert_true(schema_index(&f->db, &err));
    assert_true(db_int(&f->db, count, &n, &err));
    assert_int_equal(n, 16);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_schema_is_the_one_of_the_sdk),
        TEST(test_schema_migrates_an_old_file),
        TEST(test_schema_refuses_views_and_virtual_tables),
        TEST(test_schema_drops_and_makes_the_row_indexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

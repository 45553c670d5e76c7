/* store: files in and out: runs, rows, resuming, retention, damage, hostile databases. */
#include "tests/unit/test.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "c1z/store.h"
#include "pb/any.h"
#include "pb/pack.h"
#include "tests/unit/c1z/sample.h"
#include "tests/unit/c1z/wrap.h"

#define DAY_NS (INT64_C(24) * 3600 * CLOCK_NS_PER_S)

struct fixture {
    struct scratch dir;
    struct arena arena;
    char *path;
};

static int set_up(void **state) {
    static struct fixture f;
    scratch_open(&f.dir);
    arena_init(&f.arena);
    f.path = scratch_path(&f.dir, "a.c1z");
    clock_set_for_test(0);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    scratch_close(&f->dir);
    arena_done(&f->arena);
    free(f->path);
    clock_set_for_test(0);
    return 0;
}

/* --- helpers --- */

static struct c1z_store *must_open(const char *path, enum c1z_mode mode) {
    struct err err = ERR_INIT;
    struct c1z_options o = {.mode = mode};
    struct c1z_store *s = c1z_open(path, &o, &err);
    if (!s)
        fail_msg("%s", err.msg);
    return s;
}

static void must_save(struct c1z_store *s) {
    struct err err = ERR_INIT;
    struct c1z_saved saved;
    if (!c1z_save(s, &saved, &err))
        fail_msg("%s", err.msg);
    assert_true(saved.is_written);
}

/* Expects opening to fail with this text. */
static void expect_refusal(const char *path, enum c1z_mode mode, const char *text, enum err_code code) {
    struct err err = ERR_INIT;
    struct c1z_options o = {.mode = mode};
    assert_null(c1z_open(path, &o, &err));
    if (!strstr(err.msg, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err.msg);
    assert_int_equal(err.code, code);
}

static const char *begin(struct fixture *f, struct c1z_store *s, const char *type, bool want_resumed) {
    struct err err = ERR_INIT;
    struct c1z_run run;
    bool resumed;
    if (!c1z_begin_run(s, type, &f->arena, &run, &resumed, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(resumed, want_resumed);
    assert_int_equal(strlen(run.id), KSUID_LEN);
    assert_string_equal(run.token, "");
    assert_string_equal(run.type, type);
    assert_int_equal(run.ended_at_ns, 0);
    return run.id;
}

/* One site, `people` people, one entitlement, one grant each. */
static void put_team(struct fixture *f, struct c1z_store *s, int people) {
    struct err err = ERR_INIT;
    struct arena *a = &f->arena;
    C1__Entitlement *e = sample_entitlement(a, "website", "w", "member");
    assert_true(c1z_put_resource_type(s, sample_type(a, "website"), &err));
    assert_true(c1z_put_resource_type(s, sample_type(a, "operator"), &err));
    assert_true(c1z_put_resource(s, sample_resource(a, "website", "w", "Site"), &err));
    assert_true(c1z_put_entitlement(s, e, &err));
    for (int i = 0; i < people; i++) {
        char *id = arena_printf(a, "p%d", i);
        assert_true(c1z_put_resource(s, sample_resource(a, "operator", id, id), &err));
        assert_true(c1z_put_grant(s, sample_grant(a, e, "operator", id), &err));
    }
}

static void end(struct c1z_store *s) {
    struct err err = ERR_INIT;
    if (!c1z_end_run(s, "{\"version\":1}", &err))
        fail_msg("%s", err.msg);
}

/* A whole sync in a store of its own. */
static const char *sync_team(struct fixture *f, int people, bool resumed) {
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    const char *id = begin(f, s, "full", resumed);
    put_team(f, s, people);
    end(s);
    must_save(s);
    c1z_close(s);
    return id;
}

static void leave_unfinished(struct fixture *f, int people) {
    struct err err = ERR_INIT;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    begin(f, s, "full", false);
    put_team(f, s, people);
    assert_true(c1z_checkpoint(s, "{\"actions_map\":{}}", &err));
    must_save(s);
    c1z_close(s);
}

static struct c1z_run *list_runs(struct fixture *f, struct c1z_store *s, size_t want_count) {
    struct err err = ERR_INIT;
    struct c1z_run *runs;
    size_t n;
    if (!c1z_list_runs(s, &f->arena, &runs, &n, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(n, want_count);
    return runs;
}

/* The external ids, one after the other. */
static const char *ids(struct fixture *f, struct c1z_store *s, enum c1z_table table,
                       const struct c1z_filter *filter) {
    struct err err = ERR_INIT;
    struct buf out;
    buf_init(&out, 1 << 20);
    struct c1z_iter *it = c1z_list(s, table, filter, &err);
    if (!it)
        fail_msg("%s", err.msg);
    struct c1z_row row;
    while (c1z_next(it, &row, &err))
        buf_addf(&out, "%s ", row.external_id);
    if (err.code != ERR_OK)
        fail_msg("%s", err.msg);
    c1z_iter_free(it);
    const char *text = arena_strdup(&f->arena, out.data);
    buf_done(&out);
    return text;
}

static size_t count_rows(struct fixture *f, struct c1z_store *s, enum c1z_table table,
                         const char *sync_id) {
    size_t n = 0;
    struct c1z_filter filter = {.sync_id = sync_id};
    for (const char *p = ids(f, s, table, &filter); *p; p++)
        n += *p == ' ';
    return n;
}

static int64_t ask_file(struct fixture *f, const char *sql) {
    /* The database of the saved file, by SQLite alone. */
    size_t n;
    mem_auto uint8_t *bytes = read_bytes(f->path, &n);
    mem_auto char *db_path = scratch_path(&f->dir, "ask.db");
    FILE *file = fopen(db_path, "wb");
    struct err err = ERR_INIT;
    struct envelope_limits limits;
    uint64_t decoded;
    assert_true(envelope_limits_init(&limits, &err));
    struct envelope_reader *r = envelope_reader_new(&limits, wrap_sink, file, &err);
    assert_true(envelope_reader_feed(r, bytes + 5, n - 5, &err));
    assert_true(envelope_reader_end(r, &decoded, &err));
    envelope_reader_free(r);
    fclose(file);
    sqlite3 *db;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    unlink(db_path);
    return value;
}

/* --- golden files --- */

static void test_store_opens_everything_go_accepts(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *name;
        size_t runs, resources, grants;
    } cases[] = {
        {"accept/base.c1z", 1, 4, 3},      {"accept/header-only-is-empty.c1z", 0, 0, 0},
        {"accept/long27.c1z", 1, 4, 3},    {"accept/lvl19.c1z", 1, 4, 3},
        {"accept/multiframe.c1z", 1, 4, 3}, {"accept/nocheck.c1z", 1, 4, 3},
        {"accept/nofcs.c1z", 1, 4, 3},     {"accept/noidx.c1z", 1, 4, 3},
        {"accept/notables.c1z", 1, 4, 3},  {"accept/pg65536.c1z", 1, 4, 3},
        {"accept/rfc3339.c1z", 1, 4, 3},   {"accept/slim.c1z", 1, 4, 3},
        {"accept/v07schema.c1z", 1, 4, 3}, {"accept/wal.c1z", 1, 4, 3},
        {"three-operators.v1.c1z", 1, 4, 3}, {"two-syncs.v1.c1z", 2, 9, 7},
        {"interrupted.v1.c1z", 1, 4, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mem_auto char *path = golden_path(cases[i].name);
        struct c1z_store *s = must_open(path, C1Z_READ);
        list_runs(f, s, cases[i].runs);
        assert_int_equal(count_rows(f, s, C1Z_RESOURCES, NULL), cases[i].resources);
        assert_int_equal(count_rows(f, s, C1Z_GRANTS, NULL), cases[i].grants);
        c1z_close(s);
    }
}

static void test_store_refuses_what_go_refuses(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"reject/badcheck.c1z", "CRC check failed"},
        {"reject/badmagic.c1z", "c1z: invalid file"},
        {"reject/empty.c1z", "does not exist or is empty"},
        {"reject/flip.c1z", "CRC check failed"},
        {"reject/hdr3.c1z", "unexpected EOF"},
        {"reject/long28.c1z", "c1z: window size (134217728) exceeded"},
        {"reject/notsqlite.c1z", "file is not a database (26)"},
        {"reject/tailgarbage.c1z", "invalid input: magic number mismatch"},
        {"reject/trunc.c1z", "unexpected EOF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mem_auto char *path = golden_path(cases[i].name);
        expect_refusal(path, C1Z_READ, cases[i].text, ERR_UNKNOWN);
    }
    expect_refusal("/nonexistent/a.c1z", C1Z_READ, "open /nonexistent/a.c1z: does not exist or is empty",
                   ERR_UNKNOWN);
    expect_refusal("/dev/null", C1Z_READ, "not a regular file", ERR_UNKNOWN);
    expect_refusal("/tmp", C1Z_READ, "not a regular file", ERR_UNKNOWN);
}

static void test_store_names_a_v3_file(void **state) {
    (void)state;
    mem_auto char *path = golden_path("three-operators.v3.c1z");
    expect_refusal(path, C1Z_READ, "v3 format (engine pebble3, sync ", ERR_UNIMPLEMENTED);
    expect_refusal(path, C1Z_READ, "4 resources, 3 grants", ERR_UNIMPLEMENTED);
    expect_refusal(path, C1Z_WRITE, "--storage-engine sqlite", ERR_UNIMPLEMENTED);
}

static void test_store_answers_a_wish_for_an_engine(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *wish, *text;
    } cases[] = {{"pebble", "set the storage engine to sqlite or leave it unset"},
                 {"mysql", "unknown storage engine \"mysql\""}};
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct c1z_options o = {.mode = C1Z_WRITE, .engine = cases[i].wish};
        assert_null(c1z_open(f->path, &o, &err));
        assert_int_equal(err.code, ERR_UNKNOWN);
        assert_non_null(strstr(err.msg, cases[i].text));
    }
    static const char *const fine[] = {"", "sqlite", NULL};
    for (size_t i = 0; i < 3; i++) {
        struct err err = ERR_INIT;
        struct c1z_options o = {.mode = C1Z_WRITE, .engine = fine[i]};
        struct c1z_store *s = c1z_open(f->path, &o, &err);
        assert_non_null(s);
        c1z_close(s);
    }
    /* A reader takes a v1 file whatever was asked for. */
    mem_auto char *path = golden_path("three-operators.v1.c1z");
    struct err err = ERR_INIT;
    struct c1z_options o = {.mode = C1Z_READ, .engine = "pebble"};
    struct c1z_store *s = c1z_open(path, &o, &err);
    assert_non_null(s);
    c1z_close(s);
}

/* --- writing --- */

/* The conformance checklist of c1z.md, items 3 to 7, on a file of ours. */
static void test_store_writes_a_conforming_full_sync(void **state) {
    struct fixture *f = *state;
    sync_team(f, 3, false);
    assert_int_equal(ask_file(f, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    assert_int_equal(ask_file(f, "SELECT page_size FROM pragma_page_size"), 4096);
    assert_int_equal(ask_file(f, "SELECT freelist_count FROM pragma_freelist_count"), 0);
    assert_int_equal(ask_file(f, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 7);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM sqlite_schema WHERE type = 'index'"), 16);
    assert_int_equal(
        ask_file(f, "SELECT count(*) FROM v1_sync_runs WHERE ended_at IS NOT NULL AND sync_type = 'full' "
                    "AND parent_sync_id = '' AND linked_sync_id = '' AND supports_diff = 1 AND "
                    "grants_backfilled = 1 AND ingest_invariant_generation = '1' AND "
                    "ingest_invariant_coverage = '[\"I5\",\"I10\"]' AND "
                    "ingest_invariant_mode = 'connector' AND sync_token = '{\"version\":1}' AND "
                    "stats = '{\"resource_types\":2,\"resources\":4,\"entitlements\":1,\"grants\":3,"
                    "\"resources_by_resource_type\":{\"operator\":3,\"website\":1},"
                    "\"grants_by_resource_type\":{\"website\":3},"
                    "\"entitlements_by_resource_type\":{\"website\":1}}'"), 1);
    /* YYYY-MM-DD HH:MM:SS[.fraction without zeros at its end] */
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_grants WHERE typeof(discovered_at) = 'text' AND "
                                 "discovered_at GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9] "
                                 "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]*' AND discovered_at NOT GLOB '*.*0'"),
                     3);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_grants WHERE expansion IS NULL AND "
                                 "typeof(needs_expansion) = 'integer' AND needs_expansion = 0 AND "
                                 "typeof(data) = 'blob' AND typeof(external_id) = 'text' AND "
                                 "resource_type_id = 'website' AND resource_id = 'w' AND "
                                 "entitlement_id = 'website:w:member' AND "
                                 "principal_resource_type_id = 'operator'"), 3);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_resources WHERE parent_resource_id IS NULL AND "
                                 "external_id IN ('website:w', 'operator:p0', 'operator:p1')"), 3);
}

static void test_store_formats_times_without_trailing_zeros(void **state) {
    struct fixture *f = *state;
    setenv("TZ", "UTC", 1);
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{INT64_C(1795326204405163180), "2026-11-22 05:43:24.40516318"},
                 {INT64_C(1795326204000000000), "2026-11-22 05:43:24"},
                 {INT64_C(1795326204100000000), "2026-11-22 05:43:24.1"},
                 {INT64_C(1795326204000000009), "2026-11-22 05:43:24.000000009"}};
    for (size_t i = 0; i < 4; i++) {
        unlink(f->path);
        clock_set_for_test(cases[i].ns);
        sync_team(f, 1, false);
        mem_auto char *sql = mem_printf("SELECT count(*) FROM v1_grants g, v1_sync_runs r WHERE "
                                        "g.discovered_at = '%s' AND r.started_at = g.discovered_at AND "
                                        "r.ended_at = r.started_at", cases[i].text);
        assert_int_equal(ask_file(f, sql), 1);
    }
}

static void test_store_writes_a_resources_only_sync(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    begin(f, s, "resources_only", false);
    assert_true(c1z_put_resource_type(s, sample_type(&f->arena, "operator"), &err));
    assert_true(c1z_put_resource(s, sample_resource(&f->arena, "operator", "p", "P"), &err));
    end(s);
    must_save(s);
    c1z_close(s);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_sync_runs WHERE sync_type = 'resources_only' "
                                 "AND supports_diff = 0 AND ingest_invariant_mode = '' AND stats = "
                                 "'{\"resource_types\":1,\"resources\":1,"
                                 "\"resources_by_resource_type\":{\"operator\":1}}'"), 1);
}

static void test_store_stores_parents(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    begin(f, s, "full", false);
    C1__Resource *child = sample_resource(&f->arena, "operator", "p", "P");
    child->parent_resource_id = sample_id(&f->arena, "website", "w");
    assert_true(c1z_put_resource(s, child, &err));
    end(s);
    must_save(s);
    c1z_close(s);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_resources WHERE "
                                 "parent_resource_type_id = 'website' AND parent_resource_id = 'w'"), 1);
}

static void test_store_refuses_rows_without_identity(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct arena *a = &f->arena;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    begin(f, s, "full", false);
    C1__Entitlement *e = sample_entitlement(a, "website", "w", "m");
    C1__Grant *no_principal = sample_grant(a, e, "operator", "p");
    no_principal->principal = NULL;
    C1__Grant *no_id = sample_grant(a, e, "operator", "p");
    no_id->id = arena_strdup(a, "");
    C1__Entitlement *no_resource = sample_entitlement(a, "website", "w", "m");
    no_resource->resource = NULL;
    C1__Resource *nothing = sample_resource(a, "", "", "");
    nothing->id = NULL;
    assert_false(c1z_put_resource_type(s, sample_type(a, ""), &err));
    assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
    assert_false(c1z_put_resource(s, sample_resource(a, "operator", "", "x"), &err));
    assert_false(c1z_put_resource(s, nothing, &err));
    assert_false(c1z_put_entitlement(s, no_resource, &err));
    assert_false(c1z_put_grant(s, no_principal, &err));
    assert_false(c1z_put_grant(s, no_id, &err));
    assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
    /* Refused before anything was written: the rest can be saved. */
    end(s);
    must_save(s);
    c1z_close(s);
}

static const char *name_of(struct fixture *f, struct c1z_store *s, const char *run, const char *id) {
    struct err err = ERR_INIT;
    struct c1z_row row;
    if (!c1z_get(s, C1Z_RESOURCES, run, id, &row, &err))
        fail_msg("%s", err.msg);
    C1__Resource *m = (C1__Resource *)pb_unpack(&c1__resource__descriptor, row.data, row.data_len,
                                                &f->arena, &err);
    assert_non_null(m);
    return m->display_name;
}

static void test_store_upserts_by_identity(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct arena *a = &f->arena;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    const char *id = begin(f, s, "full", false);
    put_team(f, s, 5);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i += 2) {
            char *person = arena_printf(a, "p%d", i), *name = arena_printf(a, "round %d", round);
            assert_true(c1z_put_resource(s, sample_resource(a, "operator", person, name), &err));
        }
        assert_true(c1z_put_resource_type(s, sample_type(a, "website"), &err));
        assert_true(c1z_put_entitlement(s, sample_entitlement(a, "website", "w", "member"), &err));
        assert_true(c1z_put_grant(
            s, sample_grant(a, sample_entitlement(a, "website", "w", "member"), "operator", "p1"), &err));
    }
    assert_true(c1z_put_resource(s, sample_resource(a, "operator", "p9", "late"), &err));
    end(s);
    must_save(s);
    c1z_close(s);
    s = must_open(f->path, C1Z_READ);
    assert_string_equal(ids(f, s, C1Z_RESOURCES, NULL),
                        "website:w operator:p0 operator:p1 operator:p2 operator:p3 operator:p4 "
                        "operator:p9 ");
    assert_int_equal(count_rows(f, s, C1Z_RESOURCE_TYPES, id), 2);
    assert_int_equal(count_rows(f, s, C1Z_ENTITLEMENTS, id), 1);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, id), 5);
    assert_string_equal(name_of(f, s, id, "operator:p2"), "round 2");
    assert_string_equal(name_of(f, s, id, "operator:p1"), "p1");
    struct c1z_run *runs = list_runs(f, s, 1);
    struct c1z_counts counts;
    assert_true(c1z_count_run(s, &runs[0], a, &counts, &err));
    assert_int_equal(counts.resources, 7);
    assert_int_equal(counts.grants, 5);
    c1z_close(s);
    assert_int_equal(ask_file(f, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    assert_int_equal(ask_file(f, "SELECT freelist_count FROM pragma_freelist_count"), 0);
    assert_int_equal(ask_file(f, "SELECT json_extract(stats, '$.resources') FROM v1_sync_runs"), 7);
}

/* --- expansion --- */

static C1__Grant *expandable_grant(struct arena *a, const char *person, const char *names) {
    C1__Grant *grant = sample_grant(a, sample_entitlement(a, "website", "w", "m"), "operator", person);
    C1__GrantExpandable *e = arena_alloc(a, sizeof *e);
    C1__GrantMetadata *other = arena_alloc(a, sizeof *other);
    c1__grant_expandable__init(e);
    c1__grant_metadata__init(other);
    char **list = arena_array(a, 1, sizeof *list);
    list[0] = arena_strdup(a, names ? names : "");
    e->entitlement_ids = list;
    e->n_entitlement_ids = 1;
    grant->annotations = arena_array(a, 2, sizeof *grant->annotations);
    grant->annotations[grant->n_annotations++] = pb_any_new(&other->base, a);
    if (names)
        grant->annotations[grant->n_annotations++] = pb_any_new(&e->base, a);
    return grant;
}

static void test_store_moves_expansion_into_its_column(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct arena *a = &f->arena;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    begin(f, s, "full", false);
    assert_true(c1z_put_grant(s, expandable_grant(a, "plain", NULL), &err));
    assert_true(c1z_put_grant(s, expandable_grant(a, "blank", " \t"), &err));
    assert_true(c1z_put_grant(s, expandable_grant(a, "real", "group:g:m"), &err));
    /* Upserts: gained, lost, and unchanged. */
    assert_true(c1z_put_grant(s, expandable_grant(a, "gained", NULL), &err));
    assert_true(c1z_put_grant(s, expandable_grant(a, "gained", "group:g:m"), &err));
    assert_true(c1z_put_grant(s, expandable_grant(a, "lost", "group:g:m"), &err));
    assert_true(c1z_put_grant(s, expandable_grant(a, "lost", NULL), &err));
    assert_true(c1z_put_grant(s, expandable_grant(a, "real", "group:g:m"), &err));
    end(s);
    must_save(s);
    c1z_close(s);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_grants WHERE expansion IS NULL AND "
                                 "needs_expansion = 0 AND principal_resource_id IN "
                                 "('plain', 'blank', 'lost')"), 3);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_grants WHERE "
                                 "expansion = X'0A0967726F75703A673A6D' AND needs_expansion = 1 AND "
                                 "principal_resource_id IN ('real', 'gained')"), 2);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_grants WHERE instr(data, 'GrantExpandable')"), 0);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_grants WHERE instr(data, 'GrantMetadata')"), 5);
}

static void test_store_backfills_expansion_of_old_files(void **state) {
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    C1__Grant *grant = expandable_grant(a, "p", "group:g:m");
    size_t n;
    uint8_t *data = pb_pack(&grant->base, a, &n);
    struct buf sql;
    buf_init(&sql, 1 << 20);
    mem_auto char *schema = wrap_golden_sql("schema-v0.25.0.sql");
    buf_adds(&sql, schema);
    buf_adds(&sql, "INSERT INTO v1_sync_runs (sync_id, started_at, sync_token) VALUES "
                   "('s', '2026-01-01 00:00:00', '');"
                   "INSERT INTO v1_grants VALUES (1, 'website', 'w', 'website:w:m', 'operator', 'p', 'g', "
                   "NULL, 0, X'");
    for (size_t i = 0; i < n; i++)
        buf_addf(&sql, "%02X", data[i]);
    buf_adds(&sql, "', 's', '2026-01-01 00:00:00')");
    wrap_sql(&f->dir, sql.data, f->path);
    buf_done(&sql);
    struct c1z_store *s = must_open(f->path, C1Z_READ);
    struct err err = ERR_INIT;
    struct c1z_row row;
    assert_true(c1z_get(s, C1Z_GRANTS, "s", "g", &row, &err));
    C1__Grant *read =
        (C1__Grant *)pb_unpack(&c1__grant__descriptor, row.data, row.data_len, a, &err);
    assert_int_equal(read->n_annotations, 1);
    assert_true(pb_any_is(read->annotations[0], &c1__grant_metadata__descriptor));
    c1z_close(s);
}

/* --- resuming and retention --- */

static void test_store_resumes_a_young_run_and_forgets_its_rows(void **state) {
    struct fixture *f = *state;
    leave_unfinished(f, 7);
    struct c1z_store *s = must_open(f->path, C1Z_READ);
    struct c1z_run *runs = list_runs(f, s, 1);
    const char *first = runs[0].id;
    assert_int_equal(runs[0].ended_at_ns, 0);
    assert_string_equal(runs[0].token, "{\"actions_map\":{}}");
    assert_null(runs[0].stats);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, first), 7);
    c1z_close(s);
    assert_string_equal(sync_team(f, 2, true), first);
    s = must_open(f->path, C1Z_READ);
    runs = list_runs(f, s, 1);
    assert_string_equal(runs[0].id, first);
    assert_true(runs[0].ended_at_ns > 0);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, NULL), 2);
    assert_int_equal(count_rows(f, s, C1Z_RESOURCES, NULL), 3);
    c1z_close(s);
    assert_int_equal(ask_file(f, "SELECT freelist_count FROM pragma_freelist_count"), 0);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_sync_runs WHERE supports_diff = 1 AND "
                                 "ingest_invariant_generation = '1'"), 1);
}

static void test_store_leaves_an_old_unfinished_run_alone(void **state) {
    struct fixture *f = *state;
    int64_t now = clock_now_ns();
    clock_set_for_test(now - 8 * DAY_NS);
    leave_unfinished(f, 4);
    clock_set_for_test(now);
    const char *id = sync_team(f, 2, false);
    struct c1z_store *s = must_open(f->path, C1Z_READ);
    struct c1z_run *runs = list_runs(f, s, 2);
    assert_int_equal(runs[0].ended_at_ns, 0);
    assert_string_equal(runs[1].id, id);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, runs[0].id), 4);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, id), 2);
    c1z_close(s);
}

static void test_store_resumes_only_its_own_type(void **state) {
    struct fixture *f = *state;
    leave_unfinished(f, 1);
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    begin(f, s, "resources_only", false);
    c1z_close(s);
}

static void test_store_keeps_two_full_runs(void **state) {
    struct fixture *f = *state;
    unsetenv("BATON_KEEP_SYNC_COUNT");
    unsetenv("BATON_SKIP_CLEANUP");
    const char *id[4];
    for (int i = 0; i < 4; i++)
        id[i] = sync_team(f, i + 1, false);
    struct c1z_store *s = must_open(f->path, C1Z_READ);
    struct c1z_run *runs = list_runs(f, s, 2);
    assert_string_equal(runs[0].id, id[2]);
    assert_string_equal(runs[1].id, id[3]);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, NULL), 3 + 4);
    assert_int_equal(count_rows(f, s, C1Z_RESOURCE_TYPES, NULL), 2 + 2);
    c1z_close(s);
    assert_int_equal(ask_file(f, "SELECT freelist_count FROM pragma_freelist_count"), 0);
    assert_int_equal(ask_file(f, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    setenv("BATON_KEEP_SYNC_COUNT", "1", 1);
    id[0] = sync_team(f, 9, false);
    s = must_open(f->path, C1Z_READ);
    assert_string_equal(list_runs(f, s, 1)[0].id, id[0]);
    c1z_close(s);
    setenv("BATON_SKIP_CLEANUP", "true", 1);
    sync_team(f, 1, false);
    sync_team(f, 1, false);
    s = must_open(f->path, C1Z_READ);
    list_runs(f, s, 3);
    c1z_close(s);
    unsetenv("BATON_KEEP_SYNC_COUNT");
    unsetenv("BATON_SKIP_CLEANUP");
}

/* Every accepted file takes a new sync, keeps what it had, and comes out in our form. */
static void test_store_appends_to_every_accepted_file(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"base",     "header-only-is-empty", "noidx", "notables",
                                        "pg65536",  "rfc3339",              "slim",  "v07schema",
                                        "multiframe", "wal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        mem_auto char *name = mem_printf("accept/%s.c1z", names[i]);
        mem_auto char *golden = golden_path(name);
        size_t n;
        mem_auto uint8_t *bytes = read_bytes(golden, &n);
        write_bytes(f->path, bytes, n);
        bool was_empty = strcmp(names[i], "header-only-is-empty") == 0;
        const char *id = sync_team(f, 2, false);
        struct c1z_store *s = must_open(f->path, C1Z_READ);
        struct c1z_run *runs = list_runs(f, s, was_empty ? 1 : 2);
        if (!was_empty)
            assert_int_equal(count_rows(f, s, C1Z_GRANTS, runs[0].id), 3);
        assert_int_equal(count_rows(f, s, C1Z_GRANTS, id), 2);
        c1z_close(s);
        assert_int_equal(ask_file(f, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
        assert_int_equal(ask_file(f, "SELECT page_size FROM pragma_page_size"), 4096);
        assert_int_equal(ask_file(f, "SELECT freelist_count FROM pragma_freelist_count"), 0);
        assert_int_equal(ask_file(f, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
        assert_int_equal(ask_file(f, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 7);
        assert_int_equal(ask_file(f, "SELECT count(*) FROM sqlite_schema WHERE type = 'index'"), 16);
    }
}

static void test_store_takes_a_second_run_before_and_after_saving(void **state) {
    struct fixture *f = *state;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    const char *first = begin(f, s, "full", false);
    put_team(f, s, 1);
    end(s);
    const char *second = begin(f, s, "full", false);
    put_team(f, s, 2);
    end(s);
    must_save(s);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, first), 1);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, second), 2);
    const char *third = begin(f, s, "full", false);
    put_team(f, s, 3);
    end(s);
    must_save(s);
    c1z_close(s);
    s = must_open(f->path, C1Z_READ);
    struct c1z_run *runs = list_runs(f, s, 2);
    assert_string_equal(runs[0].id, second);
    assert_string_equal(runs[1].id, third);
    c1z_close(s);
}

/* --- saving --- */

static void test_store_writes_only_changes(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_saved saved = {.is_written = true};
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    assert_true(c1z_save(s, &saved, &err));
    assert_false(saved.is_written);
    assert_int_equal(scratch_count(&f->dir), 0);
    begin(f, s, "full", false);
    end(s);
    must_save(s);
    assert_true(c1z_save(s, &saved, &err));
    assert_false(saved.is_written);
    c1z_close(s);
}

static void test_store_checks_the_order_of_calls(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_run run;
    bool resumed;
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    C1__ResourceType *type = sample_type(&f->arena, "t");
    assert_false(c1z_put_resource_type(s, type, &err));
    assert_string_equal(err.msg, "c1file: sync is not active");
    assert_int_equal(err.code, ERR_FAILED_PRECONDITION);
    assert_false(c1z_checkpoint(s, "", &err));
    assert_false(c1z_end_run(s, "", &err));
    assert_false(c1z_begin_run(s, "sometimes", &f->arena, &run, &resumed, &err));
    assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
    begin(f, s, "full", false);
    assert_false(c1z_begin_run(s, "full", &f->arena, &run, &resumed, &err));
    assert_int_equal(err.code, ERR_FAILED_PRECONDITION);
    must_save(s);
    assert_false(c1z_put_resource_type(s, type, &err));
    c1z_close(s);
    s = must_open(f->path, C1Z_READ);
    assert_false(c1z_begin_run(s, "full", &f->arena, &run, &resumed, &err));
    assert_string_equal(err.msg, "c1z: read only mode");
    assert_false(c1z_save(s, NULL, &err));
    assert_string_equal(err.msg, "c1z: read only mode");
    c1z_close(s);
    c1z_close(NULL);
    c1z_iter_free(NULL);
}

static void test_store_cancelled_save_leaves_the_old_file(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    sync_team(f, 2, false);
    size_t n, after_n;
    mem_auto uint8_t *before = read_bytes(f->path, &n);
    struct cancel *cancel = cancel_new(&err);
    struct c1z_options o = {.mode = C1Z_WRITE, .cancel = cancel};
    struct c1z_store *s = c1z_open(f->path, &o, &err);
    assert_non_null(s);
    begin(f, s, "full", false);
    put_team(f, s, 2);
    end(s);
    cancel_fire(cancel, SIGTERM);
    assert_false(c1z_save(s, NULL, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    c1z_close(s);
    err_clear(&err);
    assert_null(c1z_open(f->path, &o, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    cancel_free(cancel);
    mem_auto uint8_t *after = read_bytes(f->path, &after_n);
    assert_int_equal(n, after_n);
    assert_memory_equal(before, after, n);
    assert_int_equal(scratch_count(&f->dir), 1);
}

static void test_store_works_where_no_directory_can_be_written(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_options o = {.mode = C1Z_WRITE, .temp_dir = "/proc/none"};
    struct c1z_store *s = c1z_open(f->path, &o, &err);
    assert_non_null(s);
    const char *id = begin(f, s, "full", false);
    put_team(f, s, 500);
    end(s);
    must_save(s);
    c1z_close(s);
    o.mode = C1Z_READ;
    s = c1z_open(f->path, &o, &err);
    assert_non_null(s);
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, id), 500);
    c1z_close(s);
}

/* --- reading --- */

static void test_store_filters(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    const char *id = sync_team(f, 3, false);
    sync_team(f, 1, false);
    struct c1z_store *s = must_open(f->path, C1Z_READ);
    static const struct {
        enum c1z_table table;
        struct c1z_filter filter;
        const char *want;
    } cases[] = {
        {C1Z_RESOURCE_TYPES, {.resource_type_id = "operator"}, "operator "},
        {C1Z_RESOURCES, {.resource_type_id = "website"}, "website:w "},
        {C1Z_RESOURCES, {.resource_type_id = "operator"}, "operator:p0 operator:p1 operator:p2 "},
        {C1Z_RESOURCES, {.resource_type_id = "operator", .resource_id = "p1"}, "operator:p1 "},
        {C1Z_RESOURCES, {.resource_id = "p2"}, "operator:p2 "},
        {C1Z_RESOURCES, {.resource_type_id = "nobody"}, ""},
        {C1Z_ENTITLEMENTS, {.resource_type_id = "website"}, "website:w:member "},
        {C1Z_ENTITLEMENTS, {.resource_id = "w"}, "website:w:member "},
        {C1Z_ENTITLEMENTS, {.resource_type_id = "website", .resource_id = "x"}, ""},
        {C1Z_GRANTS, {.resource_type_id = "website", .resource_id = "w", .principal_id = "p1"},
         "website:w:member:operator:p1 "},
        {C1Z_GRANTS, {.principal_type_id = "operator", .principal_id = "p2"},
         "website:w:member:operator:p2 "},
        {C1Z_GRANTS, {.entitlement_id = "website:w:member", .principal_type_id = "operator",
                      .principal_id = "p0"}, "website:w:member:operator:p0 "},
        {C1Z_GRANTS, {.entitlement_id = "website:w:owner"}, ""},
        {C1Z_GRANTS, {.principal_type_id = "website"}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct c1z_filter filter = cases[i].filter;
        filter.sync_id = id;
        assert_string_equal(ids(f, s, cases[i].table, &filter), cases[i].want);
    }
    struct c1z_filter impossible = {.entitlement_id = "e"};
    assert_null(c1z_list(s, C1Z_RESOURCES, &impossible, &err));
    assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
    c1z_close(s);
}

static void test_store_rows_show_their_columns(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    const char *id = sync_team(f, 1, false);
    struct c1z_store *s = must_open(f->path, C1Z_READ);
    struct c1z_row row;
    assert_true(c1z_get(s, C1Z_GRANTS, id, "website:w:member:operator:p0", &row, &err));
    assert_string_equal(row.sync_id, id);
    assert_string_equal(row.resource_type_id, "website");
    assert_string_equal(row.resource_id, "w");
    assert_string_equal(row.entitlement_id, "website:w:member");
    assert_string_equal(row.principal_type_id, "operator");
    assert_string_equal(row.principal_id, "p0");
    assert_true(c1z_get(s, C1Z_RESOURCES, id, "operator:p0", &row, &err));
    assert_string_equal(row.resource_type_id, "operator");
    assert_null(row.resource_id);
    assert_null(row.entitlement_id);
    assert_true(c1z_get(s, C1Z_RESOURCE_TYPES, id, "operator", &row, &err));
    assert_false(c1z_get(s, C1Z_RESOURCES, id, "operator:nobody", &row, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(c1z_get(s, C1Z_RESOURCES, "another", "operator:p0", &row, &err));
    c1z_close(s);
}

/* As the sync engine does: puts while it walks what was put. */
static void test_store_lists_the_open_run(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct arena *a = &f->arena;
    sync_team(f, 2, false);
    struct c1z_store *s = must_open(f->path, C1Z_WRITE);
    const char *id = begin(f, s, "full", false);
    put_team(f, s, 0);
    for (int i = 0; i < 300; i++)
        assert_true(c1z_put_resource(s, sample_resource(a, "group", arena_printf(a, "g%d", i), "G"), &err));
    struct c1z_filter filter = {.sync_id = id, .resource_type_id = "group"};
    struct c1z_iter *it = c1z_list(s, C1Z_RESOURCES, &filter, &err);
    struct c1z_row row;
    int n = 0;
    while (c1z_next(it, &row, &err)) {
        C1__Entitlement *e = sample_entitlement(a, "group", row.external_id + strlen("group:"), "m");
        assert_true(c1z_put_entitlement(s, e, &err));
        /* Every tenth twice: what that needs must not disturb the walk. */
        if (n % 10 == 0)
            assert_true(c1z_put_entitlement(s, e, &err));
        assert_true(c1z_put_grant(s, sample_grant(a, e, "group", "g1"), &err));
        n++;
    }
    assert_int_equal(err.code, ERR_OK);
    assert_int_equal(n, 300);
    c1z_iter_free(it);
    filter.resource_type_id = "nothing";
    assert_string_equal(ids(f, s, C1Z_RESOURCES, &filter), "");
    assert_int_equal(count_rows(f, s, C1Z_GRANTS, id), 300);
    assert_true(c1z_get(s, C1Z_RESOURCES, id, "group:g7", &row, &err));
    end(s);
    must_save(s);
    c1z_close(s);
    s = must_open(f->path, C1Z_READ);
    list_runs(f, s, 2);
    assert_int_equal(count_rows(f, s, C1Z_ENTITLEMENTS, id), 301);
    c1z_close(s);
    assert_int_equal(ask_file(f, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static void test_store_counts_from_stats_or_rows(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    sync_team(f, 3, false);
    struct c1z_store *s = must_open(f->path, C1Z_READ);
    struct c1z_run run = list_runs(f, s, 1)[0];
    static const struct {
        const char *stats;
        int64_t resources;
    } cases[] = {
        {NULL, 4}, {"", 4}, {"not JSON", 4}, {"[1]", 4}, {"{}", 4}, {"{\"resource_types\":0}", 4},
        {"{\"resource_types\":1,\"resources\":77,\"resources_by_resource_type\":{\"x\":77}}", 77},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct c1z_counts counts;
        run.stats = cases[i].stats;
        assert_true(c1z_count_run(s, &run, &f->arena, &counts, &err));
        assert_int_equal(counts.resources, cases[i].resources);
        assert_string_equal(counts.by_type[0].resource_type_id, i < 6 ? "operator" : "x");
        assert_true(counts.by_type[0].is_listed);
    }
    c1z_close(s);
}

static void test_store_picks_runs_as_the_cli_does(void **state) {
    (void)state;
    int64_t now = clock_now_ns();
    const struct c1z_run runs[] = {
        {.id = "a", .type = "full", .started_at_ns = 1, .ended_at_ns = 50},
        {.id = "b", .type = "partial", .started_at_ns = 1, .ended_at_ns = 90},
        {.id = "d", .type = "full", .started_at_ns = 1, .ended_at_ns = 50},
        {.id = "e", .type = "full", .started_at_ns = now - 8 * DAY_NS},
        {.id = "f", .type = "full", .started_at_ns = now - 2 * DAY_NS},
        {.id = "g", .type = "full", .started_at_ns = now - 3 * DAY_NS},
    };
    assert_string_equal(c1z_newest_finished(runs, 6, NULL)->id, "b");
    assert_string_equal(c1z_newest_finished(runs, 6, "full")->id, "d");
    assert_null(c1z_newest_finished(runs, 6, "resources_only"));
    assert_string_equal(c1z_newest_unfinished(runs, 6)->id, "f");
    assert_null(c1z_newest_unfinished(runs, 4));
}

/* --- hostile databases --- */

/* The schema, then the SQL; opened for reading. */
static struct c1z_store *open_sql(struct fixture *f, const char *sql) {
    mem_auto char *schema = wrap_golden_sql("schema-v0.25.0.sql");
    mem_auto char *all = mem_printf("%s;%s", schema, sql);
    wrap_sql(&f->dir, all, f->path);
    return must_open(f->path, C1Z_READ);
}

static void test_store_reads_odd_types(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_store *s =
        open_sql(f, "INSERT INTO v1_resources VALUES (1, 5, 7.5, NULL, NULL, 'text', X'73', 1);"
                    "INSERT INTO v1_resources VALUES (2, 't', 't:x', 1, 2, 42, 's', 'never')");
    struct c1z_iter *it = c1z_list(s, C1Z_RESOURCES, NULL, &err);
    struct c1z_row row;
    assert_true(c1z_next(it, &row, &err));
    assert_string_equal(row.external_id, "7.5");
    assert_string_equal(row.resource_type_id, "5");
    assert_string_equal(row.sync_id, "s");
    assert_int_equal(row.data_len, 4);
    assert_true(c1z_next(it, &row, &err));
    assert_int_equal(row.data_len, 2);
    assert_false(c1z_next(it, &row, &err));
    assert_int_equal(err.code, ERR_OK);
    c1z_iter_free(it);
    c1z_close(s);
}

static void test_store_refuses_text_with_a_zero(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_store *s = open_sql(f, "INSERT INTO v1_resources VALUES (1, 't', 't:' || char(0) || 'x', "
                                      "NULL, NULL, X'', 's', 'd')");
    struct c1z_iter *it = c1z_list(s, C1Z_RESOURCES, NULL, &err);
    struct c1z_row row;
    assert_false(c1z_next(it, &row, &err));
    assert_int_equal(err.code, ERR_UNKNOWN);
    assert_non_null(strstr(err.msg, "row 1 of v1_resources: the file is damaged: column external_id"));
    c1z_iter_free(it);
    c1z_close(s);
}

static void test_store_refuses_times_that_are_none(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_run *runs;
    size_t n;
    struct c1z_store *s = open_sql(f, "INSERT INTO v1_sync_runs (sync_id, started_at, sync_token, "
                                      "grants_backfilled) VALUES ('s', 'noon', '', 1)");
    assert_false(c1z_list_runs(s, &f->arena, &runs, &n, &err));
    assert_non_null(strstr(err.msg, "started_at of a sync run is not a time"));
    c1z_close(s);
}

static void test_store_does_not_run_triggers_of_a_file(void **state) {
    struct fixture *f = *state;
    mem_auto char *schema = wrap_golden_sql("schema-v0.25.0.sql");
    mem_auto char *all = mem_printf(
        "%s;CREATE TRIGGER evil AFTER INSERT ON v1_sync_runs BEGIN "
        "INSERT INTO v1_assets VALUES (NULL, 'x', 'x', X'00', 's', 'd'); END;"
        "CREATE TRIGGER evil2 BEFORE INSERT ON v1_grants BEGIN SELECT raise(abort, 'no'); END", schema);
    wrap_sql(&f->dir, all, f->path);
    sync_team(f, 2, false);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_assets"), 0);
    assert_int_equal(ask_file(f, "SELECT count(*) FROM v1_grants"), 2);
}

static void test_store_refuses_a_view_for_a_table(void **state) {
    struct fixture *f = *state;
    wrap_sql(&f->dir, "CREATE VIEW v1_grants AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                      "FROM c) SELECT x AS id FROM c", f->path);
    expect_refusal(f->path, C1Z_READ, "v1_grants is not an ordinary table", ERR_UNKNOWN);
}

static void test_store_refuses_rows_beyond_its_limit(void **state) {
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    struct c1z_row row;
    struct c1z_store *s = open_sql(f, "INSERT INTO v1_resources VALUES (1, 't', 't:x', NULL, NULL, "
                                      "zeroblob(18000000), 's', 'd')");
    struct c1z_iter *it = c1z_list(s, C1Z_RESOURCES, NULL, &err);
    assert_false(c1z_next(it, &row, &err));
    assert_int_equal(err.code, ERR_UNKNOWN);
    c1z_iter_free(it);
    c1z_close(s);
}

/* A bit flipped in any page gives an answer or an error, never a crash. */
static void test_store_survives_damaged_pages(void **state) {
    struct fixture *f = *state;
    sync_team(f, 40, false);
    size_t n;
    mem_auto uint8_t *file = read_bytes(f->path, &n);
    struct err err = ERR_INIT;
    mem_auto char *db_path = scratch_path(&f->dir, "plain.db");
    FILE *out = fopen(db_path, "wb");
    struct envelope_limits limits;
    uint64_t decoded;
    assert_true(envelope_limits_init(&limits, &err));
    struct envelope_reader *r = envelope_reader_new(&limits, wrap_sink, out, &err);
    assert_true(envelope_reader_feed(r, file + 5, n - 5, &err));
    assert_true(envelope_reader_end(r, &decoded, &err));
    envelope_reader_free(r);
    fclose(out);
    size_t size;
    mem_auto uint8_t *bytes = read_bytes(db_path, &size);
    int opened = 0, refused = 0;
    for (size_t at = 0; at < size; at += 997) {
        bytes[at] ^= 0x55;
        wrap_bytes(bytes, size, f->path);
        bytes[at] ^= 0x55;
        struct c1z_options o = {.mode = C1Z_READ};
        err_clear(&err);
        struct c1z_store *s = c1z_open(f->path, &o, &err);
        if (!s) {
            assert_int_not_equal(err.code, ERR_OK);
            refused++;
            continue;
        }
        opened++;
        for (int t = 0; t < C1Z_TABLE_COUNT; t++) {
            struct c1z_row row;
            struct c1z_iter *it = c1z_list(s, (enum c1z_table)t, NULL, &err);
            while (it && c1z_next(it, &row, &err))
                assert_non_null(row.data);
            c1z_iter_free(it);
        }
        c1z_close(s);
    }
    assert_true(opened > 0 && refused > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_store_opens_everything_go_accepts),
        TEST(test_store_refuses_what_go_refuses),
        TEST(test_store_names_a_v3_file),
        TEST(test_store_answers_a_wish_for_an_engine),
        TEST(test_store_writes_a_conforming_full_sync),
        TEST(test_store_formats_times_without_trailing_zeros),
        TEST(test_store_writes_a_resources_only_sync),
        TEST(test_store_stores_parents),
        TEST(test_store_refuses_rows_without_identity),
        TEST(test_store_upserts_by_identity),
        TEST(test_store_moves_expansion_into_its_column),
        TEST(test_store_backfills_expansion_of_old_files),
        TEST(test_store_resumes_a_young_run_and_forgets_its_rows),
        TEST(test_store_leaves_an_old_unfinished_run_alone),
        TEST(test_store_resumes_only_its_own_type),
        TEST(test_store_keeps_two_full_runs),
        TEST(test_store_appends_to_every_accepted_file),
        TEST(test_store_takes_a_second_run_before_and_after_saving),
        TEST(test_store_writes_only_changes),
        TEST(test_store_checks_the_order_of_calls),
        TEST(test_store_cancelled_save_leaves_the_old_file),
        TEST(test_store_works_where_no_directory_can_be_written),
        TEST(test_store_filters),
        TEST(test_store_rows_show_their_columns),
        TEST(test_store_lists_the_open_run),
        TEST(test_store_counts_from_stats_or_rows),
        TEST(test_store_picks_runs_as_the_cli_does),
        TEST(test_store_reads_odd_types),
        TEST(test_store_refuses_text_with_a_zero),
        TEST(test_store_refuses_times_that_are_none),
        TEST(test_store_does_not_run_triggers_of_a_file),
        TEST(test_store_refuses_a_view_for_a_table),
        TEST(test_store_refuses_rows_beyond_its_limit),
        TEST(test_store_survives_damaged_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

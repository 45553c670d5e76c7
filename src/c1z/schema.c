#include "c1z/schema.h"

#include <string.h>

#include "base/mem.h"
#include "c1z/backfill.h"

const char *const schema_row_tables[C1Z_TABLE_COUNT] = {
    [C1Z_RESOURCE_TYPES] = "v1_resource_types",
    [C1Z_RESOURCES] = "v1_resources",
    [C1Z_ENTITLEMENTS] = "v1_entitlements",
    [C1Z_GRANTS] = "v1_grants",
};

/* In the order in which the Go writer makes them. */
static const struct {
    const char *name, *ddl;
} tables[] = {
    {"v1_resource_types", "CREATE TABLE v1_resource_types ("
                          "id integer primary key,"
                          "external_id text not null,"
                          "data blob not null,"
                          "sync_id text not null,"
                          "discovered_at datetime not null)"},
    {"v1_resources", "CREATE TABLE v1_resources ("
                     "id integer primary key,"
                     "resource_type_id text not null,"
                     "external_id text not null,"
                     "parent_resource_type_id text,"
                     "parent_resource_id text,"
                     "data blob not null,"
                     "sync_id text not null,"
                     "discovered_at datetime not null)"},
    {"v1_entitlements", "CREATE TABLE v1_entitlements ("
                        "id integer primary key,"
                        "resource_type_id text not null,"
                        "resource_id text not null,"
                        "external_id text not null,"
                        "data blob not null,"
                        "sync_id text not null,"
                        "discovered_at datetime not null)"},
    {"v1_sync_runs", "CREATE TABLE v1_sync_runs ("
                     "id integer primary key,"
                     "sync_id text not null,"
                     "started_at datetime not null,"
                     "ended_at datetime,"
                     "sync_token text not null,"
                     "sync_type text not null default 'full',"
                     "parent_sync_id text not null default '',"
                     "linked_sync_id text not null default '',"
                     "supports_diff integer not null default 0,"
                     "grants_backfilled integer not null default 0,"
                     "stats text,"
                     "ingest_invariant_generation text not null default '',"
                     "ingest_invariant_coverage text not null default '',"
                     "ingest_invariant_mode text not null default '')"},
    {"v1_grants", "CREATE TABLE v1_grants ("
                  "id integer primary key,"
                  "resource_type_id text not null,"
                  "resource_id text not null,"
                  "entitlement_id text not null,"
                  "principal_resource_type_id text not null,"
                  "principal_resource_id text not null,"
                  "external_id text not null,"
                  "expansion blob,"
                  "needs_expansion integer not null default 0,"
                  "data blob not null,"
                  "sync_id text not null,"
                  "discovered_at datetime not null)"},
    {"v1_assets", "CREATE TABLE v1_assets ("
                  "id integer primary key,"
                  "external_id text not null,"
                  "content_type text not null,"
                  "data blob not null,"
                  "sync_id text not null,"
                  "discovered_at datetime not null)"},
    {"v1_connector_sessions", "CREATE TABLE v1_connector_sessions ("
                              "id integer primary key,"
                              "sync_id text NOT NULL,"
                              "key TEXT NOT NULL,"
                              "value BLOB NOT NULL)"},
};

/* Columns that files of older writers lack. */
static const struct {
    const char *table, *column, *type;
} added_columns[] = {
    {"v1_sync_runs", "sync_type", "text not null default 'full'"},
    {"v1_sync_runs", "parent_sync_id", "text not null default ''"},
    {"v1_sync_runs", "linked_sync_id", "text not null default ''"},
    {"v1_sync_runs", "supports_diff", "integer not null default 0"},
    {"v1_sync_runs", "grants_backfilled", "integer not null default 0"},
    {"v1_sync_runs", "stats", "text"},
    {"v1_sync_runs", "ingest_invariant_generation", "text not null default ''"},
    {"v1_sync_runs", "ingest_invariant_coverage", "text not null default ''"},
    {"v1_sync_runs", "ingest_invariant_mode", "text not null default ''"},
    {"v1_grants", "expansion", "blob"},
    {"v1_grants", "needs_expansion", "integer not null default 0"},
};

#define ROWS(table) 1, table
#define OTHER 0, 0

static const struct schema_index {
    const char *name, *on; /* "table (columns) [where]" */
    bool is_unique;
    bool is_of_rows; /* on one of the four row tables, which is the next member */
    enum c1z_table table;
    bool is_partial; /* holds next to nothing: costs less to keep than to build in a pass of its own */
} indexes[] = {
    {"idx_resource_types_external_sync_v1", "v1_resource_types (external_id, sync_id)", true,
     ROWS(C1Z_RESOURCE_TYPES)},
    {"idx_resources_resource_type_id_v1", "v1_resources (resource_type_id)", false,
     ROWS(C1Z_RESOURCES)},
    /* These two names are swapped in every file there is. */
    {"idx_resources_external_sync_v1", "v1_resources (parent_resource_type_id, parent_resource_id)",
     false, ROWS(C1Z_RESOURCES)},
    {"idx_resources_parent_resource_id_v1", "v1_resources (external_id, sync_id)", true,
     ROWS(C1Z_RESOURCES)},
    {"idx_entitlements_resource_id_v1", "v1_entitlements (resource_type_id, resource_id)", false,
     ROWS(C1Z_ENTITLEMENTS)},
    {"idx_entitlements_external_sync_v1", "v1_entitlements (external_id, sync_id)", true,
     ROWS(C1Z_ENTITLEMENTS)},
    {"idx_sync_runs_sync_id_v1", "v1_sync_runs (sync_id)", true, OTHER},
    {"idx_grants_resource_type_id_resource_id_v1", "v1_grants (resource_type_id, resource_id)", false,
     ROWS(C1Z_GRANTS)},
    {"idx_grants_principal_id_v1",
     "v1_grants (principal_resource_type_id, principal_resource_id)", false, ROWS(C1Z_GRANTS)},
    {"idx_grants_entitlement_id_principal_id_v1",
     "v1_grants (entitlement_id, principal_resource_type_id, principal_resource_id)", false,
     ROWS(C1Z_GRANTS)},
    {"idx_grants_external_sync_v1", "v1_grants (external_id, sync_id)", true, ROWS(C1Z_GRANTS)},
    {"idx_grants_entitlement_sync_grant_v1", "v1_grants (entitlement_id, sync_id, id)", false,
     ROWS(C1Z_GRANTS)},
    {"idx_grants_sync_expansion_v1", "v1_grants (sync_id) where expansion is not null", false,
     ROWS(C1Z_GRANTS), true},
    {"idx_grants_sync_needs_expansion_v1", "v1_grants (sync_id) where needs_expansion = 1", false,
     ROWS(C1Z_GRANTS), true},
    {"idx_assets_external_sync_v1", "v1_assets (external_id, sync_id)", true, OTHER},
    {"idx_session_store_sync_key_v1", "v1_connector_sessions (sync_id, key)", true, OTHER},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- tables --- */

/* Looks into sqlite_schema itself: pragma_table_list would initialise every virtual table there is. */
static bool find_kind(struct db *db, const char *name, bool *ret_exists, bool *ret_is_table,
                      struct err *err) {
    db_stmt_auto sqlite3_stmt *stmt =
        db_prepare(db, "SELECT type = 'table' AND rootpage > 0 FROM sqlite_schema "
                       "WHERE name = ?1 COLLATE NOCASE", false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, name);
    bool has_row;
    if (!db_step(db, stmt, &has_row, err))
        return false;
    *ret_exists = has_row;
    *ret_is_table = has_row && sqlite3_column_int(stmt, 0);
    return true;
}

static bool create_table(struct db *db, const char *name, const char *ddl, struct err *err) {
    bool exists, is_table;
    if (!find_kind(db, name, &exists, &is_table, err))
        return false;
    if (!exists)
        return db_exec(db, ddl, err);
    /* A view or virtual table could run anything, or never end. */
    if (!is_table)
        return err_set(err, ERR_UNKNOWN, "the file is damaged: %s is not an ordinary table", name);
    return true;
}

static bool has_column(struct db *db, const char *table, const char *column, bool *ret_has,
                       struct err *err) {
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(
        db, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2 COLLATE NOCASE", false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, table);
    db_bind_text(stmt, 2, column);
    return db_step(db, stmt, ret_has, err);
}

static bool add_column(struct db *db, const char *table, const char *column, const char *type,
                       struct err *err) {
    bool has;
    if (!has_column(db, table, column, &has, err))
        return false;
    if (has)
        return true;
    mem_auto char *sql = mem_printf("ALTER TABLE %s ADD COLUMN %s %s", table, column, type);
    return db_exec(db, sql, err);
}

/* --- indexes --- */

static bool create_index(struct db *db, const struct schema_index *index, struct err *err) {
    mem_auto char *sql = mem_printf("CREATE %sINDEX IF NOT EXISTS %s on %s",
                                    index->is_unique ? "UNIQUE " : "", index->name, index->on);
    return db_exec(db, sql, err) || err_wrap(err, "make the index %s", index->name);
}

static bool create_partial(struct db *db, struct err *err) {
    for (size_t i = 0; i < COUNT(indexes); i++) {
        if (indexes[i].is_partial && !create_index(db, &indexes[i], err))
            return false;
    }
    return true;
}

/* For a database without anything in it: no need to look for what it may have already, and in one
 * transaction, since each of its own would write its pages. */
static bool create_all(struct db *db, struct err *err) {
    if (!db_exec(db, "BEGIN", err))
        return false;
    for (size_t i = 0; i < COUNT(tables); i++) {
        if (!db_exec(db, tables[i].ddl, err))
            return false;
    }
    return create_partial(db, err) && db_exec(db, "COMMIT", err);
}

bool schema_migrate(struct db *db, struct err *err) {
    int64_t has_something;
    if (!db_int(db, "SELECT EXISTS (SELECT 1 FROM sqlite_schema)", &has_something, err))
        return false;
    if (!has_something)
        return create_all(db, err);
    for (size_t i = 0; i < COUNT(tables); i++) {
        if (!create_table(db, tables[i].name, tables[i].ddl, err))
            return false;
    }
    for (size_t i = 0; i < COUNT(added_columns); i++) {
        if (!add_column(db, added_columns[i].table, added_columns[i].column, added_columns[i].type, err))
            return false;
    }
    return create_partial(db, err) && backfill_grants(db, err);
}

bool schema_index(struct db *db, struct err *err) {
    for (size_t i = 0; i < COUNT(indexes); i++) {
        if (!create_index(db, &indexes[i], err))
            return false;
    }
    return true;
}

bool schema_index_unique(struct db *db, enum c1z_table table, struct err *err) {
    for (size_t i = 0; i < COUNT(indexes); i++) {
        if (indexes[i].is_of_rows && indexes[i].table == table && indexes[i].is_unique)
            return create_index(db, &indexes[i], err);
    }
    return true;
}

bool schema_unindex(struct db *db, struct err *err) {
    for (size_t i = 0; i < COUNT(indexes); i++) {
        if (!indexes[i].is_of_rows || indexes[i].is_partial)
            continue;
        mem_auto char *sql = mem_printf("DROP INDEX IF EXISTS %s", indexes[i].name);
        if (!db_exec(db, sql, err))
            return false;
    }
    return true;
}

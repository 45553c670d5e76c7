#include "c1z/list.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "c1z/schema.h"
#include "pb/pack.h"

enum { SQL_MAX = 2048 };

/* The select list is the same for all tables; NULL stands where a table has no such column. */
enum { C_ID, C_DATA, C_EXTERNAL_ID, C_SYNC_ID, C_TYPE, C_RESOURCE, C_ENTITLEMENT, C_PTYPE, C_PID };

static const char *const columns[C1Z_TABLE_COUNT] = {
    [C1Z_RESOURCE_TYPES] = "external_id, NULL, NULL, NULL, NULL",
    [C1Z_RESOURCES] = "resource_type_id, NULL, NULL, NULL, NULL",
    [C1Z_ENTITLEMENTS] = "resource_type_id, resource_id, NULL, NULL, NULL",
    [C1Z_GRANTS] = ("resource_type_id, resource_id, entitlement_id, principal_resource_type_id, "
                    "principal_resource_id"),
};

/* How a table answers to each member of a filter; NULL: it has no such column and the member must not be
 * set. A term that begins with '+' cannot use an index: where only the front part of an index fits, it
 * would deliver rows out of order, and sorting them costs more than a pass over the table. */
struct terms {
    const char *type, *resource, *type_and_resource;
    const char *entitlement;
    const char *ptype, *pid, *principal;
};

static const struct terms terms[C1Z_TABLE_COUNT] = {
    [C1Z_RESOURCE_TYPES] = {.type = "external_id = ?2"},
    [C1Z_RESOURCES] = {.type = "resource_type_id = ?2",
                       .resource = "substr(external_id, length(resource_type_id) + 2) = ?3",
                       .type_and_resource = "external_id = ?2 || ':' || ?3 AND +resource_type_id = ?2"},
    [C1Z_ENTITLEMENTS] = {.type = "+resource_type_id = ?2",
                          .resource = "resource_id = ?3",
                          .type_and_resource = "resource_type_id = ?2 AND resource_id = ?3"},
    [C1Z_GRANTS] = {.type = "+resource_type_id = ?2",
                    .resource = "resource_id = ?3",
                    .type_and_resource = "resource_type_id = ?2 AND resource_id = ?3",
                    .entitlement = "entitlement_id = ?4",
                    .ptype = "+principal_resource_type_id = ?5",
                    .pid = "principal_resource_id = ?6",
                    .principal = "principal_resource_type_id = ?5 AND principal_resource_id = ?6"},
};

static void add_term(struct buf *sql, const char *term, bool *is_supported) {
    if (!term) {
        *is_supported = false;
        return;
    }
    buf_addf(sql, " AND %s", term);
}

/* Writes the terms of two columns that have one index together. */
static void add_pair(struct buf *sql, const char *a, const char *b, const char *term_a,
                     const char *term_b, const char *both, bool *is_supported) {
    if (a && b)
        add_term(sql, both, is_supported);
    else if (a)
        add_term(sql, term_a, is_supported);
    else if (b)
        add_term(sql, term_b, is_supported);
}

static bool build_sql(enum c1z_table table, const struct c1z_filter *f, struct list_span span,
                      struct buf *sql) {
    const struct terms *t = &terms[table];
    bool is_supported = true;
    buf_addf(sql, "SELECT id, data, external_id, sync_id, %s FROM %s WHERE 1", columns[table],
             schema_row_tables[table]);
    if (span.last)
        buf_adds(sql, " AND id BETWEEN ?7 AND ?8");
    if (f->sync_id)
        buf_adds(sql, " AND sync_id = ?1");
    add_pair(sql, f->resource_type_id, f->resource_id, t->type, t->resource, t->type_and_resource,
             &is_supported);
    if (f->entitlement_id)
        add_term(sql, t->entitlement, &is_supported);
    add_pair(sql, f->principal_type_id, f->principal_id, t->ptype, t->pid, t->principal,
             &is_supported);
    buf_adds(sql, " ORDER BY id");
    return is_supported;
}

/* Binds only what the statement mentions. */
static void bind(sqlite3_stmt *stmt, const struct c1z_filter *f, struct list_span span) {
    const char *const texts[] = {f->sync_id, f->resource_type_id, f->resource_id, f->entitlement_id,
                                 f->principal_type_id, f->principal_id};
    for (int i = 0; i < 6; i++) {
        if (texts[i])
            sqlite3_bind_text(stmt, i + 1, texts[i], -1, SQLITE_TRANSIENT);
    }
    if (span.last) {
        sqlite3_bind_int64(stmt, 7, span.first);
        sqlite3_bind_int64(stmt, 8, span.last);
    }
}

bool list_open(struct db *db, enum c1z_table table, const struct c1z_filter *filter,
               struct list_span span, struct list *ret_list, struct err *err) {
    static const struct c1z_filter all;
    if (!filter)
        filter = &all;
    buf_auto struct buf sql;
    buf_init(&sql, SQL_MAX);
    if (!build_sql(table, filter, span, &sql))
        return err_set(err, ERR_INVALID_ARGUMENT, "%s cannot be filtered like that",
                       schema_row_tables[table]);
    sqlite3_stmt *stmt = db_prepare(db, sql.data, false, err);
    if (!stmt)
        return false;
    bind(stmt, filter, span);
    *ret_list = (struct list){.db = db, .stmt = stmt, .table = table};
    return true;
}

void list_close(struct list *l) {
    db_finalize(&l->stmt);
}

/* NULL where the select list says NULL; "" where the file holds one. */
static bool read_text(struct db *db, sqlite3_stmt *stmt, int column, bool has_column,
                      const char **ret_text, struct err *err) {
    *ret_text = NULL;
    return !has_column || db_text(db, stmt, column, ret_text, err);
}

static bool read_row(struct db *db, sqlite3_stmt *stmt, enum c1z_table table, struct c1z_row *ret_row,
                     struct err *err) {
    struct c1z_row row = {.rowid = sqlite3_column_int64(stmt, C_ID)};
    bool has_resource = table == C1Z_ENTITLEMENTS || table == C1Z_GRANTS, is_grant = table == C1Z_GRANTS;
    bool ok = read_text(db, stmt, C_EXTERNAL_ID, true, &row.external_id, err) &&
              read_text(db, stmt, C_SYNC_ID, true, &row.sync_id, err) &&
              read_text(db, stmt, C_TYPE, true, &row.resource_type_id, err) &&
              read_text(db, stmt, C_RESOURCE, has_resource, &row.resource_id, err) &&
              read_text(db, stmt, C_ENTITLEMENT, is_grant, &row.entitlement_id, err) &&
              read_text(db, stmt, C_PTYPE, is_grant, &row.principal_type_id, err) &&
              read_text(db, stmt, C_PID, is_grant, &row.principal_id, err);
    if (!ok)
        return err_wrap(err, "row %lld of %s", (long long)row.rowid, schema_row_tables[table]);
    row.data = sqlite3_column_blob(stmt, C_DATA);
    row.data_len = (size_t)sqlite3_column_bytes(stmt, C_DATA);
    if (row.data_len > PB_MESSAGE_MAX)
        return err_set(err, ERR_UNKNOWN, "row %lld of %s is larger than %d MiB", (long long)row.rowid,
                       schema_row_tables[table], PB_MESSAGE_MAX >> 20);
    if (!row.data)
        row.data = (const uint8_t *)"";
    *ret_row = row;
    return true;
}

bool list_next(struct list *l, struct c1z_row *ret_row, struct err *err) {
    bool has_row;
    if (l->is_over)
        return false;
    if (!db_step(l->db, l->stmt, &has_row, err)) {
        l->is_over = true;
        return err_wrap(err, "%s", schema_row_tables[l->table]);
    }
    l->is_over = !has_row;
    return has_row && read_row(l->db, l->stmt, l->table, ret_row, err);
}

sqlite3_stmt *list_prepare_get(struct db *db, enum c1z_table table, struct err *err) {
    buf_auto struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_addf(&sql, "SELECT id, data, external_id, sync_id, %s FROM %s WHERE external_id = ?1 AND "
                   "sync_id = ?2", columns[table], schema_row_tables[table]);
    return db_prepare(db, sql.data, true, err);
}

bool list_get(struct db *db, sqlite3_stmt *stmt, enum c1z_table table, const char *sync_id,
              const char *external_id, struct c1z_row *ret_row, struct err *err) {
    sqlite3_reset(stmt);
    db_bind_text(stmt, 1, external_id);
    db_bind_text(stmt, 2, sync_id);
    bool has_row;
    if (!db_step(db, stmt, &has_row, err))
        return err_wrap(err, "%s", schema_row_tables[table]);
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "%s has no row %s", schema_row_tables[table], external_id);
    return read_row(db, stmt, table, ret_row, err);
}

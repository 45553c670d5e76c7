#include "c1z/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"

/* Column 0 is the type id; then whether it is listed, and the three counts. */
static const char count_sql[] =
    "SELECT t, sum(l), sum(r), sum(e), sum(g) FROM ("
    "SELECT external_id AS t, 1 AS l, 0 AS r, 0 AS e, 0 AS g FROM v1_resource_types WHERE sync_id = ?1 "
    "UNION ALL SELECT resource_type_id, 0, count(*), 0, 0 FROM v1_resources WHERE sync_id = ?1 GROUP BY 1 "
    "UNION ALL SELECT resource_type_id, 0, 0, count(*), 0 FROM v1_entitlements "
    "WHERE sync_id = ?1 AND ?2 GROUP BY 1 "
    "UNION ALL SELECT resource_type_id, 0, 0, 0, count(*) FROM v1_grants "
    "WHERE sync_id = ?1 AND ?2 GROUP BY 1"
    ") GROUP BY t ORDER BY t";

static const char parse_sql[] =
    "SELECT t, max(l), max(r), max(e), max(g) FROM ("
    "SELECT key AS t, 1 AS l, value AS r, 0 AS e, 0 AS g FROM json_each(?1, '$.resources_by_resource_type') "
    "UNION ALL SELECT key, 0, 0, value, 0 FROM json_each(?1, '$.entitlements_by_resource_type') "
    "UNION ALL SELECT key, 0, 0, 0, value FROM json_each(?1, '$.grants_by_resource_type')"
    ") GROUP BY t ORDER BY t";

static const char totals_sql[] =
    "SELECT json_extract(?1, '$.resource_types'), json_extract(?1, '$.resources'), "
    "json_extract(?1, '$.entitlements'), json_extract(?1, '$.grants') "
    "WHERE CASE WHEN json_valid(?1) THEN json_type(?1) = 'object' AND "
    "json_extract(?1, '$.resource_types') > 0 END";

static struct c1z_type_count *add_type(struct c1z_counts *counts, size_t *room, struct arena *arena) {
    if (counts->by_type_count == *room) {
        *room = *room ? *room * 2 : 8;
        struct c1z_type_count *more = arena_array(arena, *room, sizeof *more);
        if (counts->by_type_count)
            memcpy(more, counts->by_type, counts->by_type_count * sizeof *more);
        counts->by_type = more;
    }
    return &counts->by_type[counts->by_type_count++];
}

/* Reads the rows of count_sql or parse_sql. */
static bool read_types(struct db *db, sqlite3_stmt *stmt, struct arena *arena,
                       struct c1z_counts *counts, struct err *err) {
    size_t room = 0;
    bool has_row;
    for (;;) {
        if (!db_step(db, stmt, &has_row, err))
            return false;
        if (!has_row)
            return true;
        const char *id;
        if (!db_text(db, stmt, 0, &id, err))
            return false;
        *add_type(counts, &room, arena) = (struct c1z_type_count){
            .resource_type_id = arena_strdup(arena, id),
            .is_listed = sqlite3_column_int64(stmt, 1) > 0,
            .resources = sqlite3_column_int64(stmt, 2),
            .entitlements = sqlite3_column_int64(stmt, 3),
            .grants = sqlite3_column_int64(stmt, 4),
        };
    }
}

static void add_up(struct c1z_counts *counts) {
    for (size_t i = 0; i < counts->by_type_count; i++) {
        struct c1z_type_count *t = &counts->by_type[i];
        if (!t->is_listed)
            t->resources = 0;
        counts->resource_types += t->is_listed;
        counts->resources += t->resources;
        counts->entitlements += t->entitlements;
        counts->grants += t->grants;
    }
}

static bool counts_members(const char *type) {
    return strcmp(type, "resources_only") != 0;
}

bool stats_count(struct db *db, const char *sync_id, const char *type, struct arena *arena,
                 struct c1z_counts *ret_counts, struct err *err) {
    db_stmt_auto sqlite3_stmt *stmt = db_prepare(db, count_sql, false, err);
    if (!stmt)
        return false;
    db_bind_text(stmt, 1, sync_id);
    sqlite3_bind_int(stmt, 2, counts_members(type));
    struct c1z_counts counts = {0};
    if (!read_types(db, stmt, arena, &counts, err))
        return false;
    add_up(&counts);
    *ret_counts = counts;
    return true;
}

static int compare_types(const void *a, const void *b) {
    return strcmp(((const struct c1z_type_count *)a)->resource_type_id,
                  ((const struct c1z_type_count *)b)->resource_type_id);
}

/* The entry of a type, made if it is missing. At most TALLY_TYPES_MAX a table: a short walk. */
static struct c1z_type_count *entry_of(struct c1z_counts *counts, size_t *room, const char *id,
                                       struct arena *arena) {
    for (size_t i = 0; i < counts->by_type_count; i++) {
        if (strcmp(counts->by_type[i].resource_type_id, id) == 0)
            return &counts->by_type[i];
    }
    struct c1z_type_count *t = add_type(counts, room, arena);
    *t = (struct c1z_type_count){.resource_type_id = arena_strdup(arena, id)};
    return t;
}

bool stats_from_put(const struct put *put, const char *type, struct arena *arena,
                    struct c1z_counts *ret_counts) {
    struct c1z_counts counts = {0};
    size_t room = 0;
    for (int table = 0; table < C1Z_TABLE_COUNT; table++) {
        const struct tally *tally = &put->tables[table].tally;
        bool is_wanted = counts_members(type) || table == C1Z_RESOURCE_TYPES || table == C1Z_RESOURCES;
        if (tally->is_lost)
            return false;
        for (size_t i = 0; is_wanted && i < tally->count; i++) {
            struct c1z_type_count *t = entry_of(&counts, &room, tally->types[i].id, arena);
            int64_t n = tally->types[i].count;
            t->is_listed |= table == C1Z_RESOURCE_TYPES;
            t->resources += table == C1Z_RESOURCES ? n : 0;
            t->entitlements += table == C1Z_ENTITLEMENTS ? n : 0;
            t->grants += table == C1Z_GRANTS ? n : 0;
        }
    }
    if (counts.by_type_count)
        qsort(counts.by_type, counts.by_type_count, sizeof *counts.by_type, compare_types);
    add_up(&counts);
    *ret_counts = counts;
    return true;
}

bool stats_parse(struct db *db, const char *json, struct arena *arena, struct c1z_counts *ret_counts,
                 bool *ret_ok, struct err *err) {
    db_stmt_auto sqlite3_stmt *totals = db_prepare(db, totals_sql, false, err);
    db_stmt_auto sqlite3_stmt *types = db_prepare(db, parse_sql, false, err);
    if (!totals || !types)
        return false;
    db_bind_text(totals, 1, json);
    db_bind_text(types, 1, json);
    bool has_row;
    if (!db_step(db, totals, &has_row, err))
        return false;
    struct c1z_counts counts = {0};
    if (has_row) {
        counts.resource_types = sqlite3_column_int64(totals, 0);
        counts.resources = sqlite3_column_int64(totals, 1);
        counts.entitlements = sqlite3_column_int64(totals, 2);
        counts.grants = sqlite3_column_int64(totals, 3);
        if (!read_types(db, types, arena, &counts, err))
            return false;
        *ret_counts = counts;
    }
    *ret_ok = has_row;
    return true;
}

static void write_number(struct jsonw *w, const char *key, int64_t n) {
    if (n != 0)
        jsonw_kv_int(w, key, n);
}

/* One of the three maps, by the offset of its count. */
static void write_map(struct jsonw *w, const char *key, const struct c1z_counts *counts, size_t offset) {
    bool is_resources = offset == offsetof(struct c1z_type_count, resources), is_open = false;
    for (size_t i = 0; i < counts->by_type_count; i++) {
        const struct c1z_type_count *t = &counts->by_type[i];
        int64_t n;
        memcpy(&n, (const char *)t + offset, sizeof n);
        if (is_resources ? !t->is_listed : n == 0)
            continue;
        if (!is_open) {
            jsonw_key(w, key);
            jsonw_object(w);
            is_open = true;
        }
        jsonw_kv_int(w, t->resource_type_id, n);
    }
    if (is_open)
        jsonw_object_end(w);
}

void stats_write(const struct c1z_counts *counts, struct buf *out) {
    struct jsonw w;
    jsonw_init(&w, out, false);
    jsonw_object(&w);
    write_number(&w, "resource_types", counts->resource_types);
    write_number(&w, "resources", counts->resources);
    write_number(&w, "entitlements", counts->entitlements);
    write_number(&w, "grants", counts->grants);
    write_map(&w, "resources_by_resource_type", counts, offsetof(struct c1z_type_count, resources));
    write_map(&w, "grants_by_resource_type", counts, offsetof(struct c1z_type_count, grants));
    write_map(&w, "entitlements_by_resource_type", counts,
              offsetof(struct c1z_type_count, entitlements));
    jsonw_object_end(&w);
}

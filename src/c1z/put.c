#include "c1z/put.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "c1z/expandable.h"
#include "c1z/schema.h"
#include "pb/pack.h"

enum { KEY_MAX = 64 * 1024, EXTRA_MAX = 5 };

/* Parameters 1 to 4 are the same in every table, the others are the texts of put_row.extra in order, and
 * for grants the expansion behind them. */
enum { P_EXTERNAL_ID = 1, P_DATA, P_SYNC_ID, P_DISCOVERED_AT, P_EXTRA };

static const char *const insert_sql[C1Z_TABLE_COUNT] = {
    [C1Z_RESOURCE_TYPES] = "INSERT INTO v1_resource_types (external_id, data, sync_id, discovered_at) "
                           "VALUES (?1, ?2, ?3, ?4)",
    [C1Z_RESOURCES] = "INSERT INTO v1_resources (external_id, data, sync_id, discovered_at, "
                      "resource_type_id, parent_resource_type_id, parent_resource_id) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [C1Z_ENTITLEMENTS] = "INSERT INTO v1_entitlements (external_id, data, sync_id, discovered_at, "
                         "resource_type_id, resource_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [C1Z_GRANTS] = "INSERT INTO v1_grants (external_id, data, sync_id, discovered_at, resource_type_id, "
                   "resource_id, entitlement_id, principal_resource_type_id, principal_resource_id, "
                   "expansion, needs_expansion) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                   "?10 IS NOT NULL)",
};

static const char upsert_sql[] = " ON CONFLICT (external_id, sync_id) DO UPDATE SET data = excluded.data";
static const char upsert_expansion_sql[] =
    ", expansion = excluded.expansion, needs_expansion = CASE "
    "WHEN excluded.expansion IS NULL THEN 0 "
    "WHEN expansion IS NULL OR expansion <> excluded.expansion THEN 1 "
    "ELSE needs_expansion END";

struct put_row {
    enum c1z_table table;
    const char *external_id;
    size_t external_id_len;
    const char *extra[EXTRA_MAX]; /* the first is the resource type */
    int extra_count;
    const ProtobufCMessage *message;
    const uint8_t *expansion; /* grants; NULL: none */
    size_t expansion_len;
};

bool put_open(struct db *db, const char *sync_id, struct put **ret_put, struct err *err) {
    struct put *p = mem_zalloc(sizeof *p);
    p->db = db;
    p->second = INT64_MIN;
    buf_init(&p->data, PB_MESSAGE_MAX);
    buf_init(&p->key, KEY_MAX);
    arena_init(&p->arena);
    memcpy(p->sync_id, sync_id, strnlen(sync_id, KSUID_LEN));
    bool ok = true;
    for (int i = 0; ok && i < C1Z_TABLE_COUNT; i++) {
        struct put_table *t = &p->tables[i];
        ok = seen_init(&t->seen, err) && (t->insert = db_prepare(db, insert_sql[i], true, err));
    }
    if (!ok) {
        put_close(p);
        return false;
    }
    *ret_put = p;
    return true;
}

void put_close(struct put *p) {
    if (!p)
        return;
    for (int i = 0; i < C1Z_TABLE_COUNT; i++) {
        db_finalize(&p->tables[i].insert);
        seen_done(&p->tables[i].seen);
        tally_done(&p->tables[i].tally);
    }
    buf_done(&p->data);
    buf_done(&p->key);
    arena_done(&p->arena);
    free(p);
}

bool put_index(struct put *p, enum c1z_table table, struct err *err) {
    struct put_table *t = &p->tables[table];
    if (t->is_indexed)
        return true;
    if (!schema_index_unique(p->db, table, err))
        return false;
    mem_auto char *sql = mem_printf("%s%s%s", insert_sql[table], upsert_sql,
                                    table == C1Z_GRANTS ? upsert_expansion_sql : "");
    sqlite3_stmt *upsert = db_prepare(p->db, sql, true, err);
    if (!upsert)
        return false;
    db_finalize(&t->insert);
    t->insert = upsert;
    t->is_indexed = true;
    seen_done(&t->seen);
    return true;
}

/* Now, as text, in p->stamp. */
static void stamp_now(struct put *p) {
    int64_t now = clock_now_ns(), second = now / CLOCK_NS_PER_S;
    if (second != p->second) {
        clock_format_sqlite(second * CLOCK_NS_PER_S, p->stamp);
        p->second_len = strlen(p->stamp);
        p->second = second;
    }
    int64_t ns = now - second * CLOCK_NS_PER_S;
    char *end = p->stamp + p->second_len;
    if (ns > 0) {
        end[0] = '.';
        for (int i = 9; i >= 1; i--, ns /= 10)
            end[i] = (char)('0' + ns % 10);
        end += 10;
        while (end[-1] == '0')
            end--;
    }
    *end = '\0';
}

static bool put_row(struct put *p, const struct put_row *row, struct err *err) {
    struct put_table *t = &p->tables[row->table];
    if (!pb_pack_buf(row->message, &p->data))
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "%s is larger than %d MiB", row->external_id,
                       PB_MESSAGE_MAX >> 20);
    if (!t->is_indexed && !seen_add(&t->seen, row->external_id, row->external_id_len)) {
        tally_lose(&t->tally);
        if (!put_index(p, row->table, err))
            return false;
    }
    stamp_now(p);
    sqlite3_stmt *s = t->insert;
    sqlite3_bind_text64(s, P_EXTERNAL_ID, row->external_id, row->external_id_len, SQLITE_STATIC,
                        SQLITE_UTF8);
    db_bind_blob(s, P_DATA, p->data.data, p->data.len);
    db_bind_text(s, P_SYNC_ID, p->sync_id);
    db_bind_text(s, P_DISCOVERED_AT, p->stamp);
    for (int i = 0; i < row->extra_count; i++)
        db_bind_text(s, P_EXTRA + i, row->extra[i]);
    if (row->table == C1Z_GRANTS)
        sqlite3_bind_blob64(s, P_EXTRA + EXTRA_MAX, row->expansion, row->expansion_len, SQLITE_STATIC);
    if (!db_run(p->db, s, err))
        return err_wrap(err, "store %s", row->external_id);
    if (t->is_indexed)
        tally_lose(&t->tally);
    else
        tally_add(&t->tally, row->extra_count ? row->extra[0] : row->external_id,
                  sqlite3_last_insert_rowid(p->db->sql));
    return true;
}

static bool has_text(const char *s) {
    return s && *s;
}

static const char *or_empty(const char *s) {
    return s ? s : "";
}

struct identity {
    const char *type, *id; /* "" where the message has none */
};

static struct identity id_of(const C1__Resource *r) {
    if (!r || !r->id)
        return (struct identity){"", ""};
    return (struct identity){or_empty(r->id->resource_type), or_empty(r->id->resource)};
}

bool put_resource_type(struct put *p, const C1__ResourceType *m, struct err *err) {
    if (!has_text(m->id))
        return err_set(err, ERR_INVALID_ARGUMENT, "a resource type without id cannot be stored");
    return put_row(p, &(struct put_row){.table = C1Z_RESOURCE_TYPES, .external_id = m->id,
                                        .external_id_len = strlen(m->id), .message = &m->base}, err);
}

bool put_resource(struct put *p, const C1__Resource *m, struct err *err) {
    struct identity id = id_of(m);
    if (!has_text(id.type) || !has_text(id.id))
        return err_set(err, ERR_INVALID_ARGUMENT, "a resource without type or id cannot be stored");
    buf_reset(&p->key);
    buf_adds(&p->key, id.type);
    buf_addc(&p->key, ':');
    buf_adds(&p->key, id.id);
    if (!buf_ok(&p->key))
        return err_set(err, ERR_INVALID_ARGUMENT, "the id of a resource is longer than %d bytes",
                       KEY_MAX);
    const C1__ResourceId *parent = m->parent_resource_id;
    return put_row(p, &(struct put_row){.table = C1Z_RESOURCES, .external_id = p->key.data,
                                        .external_id_len = p->key.len, .message = &m->base,
                                        .extra = {id.type,
                                                  parent ? or_empty(parent->resource_type) : NULL,
                                                  parent ? or_empty(parent->resource) : NULL},
                                        .extra_count = 3}, err);
}

bool put_entitlement(struct put *p, const C1__Entitlement *m, struct err *err) {
    struct identity id = id_of(m->resource);
    if (!has_text(m->id))
        return err_set(err, ERR_INVALID_ARGUMENT, "an entitlement without id cannot be stored");
    if (!has_text(id.type) || !has_text(id.id))
        return err_set(err, ERR_INVALID_ARGUMENT, "entitlement %s has no resource", m->id);
    return put_row(p, &(struct put_row){.table = C1Z_ENTITLEMENTS, .external_id = m->id,
                                        .external_id_len = strlen(m->id), .message = &m->base,
                                        .extra = {id.type, id.id},
                                        .extra_count = 2}, err);
}

static struct put_row grant_row(const C1__Grant *m) {
    struct identity resource = id_of(m->entitlement->resource), principal = id_of(m->principal);
    return (struct put_row){
        .table = C1Z_GRANTS,
        .external_id = m->id,
        .external_id_len = strlen(m->id),
        .message = &m->base,
        .extra = {resource.type, resource.id, or_empty(m->entitlement->id), principal.type,
                  principal.id},
        .extra_count = EXTRA_MAX,
    };
}

bool put_grant(struct put *p, const C1__Grant *m, struct err *err) {
    if (!has_text(m->id))
        return err_set(err, ERR_INVALID_ARGUMENT, "a grant without id cannot be stored");
    if (!m->entitlement || !m->principal)
        return err_set(err, ERR_INVALID_ARGUMENT, "grant %s has no entitlement or no principal", m->id);
    struct put_row row = grant_row(m);
    if (!expandable_is(m))
        return put_row(p, &row, err);
    struct expandable split;
    bool ok = expandable_split(m, &p->arena, &split, err);
    if (ok) {
        row.message = &split.grant.base;
        row.expansion = split.bytes;
        row.expansion_len = split.len;
        ok = put_row(p, &row, err);
    }
    arena_reset(&p->arena);
    return ok;
}

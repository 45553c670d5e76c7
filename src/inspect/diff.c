/* diff: what changed between the two newest finished full syncs. Always JSON, as in the real CLI.
 *
 * Both syncs are in the one file, so nothing is held: a row of one is looked up in the other. Rows
 * are the same if their bytes are: writers that sort the keys of profiles (ours does) show no
 * false change, others may (c1z.md 3.4). */
#include <string.h>

#include "connector.pb-c.h"
#include "inspect/commands.h"
#include "pb/json.h"
#include "pb/pack.h"

static const struct {
    const char *key;
    enum c1z_table table;
    const ProtobufCMessageDescriptor *type;
} tables[] = {
    {"resources", C1Z_RESOURCES, &c1__resource__descriptor},
    {"entitlements", C1Z_ENTITLEMENTS, &c1__entitlement__descriptor},
    {"grants", C1Z_GRANTS, &c1__grant__descriptor},
};

enum relation { ABSENT, CHANGED, SAME };

struct change {
    const char *key;
    bool is_of_old; /* rows of the old sync, else of the new */
    enum relation relation;
};

static const struct change changes[] = {
    {"created", false, ABSENT},
    {"deleted", true, ABSENT},
    {"modified", false, CHANGED},
};

struct diff {
    struct session *s;
    const char *new_id, *old_id;
    struct jsonw w;
    struct buf row; /* a copy: looking up the other may take it away */
};

static bool relate(struct diff *d, enum c1z_table table, const char *sync_id, const char *id,
                   enum relation *ret_relation, struct err *err) {
    struct err why = ERR_INIT;
    struct c1z_row other;
    if (c1z_get(d->s->view->store, table, sync_id, id, &other, &why)) {
        bool is_same =
            other.data_len == d->row.len && memcmp(other.data, d->row.data, d->row.len) == 0;
        *ret_relation = is_same ? SAME : CHANGED;
        return true;
    }
    *ret_relation = ABSENT;
    return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.msg);
}

static bool write_rows(struct diff *d, size_t t, const struct change *change, struct c1z_iter *iter,
                       struct err *err) {
    arena_auto struct arena arena;
    arena_init(&arena);
    bool is_open = false;
    struct err why = ERR_INIT;
    for (struct c1z_row row; c1z_next(iter, &row, &why);) {
        arena_reset(&arena);
        buf_reset(&d->row);
        const char *id = arena_strdup(&arena, row.external_id);
        if (!buf_add(&d->row, row.data, row.data_len))
            return err_set(err, ERR_DATA_LOSS, "%s: larger than %d MiB", id,
                           PB_MESSAGE_MAX / (1024 * 1024));
        enum relation relation;
        if (!relate(d, tables[t].table, change->is_of_old ? d->new_id : d->old_id, id, &relation,
                    err))
            return false;
        if (relation != change->relation)
            continue;
        if (!is_open) {
            jsonw_key(&d->w, change->key);
            jsonw_array(&d->w);
            is_open = true;
        }
        if (!pb_json_write_bytes(&d->w, tables[t].type, (const uint8_t *)d->row.data, d->row.len,
                                 err))
            return err_wrap(err, "%s", id);
        out_flush_some(d->s->out);
    }
    if (is_open)
        jsonw_array_end(&d->w);
    return why.code == ERR_OK || err_set(err, why.code, "%s", why.msg);
}

static bool write_table(struct diff *d, size_t t, struct err *err) {
    jsonw_key(&d->w, tables[t].key);
    jsonw_object(&d->w);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct c1z_filter filter = {.sync_id = changes[i].is_of_old ? d->old_id : d->new_id};
        struct c1z_iter *iter = c1z_list(d->s->view->store, tables[t].table, &filter, err);
        bool ok = iter && write_rows(d, t, &changes[i], iter, err);
        c1z_iter_free(iter);
        if (!ok)
            return false;
    }
    jsonw_object_end(&d->w);
    return true;
}

static bool write_diff(struct diff *d, struct err *err) {
    jsonw_init(&d->w, &d->s->out->buf, false);
    jsonw_object(&d->w);
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        if (!write_table(d, t, err))
            return false;
    }
    jsonw_object_end(&d->w);
    return true;
}

/* The two newest finished full runs; NULL where there is none. */
static void choose(const struct view *view, const struct c1z_run **ret_new,
                   const struct c1z_run **ret_old, struct arena *arena) {
    *ret_old = NULL;
    *ret_new = c1z_newest_finished(view->runs, view->run_count, "full");
    if (!*ret_new)
        return;
    struct c1z_run *others = arena_array(arena, view->run_count, sizeof *others);
    size_t count = 0;
    for (size_t i = 0; i < view->run_count; i++) {
        if (&view->runs[i] != *ret_new)
            others[count++] = view->runs[i];
    }
    *ret_old = c1z_newest_finished(others, count, "full");
}

bool cmd_diff(struct session *s, struct err *err) {
    const struct c1z_run *newest, *before;
    choose(s->view, &newest, &before, &s->view->arena);
    if (!newest)
        return err_set(err, ERR_UNKNOWN, "no syncs found - cannot diff");
    if (!before)
        return err_set(err, ERR_UNKNOWN,
                       "cannot diff single sync run; sync once more into the same file");
    struct diff d = {.s = s, .new_id = newest->id, .old_id = before->id};
    buf_init(&d.row, PB_MESSAGE_MAX);
    bool ok = write_diff(&d, err);
    buf_done(&d.row);
    return ok;
}

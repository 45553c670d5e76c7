/* stats and syncs: the runs themselves. */
#include <string.h>

#include "base/clock.h"
#include "inspect/commands.h"
#include "inspect/plain.h"
#include "inspect/table.h"

/* --- JSON --- */

static void write_text(struct jsonw *w, const char *key, const char *value) {
    if (*value)
        jsonw_kv(w, key, value);
}

static void write_time(struct jsonw *w, const char *key, int64_t unix_ns) {
    char text[CLOCK_TEXT_MAX];
    if (!unix_ns)
        return;
    clock_format_rfc3339(unix_ns, text);
    jsonw_kv(w, key, text);
}

/* The members that SyncRun and SyncOutput share. */
static void write_run(struct jsonw *w, const struct c1z_run *run) {
    write_text(w, "id", run->id);
    write_time(w, "startedAt", run->started_at_ns);
    write_time(w, "endedAt", run->ended_at_ns);
    write_text(w, "syncToken", run->token);
    write_text(w, "syncType", run->type);
    write_text(w, "parentSyncId", run->parent_id);
}

/* An int64, which is a string in JSON. */
static void write_count(struct jsonw *w, const char *key, int64_t count) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)count);
    jsonw_kv(w, key, text);
}

/* The entries of the three maps; -1: none. Every stored type has one in the first (c1z.md 4.5). */
static int64_t resources_of(const struct c1z_type_count *c) {
    return c->is_listed ? c->resources : -1;
}

static int64_t grants_of(const struct c1z_type_count *c) {
    return c->grants ? c->grants : -1;
}

static int64_t entitlements_of(const struct c1z_type_count *c) {
    return c->entitlements ? c->entitlements : -1;
}

static void write_map(struct jsonw *w, const char *key, const struct c1z_counts *counts,
                      int64_t (*of)(const struct c1z_type_count *c)) {
    bool is_open = false;
    for (size_t i = 0; i < counts->by_type_count; i++) {
        int64_t count = of(&counts->by_type[i]);
        if (count < 0)
            continue;
        if (!is_open) {
            jsonw_key(w, key);
            jsonw_object(w);
            is_open = true;
        }
        write_count(w, counts->by_type[i].resource_type_id, count);
    }
    if (is_open)
        jsonw_object_end(w);
}

static void write_counts(struct jsonw *w, const struct c1z_counts *counts) {
    const struct {
        const char *key;
        int64_t count;
    } totals[] = {
        {"resourceTypes", counts->resource_types},
        {"resources", counts->resources},
        {"entitlements", counts->entitlements},
        {"grants", counts->grants},
    };
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        if (totals[i].count)
            write_count(w, totals[i].key, totals[i].count);
    }
    write_map(w, "resourcesByResourceType", counts, resources_of);
    write_map(w, "grantsByResourceType", counts, grants_of);
    write_map(w, "entitlementsByResourceType", counts, entitlements_of);
}

/* --- tables --- */

/* A token may be a whole JSON document; its beginning says what it is. */
enum { TOKEN_COLUMNS = 60 };

static const char *token_text(const char *token, struct arena *arena) {
    buf_auto struct buf text;
    buf_init(&text, OUT_ITEM_MAX);
    plain_adds_clipped(&text, token, TOKEN_COLUMNS);
    return text.len ? arena_strdup(arena, text.data) : "";
}

/* RFC 3339 to the second, as the real CLI shows times to people. */
static const char *time_text(int64_t unix_ns, const char *none, struct arena *arena) {
    char text[CLOCK_TEXT_MAX];
    if (!unix_ns)
        return none;
    clock_format_rfc3339(unix_ns - unix_ns % CLOCK_NS_PER_S, text);
    return arena_strdup(arena, text);
}

/* "1h2m3s", as Go prints a duration rounded to seconds. */
static const char *duration_text(const struct c1z_run *run, struct arena *arena) {
    if (!run->started_at_ns || !run->ended_at_ns)
        return "-";
    int64_t ns = run->ended_at_ns - run->started_at_ns;
    bool is_negative = ns < 0;
    long long s = ((is_negative ? -ns : ns) + CLOCK_NS_PER_S / 2) / CLOCK_NS_PER_S;
    const char *sign = is_negative && s ? "-" : "";
    if (s >= 3600)
        return arena_printf(arena, "%s%lldh%lldm%llds", sign, s / 3600, s / 60 % 60, s % 60);
    if (s >= 60)
        return arena_printf(arena, "%s%lldm%llds", sign, s / 60, s % 60);
    return arena_printf(arena, "%s%llds", sign, s);
}

struct report {
    const struct c1z_run *run;
    const struct c1z_counts *counts;
    struct arena *arena;
};

static bool run_rows(struct table *t, void *payload, struct err *err) {
    (void)err;
    const struct report *report = payload;
    const struct c1z_run *run = report->run;
    const char *const rows[][2] = {
        {"Engine", "sqlite"},
        {"Sync ID", run->id},
        {"Sync Type", run->type},
        {"Parent Sync ID", run->parent_id},
        {"Started At", time_text(run->started_at_ns, "-", report->arena)},
        {"Ended At", time_text(run->ended_at_ns, "-", report->arena)},
        {"Duration", duration_text(run, report->arena)},
        {"Sync Token", token_text(run->token, report->arena)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        table_row(t, rows[i]);
    return true;
}

static const char *count_text(int64_t count, struct arena *arena) {
    return arena_printf(arena, "%lld", (long long)count);
}

static bool total_rows(struct table *t, void *payload, struct err *err) {
    (void)err;
    const struct report *report = payload;
    const struct c1z_counts *counts = report->counts;
    const char *const rows[][2] = {
        {"Resource Types", count_text(counts->resource_types, report->arena)},
        {"Resources", count_text(counts->resources, report->arena)},
        {"Entitlements", count_text(counts->entitlements, report->arena)},
        {"Grants", count_text(counts->grants, report->arena)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        table_row(t, rows[i]);
    return true;
}

static bool type_rows(struct table *t, void *payload, struct err *err) {
    (void)err;
    const struct report *report = payload;
    for (size_t i = 0; i < report->counts->by_type_count; i++) {
        const struct c1z_type_count *c = &report->counts->by_type[i];
        const char *const cells[] = {
            c->resource_type_id,
            count_text(c->resources, report->arena),
            count_text(c->entitlements, report->arena),
            count_text(c->grants, report->arena),
        };
        table_row(t, cells);
    }
    return true;
}

static bool print_report(struct session *s, struct report *report, struct err *err) {
    static const struct table_column about[] = {{"Field", false}, {"Value", false}};
    static const struct table_column totals[] = {{"Type", false}, {"Count", true}};
    static const struct table_column types[] = {
        {"Resource Type", false}, {"Resources", true}, {"Entitlements", true}, {"Grants", true}};
    if (!table_print(s->out, about, 2, run_rows, report, err))
        return false;
    buf_addc(&s->out->buf, '\n');
    if (!table_print(s->out, totals, 2, total_rows, report, err))
        return false;
    if (report->counts->by_type_count == 0)
        return true;
    buf_addc(&s->out->buf, '\n');
    return table_print(s->out, types, 4, type_rows, report, err);
}

/* --- commands --- */

bool cmd_stats(struct session *s, struct err *err) {
    const struct c1z_run *run = s->view->run;
    /* An unfinished run is shown only where it was asked for by its id. */
    if (!run || (!run->ended_at_ns && !s->args->values[FLAG_SYNC_ID])) {
        buf_adds(&s->out->buf, "No finished sync found in the c1z\n");
        return true;
    }
    arena_auto struct arena arena;
    arena_init(&arena);
    struct c1z_counts counts;
    if (!c1z_count_run(s->view->store, run, &arena, &counts, err))
        return false;
    if (!s->args->want_json) {
        struct report report = {run, &counts, &arena};
        return print_report(s, &report, err);
    }
    struct jsonw w;
    jsonw_init(&w, &s->out->buf, false);
    jsonw_object(&w);
    write_run(&w, run);
    jsonw_key(&w, "stats");
    jsonw_object(&w);
    write_counts(&w, &counts);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return true;
}

static bool sync_rows(struct table *t, void *payload, struct err *err) {
    (void)err;
    const struct view *view = payload;
    arena_auto struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < view->run_count; i++) {
        const struct c1z_run *run = &view->runs[i];
        arena_reset(&arena);
        const char *const cells[] = {
            run->id,
            time_text(run->started_at_ns, "", &arena),
            time_text(run->ended_at_ns, "", &arena),
            run->type,
            run->parent_id,
            token_text(run->token, &arena),
        };
        table_row(t, cells);
    }
    return true;
}

bool cmd_syncs(struct session *s, struct err *err) {
    static const struct table_column columns[] = {{"ID", false},       {"Started At", false},
                                                  {"Ended At", false}, {"Type", false},
                                                  {"Parent ID", false}, {"Token", false}};
    if (!s->args->want_json)
        return table_print(s->out, columns, 6, sync_rows, s->view, err);
    struct jsonw w;
    jsonw_init(&w, &s->out->buf, false);
    jsonw_object(&w);
    for (size_t i = 0; i < s->view->run_count; i++) {
        if (i == 0) {
            jsonw_key(&w, "syncs");
            jsonw_array(&w);
        }
        jsonw_object(&w);
        write_run(&w, &s->view->runs[i]);
        jsonw_object_end(&w);
        out_flush_some(s->out);
    }
    if (s->view->run_count)
        jsonw_array_end(&w);
    jsonw_object_end(&w);
    return true;
}

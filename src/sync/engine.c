#include "sync/engine.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "pb/pack.h"
#include "sync/token.h"

enum { TOKEN_MAX = 64 * 1024, PROGRESS_EVERY = 1000 };

struct sync_emitter {
    struct c1z_store *store;
    const struct sync_request *request;
    struct sync_report *report;
    struct arena arena; /* for the parts of one emitted item */
    int64_t emitted;    /* in the current list call */
};

/* One run of the engine. */
struct engine {
    const struct sync_request *request;
    struct c1z_store *store;
    struct sync_report *report;
    struct sync_emitter emitter;
    struct sync_token token;
    struct buf token_text;
    struct arena arena; /* lives as long as the run */
    enum sync_phase phase;
};

static bool is_wanted(const struct sync_request *r, const char *type_id) {
    if (r->only_type_count == 0)
        return true;
    for (size_t i = 0; i < r->only_type_count; i++) {
        if (strcmp(r->only_types[i], type_id) == 0)
            return true;
    }
    return false;
}

static bool is_known_and_wanted(const struct sync_request *r, const char *type_id) {
    for (size_t i = 0; i < r->type_count; i++) {
        if (strcmp(r->types[i].id, type_id) == 0)
            return is_wanted(r, type_id);
    }
    return false;
}

static bool check_filter(const struct sync_request *r, struct err *err) {
    for (size_t i = 0; i < r->only_type_count; i++) {
        if (!is_known_and_wanted(r, r->only_types[i]))
            return err_set(err, ERR_UNKNOWN, "invalid resource type '%s' in filter",
                           r->only_types[i]);
    }
    return true;
}

/* --- emitting --- */

struct arena *sync_emitter_arena(struct sync_emitter *e) {
    return &e->arena;
}

/* What every emit does around its put. */
static bool emitted(struct sync_emitter *e, bool is_put, const char *phase, int64_t total,
                    struct err *err) {
    arena_reset(&e->arena);
    if (!is_put)
        return false;
    e->emitted++;
    if (total % PROGRESS_EVERY == 0 && e->request->progress)
        e->request->progress(phase, total, e->request->progress_payload);
    return cancel_check(e->request->cancel, err);
}

bool sync_emit_resource(struct sync_emitter *e, const C1__Resource *resource, struct err *err) {
    e->report->resources++;
    return emitted(e, c1z_put_resource(e->store, resource, err), "resources", e->report->resources,
                   err);
}

bool sync_emit_entitlement(struct sync_emitter *e, const C1__Entitlement *ent, struct err *err) {
    if (!is_known_and_wanted(e->request, ent->resource->id->resource_type)) {
        e->report->entitlements_dropped++;
        arena_reset(&e->arena);
        return true;
    }
    e->report->entitlements++;
    return emitted(e, c1z_put_entitlement(e->store, ent, err), "entitlements",
                   e->report->entitlements, err);
}

bool sync_emit_grant(struct sync_emitter *e, const C1__Grant *grant, struct err *err) {
    if (!is_known_and_wanted(e->request, grant->entitlement->resource->id->resource_type) ||
        !is_known_and_wanted(e->request, grant->principal->id->resource_type)) {
        /* A grant to a principal that is not in the file would dangle (c1z.md 4.2). */
        e->report->grants_dropped++;
        arena_reset(&e->arena);
        return true;
    }
    e->report->grants++;
    return emitted(e, c1z_put_grant(e->store, grant, err), "grants", e->report->grants, err);
}

/* --- phases --- */

static bool enter_phase(struct engine *g, enum sync_phase phase, struct err *err) {
    g->phase = phase;
    sync_token_running(&g->token, phase, &g->token_text);
    return cancel_check(g->request->cancel, err) &&
           c1z_checkpoint(g->store, g->token_text.data, err);
}

static bool sync_types(struct engine *g, struct err *err) {
    const struct sync_request *r = g->request;
    if (!enter_phase(g, SYNC_RESOURCE_TYPES, err))
        return false;
    log_info(r->log, "Syncing resource types...");
    int64_t count = 0;
    for (size_t i = 0; i < r->type_count; i++) {
        if (!is_wanted(r, r->types[i].id))
            continue;
        C1__ResourceType *m = sync_resource_type_message(&r->types[i], &g->emitter.arena);
        bool ok = c1z_put_resource_type(g->store, m, err);
        arena_reset(&g->emitter.arena);
        if (!ok)
            return false;
        count++;
    }
    log_info(r->log, "Synced resource types", LOG_INT("count", count));
    g->token.actions_done++;
    return true;
}

static bool sync_resources(struct engine *g, struct err *err) {
    const struct sync_request *r = g->request;
    if (!enter_phase(g, SYNC_RESOURCES, err))
        return false;
    log_info(r->log, "Syncing resources...");
    for (size_t i = 0; i < r->type_count; i++) {
        const struct sync_resource_type *type = &r->types[i];
        if (!is_wanted(r, type->id))
            continue;
        g->emitter.emitted = 0;
        if (r->source->resources &&
            !r->source->resources(g->request->state, type, &g->emitter, err))
            return err_wrap(err, "listing resources failed");
        log_info(r->log, "Synced resources", LOG_STR("resource_type_id", type->id),
                 LOG_INT("count", g->emitter.emitted));
        g->token.actions_done++;
    }
    g->token.actions_done++;
    return true;
}

typedef bool (*list_callback)(void *state, const C1__Resource *resource, struct sync_emitter *e,
                              struct err *err);

/* Calls `list` for every stored resource of the type. */
static bool visit_resources(struct engine *g, const struct sync_resource_type *type,
                            list_callback list, int64_t *ret_count, struct err *err) {
    struct c1z_filter filter = {.sync_id = g->report->run_id, .resource_type_id = type->id};
    struct c1z_iter *iter = c1z_list(g->store, C1Z_RESOURCES, &filter, err);
    if (!iter)
        return false;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct c1z_row row;
    bool ok = true;
    struct err end = ERR_INIT;
    *ret_count = 0;
    while (ok && c1z_next(iter, &row, &end)) {
        C1__Resource *resource = (C1__Resource *)pb_unpack(&c1__resource__descriptor, row.data,
                                                           row.data_len, &arena, err);
        ok = resource && list(g->request->state, resource, &g->emitter, err);
        arena_reset(&arena);
        (*ret_count)++;
        g->token.actions_done++;
    }
    c1z_iter_free(iter);
    if (ok && end.code != ERR_OK) {
        if (err)
            *err = end;
        ok = false;
    }
    return ok;
}

/* Entitlements and grants go the same way: for each type that has them, for each resource. */
static bool sync_per_resource(struct engine *g, enum sync_phase phase, const char *starting,
                              const char *done, const char *failed, list_callback list,
                              struct err *err) {
    const struct sync_request *r = g->request;
    if (!enter_phase(g, phase, err))
        return false;
    log_info(r->log, starting);
    for (size_t i = 0; i < r->type_count; i++) {
        const struct sync_resource_type *type = &r->types[i];
        if (!list || !is_wanted(r, type->id) || !type->has_entitlements_and_grants)
            continue;
        int64_t count;
        if (!visit_resources(g, type, list, &count, err))
            return err_wrap(err, "%s", failed);
        log_info(r->log, done, LOG_STR("resource_type_id", type->id), LOG_INT("count", count),
                 LOG_INT("total", count));
    }
    g->token.actions_done++;
    return true;
}

/* The connector contract has no static entitlements; the phase exists so that tokens and logs match
 * the SDK's. It counts one action per resource type and one for itself. */
static bool sync_static_entitlements(struct engine *g, struct err *err) {
    const struct sync_request *r = g->request;
    if (!enter_phase(g, SYNC_STATIC_ENTITLEMENTS, err))
        return false;
    log_info(r->log, "Syncing static entitlements...");
    for (size_t i = 0; i < r->type_count; i++)
        g->token.actions_done += is_wanted(r, r->types[i].id);
    g->token.actions_done++;
    return true;
}

static bool sync_memberships(struct engine *g, struct err *err) {
    const struct sync_source *source = g->request->source;
    if (!sync_static_entitlements(g, err) ||
        !sync_per_resource(g, SYNC_ENTITLEMENTS, "Syncing entitlements...", "Synced entitlements",
                           "listing entitlements failed", source->entitlements, err) ||
        (!g->request->skip_grants &&
         !sync_per_resource(g, SYNC_GRANTS, "Syncing grants...", "Synced grants",
                            "listing grants failed", source->grants, err)))
        return false;
    const struct sync_report *report = g->report;
    if (report->grants_dropped || report->entitlements_dropped)
        log_warn(g->request->log,
                 "fresh ingest filtered references into resource types not scheduled for this sync",
                 LOG_INT("entitlements_dropped", report->entitlements_dropped),
                 LOG_INT("grants_dropped", report->grants_dropped));
    if (!enter_phase(g, SYNC_EXPANSION, err))
        return false;
    g->token.actions_done++;
    return true;
}

static bool begin(struct engine *g, struct err *err) {
    const struct sync_request *r = g->request;
    struct c1z_run run;
    bool resumed;
    const char *type = r->skip_entitlements_and_grants ? "resources_only" : "full";
    if (!c1z_begin_run(g->store, type, &g->arena, &run, &resumed, err))
        return false;
    memcpy(g->report->run_id, run.id, strnlen(run.id, KSUID_LEN));
    g->report->is_resumed = resumed;
    g->report->keep_unfinished = true;
    if (resumed)
        log_info(r->log, "resumed previous sync", LOG_STR("sync_id", run.id));
    g->token.actions_done = 1; /* the init action */
    return true;
}

static bool end(struct engine *g, struct err *err) {
    struct sync_token *t = &g->token;
    if (!t->resources_only)
        t->reason_flags = SYNC_CHECKS_NOT_EVALUATED |
                          (g->report->entitlements_dropped ? SYNC_DROPPED_ENTITLEMENT : 0) |
                          (g->report->grants_dropped ? SYNC_DROPPED_GRANT : 0);
    sync_token_finished(t, &g->token_text);
    assert(buf_ok(&g->token_text));
    return c1z_end_run(g->store, g->token_text.data, err);
}

static bool run_phases(struct engine *g, struct err *err) {
    const struct sync_request *r = g->request;
    if (r->source->validate && !r->source->validate(r->state, err))
        return err_wrap(err, "validate failed");
    if (!begin(g, err))
        return false;
    if (r->skip_everything) {
        log_info(r->log, "skipping sync");
        return end(g, err);
    }
    return sync_types(g, err) && sync_resources(g, err) &&
           (r->skip_entitlements_and_grants || sync_memberships(g, err)) && end(g, err);
}

bool sync_engine_run(struct c1z_store *store, const struct sync_request *request,
                     struct sync_report *ret_report, struct err *err) {
    struct err local = ERR_INIT;
    if (!err)
        err = &local;
    struct sync_report report = {0};
    struct engine g = {
        .request = request,
        .store = store,
        .report = &report,
        .emitter = {.store = store, .request = request, .report = &report},
        .token.resources_only = request->skip_entitlements_and_grants,
    };
    arena_init(&g.arena);
    arena_init(&g.emitter.arena);
    buf_init(&g.token_text, TOKEN_MAX);

    int64_t started = clock_mono_ms();
    bool ok = check_filter(request, err) && run_phases(&g, err);
    report.duration_ms = clock_mono_ms() - started;
    report.actions = g.token.actions_done;
    if (!ok) {
        /* What cannot be trusted is not kept; what was stopped by hand is not half-kept either. */
        enum err_code code = err->code;
        if (code == ERR_INTERNAL || code == ERR_DATA_LOSS || code == ERR_CANCELLED)
            report.keep_unfinished = false;
    } else {
        report.keep_unfinished = false;
        log_info(request->log, "Sync complete.", LOG_STR("sync_id", report.run_id),
                 LOG_MS("duration", report.duration_ms));
    }
    *ret_report = report;
    buf_done(&g.token_text);
    arena_done(&g.emitter.arena);
    arena_done(&g.arena);
    return ok;
}

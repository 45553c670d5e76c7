#include "sync/token.h"

#include <stdio.h>

#include "base/jsonw.h"

static const char *const operations[SYNC_PHASES] = {
    [SYNC_RESOURCE_TYPES] = "list-resource-types",
    [SYNC_RESOURCES] = "list-resources",
    [SYNC_STATIC_ENTITLEMENTS] = "list-static-entitlements",
    [SYNC_ENTITLEMENTS] = "list-entitlements",
    [SYNC_GRANTS] = "list-grants",
    [SYNC_EXPANSION] = "grant-expansion",
};

enum { ACTION_ID_LEN = 10 };

static int phase_count(const struct sync_token *t) {
    return t->resources_only ? SYNC_RESOURCES + 1 : SYNC_PHASES;
}

/* The stack is written bottom first, so the last phase has the lowest id. */
static void action_id(const struct sync_token *t, int phase, char out[ACTION_ID_LEN + 1]) {
    snprintf(out, ACTION_ID_LEN + 1, "%010u", (unsigned)(phase_count(t) - phase) % 1000000000u);
}

static void write_actions(struct jsonw *w, const struct sync_token *t, enum sync_phase next) {
    char id[ACTION_ID_LEN + 1];
    jsonw_key(w, "actions_map");
    jsonw_object(w);
    for (int p = phase_count(t) - 1; p >= (int)next; p--) {
        action_id(t, p, id);
        jsonw_key(w, id);
        jsonw_object(w);
        jsonw_kv(w, "id", id);
        jsonw_kv(w, "operation", operations[p]);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
    jsonw_key(w, "action_order");
    jsonw_array(w);
    for (int p = phase_count(t) - 1; p >= (int)next; p--) {
        action_id(t, p, id);
        jsonw_string(w, id);
    }
    jsonw_array_end(w);
}

static void write_rest(struct jsonw *w, const struct sync_token *t, int64_t next_id) {
    jsonw_kv_int(w, "current_action_id", next_id);
    if (t->resources_only)
        jsonw_kv_bool(w, "should_skip_entitlements_and_grants", true);
    jsonw_kv_int(w, "completed_actions_count", t->actions_done);
    jsonw_key(w, "ingest_quality");
    jsonw_object(w);
    if (t->reason_flags) {
        jsonw_kv_bool(w, "source_cache_replay_blocked", true);
        jsonw_kv_int(w, "reason_flags", t->reason_flags);
    }
    jsonw_object_end(w);
    jsonw_kv_int(w, "version", 1);
    jsonw_object_end(w);
}

void sync_token_running(const struct sync_token *t, enum sync_phase next, struct buf *out) {
    buf_reset(out);
    struct jsonw w;
    jsonw_init(&w, out, false);
    jsonw_object(&w);
    write_actions(&w, t, next);
    /* Every action so far got an id, those on the stack included. */
    int64_t on_stack = phase_count(t) - (int64_t)next;
    write_rest(&w, t, t->actions_done + on_stack);
}

void sync_token_finished(const struct sync_token *t, struct buf *out) {
    buf_reset(out);
    struct jsonw w;
    jsonw_init(&w, out, false);
    jsonw_object(&w);
    write_rest(&w, t, t->actions_done);
}

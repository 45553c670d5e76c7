#include "c1z/retention.h"

#include <stdlib.h>
#include <string.h>

#include "c1z/env.h"
#include "c1z/run.h"

enum { DEFAULT_LIMIT = 2 };

size_t retention_limit(void) {
    uint64_t limit;
    /* Go reads a signed number: what does not fit there is no number to it. */
    if (!c1z_env_number("BATON_KEEP_SYNC_COUNT", &limit) || limit == 0 || limit > INT64_MAX)
        limit = DEFAULT_LIMIT;
    return (size_t)limit - 1;
}

enum kind { KIND_KEPT, KIND_FULL, KIND_PARTIAL, KIND_DIFF };

/* Unfinished runs and the open one are never touched; an unknown type counts as full. */
static enum kind kind_of(const struct c1z_run *run, const char *open_id) {
    static const struct {
        const char *type;
        enum kind kind;
    } kinds[] = {
        {"partial", KIND_PARTIAL},
        {"resources_only", KIND_PARTIAL},
        {"partial_upserts", KIND_DIFF},
        {"partial_deletions", KIND_DIFF},
    };
    if (run->ended_at_ns == 0 || strcmp(run->id, open_id) == 0)
        return KIND_KEPT;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(run->type, kinds[i].type) == 0)
            return kinds[i].kind;
    }
    return KIND_FULL;
}

static size_t count_kind(const struct c1z_run *runs, size_t count, const char *open_id,
                         enum kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += kind_of(&runs[i], open_id) == kind;
    return n;
}

static void select_full(const struct c1z_run *runs, size_t count, const char *open_id, size_t limit,
                        bool *ret_delete) {
    size_t full = count_kind(runs, count, open_id, KIND_FULL);
    if (full <= limit)
        return;
    size_t overflow = full - limit;
    const struct c1z_run *cutoff = NULL;
    for (size_t i = 0; i < count && overflow > 0; i++) {
        if (kind_of(&runs[i], open_id) != KIND_FULL)
            continue;
        ret_delete[i] = true;
        cutoff = &runs[i];
        overflow--;
    }
    /* While a run is open the Go code measures partial runs against the newest full run that goes, not
     * against the oldest that stays (cutoffIdx-- in SelectSyncsToDelete). */
    for (size_t i = 0; i < count; i++) {
        if (kind_of(&runs[i], open_id) == KIND_PARTIAL && runs[i].ended_at_ns < cutoff->started_at_ns)
            ret_delete[i] = true;
    }
}

static void select_diffs(const struct c1z_run *runs, size_t count, const char *open_id,
                         bool *ret_delete) {
    if (count_kind(runs, count, open_id, KIND_DIFF) <= 2)
        return;
    const struct c1z_run *latest = NULL;
    for (size_t i = 0; i < count; i++) {
        if (kind_of(&runs[i], open_id) == KIND_DIFF)
            latest = &runs[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (kind_of(&runs[i], open_id) == KIND_DIFF)
            ret_delete[i] = strcmp(runs[i].id, latest->id) != 0 &&
                            strcmp(runs[i].id, latest->linked_id) != 0;
    }
}

void retention_select(const struct c1z_run *runs, size_t count, const char *open_id, size_t limit,
                      bool *ret_delete) {
    select_full(runs, count, open_id, limit, ret_delete);
    select_diffs(runs, count, open_id, ret_delete);
}

bool retention_apply(struct db *db, const char *open_id, struct err *err) {
    if (c1z_env_true("BATON_SKIP_CLEANUP"))
        return true;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct c1z_run *runs;
    size_t count;
    if (!run_list(db, &arena, &runs, &count, err))
        return false;
    bool *is_doomed = arena_array(&arena, count, sizeof *is_doomed);
    retention_select(runs, count, open_id, retention_limit(), is_doomed);
    for (size_t i = 0; i < count; i++) {
        if (is_doomed[i] && !run_delete_rows(db, runs[i].id, true, err))
            return err_wrap(err, "remove the old sync %s", runs[i].id);
    }
    return true;
}

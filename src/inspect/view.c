#include "inspect/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static bool choose(struct view *v, const char *sync_id, struct err *err) {
    if (!sync_id) {
        v->run = c1z_newest_finished(v->runs, v->run_count, NULL);
        if (!v->run)
            v->run = c1z_newest_unfinished(v->runs, v->run_count);
        return true;
    }
    for (size_t i = 0; i < v->run_count; i++) {
        if (strcmp(v->runs[i].id, sync_id) == 0) {
            v->run = &v->runs[i];
            return true;
        }
    }
    return err_set(err, ERR_NOT_FOUND,
                   "no sync \"%s\" in this file; `baton-inspect syncs` lists those that are there",
                   sync_id);
}

static bool is_missing_or_empty(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT;
    return S_ISREG(st.st_mode) && st.st_size == 0;
}

struct view *view_open(const char *path, const char *flag, const char *sync_id, struct err *err) {
    struct view *v = mem_zalloc(sizeof *v);
    arena_init(&v->arena);
    struct c1z_options options = {.mode = C1Z_READ};
    v->store = c1z_open(path, &options, err);
    if (v->store && c1z_list_runs(v->store, &v->arena, &v->runs, &v->run_count, err) &&
        choose(v, sync_id, err))
        return v;
    if (!v->store && is_missing_or_empty(path))
        err_append(err, "; run baton-crisp first, or name the file with %s", flag);
    view_close(v);
    return NULL;
}

void view_prefer(struct view *v, const char *type) {
    const struct c1z_run *run = c1z_newest_finished(v->runs, v->run_count, type);
    if (run)
        v->run = run;
}

void view_close(struct view *v) {
    if (!v)
        return;
    c1z_close(v->store);
    arena_done(&v->arena);
    free(v);
}

const char *view_sync_id(const struct view *v) {
    return v->run ? v->run->id : NULL;
}

struct c1z_iter *view_list(struct view *v, enum c1z_table table, struct c1z_filter filter,
                           struct err *err) {
    filter.sync_id = view_sync_id(v);
    return c1z_list(v->store, table, &filter, err);
}

bool view_get(struct view *v, enum c1z_table table, const char *external_id,
              struct c1z_row *ret_row, struct err *err) {
    if (v->run)
        return c1z_get(v->store, table, v->run->id, external_id, ret_row, err);
    struct err why = ERR_INIT;
    err_set(&why, ERR_NOT_FOUND, "the file holds no sync");
    for (size_t i = v->run_count; i-- > 0 && why.code == ERR_NOT_FOUND;) {
        err_clear(&why);
        if (c1z_get(v->store, table, v->runs[i].id, external_id, ret_row, &why))
            return true;
    }
    return err_set(err, why.code, "%s", why.msg);
}

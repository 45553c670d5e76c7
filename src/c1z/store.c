#include "c1z/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "c1z/engine.h"
#include "c1z/env.h"
#include "c1z/manifest.h"
#include "c1z/target.h"

enum { FINALIZE_TIMEOUT_S = 3600 };

/* --- opening --- */

static bool check_wish(const struct c1z_options *o, struct err *err) {
    const char *wish = o->engine;
    /* A reader takes the file as it is (c1z.md 1.4). */
    if (o->mode == C1Z_READ || !wish || !*wish || strcmp(wish, "sqlite") == 0)
        return true;
    if (strcmp(wish, "pebble") == 0)
        return err_set(err, ERR_UNKNOWN,
                       "this version cannot write the v3 (Pebble) format: set the storage engine to "
                       "sqlite or leave it unset");
    return err_set(err, ERR_UNKNOWN,
                   "unknown storage engine \"%s\": set it to sqlite or leave it unset", wish);
}

static bool refuse_v3(int fd, struct err *err) {
    struct manifest m;
    if (!manifest_read(fd, &m, err))
        return false;
    err_set(err, ERR_UNIMPLEMENTED, "this is a c1z of the v3 format (engine %s", m.engine);
    if (*m.sync_id)
        err_append(err, ", sync %s", m.sync_id);
    if (m.has_counts)
        err_append(err, ", %" PRId64 " resources, %" PRId64 " grants", m.resources, m.grants);
    return err_append(err, "), which this version cannot read: have the connector that wrote it write "
                           "a new file, with --storage-engine sqlite (it keeps the format of one that "
                           "is there)");
}

/* Chooses the engine by the first bytes; leaves fd behind them. */
static const struct c1z_engine *recognise(int fd, struct err *err) {
    uint8_t magic[ENVELOPE_MAGIC_LEN];
    ssize_t n = read(fd, magic, sizeof magic);
    if (n < 0) {
        err_set_errno(err, ERR_UNKNOWN, errno, "read the file");
        return NULL;
    }
    if (n < ENVELOPE_MAGIC_LEN) {
        err_set(err, ERR_UNKNOWN, "unexpected EOF: the file ends too early");
        return NULL;
    }
    switch (envelope_kind(magic)) {
    case ENVELOPE_V1:
        return &c1z_engine_sqlite;
    case ENVELOPE_V3:
        refuse_v3(fd, err);
        return NULL;
    default:
        err_set(err, ERR_UNKNOWN, "c1z: invalid file: it does not begin as a c1z does");
        return NULL;
    }
}

/* *ret_fd is -1 for a missing or empty file. */
static bool open_file(const char *path, int *ret_fd, struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    *ret_fd = -1;
    if (fd < 0)
        return errno == ENOENT || err_set_errno(err, ERR_UNKNOWN, errno, "open");
    if (fstat(fd, &st) != 0)
        err_set_errno(err, ERR_UNKNOWN, errno, "open");
    else if (!S_ISREG(st.st_mode))
        err_set(err, ERR_UNKNOWN, "not a regular file");
    else if (st.st_size == 0) {
        close(fd);
        return true;
    } else {
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        *ret_fd = fd;
        return true;
    }
    close(fd);
    return false;
}

static struct c1z_store *open_store(const char *path, const struct c1z_options *o, struct err *err) {
    int fd;
    if (!open_file(path, &fd, err))
        return NULL;
    if (fd < 0 && o->mode == C1Z_READ) {
        err_set(err, ERR_UNKNOWN, "does not exist or is empty");
        return NULL;
    }
    const struct c1z_engine *engine = fd < 0 ? &c1z_engine_sqlite : recognise(fd, err);
    struct c1z_store *store = engine ? engine->open(fd, o, err) : NULL;
    if (fd >= 0)
        close(fd);
    if (store)
        store->engine = engine;
    return store;
}

struct c1z_store *c1z_open(const char *path, const struct c1z_options *options, struct err *err) {
    if (!check_wish(options, err))
        return NULL;
    struct target_origin origin = {0};
    struct c1z_store *store = NULL;
    if (options->mode == C1Z_READ || target_look(path, &origin, err))
        store = open_store(path, options, err);
    if (!store) {
        target_origin_done(&origin);
        err_wrap(err, "open %s", path);
        return NULL;
    }
    store->origin = origin;
    store->path = mem_strdup(path);
    store->mode = options->mode;
    store->cancel = options->cancel;
    return store;
}

struct c1z_store *c1z_open_new(const struct c1z_options *options, struct err *err) {
    struct c1z_store *store =
        check_wish(options, err) ? c1z_engine_sqlite.open(-1, options, err) : NULL;
    if (!store)
        return NULL;
    store->engine = &c1z_engine_sqlite;
    store->mode = C1Z_WRITE;
    store->cancel = options->cancel;
    return store;
}

void c1z_close(struct c1z_store *store) {
    if (!store)
        return;
    free(store->path);
    target_origin_done(&store->origin);
    store->engine->close(store);
}

/* --- saving --- */

bool c1z_check_target(const char *path, struct err *err) {
    return target_check(path, err);
}

struct save {
    struct c1z_store *store;
    struct target target;
    struct c1z_saved done;
    uint64_t size; /* of the database */
    uint64_t written;
    uint64_t limit_s;
    int64_t deadline_ms;
    c1z_written *tell; /* NULL: nobody */
    void *payload;
};

/* Adds what the file will need, by how well it compressed so far. */
static bool explain_no_space(const struct save *s, struct err *err) {
    uint64_t need = s->size;
    if (s->written > 0 && s->done.decompressed_bytes > 0)
        need = (uint64_t)((double)s->written * (double)s->size / (double)s->done.decompressed_bytes);
    return err_append(err, ": about %" PRIu64 " bytes are needed, %" PRIu64 " are free", need,
                      target_free_bytes(&s->target));
}

static bool save_sink(void *payload, const void *bytes, size_t n, struct err *err) {
    struct save *s = payload;
    if (!cancel_check(s->store->cancel, err))
        return false;
    if (clock_mono_ms() > s->deadline_ms)
        return err_set(err, ERR_DEADLINE_EXCEEDED,
                       "saving took longer than %" PRIu64 " s; BATON_C1Z_FINALIZE_TIMEOUT sets the limit",
                       s->limit_s);
    if (!target_write(&s->target, bytes, n, err)) {
        if (err && err->code == ERR_RESOURCE_EXHAUSTED)
            explain_no_space(s, err);
        return false;
    }
    s->written += n;
    if (s->tell)
        s->tell(n, s->payload);
    return true;
}

static void set_deadline(struct save *s) {
    uint64_t limit;
    if (!c1z_env_number("BATON_C1Z_FINALIZE_TIMEOUT", &limit) || limit == 0 || limit > INT32_MAX)
        limit = FINALIZE_TIMEOUT_S;
    s->limit_s = limit;
    s->deadline_ms = clock_mono_ms() + (int64_t)limit * 1000;
}

static bool save(struct save *s, struct err *err) {
    const struct c1z_engine *engine = s->store->engine;
    set_deadline(s);
    if (!cancel_check(s->store->cancel, err) || !engine->seal(s->store, &s->size, err) ||
        !target_open(&s->store->origin, &s->target, err))
        return false;
    bool ok = engine->write(s->store, save_sink, s, &s->done, err) && target_commit(&s->target, err);
    target_done(&s->target);
    return ok;
}

bool c1z_save(struct c1z_store *store, struct c1z_saved *ret_saved, struct err *err) {
    struct save s = {.store = store, .target = TARGET_INIT};
    if (store->mode == C1Z_READ || !store->path)
        return err_set(err, ERR_FAILED_PRECONDITION, "c1z: %s",
                       store->path ? "read only mode" : "a store without a file");
    if (store->is_changed) {
        if (!save(&s, err))
            return err_wrap(err, "save %s", store->path);
        s.done.is_written = true;
        store->is_changed = false;
        target_origin_done(&store->origin);
        if (!target_look(store->path, &store->origin, err))
            return err_wrap(err, "look again at %s", store->path);
    }
    if (ret_saved)
        *ret_saved = s.done;
    return true;
}

bool c1z_save_to(struct c1z_store *store, int fd, c1z_written *written, void *payload,
                 struct c1z_saved *ret_saved, struct err *err) {
    mem_auto char *name = mem_strdup("the temporary file");
    struct save s = {.store = store, .target = {.tmp = name, .fd = fd}, .tell = written, .payload = payload};
    set_deadline(&s);
    if (!cancel_check(store->cancel, err) || !store->engine->seal(store, &s.size, err) ||
        !store->engine->write(store, save_sink, &s, &s.done, err))
        return false;
    s.done.is_written = true;
    if (ret_saved)
        *ret_saved = s.done;
    return true;
}

/* --- runs and rows --- */

static bool check_writable(const struct c1z_store *store, struct err *err) {
    return store->mode == C1Z_WRITE || err_set(err, ERR_FAILED_PRECONDITION, "c1z: read only mode");
}

static bool check_run(const struct c1z_store *store, struct err *err) {
    if (!check_writable(store, err))
        return false;
    return store->has_run || err_set(err, ERR_FAILED_PRECONDITION, "c1file: sync is not active");
}

bool c1z_list_runs(struct c1z_store *store, struct arena *arena, struct c1z_run **ret_runs,
                   size_t *ret_count, struct err *err) {
    return store->engine->list_runs(store, arena, ret_runs, ret_count, err);
}

bool c1z_begin_run(struct c1z_store *store, const char *type, struct arena *arena,
                   struct c1z_run *ret_run, bool *ret_resumed, struct err *err) {
    if (!check_writable(store, err))
        return false;
    if (store->has_run)
        return err_set(err, ERR_FAILED_PRECONDITION, "a sync is running in this store already");
    store->is_changed = true;
    store->has_run = store->engine->begin_run(store, type, arena, ret_run, ret_resumed, err);
    return store->has_run;
}

bool c1z_put_resource_type(struct c1z_store *store, const C1__ResourceType *type, struct err *err) {
    return check_run(store, err) && store->engine->put_resource_type(store, type, err);
}

bool c1z_put_resource(struct c1z_store *store, const C1__Resource *resource, struct err *err) {
    return check_run(store, err) && store->engine->put_resource(store, resource, err);
}

bool c1z_put_entitlement(struct c1z_store *store, const C1__Entitlement *e, struct err *err) {
    return check_run(store, err) && store->engine->put_entitlement(store, e, err);
}

bool c1z_put_grant(struct c1z_store *store, const C1__Grant *grant, struct err *err) {
    return check_run(store, err) && store->engine->put_grant(store, grant, err);
}

bool c1z_checkpoint(struct c1z_store *store, const char *token, struct err *err) {
    return check_run(store, err) && store->engine->checkpoint(store, token, err);
}

bool c1z_end_run(struct c1z_store *store, const char *token, struct err *err) {
    if (!check_run(store, err))
        return false;
    store->has_run = false;
    return store->engine->end_run(store, token, err);
}

struct c1z_iter *c1z_list(struct c1z_store *store, enum c1z_table table,
                          const struct c1z_filter *filter, struct err *err) {
    struct c1z_iter *iter = store->engine->list(store, table, filter, err);
    if (iter)
        iter->engine = store->engine;
    return iter;
}

bool c1z_next(struct c1z_iter *iter, struct c1z_row *ret_row, struct err *err) {
    return iter->engine->next(iter, ret_row, err);
}

void c1z_iter_free(struct c1z_iter *iter) {
    if (iter)
        iter->engine->iter_free(iter);
}

bool c1z_get(struct c1z_store *store, enum c1z_table table, const char *sync_id,
             const char *external_id, struct c1z_row *ret_row, struct err *err) {
    return store->engine->get(store, table, sync_id, external_id, ret_row, err);
}

bool c1z_count_run(struct c1z_store *store, const struct c1z_run *run, struct arena *arena,
                   struct c1z_counts *ret_counts, struct err *err) {
    return store->engine->count_run(store, run, arena, ret_counts, err);
}

/* --- choosing a run (c1z.md 5.1) --- */

static bool is_later(const struct c1z_run *a, const struct c1z_run *b) {
    if (a->ended_at_ns != b->ended_at_ns)
        return a->ended_at_ns > b->ended_at_ns;
    return strcmp(a->id, b->id) > 0;
}

const struct c1z_run *c1z_newest_finished(const struct c1z_run *runs, size_t count, const char *type) {
    const struct c1z_run *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct c1z_run *run = &runs[i];
        if (run->ended_at_ns && (!type || strcmp(run->type, type) == 0) && (!best || is_later(run, best)))
            best = run;
    }
    return best;
}

const struct c1z_run *c1z_newest_unfinished(const struct c1z_run *runs, size_t count) {
    const struct c1z_run *best = NULL;
    int64_t oldest = clock_now_ns() - C1Z_RESUMABLE_NS;
    for (size_t i = 0; i < count; i++) {
        const struct c1z_run *run = &runs[i];
        if (!run->ended_at_ns && run->started_at_ns >= oldest &&
            (!best || run->started_at_ns > best->started_at_ns))
            best = run;
    }
    return best;
}

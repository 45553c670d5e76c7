#include "service/full_sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tmp.h"
#include "service/heartbeat.h"
#include "service/schedule.h"
#include "service/sync_job.h"
#include "service/worker.h"

/* A smaller file is compressed within milliseconds. */
enum { EARLY_BYTES = 1024 * 1024 };

struct full_sync {
    const struct runtime *rt;
    const Api__Task *task;
    full_sync_done *done;
    void *payload;
    struct heartbeat *heartbeat;
    struct worker *worker;
    struct c1_upload *upload;
    struct event *timer;
    struct event *written; /* by the child, into the file; NULL: it writes nothing now */
    int64_t written_bytes;
    struct sync_job job; /* owns its descriptors */
    int upload_fd;       /* which of them is being uploaded */
    int failures;        /* of this upload */
    struct err stopped;  /* code OK: not stopped */
    bool is_hopeless;    /* asked for what this program cannot do: asking again does not help */
    int64_t started_ms;
};

/* --- the end --- */

static void unwatch_written(struct full_sync *s) {
    if (s->written)
        event_free(s->written);
    if (s->job.written_fd >= 0)
        close(s->job.written_fd);
    s->written = NULL;
    s->job.written_fd = -1;
}

static void full_sync_free(struct full_sync *s) {
    heartbeat_free(s->heartbeat);
    worker_abandon(s->worker);
    c1_upload_cancel(s->upload);
    runtime_timer_free(&s->timer);
    unwatch_written(s);
    if (s->job.out_fd >= 0)
        close(s->job.out_fd);
    if (s->job.debug_fd >= 0)
        close(s->job.debug_fd);
    free(s);
}

static void count(struct full_sync *s, const struct err *err) {
    struct counters *c = s->rt->counters;
    int64_t took = clock_mono_ms() - s->started_ms;
    counters_add(c, err->code == ERR_OK          ? COUNTER_SYNC_SUCCESS
                    : err->code == ERR_CANCELLED ? COUNTER_SYNC_CANCELLED
                                                 : COUNTER_SYNC_FAILURE, 1);
    counters_add(c, COUNTER_SYNC_MS, took);
    counters_set(c, COUNTER_LAST_SYNC_MS, took);
    if (err->code == ERR_OK)
        counters_set(c, COUNTER_LAST_SUCCESS, clock_now_ns() / CLOCK_NS_PER_S);
}

static void end(struct full_sync *s, const struct err *err) {
    struct answer answer = {.err = s->stopped.code != ERR_OK ? s->stopped : *err};
    if (s->is_hopeless)
        answer_make_non_retryable(&answer);
    count(s, &answer.err);
    full_sync_done *done = s->done;
    void *payload = s->payload;
    full_sync_free(s);
    done(&answer, payload);
}

void full_sync_abandon(struct full_sync *s) {
    if (s)
        full_sync_free(s);
}

static void on_stopped(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct full_sync *s = payload;
    end(s, &s->stopped);
}

void full_sync_stop(struct full_sync *s, const char *why) {
    if (s->stopped.code != ERR_OK)
        return;
    err_set(&s->stopped, ERR_CANCELLED, "%s", why);
    c1_upload_cancel(s->upload);
    s->upload = NULL;
    if (s->worker) {
        worker_stop(s->worker); /* its end brings ours */
        return;
    }
    heartbeat_free(s->heartbeat);
    s->heartbeat = NULL;
    runtime_timer_free(&s->timer); /* made for another call */
    runtime_after(s->rt, &s->timer, 0, on_stopped, s);
}

/* --- the upload --- */

static void begin_upload(struct full_sync *s, bool is_growing);

static void on_upload_again(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    begin_upload(payload, false);
}

static void retry(struct full_sync *s, const struct err *why) {
    if (s->worker) {
        log_warn(s->rt->log, "upload failed; will retry when the file is complete",
                 LOG_STR("task_id", s->task->id), LOG_INT("attempt", s->failures), LOG_ERROR_FIELD(why));
        return;
    }
    int64_t wait = schedule_upload_retry(s->failures);
    log_warn(s->rt->log, "upload failed; will retry", LOG_STR("task_id", s->task->id),
             LOG_INT("attempt", s->failures), LOG_ERROR_FIELD(why), LOG_MS("wait", wait));
    runtime_after(s->rt, &s->timer, wait, on_upload_again, s);
}

static void on_uploaded(const struct err *err, bool is_from_server, void *payload) {
    (void)is_from_server;
    struct full_sync *s = payload;
    struct err outcome = runtime_outcome(err);
    bool is_log = s->upload_fd == s->job.debug_fd;
    s->upload = NULL;
    if (outcome.code != ERR_OK && ++s->failures < SCHEDULE_UPLOAD_TRIES) {
        retry(s, &outcome);
        return;
    }
    if (outcome.code == ERR_OK) {
        struct stat st = {0};
        fstat(s->upload_fd, &st);
        counters_add(s->rt->counters, COUNTER_UPLOAD_BYTES, st.st_size);
        log_info(s->rt->log, "uploaded asset", LOG_STR("task_id", s->task->id),
                 LOG_INT("size", st.st_size));
        if (!is_log && s->job.debug_fd >= 0) {
            s->upload_fd = s->job.debug_fd;
            s->failures = 0;
            begin_upload(s, false);
            return;
        }
    }
    if (is_log && outcome.code != ERR_OK) {
        log_warn(s->rt->log, "the debug log could not be uploaded; the sync itself is there",
                 LOG_STR("task_id", s->task->id), LOG_ERROR_FIELD(&outcome));
        err_clear(&outcome);
    }
    end(s, &outcome);
}

static void begin_upload(struct full_sync *s, bool is_growing) {
    s->upload = c1_upload_start(s->rt->client, s->rt->host.host_id, s->task->id, s->upload_fd,
                                is_growing, on_uploaded, s);
}

/* The child compresses and writes; what is there of a large file can go out meanwhile. Once: an upload that
 * has failed is begun again when the file is whole. */
static void on_written(evutil_socket_t fd, short what, void *payload) {
    (void)what;
    struct full_sync *s = payload;
    eventfd_t bytes = 0;
    if (eventfd_read(fd, &bytes) != 0 || s->stopped.code != ERR_OK)
        return;
    s->written_bytes += (int64_t)bytes;
    if (!s->upload && s->failures == 0 && s->written_bytes >= EARLY_BYTES)
        begin_upload(s, true);
    if (s->upload)
        c1_upload_grow(s->upload, s->written_bytes);
}

/* Where it cannot be watched, the upload begins when the file is complete. */
static void watch_written(struct full_sync *s) {
    s->job.written_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->job.written_fd >= 0)
        s->written = event_new(s->rt->base, s->job.written_fd, EV_READ | EV_PERSIST, on_written, s);
    if (!s->written || event_add(s->written, NULL) != 0)
        unwatch_written(s);
}

/* --- the sync --- */

static void on_synced(const struct err *err, const void *result, void *payload) {
    struct full_sync *s = payload;
    const struct sync_job_result *r = result;
    s->worker = NULL;
    unwatch_written(s);
    if (err->code != ERR_OK || s->stopped.code != ERR_OK) {
        end(s, err);
        return;
    }
    log_info(s->rt->log, "sync done", LOG_STR("task_id", s->task->id),
             LOG_STR("sync_id", r->report.run_id), LOG_INT("resources", r->report.resources),
             LOG_INT("grants", r->report.grants), LOG_MS("duration", r->report.duration_ms),
             LOG_INT("compressed_bytes", r->compressed_bytes));
    if (s->upload)
        c1_upload_complete(s->upload, (int64_t)r->compressed_bytes);
    else
        begin_upload(s, false);
}

/* A private file for what will be uploaded. */
static int make_file(const struct runtime *rt, const char *name, struct err *err) {
    struct err why = ERR_INIT;
    int fd = tmp_anonymous(tmp_dir(options_str(rt->env->options, "c1z-temp-dir")), &why);
    if (fd >= 0)
        return fd;
    log_info(rt->log, "no file can be made in the temp directory; memory is used in its place",
             LOG_ERROR_FIELD(&why));
    fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, errno, "cannot make a file for the sync");
    return fd;
}

static void choose_types(struct full_sync *s) {
    const Api__Task__SyncFullTask *t = s->task->sync_full;
    if (t->n_sync_resource_type_ids > 0) {
        s->job.only_types = (const char *const *)t->sync_resource_type_ids;
        s->job.only_type_count = t->n_sync_resource_type_ids;
    } else {
        s->job.only_type_count =
            options_list(s->rt->env->options, "sync-resource-types", &s->job.only_types);
    }
}

/* Which engine: the operator's choice, else the task's wish; v1 it is in any case (service-mode.md 5.3). */
static bool check_engine(const struct full_sync *s, struct err *err) {
    const char *own = options_str(s->rt->env->options, "storage-engine");
    const char *wish = *own ? own : s->task->sync_full->storage_engine;
    if (!*wish || strcmp(wish, "sqlite") == 0)
        return true;
    if (strcmp(wish, "pebble") != 0)
        return err_set(err, ERR_UNKNOWN, "require-engine-driver: dotc1z: engine not available: %s", wish);
    log_info(s->rt->log, "this version writes the v1 (SQLite) format only; C1 reads it as well",
             LOG_STR("task_id", s->task->id), LOG_STR("storage_engine", wish));
    return true;
}

static bool prepare(struct full_sync *s, struct err *err) {
    const Api__Task__SyncFullTask *t = s->task->sync_full;
    s->is_hopeless = t->n_targeted_sync_resources > 0;
    if (s->is_hopeless)
        return err_set(err, ERR_UNIMPLEMENTED,
                       "targeted sync of %zu resources: this connector reads its source whole and "
                       "does not announce targeted syncs", t->n_targeted_sync_resources);
    if (!check_engine(s, err))
        return false;
    choose_types(s);
    const struct options *o = s->rt->env->options;
    s->job.skip_entitlements_and_grants =
        t->skip_entitlements_and_grants || options_bool(o, "skip-entitlements-and-grants");
    s->job.skip_grants = t->skip_grants;
    s->job.skip_everything = options_bool(o, "skip-full-sync");
    s->job.out_fd = s->upload_fd = make_file(s->rt, "c1z", err);
    if (s->job.out_fd < 0)
        return false;
    watch_written(s);
    if (s->task->debug)
        s->job.debug_fd = make_file(s->rt, "debug.log", err);
    return !s->task->debug || s->job.debug_fd >= 0;
}

/* In the child. */
static bool run_job(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    struct full_sync *s = payload;
    return sync_job_run(&s->job, cancel, result, err);
}

static void work(struct full_sync *s) {
    struct err err = ERR_INIT;
    struct worker_options o = {
        .base = s->rt->base,
        .log = s->rt->log,
        .work = run_job,
        .done = on_synced,
        .payload = s,
        .result_len = sizeof(struct sync_job_result),
    };
    if (prepare(s, &err)) {
        o.keep[o.keep_count++] = s->job.out_fd;
        if (s->job.written_fd >= 0)
            o.keep[o.keep_count++] = s->job.written_fd;
        if (s->job.debug_fd >= 0)
            o.keep[o.keep_count++] = s->job.debug_fd;
        s->worker = worker_start(&o, &err);
    }
    if (!s->worker)
        end(s, &err);
}

/* --- heartbeats --- */

static void on_begun(const struct err *err, void *payload) {
    struct full_sync *s = payload;
    if (err->code == ERR_OK)
        work(s);
    else
        end(s, err);
}

static void on_lost(const struct err *err, void *payload) {
    struct full_sync *s = payload;
    log_warn(s->rt->log, "the task is given up", LOG_STR("task_id", s->task->id), LOG_ERROR_FIELD(err));
    full_sync_stop(s, err->msg);
}

struct full_sync *full_sync_start(const struct runtime *rt, const Api__Task *task, full_sync_done *done,
                                  void *payload) {
    struct full_sync *s = mem_zalloc(sizeof *s);
    *s = (struct full_sync){
        .rt = rt,
        .task = task,
        .done = done,
        .payload = payload,
        .job = {.connector = rt->connector, .env = rt->env, .out_fd = -1, .written_fd = -1, .debug_fd = -1},
        .stopped = ERR_INIT,
        .started_ms = clock_mono_ms(),
    };
    log_info(rt->log, "Handling full sync task.", LOG_STR("task_id", task->id));
    s->heartbeat = heartbeat_start(rt, task->id, on_begun, on_lost, s);
    return s;
}

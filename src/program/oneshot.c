#include "program/oneshot.h"

#include <string.h>
#include <sys/stat.h>

#include "program/progress.h"
#include "c1z/store.h"
#include "sync/engine.h"

static bool check_settings(const struct options *o, struct err *err) {
    const char *file = options_str(o, "file");
    if (!*file)
        return err_set(err, ERR_UNKNOWN, "c1zPath must be set when in on-demand mode: give --file");
    if (strncmp(file, "s3://", 5) == 0)
        return err_set(err, ERR_UNKNOWN,
                       "cannot write %s: s3:// paths are not supported; write a local file and "
                       "upload it",
                       file);
    const char *temp_dir = options_str(o, "c1z-temp-dir");
    struct stat st;
    if (*temp_dir && (stat(temp_dir, &st) != 0 || !S_ISDIR(st.st_mode)))
        return err_set(err, ERR_UNKNOWN, "the specified c1z temp dir does not exist: %s", temp_dir);
    return true;
}

static bool save(struct c1z_store *store, const char *file, struct log *log, struct err *err) {
    struct c1z_saved saved;
    if (!c1z_save(store, &saved, err))
        return false;
    if (saved.is_written)
        log_info(log, "c1z: saved", LOG_STR("output_path", file),
                 LOG_INT("decompressed_bytes", saved.decompressed_bytes),
                 LOG_INT("compressed_bytes", saved.compressed_bytes));
    return true;
}

/* A failed sync: keep the unfinished run if it is worth it, and say what became of the file. */
static void settle_failure(struct c1z_store *store, const struct sync_report *report,
                           const char *file, struct log *log, struct err *err) {
    struct err saving = ERR_INIT;
    if (!report->keep_unfinished)
        err_append(err, " (nothing was written to %s)", file);
    else if (save(store, file, log, &saving))
        err_append(err, " (the unfinished sync is kept in %s; the next run continues it)", file);
    else
        err_append(err, " (and the unfinished sync could not be kept: %s)", saving.msg);
}

/* Runs the engine with a connector that lives just as long: what it holds of the team is gone before the
 * indexes and the compression want memory. */
static bool run_engine(struct c1z_store *store, const struct baton_connector *connector,
                       const struct baton_env *env, struct sync_report *ret_report,
                       struct err *err) {
    const struct options *o = env->options;
    struct progress progress;
    progress_init(&progress);
    const char *const *only;
    struct sync_request request = {
        .source = &connector->source,
        .types = connector->resource_types,
        .type_count = connector->resource_type_count,
        .skip_entitlements_and_grants = options_bool(o, "skip-entitlements-and-grants"),
        .log = env->log,
        .cancel = env->cancel,
        .progress = progress_show,
        .progress_payload = &progress,
    };
    request.only_type_count = options_list(o, "sync-resource-types", &only);
    request.only_types = only;
    if (!connector->open(env, &request.state, err))
        return false;
    log_set_tap(env->log, progress_clear, &progress);
    bool ok = sync_engine_run(store, &request, ret_report, err);
    progress_clear(NULL, 0, &progress);
    log_set_tap(env->log, NULL, NULL);
    connector->close(request.state);
    return ok;
}

bool oneshot_sync(const struct baton_connector *connector, const struct baton_env *env,
                  struct err *err) {
    const struct options *o = env->options;
    const char *file = options_str(o, "file");
    if (!check_settings(o, err) || !c1z_check_target(file, err))
        return false;
    struct c1z_options how = {
        .mode = C1Z_WRITE,
        .temp_dir = options_str(o, "c1z-temp-dir"),
        .engine = options_str(o, "storage-engine"),
        .cancel = env->cancel,
    };
    struct c1z_store *store = c1z_open(file, &how, err);
    if (!store)
        return err_append(err, " (%s was left alone: move it away, or choose another --file)", file);
    struct sync_report report = {0};
    bool ok = run_engine(store, connector, env, &report, err);
    if (ok)
        ok = save(store, file, env->log, err);
    else
        settle_failure(store, &report, file, env->log, err);
    c1z_close(store);
    return ok;
}

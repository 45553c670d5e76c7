#include "service/sync_job.h"

#include <sys/eventfd.h>

#include "c1z/store.h"

static bool fill(const struct sync_job *job, const struct baton_env *env, struct c1z_store *store,
                 struct sync_report *ret_report, struct err *err) {
    const struct baton_connector *connector = job->connector;
    struct sync_request request = {
        .source = &connector->source,
        .types = connector->resource_types,
        .type_count = connector->resource_type_count,
        .only_types = job->only_types,
        .only_type_count = job->only_type_count,
        .skip_entitlements_and_grants = job->skip_entitlements_and_grants,
        .skip_grants = job->skip_grants,
        .skip_everything = job->skip_everything,
        .log = env->log,
        .cancel = env->cancel,
    };
    if (!connector->open(env, &request.state, err))
        return false;
    bool ok = sync_engine_run(store, &request, ret_report, err);
    connector->close(request.state);
    return ok;
}

static void count_written(uint64_t bytes, void *payload) {
    const struct sync_job *job = payload;
    if (job->written_fd >= 0)
        eventfd_write(job->written_fd, bytes);
}

bool sync_job_run(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    struct sync_job *job = payload;
    struct sync_job_result *r = result;
    struct baton_env env = *job->env;
    env.cancel = cancel;
    log_copy_to(env.log, job->debug_fd);
    struct c1z_options how = {
        .mode = C1Z_WRITE,
        .temp_dir = options_str(env.options, "c1z-temp-dir"),
        .cancel = cancel,
    };
    struct c1z_store *store = c1z_open_new(&how, err);
    if (!store)
        return false;
    struct c1z_saved saved;
    bool ok = fill(job, &env, store, &r->report, err) &&
              c1z_save_to(store, job->out_fd, count_written, job, &saved, err);
    if (ok) {
        r->compressed_bytes = saved.compressed_bytes;
        r->decompressed_bytes = saved.decompressed_bytes;
    }
    c1z_close(store);
    return ok;
}

bool sync_job_validate(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    (void)result;
    const struct sync_job *job = payload;
    struct baton_env env = *job->env;
    env.cancel = cancel;
    void *state;
    if (!job->connector->open(&env, &state, err))
        return false;
    bool ok = !job->connector->source.validate || job->connector->source.validate(state, err);
    job->connector->close(state);
    return ok;
}

/* sync_job: the work of a full-sync task, done in a child process (service/worker.h): the connector is
 * opened, the engine fills a new store, the store is written into `out_fd`, an empty file that has no
 * name, from its start to its end. With `debug_fd` every log line of the work goes there too, at debug level.
 */
#ifndef SERVICE_SYNC_JOB_H
#define SERVICE_SYNC_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "baton/connector.h"
#include "sync/engine.h"

struct sync_job {
    const struct baton_connector *connector;
    const struct baton_env *env;
    const char *const *only_types; /* borrowed; the child has its own copy of all memory */
    size_t only_type_count;
    bool skip_entitlements_and_grants, skip_grants, skip_everything;
    int out_fd;
    int written_fd; /* an eventfd(2) that counts the bytes written into out_fd; -1: none */
    int debug_fd;   /* -1: none */
};

/* Plain data: it comes back through a pipe. */
struct sync_job_result {
    struct sync_report report;
    uint64_t compressed_bytes, decompressed_bytes;
};

/* A worker_work: payload is a struct sync_job, result a struct sync_job_result. */
bool sync_job_run(void *payload, const struct cancel *cancel, void *result, struct err *err);
/* A worker_work without result: is the upstream there, and do the credentials hold? Payload as above. */
bool sync_job_validate(void *payload, const struct cancel *cancel, void *result, struct err *err);

#endif

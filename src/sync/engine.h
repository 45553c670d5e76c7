/* engine: one sync, from a source into a store, in the order of c1z.md section 4.
 *
 * validate -> begin or continue a run -> resource types -> resources -> entitlements -> grants ->
 * end the run. The engine does not save the store: its caller does, also after a failure that leaves
 * an unfinished run worth keeping (`ret_report->keep_unfinished`): one with any code but Internal and
 * DataLoss (the answer cannot be trusted) and Canceled.
 *
 * Unlike baton-sdk's syncer, NotFound from a list callback is an error like any other: there it is a
 * warning, and a website that cannot be found ends as one without members (c1z.md 4.4).
 *
 * Each phase is logged with the messages and fields of connector-cli.md section 4.
 */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/log.h"
#include "c1z/store.h"
#include "sync/source.h"

struct sync_request {
    const struct sync_source *source;
    void *state; /* of the source */
    const struct sync_resource_type *types;
    size_t type_count;
    /* Only these resource types; none: all. An unknown one is an error. */
    const char *const *only_types;
    size_t only_type_count;
    bool skip_entitlements_and_grants; /* a "resources_only" run */
    bool skip_grants;
    bool skip_everything; /* validate, and make an empty full run: what the SDK calls skipping a sync */
    struct log *log;
    const struct cancel *cancel;
    /* Called now and then with what was written so far; may be NULL. */
    void (*progress)(const char *phase, int64_t count, void *payload);
    void *progress_payload;
};

struct sync_report {
    char run_id[KSUID_LEN + 1];
    bool is_resumed;
    bool keep_unfinished; /* on failure: save the store, the next sync continues the run */
    int64_t resources, entitlements, grants;
    int64_t entitlements_dropped, grants_dropped; /* into types that were not asked for */
    int64_t actions, duration_ms;
};

bool sync_engine_run(struct c1z_store *store, const struct sync_request *request,
                     struct sync_report *ret_report, struct err *err);

#endif

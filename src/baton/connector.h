/* connector: the contract between the SDK layer and a connector.
 *
 * A connector is one const table. The SDK derives from it the program: flags, help, `config` and
 * `capabilities` output, one-shot sync, service mode. Callbacks never see flags, files,
 * threads, SQLite or gRPC. They run in one thread, one after the other:
 *
 *     open -> validate -> [resources of each type] -> [entitlements] -> [grants] -> close
 *
 * What a callback emits is borrowed by the emitter for that one call; build it in the arena of the
 * context, which the SDK empties between callbacks and, when a callback asks with emit_flush(),
 * between items. A callback that returns false ends the sync with the code in err.
 *
 * Codes: Internal and DataLoss mean "the answer cannot be trusted": nothing is saved. Any other code
 * from a list callback saves the unfinished run, so that the next sync continues it.
 */
#ifndef BATON_CONNECTOR_H
#define BATON_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baton/field.h"
#include "baton/meter.h"
#include "baton/options.h"
#include "base/arena.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/log.h"
#include "sync/source.h"

struct baton_env {
    const struct options *options; /* values of the connector's and the SDK's fields */
    const char *user_agent;        /* "baton-crisp/1.2.3" */
    struct log *log;
    const struct cancel *cancel;
    const struct meter *meter; /* NULL: nobody wants the numbers */
};

struct baton_connector {
    const char *name;         /* program name: "baton-crisp" */
    const char *version;
    const char *display_name; /* "Crisp" */
    const char *description;
    const char *help_url, *icon_url;
    const char *example; /* one command line for --help */
    const struct field *fields;
    size_t field_count;
    const struct field_relation *relations; /* between the connector's own fields; NULL: none */
    size_t relation_count;
    const struct sync_resource_type *resource_types;
    size_t resource_type_count;
    const struct meter_row *meters; /* may be NULL */
    size_t meter_count;

    /* Before many syncs in children of one process: what they can share, such as loading a library. May be
     * NULL. */
    bool (*prepare)(struct err *err);
    /* Makes the connector's state from the settings; no network yet. */
    bool (*open)(const struct baton_env *env, void **ret_state, struct err *err);
    struct sync_source source; /* the callbacks of a sync, see sync/source.h */
    void (*close)(void *state);
};

#endif

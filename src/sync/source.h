/* source: where a sync gets its data, as a table of callbacks that a connector fills.
 *
 * `state` is the connector's own. A missing callback means the connector has nothing of that kind.
 * Emitted messages are borrowed for the call. See baton/connector.h for the rules.
 */
#ifndef SYNC_SOURCE_H
#define SYNC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "connector.pb-c.h"

/* A resource type the connector can list, in the form of the table. */
struct sync_resource_type {
    const char *id, *display_name, *description;
    const C1__ResourceType__Trait *traits;
    size_t trait_count;
    bool has_entitlements_and_grants; /* false: annotated SkipEntitlementsAndGrants */
};

/* The message for it, in the arena. Without description in `capabilities` (connector-cli.md 6.2). */
C1__ResourceType *sync_resource_type_message(const struct sync_resource_type *type,
                                             struct arena *arena);

struct sync_emitter;

bool sync_emit_resource(struct sync_emitter *e, const C1__Resource *resource, struct err *err);
bool sync_emit_entitlement(struct sync_emitter *e, const C1__Entitlement *ent, struct err *err);
bool sync_emit_grant(struct sync_emitter *e, const C1__Grant *grant, struct err *err);
/* For the parts of one item; emptied after each emit. */
struct arena *sync_emitter_arena(struct sync_emitter *e);

struct sync_source {
    /* Proves that the source can be reached and is the right one. Nothing has been written yet. */
    bool (*validate)(void *state, struct err *err);
    bool (*resources)(void *state, const struct sync_resource_type *type, struct sync_emitter *e,
                      struct err *err);
    bool (*entitlements)(void *state, const C1__Resource *resource, struct sync_emitter *e,
                         struct err *err);
    bool (*grants)(void *state, const C1__Resource *resource, struct sync_emitter *e,
                   struct err *err);
};

#endif

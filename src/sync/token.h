/* token: the `sync_token` of a run, as baton-sdk's syncer writes and reads it (c1z.md 4.3).
 *
 * A finished run's token holds counts only. An unfinished run's token holds the stack of phases still
 * to be done, in a form from which the Go syncer goes on; we ourselves begin a continued run afresh
 * and do not read it back.
 */
#ifndef SYNC_TOKEN_H
#define SYNC_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* In the order in which they are worked off. */
enum sync_phase {
    SYNC_RESOURCE_TYPES,
    SYNC_RESOURCES,
    SYNC_STATIC_ENTITLEMENTS,
    SYNC_ENTITLEMENTS,
    SYNC_GRANTS,
    SYNC_EXPANSION,
    SYNC_PHASES,
};

/* Bits of ingest_quality.reason_flags. */
enum {
    SYNC_DROPPED_ENTITLEMENT = 1,
    SYNC_DROPPED_GRANT = 2,
    SYNC_CHECKS_NOT_EVALUATED = 32, /* always: the referential checks need the Pebble engine */
};

struct sync_token {
    bool resources_only;
    int64_t actions_done;
    int reason_flags;
};

/* Replace the buffer's content. */
void sync_token_running(const struct sync_token *t, enum sync_phase next, struct buf *out);
void sync_token_finished(const struct sync_token *t, struct buf *out);

#endif

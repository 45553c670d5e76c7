/* expandable: takes the GrantExpandable annotation out of a grant.
 *
 * A stored grant never carries it; the message stands in the row's `expansion` column instead (c1z.md
 * 4.6; baton-sdk v0.25.0 pkg/dotc1z/grants.go extractAndStripExpansion). */
#ifndef C1Z_EXPANDABLE_H
#define C1Z_EXPANDABLE_H

#include "base/arena.h"
#include "base/err.h"
#include "connector.pb-c.h"

struct expandable {
    C1__Grant grant; /* the grant without the annotation; shares all else with the original */
    /* The message, in the arena; NULL if there was none or it names no entitlement. */
    const uint8_t *bytes;
    size_t len;
};

/* True if the grant carries the annotation. */
bool expandable_is(const C1__Grant *grant);

/* Fails only if the annotation's bytes are damaged. */
bool expandable_split(const C1__Grant *grant, struct arena *arena, struct expandable *ret,
                      struct err *err);

#endif

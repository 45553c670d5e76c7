/* fault_kind: the ways in which an answer can go wrong.
 *
 * One table of names; each has a function that makes the wrong answer, or changes the normal one,
 * as the members of the fault's order say. What every kind understands (delay_ms, headers,
 * retry_after …) is done here too. The order has been checked by fault.c. Borrows everything.
 */
#ifndef SANDBOX_FAULT_KIND_H
#define SANDBOX_FAULT_KIND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/answer.h"

struct fault_kind {
    const char *name;
    bool changes; /* the normal answer is made first */
    void (*apply)(json_t *order, struct answer *a);
    const char *text; /* one line, for --help-faults */
};

const struct fault_kind *fault_kind_find(const char *name);
/* NULL past the last. */
const struct fault_kind *fault_kind_at(size_t i);

/* True if the normal answer must be made first, and the fault then changes it. */
bool fault_kind_changes(const struct fault_kind *kind, json_t *order);
/* `now_ms` is Unix time, for a Retry-After that is a date. */
void fault_kind_apply(const struct fault_kind *kind, json_t *order, struct answer *a,
                      int64_t now_ms);

/* Members of an order. */
const char *fault_text(json_t *order, const char *key, const char *otherwise);
int64_t fault_number(json_t *order, const char *key, int64_t otherwise);

#endif

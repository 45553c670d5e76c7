/* answer: what C1 is told about a task that needs no work, because it is malformed or asks for something
 * that a connector which only syncs does not do (service-mode.md 5.5).
 *
 * Texts and codes are those of the Go SDK for a connector without provisioner, account manager, tickets,
 * feeds and actions. Different from it: ticket and event tasks are answered too, where the SDK leaves
 * them open; what can never work is marked non-retryable.
 */
#ifndef SERVICE_ANSWER_H
#define SERVICE_ANSWER_H

#include <stdbool.h>

#include "base/err.h"
#include "baton_api.pb-c.h"

struct answer {
    struct err err; /* code OK: success */
    bool is_non_retryable;
    const char *response_type; /* of an empty response; static; NULL: none */
};

/* False for tasks that need work: none, hello, sync_full. */
bool answer_for(const Api__Task *task, bool is_provisioning, struct answer *ret_answer);
/* "sync_full", "grant" ...; "unknown" for a type this version does not know. Static. */
const char *answer_type_name(const Api__Task *task);
/* Adds the SDK's second line and marks the answer. */
void answer_make_non_retryable(struct answer *a);

#endif

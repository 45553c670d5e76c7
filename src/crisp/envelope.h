/* envelope: what stands around every answer of Crisp, `{"error": …, "reason": …, "data": …}`
 * (crisp-api.md 2.2).
 *
 * `reason` is kept only if it looks like one of Crisp's names (snake_case, at most 64 characters),
 * so that it can be shown: text of a stranger never reaches a terminal. Unknown members are
 * ignored.
 * Owns nothing.
 */
#ifndef CRISP_ENVELOPE_H
#define CRISP_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/jsonr.h"

enum { CRISP_REASON_MAX = 64 };

struct crisp_envelope {
    bool is_error;
    char reason[CRISP_REASON_MAX + 1]; /* "" if there is none to show */
};

/* Takes one member; a handler of jsonlist calls it. False if `error` is no boolean. */
bool crisp_envelope_member(struct crisp_envelope *e, const struct jsonr_string *key,
                           const char *text, size_t n, struct err *err);
/* A 2xx answer that calls itself an error is not to be trusted: Internal. */
bool crisp_envelope_check(const struct crisp_envelope *e, struct err *err);

#endif

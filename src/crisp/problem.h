/* problem: why a request to Crisp failed, as a code and a text for people (crisp-api.md 8).
 *
 * The text says what was asked, what happened, and what to do next. Of the answer it shows at most
 * the status, a `reason` that looks like a name, a `data.message` of printable ASCII, and the host
 * of a redirect; each only if it does not hold the credentials. Knows no settings by their flags:
 * it names identifier, key, tier, website id and base URL.
 */
#ifndef CRISP_PROBLEM_H
#define CRISP_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "net/http.h"

enum { CRISP_MESSAGE_MAX = 200 };

/* What was asked, and with what. Borrowed. */
struct crisp_question {
    const char *what; /* "list the operators of website 5f0c…" */
    const char *host, *website_id, *tier;
    const struct secret *key, *header; /* neither may show up in a text */
};

/* Sets err from a request that is not ok. Returns false, so that a caller can return it. */
bool crisp_problem(const struct crisp_question *question, const struct http_get *get,
                   struct err *err);

#endif

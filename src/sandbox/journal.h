/* journal: every request that reached the sandbox, for tests to look at afterwards.
 *
 * An entry is made when the answer is decided, so that a client that has its answer finds its
 * request there. `outcome` follows when the connection is done with it. Credentials never enter:
 * the Authorization header is kept as its scheme and "***". At most JOURNAL_MAX entries are kept;
 * the oldest goes first. Not thread-safe.
 */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include <jansson.h>
#include <stdint.h>

#include "sandbox/answer.h"
#include "sandbox/request.h"

enum { JOURNAL_MAX = 5000 };

struct journal {
    json_t *entries; /* array; [0] has number `first` */
    int64_t first, next;
    int64_t cleared; /* what `next` was when it was last cleared */
};

void journal_init(struct journal *j);
void journal_done(struct journal *j);
void journal_clear(struct journal *j);

/* Returns the number of the entry, from 1. `route` is the path without its ids, see pattern.h. */
int64_t journal_add(struct journal *j, const struct request *req, const char *route,
                    const struct answer *a, int64_t now_ms);
/* "completed" or "aborted"; unknown or dropped numbers are ignored. */
void journal_finish(struct journal *j, int64_t number, const char *outcome);

/* {"total":…, "kept":…, "requests":[…]}; counted since it was last cleared; with a
 * pattern (NULL: all) only the matching requests are listed. */
json_t *journal_to_json(const struct journal *j, const char *pattern);

/* A JSON string of any bytes: what is not UTF-8 becomes '?'. */
json_t *journal_text(const char *s);

#endif

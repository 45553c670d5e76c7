/* canned: answers ordered by a test for some requests: exactly these bytes, this status, these
 * headers, whatever the state of the sandbox is. The newest that matches is served.
 *
 * Not thread-safe; the sandbox calls it under its lock. At most CANNED_MAX at once.
 */
#ifndef SANDBOX_CANNED_H
#define SANDBOX_CANNED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sandbox/answer.h"

enum { CANNED_MAX = 200 };

struct canned {
    char *pattern; /* see pattern.h */
    char *method;  /* NULL: any */
    struct answer answer;
};

struct canned_list {
    struct canned *items;
    size_t count;
};

void canned_init(struct canned_list *l);
void canned_done(struct canned_list *l);
void canned_clear(struct canned_list *l);

/* Takes the contents of *answer (empty afterwards), also on failure. Replaces an earlier one of the
 * same pattern and method. */
bool canned_put(struct canned_list *l, const char *pattern, const char *method,
                struct answer *answer, struct err *err);
/* How many were removed. */
size_t canned_remove(struct canned_list *l, const char *pattern);
json_t *canned_to_json(const struct canned_list *l);

/* Fills *a and returns true if there is one for the request. */
bool canned_find(const struct canned_list *l, const char *method, const char *route,
                 const char *path, struct answer *a);

#endif

/* fault: an order to answer wrongly, for some requests, some number of times.
 *
 * A fault is a JSON object: which requests (`path`, `method`), which of them (`skip` the first k,
 * then `count` of them, 0 for all), what goes wrong (`kind`), and how (the other members, see
 * params in fault.c). On the command line the same is written
 *
 *     operators/list:429:retry-after=2:count=1
 *     website:slow:bytes=10:every-ms=50
 *
 * The first fault of the list that matches and is not exhausted applies. A fault that replaces the
 * answer keeps the request from having any effect, as a server that fails early does.
 * Not thread-safe; the sandbox calls it under its lock. At most FAULTS_MAX at once.
 */
#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sandbox/answer.h"

enum { FAULTS_MAX = 1000, FAULT_BYTES_MAX = 256 * 1024 * 1024 };

struct fault_kind;

struct fault {
    unsigned id; /* counts from 1 */
    const struct fault_kind *kind;
    json_t *order; /* as given, checked */
    int64_t skipped, fired;
};

struct faults {
    struct fault *items;
    size_t count;
    unsigned last_id;
};

void faults_init(struct faults *f);
void faults_done(struct faults *f);
void faults_clear(struct faults *f);

/* Borrows the order. Returns the id in *ret_id (may be NULL). */
bool faults_add(struct faults *f, json_t *order, unsigned *ret_id, struct err *err);
bool faults_remove(struct faults *f, unsigned id);
json_t *faults_to_json(const struct faults *f);

/* The fault for this request, counted as fired; NULL for none. Valid until the list changes. */
const struct fault *faults_pick(struct faults *f, const char *method, const char *route,
                                const char *path);

/* True if the normal answer must be made first, and the fault then changes it. */
bool fault_changes_answer(const struct fault *f);
/* `now_ms` is Unix time, for a Retry-After that is a date. */
void fault_apply(const struct fault *f, struct answer *a, int64_t now_ms);

/* The command-line form as an order. */
json_t *fault_parse_spec(const char *spec, struct err *err);

#endif

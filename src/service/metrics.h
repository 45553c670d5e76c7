/* metrics: counters and gauges of one process family, printed as Prometheus text.
 *
 * A registry lives in memory that a forked child shares, so a sync that runs in a child counts into the
 * same numbers. All series are registered before the first fork, by the process that made the registry;
 * from then on adding and setting are single atomic operations without locks, good in any process and
 * thread. A child that dies leaves whole numbers behind.
 *
 * Names, help texts and labels are copied. Series of one name follow each other (one HELP and TYPE
 * line a family). Breaking these rules, a malformed name or more than METRICS_MAX series are
 * mistakes of the program and end it (assert). metrics_add(), the setters and metrics_get() take a NULL
 * registry and do nothing (get: 0), so that the caller needs no `if` where metrics are off.
 *
 * Format: Prometheus text exposition 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/); the process_* names are those that
 * every Prometheus client library uses.
 */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { METRICS_MAX = 128 };
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The *_MS kinds are kept in milliseconds and printed in seconds with three decimals. */
enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_COUNTER_MS, METRICS_GAUGE_MS };

struct metrics;

/* NULL if the system gives no shared memory (ResourceExhausted). */
struct metrics *metrics_new(struct err *err);
void metrics_free(struct metrics *m);

/* `labels` is NULL or what stands between the braces: `result="success",kind="full"`; values that are
 * not the program's own text go through metrics_add_label(). Returns the index for the calls below. */
int metrics_register(struct metrics *m, const char *name, const char *help, enum metrics_kind kind,
                     const char *labels);
/* Appends name="value" with the value escaped, and a comma before it if there is something already. */
void metrics_add_label(struct buf *labels, const char *name, const char *value);

/* A counter only grows: `n` is not negative there. */
void metrics_add(struct metrics *m, int index, int64_t n);
void metrics_set(struct metrics *m, int index, int64_t value);
/* For METRICS_GAUGE_MS. */
void metrics_set_seconds(struct metrics *m, int index, int64_t ms);
int64_t metrics_get(const struct metrics *m, int index);

/* Appends every series, then memory, open files, start time and CPU time of the calling process from
 * /proc/self; what /proc does not tell is left out. Look at buf_ok() afterwards. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif

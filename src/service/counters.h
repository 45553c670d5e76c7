/* counters: the numbers at /metrics that the service and the connector count, by name.
 *
 * They live in memory that children share (service/metrics.h). Made once, before the first child.
 */
#ifndef SERVICE_COUNTERS_H
#define SERVICE_COUNTERS_H

#include "baton/connector.h"
#include "baton/meter.h"
#include "service/metrics.h"

enum counter {
    COUNTER_SYNC_SUCCESS,
    COUNTER_SYNC_FAILURE,
    COUNTER_SYNC_CANCELLED,
    COUNTER_SYNC_MS,       /* all syncs together */
    COUNTER_LAST_SYNC_MS,
    COUNTER_LAST_SUCCESS,  /* Unix time in seconds */
    COUNTER_UPLOAD_BYTES,
    COUNTER_TASK_SUCCESS,  /* tasks of every type, as C1 was told */
    COUNTER_TASK_ERROR,
    COUNTER_TASKS_RUNNING,
    COUNTER_POLL_OK,
    COUNTER_POLL_ERROR,
    COUNTER_CONNECTED,     /* 1 once Hello has succeeded and while polls do */
    COUNTER_COUNT,
};

struct counters;

struct counters *counters_new(const struct baton_connector *connector, struct err *err);
void counters_free(struct counters *c);
void counters_add(struct counters *c, enum counter which, int64_t n);
void counters_set(struct counters *c, enum counter which, int64_t value);
const struct metrics *counters_metrics(const struct counters *c);
/* For the connector's rows. */
const struct meter *counters_meter(const struct counters *c);

#endif

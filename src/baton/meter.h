/* meter: numbers about the source that a connector counts and the service shows at /metrics.
 *
 * The connector declares its rows in its table; rows of one name stand together. Counting is allowed at
 * any time between open and close, also in a child process. With a NULL meter (one-shot sync, no
 * metrics wanted) nothing happens.
 */
#ifndef BATON_METER_H
#define BATON_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct meter_row {
    const char *name; /* "crisp_requests_total" */
    const char *help; /* NULL: that of the row before, which has the same name */
    const char *labels;      /* `status="200"`, or NULL */
    bool is_gauge;
};

struct meter {
    void (*add)(void *payload, size_t row, int64_t n);
    void (*set)(void *payload, size_t row, int64_t value);
    void *payload;
};

static inline void meter_add(const struct meter *m, size_t row, int64_t n) {
    if (m)
        m->add(m->payload, row, n);
}

static inline void meter_set(const struct meter *m, size_t row, int64_t value) {
    if (m)
        m->set(m->payload, row, value);
}

#endif

/* meters: what the Crisp connector counts for /metrics: requests by status, retries, operators, owners.
 * Which website it is about is not shown: one process syncs one.
 */
#ifndef CONNECTORS_CRISP_METERS_H
#define CONNECTORS_CRISP_METERS_H

#include "baton/meter.h"
#include "connectors/crisp/roster.h"

enum { METERS_COUNT = 16 };

extern const struct meter_row meters_rows[METERS_COUNT];

/* One answer of Crisp; status 0: none came. `try` counts from 1. */
void meters_add_answer(const struct meter *meter, int status, int try);
void meters_set_roster(const struct meter *meter, const struct roster *roster);

#endif

/* heartbeat: tells C1 while a sync runs that it still does, and hears whether it should stop
 * (service-mode.md 5.4).
 *
 * `begun` is called once: with OK after the first heartbeat was taken, with Canceled if C1 has cancelled
 * the task, with the failure after SCHEDULE_FIRST_HEARTBEAT_TRIES. Only after OK may `lost` follow, once:
 * with Canceled, when C1 cancels the task or SCHEDULE_HEARTBEATS_LOST heartbeats in a row have failed.
 */
#ifndef SERVICE_HEARTBEAT_H
#define SERVICE_HEARTBEAT_H

#include "service/runtime.h"

struct heartbeat;

typedef void heartbeat_news(const struct err *err, void *payload);

struct heartbeat *heartbeat_start(const struct runtime *rt, const char *task_id, heartbeat_news *begun,
                                  heartbeat_news *lost, void *payload);
/* Takes NULL. May be called in `begun` and `lost`. */
void heartbeat_free(struct heartbeat *h);

#endif

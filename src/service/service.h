/* service: the connector as a process that runs for months and takes its tasks from C1
 * (service-mode.md section 5).
 *
 * service_run() returns when a signal has fired the token in env (true), or when it cannot begin or C1
 * refuses the connector for good (false). One thread, one event loop; whatever may block runs in a child
 * process (service/worker.h).
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "baton/connector.h"

bool service_run(const struct baton_connector *connector, const struct baton_env *env, struct err *err);

#endif

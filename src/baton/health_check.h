/* health_check: the client side of `NAME health-check` (connector-cli.md 7).
 *
 * One plain HTTP/1.1 GET of http://ADDRESS:PORT/ENDPOINT. Silent and true on status 200. Texts and
 * codes of the failures are those of the SDK: Unavailable if nobody listens or the connection
 * breaks, DeadlineExceeded after timeout_s (0 or less: no limit), Unknown for a wrong endpoint or
 * another status. An empty address means this machine. Redirects are not followed; proxies are not
 * used.
 */
#ifndef BATON_HEALTH_CHECK_H
#define BATON_HEALTH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

bool health_check(const char *address, int64_t port, const char *endpoint, int64_t timeout_s,
                  struct err *err);

#endif

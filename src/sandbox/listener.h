/* listener: the listening socket, and the rule that it is only reachable from this machine. */
#ifndef SANDBOX_LISTENER_H
#define SANDBOX_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { LISTENER_ORIGIN_MAX = 128 };

/* Binds "host:port" or "[host]:port" (port 0: any free one) and listens. Returns the socket, to be
 * closed by the caller, and the origin of URLs on it ("http://[::1]:8080"); -1 and *err. */
int listener_open(const char *address, bool allow_remote, char ret_origin[LISTENER_ORIGIN_MAX],
                  struct err *err);

#endif

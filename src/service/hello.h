/* hello: introduces the connector to C1 (service-mode.md section 4): at the start, before anything else is
 * asked, and as the answer to a hello task.
 *
 * At the start a failure that may pass (no network, C1 away, a certificate that is being renewed) is
 * tried again for ever, after 1, 2, 4 ... 300 s; the peer gives up at once or after 30 s. A refusal
 * (Unauthenticated, PermissionDenied, InvalidArgument, Unimplemented, FailedPrecondition, NotFound) is
 * final.
 */
#ifndef SERVICE_HELLO_H
#define SERVICE_HELLO_H

#include "service/runtime.h"

struct hello;

typedef void hello_done(const struct err *err, void *payload);
typedef void hello_waiting(const struct err *err, void *payload);

/* `waiting` is told each failure that will be tried again. `done`: OK, or the refusal. */
struct hello *hello_start(const struct runtime *rt, hello_waiting *waiting, hello_done *done,
                          void *payload);
/* Takes NULL. */
void hello_abandon(struct hello *h);

/* One Hello for a task; it is not tried again. */
struct c1_call *hello_call(const struct runtime *rt, const char *task_id, c1_call_done *done,
                           void *payload);

#endif

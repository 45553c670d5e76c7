/* pacer: holds back connections of the HTTP library, until a moment or until the peer leaves.
 *
 * A slow or stalled answer must not block the one thread that serves everybody: the connection is
 * suspended, and the pacer's own thread resumes it. It watches the sockets of suspended connections
 * too, because the library does not, and resumes one whose peer has gone.
 *
 * pacer_hold() is called in the library's thread; the two ends of the life in the main thread.
 * pacer_stop() must come before MHD_stop_daemon(), which refuses to end with suspended connections.
 */
#ifndef SANDBOX_PACER_H
#define SANDBOX_PACER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct MHD_Connection;
struct pacer;

/* "Until the peer leaves or the sandbox ends." */
#define PACER_FOREVER INT64_MAX

struct pacer *pacer_start(struct err *err);
/* Resumes every connection, refuses new ones, ends the thread. The pacer can still be asked. */
void pacer_stop(struct pacer *p);
void pacer_free(struct pacer *p);

/* Suspends the connection until that moment (clock_mono_ms()). False if the pacer has been
 * stopped: the caller gives the connection up. */
bool pacer_hold(struct pacer *p, struct MHD_Connection *connection, int64_t until_mono_ms);

#endif

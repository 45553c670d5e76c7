/* dial: a TLS stream to host:port, direct or through an HTTP proxy, made without blocking.
 *
 * Runs in the caller's libevent loop: looks the name up (net/resolve.h), connects to the addresses in
 * turn with a head start for the first, opens a CONNECT tunnel where the environment names a proxy
 * (net/proxy.h), shakes hands, checks certificate and name (net/trust.h), and demands the one
 * application protocol that was asked for (a server that chooses none is taken to speak "http/1.1").
 * Exactly one call of `done` ends it, never from inside dial_start(): with the stream and an err of
 * code OK, or with NULL and the error. Who gets the stream frees it with bufferevent_free(), which
 * closes the socket on the next turn of the loop; TCP_NODELAY is set; it is disabled for reading and
 * writing, with no callbacks. An address gets a head start of DIAL_HEAD_START_MS (RFC 8305 5).
 *
 * Errors: Unavailable with the cause in words (name unknown, refused, certificate and why, proxy's
 * answer, no h2), DeadlineExceeded if the whole took longer than the limit. Never a bare "timeout".
 * InvalidArgument for a host, a port or a proxy setting that cannot be one; what trust_session() says.
 * One thread; the process ignores SIGPIPE.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/err.h"
#include "net/trust.h"

enum {
    DIAL_TIMEOUT_MS = 30000, /* the SDK's, service-mode.md 3.1 */
    DIAL_HEAD_START_MS = 250,
    DIAL_PROGRESS_MAX = 512,
};

struct dial_options {
    struct event_base *base; /* borrowed */
    struct trust *trust;     /* borrowed */
    const char *host;        /* name or IP literal without brackets; copied */
    int port;
    const char *protocol; /* for ALPN: "h2" or "http/1.1"; copied */
    int timeout_ms;       /* 0: DIAL_TIMEOUT_MS */
};

struct dial;

/* The err is borrowed for the call. */
typedef void dial_done(struct bufferevent *stream, const struct err *err, void *payload);

/* Never NULL: what fails at once is told by `done` on the next turn of the loop. */
struct dial *dial_start(const struct dial_options *options, dial_done *done, void *payload);
/* What it waits for, and what to check: for an error text of a caller who does not wait any longer. */
void dial_progress(const struct dial *dial, char ret_text[DIAL_PROGRESS_MAX]);
/* Stops it; `done` will not be called. Not after `done`. Takes NULL. */
void dial_cancel(struct dial *dial);

#endif

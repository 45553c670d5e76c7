/* resolve: the addresses of a host, looked up without standing still.
 *
 * An IP literal is answered at once. For a name the process forks: the child calls getaddrinfo(),
 * which has no form that does not block, writes one record into a pipe and ends without running exit
 * handlers or flushing stdio. It keeps no descriptor but that pipe and the standard ones. The parent's
 * libevent loop reads the record and reaps that child alone; so nothing else may call wait() for any
 * child. The child is killed when the time is over, when the lookup is cancelled, and when this
 * process dies.
 *
 * Forking like this is sound only because the process is single-threaded, by rule: another thread
 * might hold a lock of malloc or of the resolver at that moment, and the child would wait for ever.
 *
 * Exactly one call of `done`, never from inside resolve_start(). Addresses come in the order of
 * getaddrinfo() (RFC 6724), at most RESOLVE_MAX, with the port filled in.
 *
 * Errors: Unavailable with the resolver's reason (no such name; no answer from the name server),
 * DeadlineExceeded when the time is over. All name the host.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <event2/event.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"

enum { RESOLVE_MAX = 16, RESOLVE_TEXT_MAX = 64 };

struct resolve_address {
    struct sockaddr_storage socket_address;
    socklen_t len;
};

struct resolve;

/* No addresses: it failed, and err says why. Borrowed for the call. */
typedef void resolve_done(const struct resolve_address *addresses, size_t count,
                          const struct err *err, void *payload);

/* Borrows the base, copies the host (without brackets). Never NULL. */
struct resolve *resolve_start(struct event_base *base, const char *host, int port, int timeout_ms,
                              resolve_done *done, void *payload);
/* Stops it; `done` will not be called. Not after `done`. Takes NULL. */
void resolve_cancel(struct resolve *resolve);

/* "203.0.113.7:443", "[2001:db8::1]:443" */
void resolve_text(const struct resolve_address *address, char ret_text[RESOLVE_TEXT_MAX]);

#endif

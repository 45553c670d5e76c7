/* server: HTTP/1.1 on one socket in front of the sandbox, over libmicrohttpd.
 *
 * One thread of the library serves every connection and never waits: answers that are late, slow or
 * stalled are held back by the pacer. The sandbox is borrowed and only touched under the server's
 * lock until server_stop() returns. At most SERVER_CONNECTIONS_MAX connections; idle ones are
 * closed after SERVER_IDLE_S seconds.
 */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include <stdbool.h>

#include "base/err.h"
#include "sandbox/sandbox.h"

enum { SERVER_CONNECTIONS_MAX = 500, SERVER_IDLE_S = 120 };

struct server;

struct server_options {
    const char *listen; /* "127.0.0.1:0", "[::1]:8080", "localhost:0" */
    bool allow_remote;  /* else only loopback addresses */
    bool log;           /* one line on stderr for each request */
};

/* Listens and serves. NULL and *err if the address does not parse, is not allowed, is taken. */
struct server *server_start(struct sandbox *sandbox, const struct server_options *options,
                            struct err *err);
/* "http://127.0.0.1:40123", with the port that was given out. */
const char *server_origin(const struct server *s);
/* Ends every connection at once, also stalled ones. Takes NULL. */
void server_stop(struct server *s);

#endif

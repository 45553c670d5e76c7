/* proxy: whether a TLS connection goes through an HTTP proxy, and the two texts that open a tunnel.
 *
 * Pure functions, no I/O. The rules are those of Go's golang.org/x/net/http/httpproxy for https
 * targets, because an administrator sets one environment for all connectors: HTTPS_PROXY or
 * https_proxy (HTTP_PROXY does not count), never for `localhost` or a loopback address, and NO_PROXY
 * or no_proxy as a comma list of `*`, `host` (and what ends in `.host`), `.suffix`, `*.suffix`, an IP
 * address, a CIDR block; all but `*` and CIDR with an optional `:port`. Of a pair of variables the
 * first that is not empty counts.
 *
 * Only http:// proxies are supported, `http://[user:password@]host[:port]` or `host[:port]`, port 80
 * if none is given. A proxy through TLS or SOCKS is refused. User and password are percent-decoded
 * into a secret; no error text holds any of the setting but the host and the port.
 *
 * Errors: InvalidArgument for a setting that cannot be used, Unavailable for a proxy's answer.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

enum {
    PROXY_HOST_MAX = 256,              /* with the NUL; RFC 1035 allows 253 characters */
    PROXY_SETTING_MAX = 4096,          /* bytes of HTTPS_PROXY */
    PROXY_ANSWER_MAX = 16 * 1024,      /* bytes of an answer's head */
    PROXY_STATUS_LINE_MAX = 512,       /* bytes of its first line */
};

struct proxy_settings {
    const char *https_proxy, *no_proxy; /* NULL or "": not set */
};

/* Borrows from the environment: use it before the next setenv(). */
struct proxy_settings proxy_settings_from_environment(void);

struct proxy {
    bool is_direct;            /* no proxy; nothing else is set */
    char host[PROXY_HOST_MAX]; /* without brackets */
    int port;
    struct secret authorization; /* the line "Proxy-Authorization: Basic …", or unset */
};

#define PROXY_INIT ((struct proxy){.is_direct = true})

/* Which way to host:port (an IPv6 literal without brackets). */
bool proxy_for(const struct proxy_settings *settings, const char *host, int port,
               struct proxy *ret_proxy, struct err *err);
void proxy_done(struct proxy *proxy);

/* What opens a tunnel to host:port. The caller has checked that the host is a host. */
void proxy_request(const struct proxy *proxy, const char *host, int port, struct secret *ret_text);

/* Reads the head of the proxy's answer, in pieces of any size. */
struct proxy_answer {
    bool is_complete;
    int status; /* 0: not seen yet */
    size_t total, line_length; /* of all so far; of the line in progress, without its end */
    char status_line[PROXY_STATUS_LINE_MAX + 1];
};

#define PROXY_ANSWER_INIT ((struct proxy_answer){0})

/* Takes *ret_used bytes: all of them, but for what stands behind the head. False for what is no HTTP
 * answer or too long; not to be called again after that, or after is_complete. */
bool proxy_answer_feed(struct proxy_answer *answer, const char *bytes, size_t n, size_t *ret_used,
                       struct err *err);
/* Whether a complete answer opens the tunnel; if not, why and what to do. `target` is "host:port". */
bool proxy_answer_check(const struct proxy_answer *answer, const char *target, struct err *err);

#endif

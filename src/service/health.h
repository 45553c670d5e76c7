/* health: the HTTP/1.1 server that tells a probe how the service is doing.
 *
 *   /health   200 healthy or 503 unhealthy, after a check of the connector that the owner runs
 *   /ready    200 ready or 503 not_ready, as health_set_ready() said last
 *   /live     200 alive, always
 *   /metrics  Prometheus text, if a registry was given
 *   others    404
 *
 * Any method; HEAD has no body. The bodies are those of baton-sdk (connector-cli.md 7), with the
 * peer's weaknesses mended: the server is up before the first Hello; requests for /health that come
 * together share one check, and its result is used again for HEALTH_REUSE_MS, so that probes do not
 * eat the upstream quota; the timestamp is the moment the answer was known. An answer never holds
 * a setting or a secret; the texts of health_set_ready() and health_reply_done() are the owner's duty.
 *
 * Ceilings: the enum below. What is over them is refused with 400 or 413, a connection too many or too
 * slow is closed. Each connection carries one request. An accept() without a free file descriptor is
 * tried again after some seconds.
 *
 * Runs in the owner's libevent loop, one thread. The process ignores SIGPIPE. A forked child must not
 * touch it: neither health_free() nor the loop.
 */
#ifndef SERVICE_HEALTH_H
#define SERVICE_HEALTH_H

#include <stdbool.h>

#include <event2/event.h>

#include "base/err.h"
#include "service/metrics.h"

enum {
    HEALTH_HEADERS_MAX = 8 * 1024,
    HEALTH_BODY_MAX = 4 * 1024,
    HEALTH_CONNECTIONS_MAX = 32,
    HEALTH_REQUEST_MS = 10 * 1000, /* to send a request, and to take the answer */
    HEALTH_CHECK_MS = 30 * 1000,   /* for the owner's check */
    HEALTH_REUSE_MS = 60 * 1000, /* a check is two requests of a day's 5,000 */
};

struct health;
struct health_reply;

/* Starts a check; the owner answers with health_reply_done(), from inside this call or later. There is
 * never a second check before the first is answered, however late that is. */
typedef void health_check_start(struct health_reply *reply, void *payload);

struct health_options {
    struct event_base *base;       /* borrowed */
    const char *bind_address;      /* IPv4, IPv6 or a name; "", "0.0.0.0" and "::" are all of them */
    int port;                      /* 0: any free one */
    const struct metrics *metrics; /* borrowed; NULL: no /metrics */
    health_check_start *check;     /* NULL: /health is healthy */
    void *payload;
    /* 0: the limits above; for tests. */
    int request_ms, check_ms, reuse_ms;
};

/* Listens. NULL with Unknown and a text as the SDK's if the address cannot be had. A bind address
 * that is a name is looked up here and may block. */
struct health *health_new(const struct health_options *options, struct err *err);
/* Closes everything, waiting requests too. Good while a check runs: its reply stays valid and is to be
 * answered. Not from inside `check`. Sockets are gone after the next turn of the loop, or
 * with the loop. Takes NULL. */
void health_free(struct health *h);

int health_port(const struct health *h);
/* Not ready until told. `why_not` is copied; NULL: "failed to get connector client", as the SDK. */
void health_set_ready(struct health *h, bool is_ready, const char *why_not);

/* The end of a check; frees the reply. NULL or OK: healthy; else err->msg is shown as validation_error.
 * Requests that have waited longer than the limit were told so before; the result still counts. */
void health_reply_done(struct health_reply *reply, const struct err *err);

#endif

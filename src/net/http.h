/* http: a set of GETs made together, over libcurl.
 *
 * http_get_all() starts every request of the set at once, over one connection where the server
 * speaks HTTP/2, repeats failed ones as the retry policy says, and returns when all have an
 * outcome, when an essential one has failed for good, or when the token is cancelled (within
 * milliseconds). The body of a 2xx answer goes piece by piece to the request's sink, decoded, and
 * never more than `body_max` bytes of it; the first bytes of any other answer are kept for the
 * caller to explain.
 *
 * Kept on purpose: certificates are always verified; redirects are not followed; .netrc is not
 * read; a proxy from the environment is honoured, but not for a loopback host, and never gets to
 * see the request's headers (HTTPS goes through a tunnel). SSL_CERT_FILE and SSL_CERT_DIR choose
 * the trusted certificates. Nothing of a header or a body is ever logged.
 *
 * The caller keeps URLs, headers and sinks alive for the call; the headers are not copied. One
 * thread, in a process that ignores SIGPIPE (cancel_on_signals() sees to that).
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/log.h"
#include "net/retry.h"

enum {
    HTTP_SET_MAX = 8,      /* requests in one call */
    HTTP_HEADERS_MAX = 8,  /* headers a caller may add */
    HTTP_ERROR_BODY_MAX = 16 * 1024,
    HTTP_VALUE_MAX = 128,  /* header value kept */
    HTTP_DETAIL_MAX = 200, /* text about a failed transfer */
    HTTP_CONNECT_MS = 5000,
    HTTP_STALL_MS = 30000,
};

/* Why there is no usable answer. */
enum http_trouble {
    HTTP_NO_TROUBLE,
    HTTP_RESOLVE,     /* the host name is unknown, or the name server silent */
    HTTP_CONNECT,     /* refused, unreachable, or no connection in time */
    HTTP_TIMEOUT,     /* the whole took too long */
    HTTP_STALL,       /* nothing came for too long */
    HTTP_CUT,         /* connection lost before the end */
    HTTP_PROXY_DENIED, /* the proxy refused the tunnel */
    HTTP_TLS,         /* certificate or handshake */
    HTTP_NOT_HTTP,    /* not an HTTP answer, or a broken one */
    HTTP_TOO_BIG,     /* more than body_max */
    HTTP_REFUSED,     /* the sink said no; its error is in `err` */
    HTTP_ABANDONED,   /* an essential request of the set had failed */
    HTTP_LOCAL,       /* this machine: memory, certificate file, library */
};

/* Takes the body of a 2xx answer. A false return ends the request, without another try. */
struct http_sink {
    void (*begin)(void *payload); /* before each try: forget what an earlier one gave */
    bool (*body)(void *payload, const char *bytes, size_t n, struct err *err);
    bool (*end)(void *payload, struct err *err); /* the body is complete */
    void *payload;
};

/* What an HTTP server answered last. */
struct http_answer {
    int status; /* 0: nothing */
    char content_type[HTTP_VALUE_MAX];
    char retry_after[HTTP_VALUE_MAX];
    char rate_reset[HTTP_VALUE_MAX];
    char redirect_host[HTTP_VALUE_MAX]; /* of a 3xx with a Location; "" if it looks odd */
    char *error_body;                   /* of an answer that is not 2xx, NUL-terminated, or NULL */
    size_t error_body_len;
    bool is_error_body_cut;
};

struct http_get {
    /* set by the caller */
    const char *url;
    const char *what; /* for debug lines: the path without anything private */
    struct http_sink sink;
    size_t body_max;
    bool is_essential;

    /* set by the call */
    bool is_ok; /* 2xx, and the sink took it all */
    enum http_trouble trouble;
    char detail[HTTP_DETAIL_MAX]; /* printable ASCII, for trouble */
    struct err err;               /* for HTTP_REFUSED */
    struct http_answer answer;
    int64_t retry_at_unix; /* 0: unknown */
    int tries;
};

struct http_options {
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const char *user_agent;
    int timeout_s;    /* one try, from the first byte sent to the last received */
    int stall_ms;     /* 0: HTTP_STALL_MS */
    struct retry_policy retry;
    struct log *log;
    const struct cancel *cancel;
    /* Told the end of each try: the HTTP status, or 0. May be NULL. */
    void (*on_answer)(int status, int try, void *payload);
    void *on_answer_payload;
};

/* Loads libcurl now, so that the first request, or a child that makes it, need not. */
bool http_prepare(struct err *err);

/* False (and err) only if it was cancelled or could not begin. Call http_get_done() on each. */
bool http_get_all(const struct http_options *options, struct http_get *requests, size_t count,
                  struct err *err);
/* Frees what the call put into it. */
void http_get_done(struct http_get *get);

#endif

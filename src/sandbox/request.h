/* request: one HTTP request as the sandbox's logic sees it. No sockets, no threads.
 *
 * Everything is borrowed from the server for the time of one sandbox_handle() call.
 */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include <stddef.h>

/* Larger bodies are answered 413; the admin API may send more (an answer to be served). */
enum { REQUEST_BODY_MAX = 64 * 1024, REQUEST_ADMIN_BODY_MAX = 32 * 1024 * 1024 };
enum { REQUEST_HEADERS_MAX = 64 };

/* Everything under it is the sandbox's own API, not Crisp's. */
#define REQUEST_ADMIN_PREFIX "/_sandbox"

struct request_header {
    const char *name, *value;
};

struct request {
    const char *method;
    const char *target;  /* raw, with the query */
    const char *version; /* "HTTP/1.1" */
    const struct request_header *headers;
    size_t header_count;
    const char *body; /* NUL-terminated; "" if none */
    size_t body_len;
    unsigned long connection; /* counts from 1: tells whether a client reuses connections */
};

/* The value of the first header of that name (compared without case), or NULL. */
const char *request_header(const struct request *req, const char *name);

#endif

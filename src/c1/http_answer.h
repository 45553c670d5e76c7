/* http_answer: takes one HTTP/1.1 response apart while it arrives (RFC 9112).
 *
 * Why not libevent's own client: evhttp of 2.1 opens its connection itself and cannot be given one
 * that stands already, and ours comes through a proxy and has shaken hands before.
 *
 * For the one small exchange that the token endpoint is: interim answers (1xx) are passed over, the
 * body comes by Content-Length, in chunks, or until the connection ends. Bodies up to
 * C1_ANSWER_BODY_MAX, headers up to C1_ANSWER_HEAD_MAX in all. What stands in it may be a secret:
 * c1_http_answer_done() wipes all of it. Owns no memory but its own 80 KiB: allocate it.
 *
 * Errors: Unavailable. They never show the answer.
 */
#ifndef C1_HTTP_ANSWER_H
#define C1_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    C1_ANSWER_BODY_MAX = 64 * 1024,
    C1_ANSWER_HEAD_MAX = 32 * 1024,
    C1_ANSWER_LINE_MAX = 8 * 1024,
    C1_ANSWER_VALUE_MAX = 64,
};

enum c1_answer_part {
    C1_ANSWER_STATUS,
    C1_ANSWER_HEADER,
    C1_ANSWER_BODY, /* so many bytes */
    C1_ANSWER_REST, /* until the end of the connection */
    C1_ANSWER_CHUNK_SIZE,
    C1_ANSWER_CHUNK,
    C1_ANSWER_CHUNK_END,
    C1_ANSWER_TRAILER,
    C1_ANSWER_COMPLETE,
};

struct c1_http_answer {
    enum c1_answer_part part;
    int status;
    bool is_chunked, has_length;
    size_t length; /* bytes of the body or chunk that are still to come */
    size_t head_len;
    char date[C1_ANSWER_VALUE_MAX]; /* "" if there is none */
    char retry_after[C1_ANSWER_VALUE_MAX];
    size_t line_len, body_len;
    char line[C1_ANSWER_LINE_MAX];
    char body[C1_ANSWER_BODY_MAX];
};

void c1_http_answer_init(struct c1_http_answer *answer);
/* Wipes it. */
void c1_http_answer_done(struct c1_http_answer *answer);

/* After C1_ANSWER_COMPLETE further bytes are ignored. */
bool c1_http_answer_feed(struct c1_http_answer *answer, const void *bytes, size_t n,
                         struct err *err);
/* The connection ended in good order. */
bool c1_http_answer_end(struct c1_http_answer *answer, struct err *err);
/* The status line and all headers are there. */
bool c1_http_answer_has_head(const struct c1_http_answer *answer);

#endif

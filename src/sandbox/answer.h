/* answer: what is sent back, and how it is sent.
 *
 * Status, headers and body are one half; the other is the delivery, which faults change: late,
 * slow, cut off, never finished, reset. The server carries it out. The answer owns its headers and
 * holds one reference to its body.
 */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/blob.h"

enum { ANSWER_HEADERS_MAX = 32 };

/* What happens when `end_after` bytes of the body are out. */
enum answer_end { END_WHOLE, END_CUT, END_RESET, END_STALL };

struct delivery {
    int64_t delay_ms; /* wait before anything is sent */
    bool silent;      /* never send anything */
    enum answer_end end;
    uint64_t end_after;
    uint64_t pace_bytes; /* this many bytes, then wait pace_ms; 0: as fast as it goes */
    int64_t pace_ms;
    bool chunked;         /* Transfer-Encoding: chunked, no Content-Length */
    bool close;           /* Connection: close */
    bool endless;         /* behind the body: list elements without end */
};

struct answer {
    int status;
    struct {
        char *name, *value;
    } headers[ANSWER_HEADERS_MAX];
    size_t header_count;
    struct blob *body; /* NULL: none */
    struct delivery delivery;
    /* For the request log: which fault made this answer (0: none), whose token it was. */
    unsigned fault_id;
    const char *tier;
};

#define ANSWER_JSON "application/json; charset=utf-8"

void answer_init(struct answer *a);
void answer_done(struct answer *a);

/* Adds a header; replaces one of the same name. Copies. Ignored beyond ANSWER_HEADERS_MAX. */
void answer_header(struct answer *a, const char *name, const char *value);
const char *answer_get_header(const struct answer *a, const char *name);
void answer_drop_headers(struct answer *a);

/* Replaces the body; takes the reference. */
void answer_body(struct answer *a, struct blob *body);
/* The body, with its Content-Type (NULL: none). Copies. */
void answer_text(struct answer *a, int status, const char *content_type, const char *text);
/* Crisp's envelope around data; takes the reference to data (NULL: {}). */
void answer_ok(struct answer *a, int status, const char *reason, json_t *data);
void answer_error(struct answer *a, int status, const char *reason);
/* With data.namespace and data.message. */
void answer_refuse(struct answer *a, int status, const char *reason, const char *space,
                   const char *message);
/* A JSON body of any shape; takes the reference. */
void answer_json(struct answer *a, int status, json_t *value);

#endif

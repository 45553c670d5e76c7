#include "c1/http_answer.h"

#include <string.h>
#include <strings.h>

void c1_http_answer_init(struct c1_http_answer *a) {
    /* Not the 72 KiB of line and body: nobody reads beyond their lengths. */
    memset(a, 0, offsetof(struct c1_http_answer, line));
}

void c1_http_answer_done(struct c1_http_answer *a) {
    if (!a)
        return;
    explicit_bzero(a->line, sizeof a->line);
    explicit_bzero(a->body, sizeof a->body);
    c1_http_answer_init(a);
}

bool c1_http_answer_has_head(const struct c1_http_answer *a) {
    return a->part > C1_ANSWER_HEADER;
}

static bool refuse(struct err *err) {
    return err_set(err, ERR_UNAVAILABLE,
                   "the server did not answer in HTTP/1.1: is something else in its place, or a "
                   "proxy between?");
}

static bool refuse_size(struct err *err) {
    return err_set(err, ERR_UNAVAILABLE,
                   "the server sent more than an answer may have: is something else in its place?");
}

/* -- lines --------------------------------------------------------------------------------------- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct c1_http_answer *a, const char *line, size_t n, struct err *err) {
    static const char start[] = "HTTP/1.";
    size_t at = sizeof start - 1;
    if (n < at + 5 || memcmp(line, start, at) != 0 || !is_digit(line[at]) || line[at + 1] != ' ')
        return refuse(err);
    const char *code = line + at + 2;
    if (!is_digit(code[0]) || !is_digit(code[1]) || !is_digit(code[2]) ||
        (n > at + 5 && code[3] != ' '))
        return refuse(err);
    a->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    a->part = C1_ANSWER_HEADER;
    return a->status >= 100 || refuse(err);
}

static bool read_length(struct c1_http_answer *a, const char *value, size_t n, struct err *err) {
    size_t length = 0;
    if (n == 0)
        return refuse(err);
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(value[i]))
            return refuse(err);
        if (length <= C1_ANSWER_BODY_MAX)
            length = length * 10 + (size_t)(value[i] - '0');
    }
    if (a->has_length && a->length != length)
        return refuse(err);
    a->has_length = true;
    a->length = length;
    return true;
}

/* Too long a value is left out: it is none that we could read. */
static void keep_value(char out[C1_ANSWER_VALUE_MAX], const char *value, size_t n) {
    if (n >= C1_ANSWER_VALUE_MAX || memchr(value, '\0', n))
        return;
    memcpy(out, value, n);
    out[n] = '\0';
}

static bool is_name(const char *line, size_t n, const char *name) {
    return n == strlen(name) && strncasecmp(line, name, n) == 0;
}

/* The last coding is the one that frames the body; others than chunked nobody asked for. */
static bool read_coding(struct c1_http_answer *a, const char *value, size_t n, struct err *err) {
    if (!is_name(value, n, "chunked"))
        return is_name(value, n, "identity") || refuse(err);
    a->is_chunked = true;
    return true;
}

static bool read_header(struct c1_http_answer *a, const char *line, size_t n, struct err *err) {
    const char *colon = memchr(line, ':', n);
    if (!colon || colon == line)
        return refuse(err);
    size_t name_len = (size_t)(colon - line);
    const char *value = colon + 1, *end = line + n;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    size_t value_len = (size_t)(end - value);
    if (is_name(line, name_len, "content-length"))
        return read_length(a, value, value_len, err);
    if (is_name(line, name_len, "transfer-encoding"))
        return read_coding(a, value, value_len, err);
    if (is_name(line, name_len, "date"))
        keep_value(a->date, value, value_len);
    else if (is_name(line, name_len, "retry-after"))
        keep_value(a->retry_after, value, value_len);
    return true;
}

static bool end_head(struct c1_http_answer *a, struct err *err) {
    if (a->status == 101)
        return refuse(err);
    if (a->status < 200) {
        size_t head_len = a->head_len;
        c1_http_answer_init(a);
        a->head_len = head_len; /* interim answers without end are no answer */
        return true;
    }
    bool is_bare = a->status == 204 || a->status == 304;
    if (a->is_chunked && !is_bare)
        a->part = C1_ANSWER_CHUNK_SIZE;
    else if (is_bare || (a->has_length && a->length == 0))
        a->part = C1_ANSWER_COMPLETE;
    else if (a->has_length)
        a->part = C1_ANSWER_BODY;
    else
        a->part = C1_ANSWER_REST;
    return !(a->part == C1_ANSWER_BODY && a->length > C1_ANSWER_BODY_MAX) || refuse_size(err);
}

static int hex_value(char c) {
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a2b" or "1a2b; extension" */
static bool read_chunk_size(struct c1_http_answer *a, const char *line, size_t n,
                            struct err *err) {
    size_t size = 0, i = 0;
    for (; i < n && hex_value(line[i]) >= 0; i++) {
        size = size * 16 + (size_t)hex_value(line[i]);
        if (size > C1_ANSWER_BODY_MAX)
            return refuse_size(err);
    }
    if (i == 0 || (i < n && line[i] != ';' && line[i] != ' ' && line[i] != '\t'))
        return refuse(err);
    a->length = size;
    a->part = size ? C1_ANSWER_CHUNK : C1_ANSWER_TRAILER;
    return true;
}

/* A whole line, without its end. */
static bool read_line(struct c1_http_answer *a, const char *line, size_t n, struct err *err) {
    switch (a->part) {
    case C1_ANSWER_STATUS:
        return read_status(a, line, n, err);
    case C1_ANSWER_HEADER:
        return n ? read_header(a, line, n, err) : end_head(a, err);
    case C1_ANSWER_CHUNK_SIZE:
        return read_chunk_size(a, line, n, err);
    case C1_ANSWER_CHUNK_END:
        a->part = C1_ANSWER_CHUNK_SIZE;
        return n == 0 || refuse(err);
    default: /* C1_ANSWER_TRAILER: nothing in it is wanted */
        if (n == 0)
            a->part = C1_ANSWER_COMPLETE;
        return true;
    }
}

/* -- bytes --------------------------------------------------------------------------------------- */

/* Takes bytes up to the end of a line. Returns how many, 0 after an error. */
static size_t take_line(struct c1_http_answer *a, const char *bytes, size_t n, struct err *err) {
    const char *lf = memchr(bytes, '\n', n);
    size_t take = lf ? (size_t)(lf - bytes) + 1 : n;
    a->head_len += take;
    if (a->head_len > C1_ANSWER_HEAD_MAX || take > sizeof a->line - a->line_len) {
        refuse_size(err);
        return 0;
    }
    memcpy(a->line + a->line_len, bytes, take);
    a->line_len += take;
    if (!lf)
        return take;
    size_t len = a->line_len - 1;
    if (len > 0 && a->line[len - 1] == '\r')
        len--;
    a->line_len = 0;
    return read_line(a, a->line, len, err) ? take : 0;
}

static size_t take_body(struct c1_http_answer *a, const char *bytes, size_t n, struct err *err) {
    bool is_counted = a->part != C1_ANSWER_REST;
    size_t take = is_counted && n > a->length ? a->length : n;
    if (take > sizeof a->body - a->body_len) {
        refuse_size(err);
        return 0;
    }
    memcpy(a->body + a->body_len, bytes, take);
    a->body_len += take;
    if (!is_counted)
        return take;
    a->length -= take;
    if (a->length == 0)
        a->part = a->part == C1_ANSWER_CHUNK ? C1_ANSWER_CHUNK_END : C1_ANSWER_COMPLETE;
    return take;
}

bool c1_http_answer_feed(struct c1_http_answer *a, const void *bytes, size_t n, struct err *err) {
    const char *p = bytes, *end = p + n;
    while (p < end && a->part != C1_ANSWER_COMPLETE) {
        bool is_body = a->part == C1_ANSWER_BODY || a->part == C1_ANSWER_REST ||
                       a->part == C1_ANSWER_CHUNK;
        size_t left = (size_t)(end - p);
        size_t taken = is_body ? take_body(a, p, left, err) : take_line(a, p, left, err);
        if (taken == 0)
            return false;
        p += taken;
    }
    return true;
}

bool c1_http_answer_end(struct c1_http_answer *a, struct err *err) {
    if (a->part == C1_ANSWER_REST)
        a->part = C1_ANSWER_COMPLETE;
    if (a->part == C1_ANSWER_COMPLETE)
        return true;
    bool is_empty = a->part == C1_ANSWER_STATUS && a->line_len == 0;
    return err_set(err, ERR_UNAVAILABLE,
                   is_empty ? "the server closed the connection without an answer"
                            : "the server closed the connection in the middle of its answer");
}

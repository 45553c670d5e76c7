#include "sandbox/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

void answer_init(struct answer *a) {
    *a = (struct answer){0};
}

void answer_drop_headers(struct answer *a) {
    for (size_t i = 0; i < a->header_count; i++) {
        free(a->headers[i].name);
        free(a->headers[i].value);
    }
    a->header_count = 0;
}

void answer_done(struct answer *a) {
    if (!a)
        return;
    answer_drop_headers(a);
    blob_unref(a->body);
    answer_init(a);
}

static size_t find(const struct answer *a, const char *name) {
    size_t i = 0;
    while (i < a->header_count && strcasecmp(a->headers[i].name, name) != 0)
        i++;
    return i;
}

void answer_header(struct answer *a, const char *name, const char *value) {
    size_t i = find(a, name);
    if (i == ANSWER_HEADERS_MAX)
        return;
    if (i == a->header_count) {
        a->headers[i].name = mem_strdup(name);
        a->header_count++;
    } else {
        free(a->headers[i].value);
    }
    a->headers[i].value = mem_strdup(value);
}

const char *answer_get_header(const struct answer *a, const char *name) {
    size_t i = find(a, name);
    return i < a->header_count ? a->headers[i].value : NULL;
}

void answer_body(struct answer *a, struct blob *body) {
    blob_unref(a->body);
    a->body = body;
}

void answer_text(struct answer *a, int status, const char *content_type, const char *text) {
    a->status = status;
    if (content_type)
        answer_header(a, "Content-Type", content_type);
    answer_body(a, blob_copy(text, strlen(text)));
}

void answer_json(struct answer *a, int status, json_t *value) {
    /* NULL: a string in it was not UTF-8. */
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    a->status = text ? status : 500;
    if (!text)
        text = mem_strdup("{\"error\":true,\"reason\":\"server_error\",\"data\":{}}");
    answer_header(a, "Content-Type", ANSWER_JSON);
    answer_body(a, blob_take(text, strlen(text)));
}

void answer_ok(struct answer *a, int status, const char *reason, json_t *data) {
    answer_json(a, status, json_pack("{s:b, s:s, s:o}", "error", 0, "reason", reason, "data",
                                     data ? data : json_object()));
}

void answer_error(struct answer *a, int status, const char *reason) {
    answer_json(a, status, json_pack("{s:b, s:s, s:{}}", "error", 1, "reason", reason, "data"));
}

void answer_refuse(struct answer *a, int status, const char *reason, const char *space,
                   const char *message) {
    answer_json(a, status, json_pack("{s:b, s:s, s:{s:s, s:s}}", "error", 1, "reason", reason,
                                     "data", "namespace", space, "message", message));
}

#include "sandbox/journal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "sandbox/pattern.h"

void journal_init(struct journal *j) {
    *j = (struct journal){.entries = json_array(), .first = 1, .next = 1, .cleared = 1};
}

void journal_done(struct journal *j) {
    if (!j)
        return;
    json_decref(j->entries);
    *j = (struct journal){0};
}

void journal_clear(struct journal *j) {
    json_array_clear(j->entries);
    j->first = j->cleared = j->next;
}

json_t *journal_text(const char *s) {
    size_t n = strlen(s);
    if (utf8_valid(s, n))
        return json_stringn(s, n);
    mem_auto char *copy = mem_strndup(s, n);
    for (char *p = copy; *p; p++) {
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    }
    return json_string(copy);
}

static json_t *header_value(const struct request_header *h) {
    if (strcasecmp(h->name, "Authorization") != 0 && strcasecmp(h->name, "Cookie") != 0 &&
        strcasecmp(h->name, "Proxy-Authorization") != 0)
        return journal_text(h->value);
    if (strncasecmp(h->value, "Basic ", 6) == 0)
        return json_string("Basic ***");
    return json_string("***");
}

static json_t *headers_to_json(const struct request *req) {
    json_t *headers = json_object();
    for (size_t i = 0; i < req->header_count; i++) {
        json_auto_t *name = journal_text(req->headers[i].name);
        json_object_set_new(headers, json_string_value(name), header_value(&req->headers[i]));
    }
    return headers;
}

int64_t journal_add(struct journal *j, const struct request *req, const char *route,
                    const struct answer *a, int64_t now_ms) {
    const char *query = strchr(req->target, '?');
    mem_auto char *path =
        mem_strndup(req->target, query ? (size_t)(query - req->target) : strlen(req->target));
    if (json_array_size(j->entries) >= JOURNAL_MAX) {
        json_array_remove(j->entries, 0);
        j->first++;
    }
    json_t *entry = json_pack("{s:I, s:I, s:o, s:o, s:o, s:s, s:i, s:I, s:o, s:i, s:s}", "number",
                              (json_int_t)j->next, "time_ms", (json_int_t)now_ms, "method",
                              journal_text(req->method), "path", journal_text(path), "query",
                              journal_text(query ? query + 1 : ""), "version", req->version,
                              "connection", (int)req->connection, "body_bytes",
                              (json_int_t)req->body_len, "headers", headers_to_json(req), "status",
                              a->delivery.silent ? 0 : a->status, "outcome", "pending");
    json_object_set_new(entry, "route", json_string(route));
    json_object_set_new(entry, "tier", a->tier ? json_string(a->tier) : json_null());
    json_object_set_new(entry, "fault", a->fault_id ? json_integer(a->fault_id) : json_null());
    json_array_append_new(j->entries, entry);
    return j->next++;
}

void journal_finish(struct journal *j, int64_t number, const char *outcome) {
    if (number < j->first || number >= j->next)
        return;
    json_t *entry = json_array_get(j->entries, (size_t)(number - j->first));
    json_object_set_new(entry, "outcome", json_string(outcome));
}

json_t *journal_to_json(const struct journal *j, const char *pattern) {
    json_t *list = json_array(), *entry;
    size_t i;
    json_array_foreach(j->entries, i, entry) {
        const char *path = json_string_value(json_object_get(entry, "path"));
        const char *route = json_string_value(json_object_get(entry, "route"));
        if (!pattern || pattern_matches(pattern, route, path))
            json_array_append(list, entry);
    }
    int64_t total = j->next - j->cleared;
    return json_pack("{s:I, s:I, s:o}", "total", (json_int_t)total, "kept",
                     (json_int_t)json_array_size(j->entries), "requests", list);
}

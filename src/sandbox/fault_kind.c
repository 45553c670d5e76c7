#include "sandbox/fault_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sandbox/edge.h"
#include "sandbox/fault.h"
#include "sandbox/team.h"

const char *fault_text(json_t *order, const char *key, const char *otherwise) {
    const char *text = json_string_value(json_object_get(order, key));
    return text ? text : otherwise;
}

int64_t fault_number(json_t *order, const char *key, int64_t otherwise) {
    json_t *value = json_object_get(order, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static bool has(json_t *order, const char *key) {
    return json_object_get(order, key) != NULL;
}

/* ---- bodies ---- */

/* What Crisp answers with a status, or is taken to answer (crisp-api.md 2.4). */
static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {400, "invalid_data"}, {401, "invalid_session"}, {403, "not_allowed"},
    {404, "not_found"},    {409, "conflict"},        {413, "payload_too_large"},
    {420, "rate_limited"}, {422, "invalid_data"},    {429, "rate_limited"},
    {500, "server_error"}, {503, "maintenance"},     {504, "timeout"},
};

static const char *reason_for(int status) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "error";
}

static json_t *parse_body(const struct answer *a) {
    return a->body ? json_loadb(a->body->data, a->body->len, 0, NULL) : NULL;
}

/* Takes the reference. */
static void set_json_body(struct answer *a, json_t *value) {
    int status = a->status;
    answer_json(a, status, value);
}

static void fail_with(json_t *order, struct answer *a, int status, const char *reason,
                      const char *message) {
    reason = fault_text(order, "reason", reason);
    message = fault_text(order, "message", message);
    if (message)
        answer_refuse(a, status, reason, "error", message);
    else
        answer_error(a, status, reason);
}

static void apply_offline(json_t *order, struct answer *a) {
    (void)order;
    answer_text(a, 502, NULL, "502 Bad Gateway");
    answer_header(a, "Bloom-Status", "OFFLINE");
}

static void apply_status(json_t *order, struct answer *a) {
    int status = (int)fault_number(order, "status", 500);
    if (status >= 200 && status <= 299)
        a->status = status; /* the normal answer under another status */
    else if (status == 502 && !has(order, "reason") && !has(order, "message"))
        apply_offline(order, a);
    else
        fail_with(order, a, status, reason_for(status), NULL);
}

static void apply_invalid_session(json_t *order, struct answer *a) {
    fail_with(order, a, 401, "invalid_session", NULL);
}

static void apply_not_allowed(json_t *order, struct answer *a) {
    fail_with(order, a, 403, "not_allowed", NULL);
}

static void apply_restricted(json_t *order, struct answer *a) {
    fail_with(order, a, 403, "restricted_route_tier", NULL);
}

static void apply_not_subscribed(json_t *order, struct answer *a) {
    fail_with(order, a, 404, "not_subscribed", NULL);
}

static void apply_website_not_found(json_t *order, struct answer *a) {
    fail_with(order, a, 404, "website_not_found", NULL);
}

static void apply_route_not_found(json_t *order, struct answer *a) {
    fail_with(order, a, 404, "not_found", "the route does not exist");
}

static void apply_quota(json_t *order, struct answer *a) {
    fail_with(order, a, 429, "quota_limit_exceeded", NULL);
}

static void apply_html(json_t *order, struct answer *a) {
    answer_text(a, (int)fault_number(order, "status", 403), "text/html; charset=UTF-8",
                "<!DOCTYPE html><html><head><title>Access denied</title></head>"
                "<body>Access denied</body></html>\n");
}

static void apply_not_json(json_t *order, struct answer *a) {
    answer_text(a, (int)fault_number(order, "status", 200), ANSWER_JSON, "this is not JSON\n");
}

static void apply_redirect(json_t *order, struct answer *a) {
    answer_text(a, (int)fault_number(order, "status", 302), "text/plain", "");
    const char *location = fault_text(order, "location", "https://elsewhere.example.com/v1/");
    answer_header(a, "Location", location);
}

static void apply_empty(json_t *order, struct answer *a) {
    (void)order;
    answer_ok(a, 200, "listed", json_array());
}

static void apply_edge(json_t *order, struct answer *a) {
    (void)order;
    answer_text(a, 200, ANSWER_JSON, edge_list);
}

static void apply_endless(json_t *order, struct answer *a) {
    (void)order;
    answer_text(a, 200, ANSWER_JSON, "{\"error\":false,\"reason\":\"listed\",\"data\":[");
    a->delivery.endless = true;
    a->delivery.chunked = true;
}

static void apply_huge_list(json_t *order, struct answer *a) {
    struct buf b;
    int64_t elements = fault_number(order, "elements", 200000);
    buf_init(&b, (size_t)TEAM_MAX * 512);
    buf_adds(&b, "{\"error\":false,\"reason\":\"listed\",\"data\":[");
    for (int64_t i = 0; i < elements; i++) {
        struct team_member member = {0};
        buf_adds(&b, i ? ",{\"type\":\"operator\",\"details\":"
                       : "{\"type\":\"operator\",\"details\":");
        team_generate((size_t)i, team_is_owner((size_t)i), &b, &member);
        buf_adds(&b, "}");
    }
    buf_adds(&b, "]}");
    size_t len = b.len;
    answer_text(a, 200, ANSWER_JSON, "");
    answer_body(a, blob_take(buf_detach(&b), len));
}

static void apply_deep(json_t *order, struct answer *a) {
    static const char head[] = "{\"error\":false,\"reason\":\"listed\",\"data\":";
    size_t depth = (size_t)fault_number(order, "depth", 100000), n = sizeof head - 1;
    size_t len = n + 2 * depth + 1;
    char *text = mem_alloc(len + 1);
    memcpy(text, head, n);
    memset(text + n, '[', depth);
    memset(text + n + depth, ']', depth);
    memcpy(text + len - 1, "}", 2);
    answer_text(a, 200, ANSWER_JSON, "");
    answer_body(a, blob_take(text, len));
}

/* ---- the normal answer, changed ---- */

static void apply_nothing(json_t *order, struct answer *a) {
    (void)order;
    (void)a;
}

static void apply_wrong_site(json_t *order, struct answer *a) {
    const char *id = fault_text(order, "website_id", "5f0c1a2b-1111-4222-8333-abcdef00ffff");
    json_t *body = parse_body(a);
    json_t *data = json_object_get(body, "data");
    if (!json_object_get(data, "website_id")) {
        json_decref(body);
        return;
    }
    json_object_set_new(data, "website_id", json_string(id));
    set_json_body(a, body);
}

/* NULL value: the key goes. Takes the reference to value. */
static void change_key(struct answer *a, const char *key, json_t *value) {
    json_t *body = parse_body(a);
    if (!json_is_object(body)) {
        json_decref(body);
        json_decref(value);
        return;
    }
    if (value)
        json_object_set_new(body, key, value);
    else
        json_object_del(body, key);
    set_json_body(a, body);
}

static void apply_no_data(json_t *order, struct answer *a) {
    (void)order;
    change_key(a, "data", NULL);
}

static void apply_data_type(json_t *order, struct answer *a) {
    const char *type = fault_text(order, "type", "string");
    json_t *value = json_loads(type, JSON_DECODE_ANY, NULL); /* "null", "true", "17", "[]" … */
    if (!value && strcmp(type, "object") == 0)
        value = json_object();
    if (!value && strcmp(type, "array") == 0)
        value = json_array();
    if (!value && strcmp(type, "number") == 0)
        value = json_integer(1);
    change_key(a, "data", value ? value : json_string("a string"));
}

static void apply_error_true(json_t *order, struct answer *a) {
    json_t *reason = json_object_get(order, "reason");
    change_key(a, "error", json_true());
    if (reason)
        change_key(a, "reason", json_incref(reason));
}

static void apply_truncate(json_t *order, struct answer *a) {
    size_t len = a->body ? a->body->len : 0;
    uint64_t after = (uint64_t)fault_number(order, "after", (int64_t)(len / 2));
    if (after < len)
        answer_body(a, blob_copy(a->body->data, (size_t)after));
}

/* Puts n bytes behind the first `name":"` of the body. */
static void insert_in_name(struct answer *a, const char *bytes, size_t n) {
    static const char mark[] = "name\":\"";
    const char *at = a->body ? strstr(a->body->data, mark) : NULL;
    if (!at)
        return;
    size_t before = (size_t)(at - a->body->data) + sizeof mark - 1, len = a->body->len + n;
    char *text = mem_alloc(len + 1);
    char *end = mempcpy(mempcpy(text, a->body->data, before), bytes, n);
    memcpy(end, a->body->data + before, a->body->len - before + 1);
    answer_body(a, blob_take(text, len));
}

static void apply_bad_utf8(json_t *order, struct answer *a) {
    (void)order;
    insert_in_name(a, "\xff\xfe", 2);
}

static void apply_huge_string(json_t *order, struct answer *a) {
    size_t n = (size_t)fault_number(order, "bytes", 20 * 1024 * 1024);
    mem_auto char *text = mem_alloc(n);
    memset(text, 'x', n);
    insert_in_name(a, text, n);
}

/* ---- delivery ---- */

static void apply_slow(json_t *order, struct answer *a) {
    a->delivery.pace_bytes = (uint64_t)fault_number(order, "bytes", 16);
    a->delivery.pace_ms = fault_number(order, "every_ms", 100);
}

static void apply_delay(json_t *order, struct answer *a) {
    a->delivery.delay_ms = fault_number(order, "delay_ms", 1000);
}

static void apply_stall(json_t *order, struct answer *a) {
    (void)order;
    a->delivery.silent = true;
}

static void end_early(json_t *order, struct answer *a, enum answer_end end,
                      uint64_t otherwise) {
    a->delivery.end = end;
    a->delivery.end_after = (uint64_t)fault_number(order, "after", (int64_t)otherwise);
}

static void apply_stall_body(json_t *order, struct answer *a) {
    end_early(order, a, END_STALL, 0);
}

static void apply_cut(json_t *order, struct answer *a) {
    end_early(order, a, END_CUT, a->body ? a->body->len / 2 : 0);
}

static void apply_reset(json_t *order, struct answer *a) {
    end_early(order, a, END_RESET, 0);
    a->delivery.silent = !has(order, "after");
}

static void apply_chunked(json_t *order, struct answer *a) {
    (void)order;
    a->delivery.chunked = true;
}

static void apply_close(json_t *order, struct answer *a) {
    (void)order;
    a->delivery.close = true;
}

/* ---- kinds ---- */

static const struct fault_kind kinds[] = {
    {"status", false, apply_status, "Crisp's error for status=N (or write the number as the kind)"},
    {"invalid-session", false, apply_invalid_session, "401, as for a wrong key or tier"},
    {"not-allowed", false, apply_not_allowed, "403, as for a missing scope or too low a role"},
    {"restricted-tier", false, apply_restricted, "403 restricted_route_tier"},
    {"not-subscribed", false, apply_not_subscribed, "404, as if the plugin were not installed"},
    {"website-not-found", false, apply_website_not_found, "404 website_not_found"},
    {"route-not-found", false, apply_route_not_found, "404, the route does not exist"},
    {"quota", false, apply_quota, "429 quota_limit_exceeded"},
    {"offline", false, apply_offline, "the cache's own 502: plain text, Bloom-Status: OFFLINE"},
    {"html", false, apply_html, "403 with an HTML page, as from an edge proxy"},
    {"not-json", false, apply_not_json, "200 with a body that is not JSON"},
    {"redirect", false, apply_redirect, "302 (or status=) to location="},
    {"empty", false, apply_empty, "an empty list"},
    {"edge", false, apply_edge, "a list of twelve odd entries, with a duplicate"},
    {"huge-list", false, apply_huge_list, "a list of elements= operators (200,000)"},
    {"endless", false, apply_endless, "a list that never ends"},
    {"deep", false, apply_deep, "arrays nested depth= deep (100,000)"},
    {"huge-string", true, apply_huge_string, "one string grown by bytes= (20 MiB)"},
    {"wrong-site", true, apply_wrong_site, "another website_id, or website_id="},
    {"no-data", true, apply_no_data, "no member data"},
    {"data-type", true, apply_data_type, "data is type= string, number, object, array, or JSON"},
    {"error-true", true, apply_error_true, "\"error\": true under the normal status"},
    {"bad-utf8", true, apply_bad_utf8, "bytes that are no UTF-8 in a string"},
    {"truncate", true, apply_truncate, "the JSON ends after after= bytes (half)"},
    {"cut", true, apply_cut, "the connection closes after after= bytes (half)"},
    {"reset", true, apply_reset, "the connection is reset, at once or after after= bytes"},
    {"stall", true, apply_stall, "nothing is ever sent"},
    {"stall-body", true, apply_stall_body, "headers and after= bytes (0), then nothing"},
    {"slow", true, apply_slow, "bytes= (16) of the body every every-ms= (100)"},
    {"delay", true, apply_delay, "the answer comes after delay-ms= (1000)"},
    {"chunked", true, apply_chunked, "the normal answer, chunked"},
    {"close", true, apply_close, "the normal answer, then the connection closes"},
    {"none", true, apply_nothing, "the normal answer, with the headers= given"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const struct fault_kind *fault_kind_at(size_t i) {
    return i < KINDS ? &kinds[i] : NULL;
}

const struct fault_kind *fault_kind_find(const char *name) {
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

bool fault_kind_changes(const struct fault_kind *kind, json_t *order) {
    int64_t status = fault_number(order, "status", 500);
    if (kind->apply == apply_status)
        return status >= 200 && status <= 299;
    return kind->changes;
}

static void add_retry_after(json_t *order, struct answer *a, int64_t now_ms) {
    json_t *value = json_object_get(order, "retry_after");
    char text[64];
    if (json_is_string(value)) {
        answer_header(a, "Retry-After", json_string_value(value));
    } else if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        answer_header(a, "Retry-After", text);
    } else if (has(order, "retry_after_date")) {
        time_t when = (time_t)(now_ms / 1000 + fault_number(order, "retry_after_date", 0));
        struct tm tm;
        gmtime_r(&when, &tm);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        answer_header(a, "Retry-After", text);
    }
}

/* What every kind understands, on top of its own effect. */
static void apply_common(json_t *order, struct answer *a, int64_t now_ms) {
    const char *name, *type = fault_text(order, "content_type", NULL);
    json_t *body = json_object_get(order, "body"), *value;
    if (json_is_string(body))
        answer_body(a, blob_copy(json_string_value(body), json_string_length(body)));
    else if (body)
        set_json_body(a, json_incref(body));
    if (type)
        answer_header(a, "Content-Type", type);
    add_retry_after(order, a, now_ms);
    json_object_foreach(json_object_get(order, "headers"), name, value) {
        answer_header(a, name, json_string_value(value));
    }
    if (has(order, "delay_ms"))
        apply_delay(order, a);
    if (has(order, "every_ms") && has(order, "bytes"))
        apply_slow(order, a);
    a->delivery.chunked |= json_is_true(json_object_get(order, "chunked"));
    a->delivery.close |= json_is_true(json_object_get(order, "close"));
}

void fault_kind_apply(const struct fault_kind *kind, json_t *order, struct answer *a,
                      int64_t now_ms) {
    kind->apply(order, a);
    apply_common(order, a, now_ms);
}

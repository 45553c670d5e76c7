#include "crisp/problem.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "crisp/envelope.h"
#include "net/jsonlist.h"

#define CACHE_HINT                                                                                 \
    ". After a fix Crisp may repeat the refusal from its cache for up to ten minutes"
#define LATER "Try again later"
#define RATE_LIMIT                                                                                 \
    "rate limited, or the daily quota of the token is used up (by default 5,000 requests for a "   \
    "plugin, 10,000 for a website token). Ask for a higher quota in the Marketplace, or try "       \
    "again later"

/* What an answer that is no success tells, as far as it may be shown. */
struct refusal {
    bool is_json;
    struct crisp_envelope envelope;
    char message[CRISP_MESSAGE_MAX + 1];
};

/* In the texts: {website}, {tier}, {host}, {scope}, {message}, {detail}, {redirect}. */
struct row {
    int from, to; /* statuses */
    const char *reason, *message; /* NULL: any */
    enum err_code code;
    const char *text;
};

static const char ROUTE_MESSAGE[] = "the route does not exist";

/* The first row that fits counts. */
static const struct row rows[] = {
    {304, 304, NULL, NULL, ERR_INTERNAL,
     "unexpected answer: \"not modified\", although nothing was said of an earlier answer. Check "
     "whether a cache stands in between"},
    {300, 399, NULL, NULL, ERR_INTERNAL,
     "unexpected answer: a redirect{redirect}, which is not followed, because it would take the "
     "credentials elsewhere. Check the base URL, and whether a proxy or a log-in page stands in "
     "between"},
    {400, 400, NULL, NULL, ERR_INVALID_ARGUMENT,
     "Crisp refused the request{message}. Often the website id is not a UUID: copy it from "
     "app.crisp.chat/website/<ID>/"},
    {401, 401, NULL, NULL, ERR_UNAUTHENTICATED,
     "Crisp refused the token. Check identifier and key, and that the tier ({tier}) is the kind of "
     "this token (plugin, website or user): a wrong tier gives this same error" CACHE_HINT},
    {403, 403, "restricted_route_tier", NULL, ERR_PERMISSION_DENIED,
     "this route is not open to tokens of tier {tier}. Use a token of another kind, and set the "
     "tier to match it"},
    {403, 403, NULL, NULL, ERR_PERMISSION_DENIED,
     "the token may not list the operators of website {website}. {scope}"},
    {404, 404, "not_subscribed", NULL, ERR_NOT_FOUND,
     "the plugin is not installed on website {website}. An owner of the website must install it "
     "through its private install link; for a development token, add the website as a trusted one "
     "in the Marketplace" CACHE_HINT},
    {404, 404, "not_found", ROUTE_MESSAGE, ERR_NOT_FOUND,
     "{host} has no such API route. Check the base URL: it must end in /v1"},
    {404, 404, NULL, NULL, ERR_NOT_FOUND,
     "website {website}, or this part of it, was not found. Copy its id from "
     "app.crisp.chat/website/<ID>/" CACHE_HINT},
    {408, 408, NULL, NULL, ERR_DEADLINE_EXCEEDED, "Crisp gave up waiting for the request. " LATER},
    {420, 420, NULL, NULL, ERR_UNAVAILABLE, RATE_LIMIT},
    {429, 429, NULL, NULL, ERR_UNAVAILABLE, RATE_LIMIT},
    {400, 499, NULL, NULL, ERR_INVALID_ARGUMENT,
     "Crisp refused the request{message}. Check base URL and website id"},
    {500, 599, NULL, NULL, ERR_UNAVAILABLE, "Crisp cannot be reached right now. " LATER},
    {0, 999, NULL, NULL, ERR_INTERNAL, "unexpected answer: an unknown status"},
};

/* No answer, or none to use. */
static const struct {
    enum err_code code;
    const char *text;
} trouble_rows[] = {
    [HTTP_RESOLVE] = {ERR_UNAVAILABLE,
                      "the name {host} cannot be resolved ({detail}). Check the network, the name "
                      "server, and HTTPS_PROXY if there is a proxy"},
    [HTTP_CONNECT] = {ERR_UNAVAILABLE,
                      "{host} cannot be reached ({detail}). Check the network and the firewall, "
                      "and HTTPS_PROXY if there is a proxy"},
    [HTTP_TIMEOUT] = {ERR_UNAVAILABLE,
                      "{host} did not answer in time ({detail}). " LATER
                      ", or allow more time with the HTTP timeout"},
    [HTTP_STALL] = {ERR_UNAVAILABLE,
                    "{host} stopped sending before the answer was complete. " LATER},
    [HTTP_CUT] = {ERR_UNAVAILABLE,
                  "the connection to {host} was lost before the answer was complete ({detail}). "
                  LATER},
    [HTTP_PROXY_DENIED] = {ERR_UNAVAILABLE,
                           "the proxy did not let us through to {host} ({detail}). Check "
                           "HTTPS_PROXY, with its user and password, and NO_PROXY"},
    [HTTP_TLS] = {ERR_UNAVAILABLE,
                  "no trusted connection to {host} ({detail}). If a proxy inspects TLS, or the "
                  "server has a private certificate authority, name its certificate in "
                  "SSL_CERT_FILE"},
    [HTTP_NOT_HTTP] = {ERR_UNAVAILABLE,
                       "{host} does not answer as a web server does ({detail}). Check the base "
                       "URL"},
    [HTTP_TOO_BIG] = {ERR_INTERNAL, "unexpected answer from Crisp: it is too big to be right"},
    [HTTP_REFUSED] = {ERR_INTERNAL, "unexpected answer from Crisp: {detail}"},
    [HTTP_ABANDONED] = {ERR_ABORTED, "given up, because another request failed"},
    [HTTP_LOCAL] = {ERR_UNAVAILABLE,
                    "this machine cannot make the request ({detail}). Check SSL_CERT_FILE and "
                    "SSL_CERT_DIR if they are set"},
};

static const struct {
    const char *tier, *advice;
} scopes[] = {
    {"plugin", "A production token of a plugin needs the scope website:operators (read), and "
               "website:settings (read) for the website's name: ask for them in the Marketplace"},
    {"website", "Have an owner of the website generate the token anew: Settings, Workspace "
                "Settings, Advanced configuration, API Token"},
    {"user", "The operator whose session this is must be an owner of the website"},
};

/* --- what the answer tells --- */

static bool is_showable(const struct crisp_question *q, const char *text) {
    return !secret_is_in(q->key, text) && !secret_is_in(q->header, text);
}

static void read_message(struct jsonr *r, char out[CRISP_MESSAGE_MAX + 1]) {
    struct jsonr_string s;
    if (jsonr_peek(r) != JSONR_STRING) {
        jsonr_skip(r);
        return;
    }
    if (!jsonr_string(r, &s) || s.len > CRISP_MESSAGE_MAX)
        return;
    jsonr_decode(&s, out);
    for (const char *p = out; *p; p++)
        if (*p < 0x20 || *p > 0x7E)
            out[0] = '\0';
}

static void read_data(struct refusal *refusal, const char *text, size_t n) {
    struct jsonr r;
    struct jsonr_string key;
    jsonr_init(&r, text, n);
    if (jsonr_peek(&r) != JSONR_OBJECT || !jsonr_enter_object(&r))
        return;
    while (jsonr_next_member(&r, &key)) {
        if (jsonr_equals(&key, "message"))
            read_message(&r, refusal->message);
        else
            jsonr_skip(&r);
    }
}

static bool on_member(void *payload, const struct jsonr_string *key, const char *text, size_t n,
                      struct err *err) {
    struct refusal *refusal = payload;
    if (jsonr_equals(key, "data"))
        read_data(refusal, text, n);
    else
        crisp_envelope_member(&refusal->envelope, key, text, n, NULL);
    (void)err;
    return true;
}

static void read_refusal(const struct crisp_question *q, const struct http_answer *answer,
                         struct refusal *ret_refusal) {
    struct refusal refusal = {0};
    struct jsonlist *l =
        jsonlist_new(NULL, HTTP_ERROR_BODY_MAX,
                     &(struct jsonlist_handler){.member = on_member, .payload = &refusal});
    refusal.is_json = answer->error_body &&
                      jsonlist_feed(l, answer->error_body, answer->error_body_len, NULL) &&
                      jsonlist_end(l, NULL);
    jsonlist_free(l);
    if (!refusal.is_json)
        refusal = (struct refusal){0};
    if (!is_showable(q, refusal.envelope.reason))
        refusal.envelope.reason[0] = '\0';
    if (!is_showable(q, refusal.message))
        refusal.message[0] = '\0';
    *ret_refusal = refusal;
}

/* --- from row to text --- */

struct value {
    const char *name, *before, *text;
};

static const char *scope_advice(const char *tier) {
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
        if (strcmp(scopes[i].tier, tier) == 0)
            return scopes[i].advice;
    return "";
}

/* Replaces each {name}; an empty value takes its lead-in with it. */
static void expand(struct buf *out, const char *text, const struct value *values, size_t count) {
    while (*text) {
        size_t plain = strcspn(text, "{");
        buf_add(out, text, plain);
        text += plain;
        size_t n = strcspn(text, "}");
        for (size_t i = 0; i < count && *text; i++)
            if (strlen(values[i].name) == n - 1 && memcmp(text + 1, values[i].name, n - 1) == 0 &&
                *values[i].text)
                buf_addf(out, "%s%s", values[i].before, values[i].text);
        text += text[n] ? n + 1 : n;
    }
}

static void add_time(struct buf *out, int64_t retry_at_unix) {
    char at[CLOCK_TEXT_MAX];
    if (retry_at_unix == 0)
        return;
    clock_format_rfc3339(retry_at_unix * CLOCK_NS_PER_S, at);
    buf_addf(out, ", not before %s", at);
}

static void add_tries(struct buf *out, const struct http_get *get) {
    if (get->tries > 1)
        buf_addf(out, " (%d tries)", get->tries);
}

static const struct row *find_row(int status, const struct refusal *refusal) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        if (status >= row->from && status <= row->to &&
            (!row->reason || strcmp(row->reason, refusal->envelope.reason) == 0) &&
            (!row->message || strcmp(row->message, refusal->message) == 0))
            return row;
    }
    return &rows[sizeof rows / sizeof rows[0] - 1];
}

static void add_status_text(struct buf *out, const struct crisp_question *q,
                            const struct http_get *get, const struct refusal *refusal,
                            const struct row *row) {
    const struct value values[] = {
        {"website", "", q->website_id},
        {"tier", "", q->tier},
        {"host", "", q->host},
        {"scope", "", scope_advice(q->tier)},
        {"message", ": ", refusal->message},
        {"redirect", " to ", get->answer.redirect_host},
    };
    buf_addf(out, "HTTP %d", get->answer.status);
    if (refusal->envelope.reason[0])
        buf_addf(out, " %s", refusal->envelope.reason);
    add_tries(out, get);
    buf_adds(out, ": ");
    expand(out, row->text, values, sizeof values / sizeof values[0]);
    add_time(out, get->retry_at_unix);
    if (!refusal->is_json && get->answer.status >= 400 && get->answer.status <= 499)
        buf_adds(out, ". The answer is not JSON: it may come from a proxy in between, not from "
                      "Crisp");
}

static void add_trouble_text(struct buf *out, const struct crisp_question *q,
                             const struct http_get *get) {
    const char *detail = get->trouble == HTTP_REFUSED ? get->err.msg : get->detail;
    const struct value values[] = {
        {"host", "", q->host},
        {"detail", "", is_showable(q, detail) ? detail : "not shown"},
    };
    expand(out, trouble_rows[get->trouble].text, values, sizeof values / sizeof values[0]);
    add_tries(out, get);
}

bool crisp_problem(const struct crisp_question *q, const struct http_get *get, struct err *err) {
    struct buf text;
    buf_init(&text, ERR_MSG_MAX);
    enum err_code code;
    if (get->trouble != HTTP_NO_TROUBLE) {
        code = trouble_rows[get->trouble].code;
        add_trouble_text(&text, q, get);
    } else {
        struct refusal refusal;
        read_refusal(q, &get->answer, &refusal);
        const struct row *row = find_row(get->answer.status, &refusal);
        code = row->code;
        add_status_text(&text, q, get, &refusal, row);
    }
    err_set(err, code, "%s: %s", q->what, text.data);
    if (err)
        err->retry_at_unix = get->retry_at_unix;
    buf_done(&text);
    return false;
}

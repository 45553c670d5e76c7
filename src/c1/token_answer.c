#include "c1/token_answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/jsonr.h"
#include "net/retry.h"

#define START "failed to get token: "

/* -- any other status than 200 --------------------------------------------------------------------- */

struct refusal {
    int status;
    const char *name;
    enum err_code code;
    const char *advice;
};

#define RENEW "the client secret may have been rotated or revoked: make a new one in C1 and set it"

/* The names are net/http's, which the SDK prints. */
static const struct refusal refusals[] = {
    {400, "Bad Request", ERR_UNAUTHENTICATED, RENEW},
    {401, "Unauthorized", ERR_UNAUTHENTICATED, RENEW},
    {403, "Forbidden", ERR_UNAUTHENTICATED, RENEW},
    {404, "Not Found", ERR_UNAUTHENTICATED,
     "is the host in the client id, or BATON_C1_API_HOST, that of your C1 tenant?"},
    {407, "Proxy Authentication Required", ERR_UNAUTHENTICATED,
     "the proxy wants a name and a password: put them into HTTPS_PROXY"},
    {408, "Request Timeout", ERR_UNAVAILABLE, NULL},
    {429, "Too Many Requests", ERR_UNAVAILABLE, NULL},
    {500, "Internal Server Error", ERR_UNAVAILABLE, NULL},
    {502, "Bad Gateway", ERR_UNAVAILABLE, NULL},
    {503, "Service Unavailable", ERR_UNAVAILABLE, NULL},
    {504, "Gateway Timeout", ERR_UNAVAILABLE, NULL},
};

static struct refusal find_refusal(int status) {
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (refusals[i].status == status)
            return refusals[i];
    }
    if (status >= 500)
        return (struct refusal){status, "Server Error", ERR_UNAVAILABLE, NULL};
    return (struct refusal){
        status, "unexpected status", ERR_UNAUTHENTICATED,
        "is the host in the client id, or BATON_C1_API_HOST, that of your C1 tenant?"};
}

/* A proof that is made at the wrong time is refused like a wrong one. */
static void add_clock_hint(const struct c1_token_reply *reply, struct err *err) {
    int64_t server_s;
    if (!err || !clock_parse_http(reply->date, &server_s))
        return;
    int64_t ahead_s = reply->now_unix_s - server_s;
    if (ahead_s > C1_CLOCK_SLACK_S || ahead_s < -C1_CLOCK_SLACK_S)
        err_append(err, "; this machine's clock is %" PRId64 " s %s the server's: set it",
                   ahead_s < 0 ? -ahead_s : ahead_s, ahead_s < 0 ? "behind" : "ahead of");
}

static bool refuse_status(const struct c1_token_reply *reply, struct err *err) {
    struct refusal refusal = find_refusal(reply->status);
    int64_t wait_s;
    err_set(err, refusal.code, START "%d %s", refusal.status, refusal.name);
    if (refusal.advice)
        err_append(err, ": %s", refusal.advice);
    if (refusal.code == ERR_UNAUTHENTICATED)
        add_clock_hint(reply, err);
    else if (err && *reply->retry_after &&
             retry_parse_after(reply->retry_after, reply->now_unix_s, &wait_s))
        err->retry_at_unix = reply->now_unix_s + wait_s;
    return false;
}

/* -- 200 ------------------------------------------------------------------------------------------- */

struct members {
    struct jsonr_string token, type;
    bool has_token, has_type;
    int64_t expires_in_s;
};

/* null leaves a member as it is, as in Go. */
static bool read_text(struct jsonr *r, struct jsonr_string *ret_text, bool *ret_is_there) {
    if (jsonr_peek(r) == JSONR_NULL)
        return jsonr_skip(r);
    *ret_is_there = jsonr_string(r, ret_text);
    return *ret_is_there;
}

static bool read_life(struct jsonr *r, int64_t *ret_life_s) {
    bool is_int;
    int64_t value;
    if (jsonr_peek(r) == JSONR_NULL)
        return jsonr_skip(r);
    if (!jsonr_int(r, &value, &is_int))
        return false;
    *ret_life_s = !is_int || value < 0 ? 0
                  : value > C1_TOKEN_LIFE_MAX_S ? C1_TOKEN_LIFE_MAX_S : value;
    return true;
}

static bool read_members(const char *json, size_t n, struct members *m) {
    struct jsonr r;
    struct jsonr_string key;
    jsonr_init(&r, json, n);
    bool ok = jsonr_enter_object(&r);
    while (ok && jsonr_next_member(&r, &key)) {
        if (jsonr_equals(&key, "access_token"))
            ok = read_text(&r, &m->token, &m->has_token);
        else if (jsonr_equals(&key, "token_type"))
            ok = read_text(&r, &m->type, &m->has_type);
        else if (jsonr_equals(&key, "expires_in"))
            ok = read_life(&r, &m->expires_in_s);
        else
            ok = jsonr_skip(&r);
    }
    return ok && jsonr_is_complete(&r);
}

/* Go's oauth2 writes these three in one way, and any other as it came. */
static const char *scheme_of(const char *type) {
    static const char *const known[] = {"Bearer", "MAC", "Basic"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(type, known[i]) == 0)
            return known[i];
    }
    return *type ? type : known[0];
}

/* Printable ASCII without blanks: all that HTTP/1.1 and HTTP/2 carry unchanged. */
static bool is_header_word(const char *text) {
    for (; *text; text++) {
        if (*text <= ' ' || *text >= 0x7F)
            return false;
    }
    return true;
}

static bool join(const char *type, const char *token, struct secret *ret, struct err *err) {
    if (!*token)
        return err_set(err, ERR_UNAUTHENTICATED, START "empty access token");
    if (!is_header_word(type) || !is_header_word(token))
        return err_set(err, ERR_UNAUTHENTICATED,
                       START "it holds characters that cannot stand in a header");
    const char *scheme = scheme_of(type);
    char *text = mem_printf("%s %s", scheme, token);
    size_t len = strlen(text);
    secret_set(ret, text, len);
    explicit_bzero(text, len);
    free(text);
    return true;
}

/* Decodes into one block of memory that is wiped afterwards. */
static bool join_members(const struct members *m, struct secret *ret, struct err *err) {
    size_t type_len = m->has_type ? m->type.len : 0, token_len = m->has_token ? m->token.len : 0;
    char *type = mem_zalloc(type_len + token_len + 2), *token = type + type_len + 1;
    if (m->has_type)
        jsonr_decode(&m->type, type);
    if (m->has_token)
        jsonr_decode(&m->token, token);
    bool ok = join(type, token, ret, err);
    explicit_bzero(type, type_len + token_len + 2);
    free(type);
    return ok;
}

bool c1_token_answer_read(const struct c1_token_reply *reply, struct c1_token_answer *ret_answer,
                          struct err *err) {
    struct members m = {0};
    struct c1_token_answer answer = {0};
    if (reply->status != 200)
        return refuse_status(reply, err);
    if (!read_members(reply->body, reply->body_len, &m))
        return err_set(err, ERR_UNAUTHENTICATED,
                       START "the answer is not the JSON object of a token endpoint: is the host in "
                             "the client id, or BATON_C1_API_HOST, that of your C1 tenant?");
    if (!join_members(&m, &answer.authorization, err))
        return false;
    answer.expires_in_s = m.expires_in_s;
    *ret_answer = answer;
    return true;
}

void c1_token_answer_done(struct c1_token_answer *answer) {
    if (!answer)
        return;
    secret_done(&answer->authorization);
    *answer = (struct c1_token_answer){0};
}

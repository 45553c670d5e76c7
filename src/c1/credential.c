#include "c1/credential.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "c1/base64url.h"
#include "net/jsonr.h"

enum { KEY_LEN = 32, PORT_DEFAULT = 443, PORT_MAX = 65535 };

/* The JSON Web Key as it is read. */
struct jwk {
    bool is_okp, is_ed25519;
    bool has_d, has_x;
    uint8_t d[KEY_LEN], x[KEY_LEN];
    char *key_id;
};

static bool refuse_id(struct err *err, const char *problem) {
    return err_set(err, ERR_UNKNOWN,
                   "invalid client id: %s; a client id is name@tenant.conductor.one/use, copy it "
                   "again from C1",
                   problem);
}

static bool refuse_secret(struct err *err, const char *problem) {
    return err_set(err, ERR_UNKNOWN,
                   "invalid client secret: %s; a client secret has four parts, "
                   "secret-token:conductorone.com:v1:<key>, copy it again from C1",
                   problem);
}

/* -- host ------------------------------------------------------------------------------------ */

/* Part of a text. */
struct part {
    const char *text;
    size_t len;
};

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_made_of(struct part part, const char *more) {
    for (size_t i = 0; i < part.len; i++) {
        if (!is_alnum(part.text[i]) && (!part.text[i] || !strchr(more, part.text[i])))
            return false;
    }
    return part.len > 0 && part.len <= C1_HOST_MAX;
}

static bool read_port(struct part digits, int *ret_port) {
    int port = 0;
    if (digits.len == 0 || digits.len > 5)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.text[i] < '0' || digits.text[i] > '9')
            return false;
        port = port * 10 + (digits.text[i] - '0');
    }
    *ret_port = port;
    return port > 0 && port <= PORT_MAX;
}

struct place {
    struct part host; /* without brackets */
    bool is_bracketed, has_port;
    int port;
};

/* `host`, `host:port`, `[v6]` or `[v6]:port`. NULL, or what is wrong. */
static const char *read_place(struct part text, struct place *ret) {
    static const char brackets[] = "an IPv6 address stands in brackets, as in [::1]:8443";
    *ret = (struct place){.host = text, .port = PORT_DEFAULT};
    const char *rest = text.text, *end = text.text + text.len;
    if (text.len == 0)
        return "the host is empty";
    if (*rest == '[') {
        const char *close = memchr(rest, ']', text.len);
        if (!close)
            return brackets;
        ret->host = (struct part){rest + 1, (size_t)(close - rest) - 1};
        ret->is_bracketed = true;
        rest = close + 1;
        if (!is_made_of(ret->host, ":.%-_"))
            return "the address in brackets is none";
    } else {
        const char *colon = memchr(rest, ':', text.len);
        rest = colon ? colon : end;
        ret->host.len = (size_t)(rest - text.text);
        if (colon && memchr(colon + 1, ':', (size_t)(end - colon) - 1))
            return brackets;
        if (!is_made_of(ret->host, ".-_"))
            return "the host is no name that a server can have";
    }
    ret->has_port = rest < end;
    if (ret->has_port &&
        (*rest != ':' ||
         !read_port((struct part){rest + 1, (size_t)(end - rest) - 1}, &ret->port)))
        return "the port behind the host is no number from 1 to 65535";
    return NULL;
}

static void set_place(struct c1_credential *c, const struct place *place) {
    c->host = mem_strndup(place->host.text, place->host.len);
    c->port = place->port;
    const char *open = place->is_bracketed ? "[" : "", *close = place->is_bracketed ? "]" : "";
    c->authority = place->port == PORT_DEFAULT
                       ? mem_printf("%s%s%s", open, c->host, close)
                       : mem_printf("%s%s%s:%d", open, c->host, close, place->port);
}

/* -- client id -------------------------------------------------------------------------------- */

static bool check_id(const char *id, struct err *err) {
    size_t len = strlen(id);
    if (len > C1_CLIENT_ID_MAX)
        return refuse_id(err, "it is longer than 1024 bytes");
    for (size_t i = 0; i < len; i++) {
        if (id[i] <= ' ' || id[i] >= 0x7F)
            return refuse_id(err, "it holds a blank or a character that is not plain ASCII");
    }
    return true;
}

/* The first @ and the first / behind it split. */
static bool parse_id(const char *id, const char *api_host, struct c1_credential *c,
                     struct err *err) {
    if (!check_id(id, err))
        return false;
    const char *at = strchr(id, '@');
    if (!at)
        return refuse_id(err, "it has no @");
    const char *slash = strchr(at, '/');
    if (!slash)
        return refuse_id(err, "it has no / behind the host");
    struct part token_host = {at + 1, (size_t)(slash - at) - 1};
    struct place place = {0};
    const char *problem = read_place(token_host, &place);
    /* With another host to talk to, an empty one in the id does no harm. */
    if (problem && (token_host.len > 0 || !api_host))
        return refuse_id(err, problem);
    /* As Go's SplitHostPort: the brackets go only together with a port. */
    struct part audience = place.has_port ? place.host : token_host;
    c->audience = mem_strndup(audience.text, audience.len);
    c->client_id = mem_strdup(id);
    c->client_name = mem_strndup(id, (size_t)(at - id));
    if (api_host) {
        problem = read_place((struct part){api_host, strlen(api_host)}, &place);
        if (problem)
            return err_set(err, ERR_UNKNOWN,
                           "BATON_C1_API_HOST is set, but %s: give host or host:port, or unset it",
                           problem);
    }
    set_place(c, &place);
    return true;
}

/* -- client secret ----------------------------------------------------------------------------- */

/* A member of exactly 32 bytes in base64url. */
static bool read_bytes(struct jsonr *r, uint8_t out[KEY_LEN], bool *ret_is_there) {
    struct jsonr_string text;
    size_t len = 0;
    if (!jsonr_string(r, &text))
        return false;
    *ret_is_there = !text.is_escaped &&
                    base64url_read(text.bytes, text.len, out, KEY_LEN, &len) && len == KEY_LEN;
    return true;
}

static bool read_word(struct jsonr *r, const char *word, bool *ret_is_it) {
    struct jsonr_string text;
    if (!jsonr_string(r, &text))
        return false;
    *ret_is_it = jsonr_equals(&text, word);
    return true;
}

static bool read_key_id(struct jsonr *r, struct jwk *jwk) {
    struct jsonr_string text;
    if (!jsonr_string(r, &text) || text.len > C1_KEY_ID_MAX)
        return false;
    free(jwk->key_id);
    jwk->key_id = mem_alloc(text.len + 1);
    jsonr_decode(&text, jwk->key_id);
    return true;
}

static bool read_member(struct jsonr *r, const struct jsonr_string *key, struct jwk *jwk) {
    if (jsonr_equals(key, "kty"))
        return read_word(r, "OKP", &jwk->is_okp);
    if (jsonr_equals(key, "crv"))
        return read_word(r, "Ed25519", &jwk->is_ed25519);
    if (jsonr_equals(key, "x"))
        return read_bytes(r, jwk->x, &jwk->has_x);
    if (jsonr_equals(key, "d"))
        return read_bytes(r, jwk->d, &jwk->has_d);
    if (jsonr_equals(key, "kid"))
        return read_key_id(r, jwk);
    return jsonr_skip(r);
}

/* NULL, or what is wrong. */
static const char *read_jwk(const char *json, size_t n, struct jwk *jwk) {
    struct jsonr r;
    struct jsonr_string key;
    jsonr_init(&r, json, n);
    bool ok = jsonr_enter_object(&r);
    while (ok && jsonr_next_member(&r, &key))
        ok = read_member(&r, &key, jwk);
    if (!ok || !jsonr_is_complete(&r))
        return "the key in it is no JSON Web Key";
    if (!jwk->is_okp || !jwk->is_ed25519)
        return "the key in it is not of type Ed25519";
    if (!jwk->has_x || !jwk->has_d)
        return "the key in it is no private Ed25519 key of 32 bytes";
    return NULL;
}

/* NULL, or what is wrong. */
static const char *make_key(const struct jwk *jwk, EVP_PKEY **ret_key) {
    uint8_t x[KEY_LEN];
    size_t len = sizeof x;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, jwk->d, KEY_LEN);
    if (!key)
        return "OpenSSL does not take the key in it";
    if (EVP_PKEY_get_raw_public_key(key, x, &len) != 1 || len != KEY_LEN ||
        CRYPTO_memcmp(x, jwk->x, KEY_LEN) != 0) {
        EVP_PKEY_free(key);
        return "the two halves of the key in it do not belong together";
    }
    *ret_key = key;
    return NULL;
}

/* The last of four parts; NULL if there are fewer or the third is not v1. */
static const char *find_key(const char *text, const char **ret_problem) {
    const char *second = strchr(text, ':'), *third = second ? strchr(second + 1, ':') : NULL;
    const char *last = third ? strchr(third + 1, ':') : NULL;
    *ret_problem = !last ? "it has fewer than four parts"
                   : strncmp(third, ":v1:", 4) != 0 ? "its third part is not v1" : NULL;
    return *ret_problem ? NULL : last + 1;
}

/* NULL, or what is wrong. */
static const char *read_secret(const char *text, uint8_t *json, struct jwk *jwk,
                               struct c1_credential *c) {
    const char *problem;
    const char *key = find_key(text, &problem);
    size_t json_len;
    if (!key)
        return problem;
    if (!base64url_read(key, strlen(key), json, C1_CLIENT_SECRET_MAX, &json_len))
        return "its last part is not base64url without padding";
    problem = read_jwk((const char *)json, json_len, jwk);
    return problem ? problem : make_key(jwk, &c->key);
}

static bool parse_secret(const struct secret *secret, struct c1_credential *c, struct err *err) {
    const char *text = secret_reveal(secret);
    if (secret->len > C1_CLIENT_SECRET_MAX)
        return refuse_secret(err, "it is longer than 16 KiB");
    if (strlen(text) != secret->len)
        return refuse_secret(err, "it holds a NUL character");
    struct jwk jwk = {0};
    uint8_t *json = mem_alloc(C1_CLIENT_SECRET_MAX);
    const char *problem = read_secret(text, json, &jwk, c);
    OPENSSL_cleanse(json, C1_CLIENT_SECRET_MAX);
    free(json);
    c->key_id = jwk.key_id;
    OPENSSL_cleanse(&jwk, sizeof jwk);
    return problem ? refuse_secret(err, problem) : true;
}

bool c1_credential_parse(const char *client_id, const struct secret *client_secret,
                         const char *api_host, struct c1_credential *ret_credential,
                         struct err *err) {
    struct c1_credential c = {0};
    if (!parse_id(client_id, api_host, &c, err) || !parse_secret(client_secret, &c, err)) {
        c1_credential_done(&c);
        return false;
    }
    *ret_credential = c;
    return true;
}

void c1_credential_done(struct c1_credential *c) {
    if (!c)
        return;
    free(c->client_id);
    free(c->client_name);
    free(c->audience);
    free(c->host);
    free(c->authority);
    free(c->key_id);
    EVP_PKEY_free(c->key);
    *c = (struct c1_credential){0};
}

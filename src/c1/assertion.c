#include "c1/assertion.h"

#include "base/buf.h"
#include "base/jsonw.h"
#include "c1/base64url.h"

/* A client id goes in four times, at most six bytes a character, and once more as base64. */
enum { TEXT_MAX = 64 * 1024, SIGNATURE_LEN = 64 };

/* Members in the order of their names, as Go writes a map. */
static void write_header(struct buf *out, const struct c1_credential *c, const uint8_t *nonce) {
    char hex[2 * C1_NONCE_BYTES + 1];
    for (size_t i = 0; i < C1_NONCE_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", nonce[i]);
    struct jsonw w;
    jsonw_init(&w, out, false);
    jsonw_object(&w);
    jsonw_kv(&w, "alg", "EdDSA");
    if (c->key_id && *c->key_id)
        jsonw_kv(&w, "kid", c->key_id);
    jsonw_kv(&w, "nonce", hex);
    jsonw_object_end(&w);
}

static void write_claims(struct buf *out, const struct c1_credential *c, int64_t now_s) {
    struct jsonw w;
    jsonw_init(&w, out, false);
    jsonw_object(&w);
    jsonw_kv(&w, "iss", c->client_id);
    jsonw_kv(&w, "sub", c->client_id);
    jsonw_kv(&w, "aud", c->audience);
    jsonw_kv_int(&w, "exp", now_s + C1_ASSERTION_AGE_S);
    jsonw_kv_int(&w, "nbf", now_s - C1_ASSERTION_AGE_S);
    jsonw_kv_int(&w, "iat", now_s);
    jsonw_object_end(&w);
}

static bool sign(EVP_PKEY *key, const struct buf *text, uint8_t signature[SIGNATURE_LEN]) {
    size_t len = SIGNATURE_LEN;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md && EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(md, signature, &len, (const uint8_t *)text->data, text->len) == 1 &&
              len == SIGNATURE_LEN;
    EVP_MD_CTX_free(md);
    return ok;
}

bool c1_assertion_make(const struct c1_credential *credential, int64_t now_unix_s,
                       const uint8_t nonce[C1_NONCE_BYTES], struct secret *ret_assertion,
                       struct err *err) {
    buf_auto struct buf json, text;
    uint8_t signature[SIGNATURE_LEN];
    buf_init(&json, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    write_header(&json, credential, nonce);
    base64url_add(&text, json.data, json.len);
    buf_addc(&text, '.');
    buf_reset(&json);
    write_claims(&json, credential, now_unix_s);
    base64url_add(&text, json.data, json.len);
    if (!sign(credential->key, &text, signature))
        return err_set(err, ERR_INTERNAL, "cannot sign the request for a token: OpenSSL refused");
    /* Only now it is worth something to others. */
    buf_addc(&text, '.');
    base64url_add(&text, signature, sizeof signature);
    bool ok = buf_ok(&json) && buf_ok(&text);
    if (ok)
        secret_set(ret_assertion, text.data, text.len);
    explicit_bzero(text.data, text.len);
    return ok || err_set(err, ERR_INTERNAL, "cannot sign the request for a token: it is too long");
}

/* certs: a small certificate authority for tests, P-256, made with OpenSSL while the test runs. */
#ifndef TESTS_UNIT_NET_CERTS_H
#define TESTS_UNIT_NET_CERTS_H

#include "tests/unit/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { CERTS_DAY = 86400 };

struct cert {
    EVP_PKEY *key;
    X509 *x509;
};

struct cert_plan {
    const char *common_name;
    const char *names;         /* "DNS:a.test,IP:127.0.0.1"; NULL: a CA */
    const struct cert *issuer; /* NULL: itself */
    long from_s, until_s;      /* relative to now; both 0: valid now */
};

static void certs_extend(X509 *x509, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static struct cert cert_make(const struct cert_plan *plan) {
    static long serial = 1;
    struct cert c = {EVP_EC_gen("P-256"), X509_new()};
    assert_non_null(c.key);
    assert_non_null(c.x509);
    X509_set_version(c.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c.x509), plan->from_s ? plan->from_s : -CERTS_DAY);
    X509_gmtime_adj(X509_getm_notAfter(c.x509), plan->until_s ? plan->until_s : CERTS_DAY);
    X509_set_pubkey(c.x509, c.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c.x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)plan->common_name, -1, -1, 0);
    X509_set_issuer_name(c.x509, X509_get_subject_name(plan->issuer ? plan->issuer->x509 : c.x509));
    if (plan->names)
        certs_extend(c.x509, NID_subject_alt_name, plan->names);
    else
        certs_extend(c.x509, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(c.x509, plan->issuer ? plan->issuer->key : c.key, EVP_sha256()) > 0);
    return c;
}

static void cert_done(struct cert *c) {
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    *c = (struct cert){0};
}

/* Writes the file anew under another name and moves it there. */
static void cert_write(const struct cert *c, const char *path) {
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *f = fopen(fresh, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, c->x509), 1);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(fresh, path), 0);
}

static int certs_choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                        const unsigned char *in, unsigned in_len, void *payload) {
    const char *wish = payload;
    (void)ssl;
    for (unsigned i = 0; i < in_len; i += 1U + in[i])
        if (in[i] == strlen(wish) && memcmp(in + i + 1, wish, in[i]) == 0) {
            *out = in + i + 1;
            *out_len = in[i];
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* protocol: for ALPN, a string that lives as long as the context; NULL: the server knows none. */
static SSL_CTX *certs_server(const struct cert *c, const char *protocol) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_non_null(context);
    assert_int_equal(SSL_CTX_use_certificate(context, c->x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, c->key), 1);
    if (protocol) {
        union {
            const char *in;
            void *out;
        } payload = {protocol};
        SSL_CTX_set_alpn_select_cb(context, certs_choose, payload.out);
    }
    return context;
}

#endif

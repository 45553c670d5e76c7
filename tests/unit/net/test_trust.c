/* trust: who is believed and who is not, over memory; and files that change. */
#include "tests/unit/net/certs.h"

#include <dirent.h>
#include <dlfcn.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/trust.h"

static char dir[] = "/tmp/test-trust-XXXXXX";
static char ca_file[128];
static struct cert ca, other_ca;

/* In the place of OpenSSL's; NULL: the machine's own. */
static const char *system_dir;

const char *X509_get_default_cert_dir(void) {
    const char *(*real)(void);
    void *symbol = dlsym(RTLD_NEXT, "X509_get_default_cert_dir");
    memcpy(&real, &symbol, sizeof real);
    return system_dir ? system_dir : real();
}

static int make_world(void **state) {
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", dir);
    ca = cert_make(&(struct cert_plan){.common_name = "CA"});
    other_ca = cert_make(&(struct cert_plan){.common_name = "Other CA"});
    return 0;
}

static void empty(const char *path) {
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
}

static int end_world(void **state) {
    (void)state;
    cert_done(&ca);
    cert_done(&other_ca);
    empty(dir);
    return rmdir(dir);
}

static int fresh_files(void **state) {
    (void)state;
    empty(dir);
    cert_write(&ca, ca_file);
    setenv("SSL_CERT_FILE", ca_file, 1);
    unsetenv("SSL_CERT_DIR");
    return 0;
}

static struct cert issue(const struct cert *issuer, const char *names) {
    return cert_make(&(struct cert_plan){.common_name = "server.test", .names = names,
                                         .issuer = issuer});
}

struct result {
    bool ok;
    struct err err;
    char sni[64];
    int version;
};

static int on_server_name(SSL *ssl, int *alert, void *payload) {
    (void)alert;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(payload, sizeof((struct result *)NULL)->sni, "%s", name ? name : "");
    return SSL_TLSEXT_ERR_OK;
}

/* Both sides in turn, through a pair of BIOs. */
static struct result shake_with(SSL *client, SSL_CTX *context, const char *host) {
    struct result r = {.err = ERR_INIT};
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context, r.sni);
    SSL *server = SSL_new(context);
    BIO *ours, *theirs;
    assert_int_equal(BIO_new_bio_pair(&ours, 0, &theirs, 0), 1);
    SSL_set_bio(client, ours, ours);
    SSL_set_bio(server, theirs, theirs);
    SSL_set_accept_state(server);
    bool is_over = false;
    for (int i = 0; i < 20 && !is_over; i++) {
        SSL_do_handshake(server);
        ERR_clear_error();
        int n = SSL_do_handshake(client);
        is_over = n == 1 || SSL_get_error(client, n) != SSL_ERROR_WANT_READ;
        r.ok = n == 1;
    }
    assert_true(is_over);
    if (!r.ok)
        trust_explain(client, host, &r.err);
    r.version = SSL_version(client);
    ERR_clear_error();
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return r;
}

static struct result shake(struct trust *trust, const struct cert *server, const char *host) {
    struct err err = ERR_INIT;
    SSL *client = trust_session(trust, host, "h2", &err);
    if (!client)
        fail_msg("%s", err.msg);
    return shake_with(client, certs_server(server, "h2"), host);
}

static void test_trust_believes_the_ca_and_the_name(void **state) {
    (void)state;
    static const struct {
        const char *names, *host, *sni;
    } cases[] = {
        {"DNS:server.test", "server.test", "server.test"},
        {"DNS:server.test", "SERVER.test", "SERVER.test"},
        {"DNS:server.test", "server.test.", "server.test"},
        {"DNS:*.example.test", "a.example.test", "a.example.test"},
        {"IP:127.0.0.1", "127.0.0.1", ""},
        {"IP:::1", "::1", ""},
        {"IP:fe80:0:0:0:0:0:0:1", "fe80::1%lo", ""},
    };
    struct trust *trust = trust_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cert server = issue(&ca, cases[i].names);
        struct result r = shake(trust, &server, cases[i].host);
        if (!r.ok)
            fail_msg("%s: %s", cases[i].host, r.err.msg);
        assert_string_equal(r.sni, cases[i].sni);
        assert_int_equal(r.version, TLS1_3_VERSION);
        cert_done(&server);
    }
    trust_free(trust);
}

static void check_refused(const struct cert *server, const char *host, const char *text) {
    struct trust *trust = trust_new();
    struct result r = shake(trust, server, host);
    trust_free(trust);
    assert_false(r.ok);
    assert_int_equal(r.err.code, ERR_UNAVAILABLE);
    if (!strstr(r.err.msg, text) || !strstr(r.err.msg, host))
        fail_msg("not about \"%s\" and %s: %s", text, host, r.err.msg);
}

static void test_trust_says_why_a_certificate_is_refused(void **state) {
    (void)state;
    const struct {
        struct cert_plan plan;
        const char *host, *text;
    } cases[] = {
        {{"s", "DNS:server.test", &other_ca, 0, 0}, "server.test", "unknown CA"},
        {{"s", "DNS:server.test", NULL, 0, 0}, "server.test", "self-signed"},
        {{"s", "DNS:server.test", &ca, -2 * CERTS_DAY, -CERTS_DAY}, "server.test", "has expired"},
        {{"s", "DNS:server.test", &ca, CERTS_DAY, 2 * CERTS_DAY}, "server.test", "not yet valid"},
        {{"s", "DNS:server.test", &ca, 0, 0}, "wrong.test", "for another name"},
        {{"s", "DNS:server.test", &ca, 0, 0}, "127.0.0.1", "not for this IP address"},
        {{"s", "IP:127.0.0.1", &ca, 0, 0}, "127.0.0.2", "not for this IP address"},
        {{"s", "DNS:*.example.test", &ca, 0, 0}, "a.b.example.test", "for another name"},
        {{"server.test", "DNS:other.test", &ca, 0, 0}, "server.test", "for another name"},
        {{"server.test", "IP:127.0.0.1", &ca, 0, 0}, "server.test", "for another name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cert server = cert_make(&cases[i].plan);
        check_refused(&server, cases[i].host, cases[i].text);
        cert_done(&server);
    }
}

static void test_trust_names_the_variable_for_an_unknown_ca(void **state) {
    (void)state;
    struct cert server = issue(&other_ca, "DNS:server.test");
    check_refused(&server, "server.test", "SSL_CERT_FILE");
    cert_done(&server);
}

static void test_trust_refuses_old_tls(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct trust *trust = trust_new();
    struct cert server = issue(&ca, "DNS:server.test");
    SSL_CTX *context = certs_server(&server, "h2");
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    struct result r = shake_with(trust_session(trust, "server.test", "h2", &err), context,
                                 "server.test");
    assert_false(r.ok);
    assert_non_null(strstr(r.err.msg, "TLS 1.2 or later"));
    cert_done(&server);
    trust_free(trust);
}

static void test_trust_says_when_a_server_refuses_the_protocol(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    struct trust *trust = trust_new();
    struct cert server = issue(&ca, "DNS:server.test");
    struct result r = shake_with(trust_session(trust, "server.test", "h2", &err),
                                 certs_server(&server, "http/1.1"), "server.test");
    assert_false(r.ok);
    assert_non_null(strstr(r.err.msg, "does not speak the application protocol"));
    cert_done(&server);
    trust_free(trust);
}

static void test_trust_follows_a_rotated_file(void **state) {
    (void)state;
    struct trust *trust = trust_new();
    struct cert old = issue(&ca, "DNS:server.test"), new = issue(&other_ca, "DNS:server.test");
    assert_true(shake(trust, &old, "server.test").ok);
    assert_false(shake(trust, &new, "server.test").ok);
    cert_write(&other_ca, ca_file);
    assert_true(shake(trust, &new, "server.test").ok);
    assert_false(shake(trust, &old, "server.test").ok);
    /* A bad moment changes nothing. */
    unlink(ca_file);
    assert_true(shake(trust, &new, "server.test").ok);
    cert_write(&ca, ca_file);
    assert_true(shake(trust, &old, "server.test").ok);
    cert_done(&old);
    cert_done(&new);
    trust_free(trust);
}

static void test_trust_without_a_usable_file_says_what_to_do(void **state) {
    (void)state;
    static const char *const texts[] = {"No such file", "holds no certificate", "Is a directory"};
    for (size_t i = 0; i < 3; i++) {
        struct err err = ERR_INIT;
        unlink(ca_file);
        if (i == 1)
            fclose(fopen(ca_file, "w"));
        if (i == 2)
            setenv("SSL_CERT_FILE", dir, 1);
        struct trust *trust = trust_new();
        assert_null(trust_session(trust, "server.test", "h2", &err));
        assert_int_equal(err.code, ERR_UNKNOWN);
        assert_non_null(strstr(err.msg, texts[i]));
        assert_non_null(strstr(err.msg, dir));
        assert_non_null(strstr(err.msg, "SSL_CERT_FILE"));
        trust_free(trust);
    }
}

static void test_trust_steps_over_what_is_no_certificate(void **state) {
    (void)state;
    FILE *f = fopen(ca_file, "w");
    fputs("# roots\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
    fputs("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", f);
    PEM_write_PrivateKey(f, other_ca.key, NULL, NULL, 0, NULL, NULL);
    PEM_write_X509(f, other_ca.x509);
    PEM_write_X509(f, ca.x509);
    fputs("-----BEGIN CERTIFICATE-----\n", f);
    fclose(f);
    struct trust *trust = trust_new();
    struct cert server = issue(&ca, "DNS:server.test");
    struct result r = shake(trust, &server, "server.test");
    if (!r.ok)
        fail_msg("%s", r.err.msg);
    cert_done(&server);
    trust_free(trust);
}

static void test_trust_reads_directories_with_and_without_hashes(void **state) {
    (void)state;
    struct cert server = issue(&ca, "DNS:server.test");
    char list[256], hashed[128];
    snprintf(list, sizeof list, "%s/absent:%s", dir, dir);
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", list, 1);
    struct trust *trust = trust_new();
    assert_true(shake(trust, &server, "server.test").ok);
    /* The file gets its hash for a name, and the directory another time. */
    snprintf(hashed, sizeof hashed, "%s/%08lx.0", dir, X509_subject_name_hash(ca.x509));
    assert_int_equal(rename(ca_file, hashed), 0);
    assert_true(shake(trust, &server, "server.test").ok);
    trust_free(trust);
    trust = trust_new();
    assert_true(shake(trust, &server, "server.test").ok);
    unlink(hashed);
    cert_write(&other_ca, ca_file);
    assert_false(shake(trust, &server, "server.test").ok);
    cert_done(&server);
    trust_free(trust);
}

static void test_trust_a_listed_certificate_need_not_be_a_root(void **state) {
    (void)state;
    struct trust *trust = trust_new();
    struct cert self = issue(NULL, "DNS:server.test"), leaf = issue(&other_ca, "DNS:server.test");
    cert_write(&self, ca_file);
    assert_true(shake(trust, &self, "server.test").ok);
    cert_write(&leaf, ca_file);
    assert_true(shake(trust, &leaf, "server.test").ok);
    assert_false(shake(trust, &self, "server.test").ok);
    cert_done(&self);
    cert_done(&leaf);
    trust_free(trust);
}

static void test_trust_system_store_does_not_know_our_ca(void **state) {
    (void)state;
    unsetenv("SSL_CERT_FILE");
    struct trust *trust = trust_new();
    struct err err = ERR_INIT;
    struct cert server = issue(&ca, "DNS:server.test");
    SSL *client = trust_session(trust, "server.test", "h2", &err);
    /* A machine without any store is told so; one with a store refuses our CA. */
    if (client)
        assert_false(shake_with(client, certs_server(&server, "h2"), "server.test").ok);
    else
        assert_non_null(strstr(err.msg, "ca-certificates"));
    cert_done(&server);
    trust_free(trust);
}

static int count_certificates(void) {
    struct trust *trust = trust_new();
    SSL *client = trust_session(trust, "server.test", "h2", NULL);
    X509_STORE *store = client ? SSL_CTX_get_cert_store(SSL_get_SSL_CTX(client)) : NULL;
    int count = store ? sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) : 0;
    SSL_free(client);
    trust_free(trust);
    return count;
}

static void test_trust_adds_a_file_to_a_system_store_without_hashes(void **state) {
    (void)state;
    system_dir = "/nonexistent";
    unsetenv("SSL_CERT_FILE");
    int of_system = count_certificates();
    setenv("SSL_CERT_FILE", ca_file, 1);
    assert_int_equal(count_certificates(), of_system + 1);
    setenv("SSL_CERT_DIR", dir, 1);
    assert_int_equal(count_certificates(), 1);
    system_dir = NULL;
}

static void test_trust_refuses_odd_hosts(void **state) {
    (void)state;
    struct trust *trust = trust_new();
    char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(trust_session(trust, "", "h2", NULL));
    assert_null(trust_session(trust, longest, "h2", NULL));
    trust_free(trust);
    trust_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh_files)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_trust_believes_the_ca_and_the_name),
        TEST(test_trust_says_why_a_certificate_is_refused),
        TEST(test_trust_names_the_variable_for_an_unknown_ca),
        TEST(test_trust_refuses_old_tls),
        TEST(test_trust_says_when_a_server_refuses_the_protocol),
        TEST(test_trust_follows_a_rotated_file),
        TEST(test_trust_without_a_usable_file_says_what_to_do),
        TEST(test_trust_steps_over_what_is_no_certificate),
        TEST(test_trust_reads_directories_with_and_without_hashes),
        TEST(test_trust_a_listed_certificate_need_not_be_a_root),
        TEST(test_trust_system_store_does_not_know_our_ca),
        TEST(test_trust_adds_a_file_to_a_system_store_without_hashes),
        TEST(test_trust_refuses_odd_hosts),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}

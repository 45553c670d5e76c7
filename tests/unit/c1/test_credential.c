/* credential: the tables of service-mode.md 1.1, 1.2 and 1.4. */
#include "tests/unit/test.h"

#include <stdio.h>

#include "c1/base64url.h"
#include "tests/unit/c1/example.h"

/* service-mode.md 1.2: revoked, from the SDK's own tests */
#define SDK_SECRET                                                                                 \
    "secret-token:conductorone.com:v1:"                                                            \
    "eyJrdHkiOiJPS1AiLCJjcnYiOiJFZDI1NTE5IiwieCI6InpwM1BXY2NTQlZPdGhTTnN5ck1zVGVFaDlpTjhTWTNnSDZf" \
    "cDBEUkZaTWMiLCJkIjoielkzTzFybnItQUV3NW0wbVpCTzBjSEZpWWoxTmlSdk1pU1Y1X1Ffa0tiZyJ9"

#define X "GwViJ2xxcGUI4mIkXGUE7-trGJXokj-CO4_CEqdj_Mg"
#define D "FUvS7s6v0K8WcyEb2stEnA_JBNcHGVGfisBIQqdeKjA"

static void test_credential_splits_the_client_id(void **state) {
    (void)state;
    static const struct {
        const char *id, *api_host, *name, *audience, *host;
        int port;
        const char *authority;
    } cases[] = {
        {"strange-hydra-68836@acme.conductor.one/pcc", NULL, "strange-hydra-68836",
         "acme.conductor.one", "acme.conductor.one", 443, "acme.conductor.one"},
        {"a@h:8443/x", NULL, "a", "h", "h", 8443, "h:8443"},
        {"a@h:443/x", NULL, "a", "h", "h", 443, "h"},
        {"@h/", NULL, "", "h", "h", 443, "h"},
        {"a/b@h/x/y@z", NULL, "a/b", "h", "h", 443, "h"},
        {"a@[::1]:8443/x", NULL, "a", "::1", "::1", 8443, "[::1]:8443"},
        {"a@[2001:db8::1]/x", NULL, "a", "[2001:db8::1]", "2001:db8::1", 443, "[2001:db8::1]"},
        {"a@h:8443/x", "127.0.0.1:18443", "a", "h", "127.0.0.1", 18443, "127.0.0.1:18443"},
        {"a@h/x", "proxy.example", "a", "h", "proxy.example", 443, "proxy.example"},
        {"a@/x", "[::1]:1", "a", "", "::1", 1, "[::1]:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct c1_credential c;
        struct err err = ERR_INIT;
        if (!example_parse(cases[i].id, EXAMPLE_SECRET, cases[i].api_host, &c, &err))
            fail_msg("%s: %s", cases[i].id, err.msg);
        assert_string_equal(c.client_id, cases[i].id);
        assert_string_equal(c.client_name, cases[i].name);
        assert_string_equal(c.audience, cases[i].audience);
        assert_string_equal(c.host, cases[i].host);
        assert_int_equal(c.port, cases[i].port);
        assert_string_equal(c.authority, cases[i].authority);
        c1_credential_done(&c);
    }
}

static void expect_refusal(const char *id, const char *secret_text, const char *api_host,
                           const char *start) {
    struct c1_credential c;
    struct err err = ERR_INIT;
    if (example_parse(id, secret_text, api_host, &c, &err))
        fail_msg("taken: %s %s", id, secret_text);
    assert_int_equal(err.code, ERR_UNKNOWN);
    if (strncmp(err.msg, start, strlen(start)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", err.msg, start);
    /* Nothing of the secret: its last part is what matters. */
    const char *last = strrchr(secret_text, ':');
    if (last && strlen(last) > 8)
        assert_null(strstr(err.msg, last + 1));
}

static void test_credential_refuses_client_ids(void **state) {
    (void)state;
    static const char *const ids[] = {
        "", "a", "a@", "a@h", "a/h", "a@/x", "a@h:/x", "a@h:0/x", "a@h:65536/x", "a@h:https/x",
        "a@::1/x", "a@[::1/x", "a@[::1]8443/x", "a@[]/x", "a@h:1:2/x", "a@h_\xC3\xBC/x", "a@h/x ",
        "a@h/x\n", "a b@h/x", "a@h?/x", "a@u:p@h/x", "a@h\t/x",
    };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        expect_refusal(ids[i], EXAMPLE_SECRET, NULL, "invalid client id: ");
    char huge[C1_CLIENT_ID_MAX + 8];
    memset(huge, 'a', sizeof huge - 1);
    memcpy(huge, "a@h/", 4);
    huge[sizeof huge - 1] = '\0';
    expect_refusal(huge, EXAMPLE_SECRET, NULL, "invalid client id: ");
}

static void test_credential_refuses_api_hosts(void **state) {
    (void)state;
    static const char *const hosts[] = {"", ":443", "h:", "https://h", "h/", "h:99999", "::1", "h h"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        expect_refusal(EXAMPLE_ID, EXAMPLE_SECRET, hosts[i], "BATON_C1_API_HOST is set, but ");
}

/* The text of a secret with this key. */
static const char *with_key(const char *jwk, char *out, size_t size) {
    buf_auto struct buf text;
    buf_init(&text, size - 1);
    buf_adds(&text, "secret-token:conductorone.com:v1:");
    assert_true(base64url_add(&text, jwk, strlen(jwk)));
    memcpy(out, text.data, text.len + 1);
    return out;
}

static void test_credential_takes_keys(void **state) {
    (void)state;
    static const struct {
        const char *jwk, *key_id;
    } cases[] = {
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"d\":\"" D "\"}", NULL},
        {" {\"d\":\"" D "\", \"x\":\"" X "\",\"use\":\"sig\",\"kid\":\"k\\u00fc1\",\"crv\":\"Ed25519\","
         "\"more\":[{}],\"kty\":\"OKP\"}\n", "k\xC3\xBC""1"},
        {"{\"kty\":\"EC\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\",\"x\":\"" X "\",\"d\":\"" D
         "\",\"kid\":\"a\",\"kid\":\"b\"}", "b"},
    };
    char text[1024];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct c1_credential c;
        struct err err = ERR_INIT;
        if (!example_parse(EXAMPLE_ID, with_key(cases[i].jwk, text, sizeof text), NULL, &c, &err))
            fail_msg("%s: %s", cases[i].jwk, err.msg);
        assert_true(cases[i].key_id ? c.key_id && !strcmp(c.key_id, cases[i].key_id) : !c.key_id);
        c1_credential_done(&c);
    }
}

static void test_credential_takes_the_vector_of_the_sdk(void **state) {
    (void)state;
    struct c1_credential c;
    struct err err = ERR_INIT;
    if (!example_parse(EXAMPLE_ID, SDK_SECRET, NULL, &c, &err))
        fail_msg("%s", err.msg);
    uint8_t d[32], expected[32];
    size_t n = sizeof d;
    assert_int_equal(EVP_PKEY_get_raw_private_key(c.key, d, &n), 1);
    assert_true(base64url_read("zY3O1rnr-AEw5m0mZBO0cHFiYj1NiRvMiSV5_Q_kKbg", 43, expected,
                               sizeof expected, &n));
    assert_memory_equal(d, expected, sizeof d);
    c1_credential_done(&c);
}

static void test_credential_refuses_secrets(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "v1", "a:b:v1", "v1:1234567890:1234567890:1234567890", "a:b:v2:e30", "a:b:v1:",
        "a:b:v1:e30", EXAMPLE_SECRET "=", EXAMPLE_SECRET ":x", "a:b:v1:eyJrdHkiOk9LUH0", "a:b: v1:e30",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_refusal(EXAMPLE_ID, texts[i], NULL, "invalid client secret: ");
    char huge[C1_CLIENT_SECRET_MAX + 64] = "a:b:v1:";
    memset(huge + 7, 'A', sizeof huge - 8);
    expect_refusal(EXAMPLE_ID, huge, NULL, "invalid client secret: ");
}

static void test_credential_refuses_keys(void **state) {
    (void)state;
    static const char *const keys[] = {
        "null", "[]", "{}", "{\"kty\":OKP}", "{\"kty\":\"OKP\"",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"" D "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X "\",\"d\":\"" D "\"}",
        "{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"d\":\"" D "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"d\":\"" D "A\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"d\":\"FUvS\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" D "\",\"d\":\"" D "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"d\":7}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"d\":\"" D "\"} {}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\",\"d\":\"" D "\",\"kid\":1}",
    };
    char text[1024];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        expect_refusal(EXAMPLE_ID, with_key(keys[i], text, sizeof text), NULL,
                       "invalid client secret: ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credential_splits_the_client_id),
        cmocka_unit_test(test_credential_refuses_client_ids),
        cmocka_unit_test(test_credential_refuses_api_hosts),
        cmocka_unit_test(test_credential_takes_keys),
        cmocka_unit_test(test_credential_takes_the_vector_of_the_sdk),
        cmocka_unit_test(test_credential_refuses_secrets),
        cmocka_unit_test(test_credential_refuses_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

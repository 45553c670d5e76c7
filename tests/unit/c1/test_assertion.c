/* assertion and the request it goes in: the worked example of service-mode.md 2.5, byte for byte. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "base/mem.h"
#include "c1/assertion.h"
#include "c1/base64url.h"
#include "c1/token_request.h"
#include "tests/unit/c1/example.h"

static const uint8_t nonce[C1_NONCE_BYTES] = {0xc9, 0xa5, 0x32, 0xbf, 0x45, 0x68, 0xd4, 0x6c,
                                              0xeb, 0x83, 0x83, 0xab, 0x08, 0x57, 0xd1, 0xee};
enum { EXAMPLE_TIME = 1795326310 };

static void parse(const char *id, const char *api_host, struct c1_credential *ret) {
    struct err err = ERR_INIT;
    if (!example_parse(id, EXAMPLE_SECRET, api_host, ret, &err))
        fail_msg("%s", err.msg);
}

static void test_assertion_is_the_worked_example(void **state) {
    (void)state;
    struct c1_credential c;
    struct secret text = SECRET_INIT;
    parse(EXAMPLE_ID, "elsewhere:1", &c);
    assert_true(c1_assertion_make(&c, EXAMPLE_TIME, nonce, &text, NULL));
    assert_string_equal(secret_reveal(&text), EXAMPLE_ASSERTION);
    secret_done(&text);
    c1_credential_done(&c);
}

/* One part of the text between the dots, decoded. */
static void part(const struct secret *text, int number, char *out, size_t size) {
    const char *p = secret_reveal(text);
    size_t n;
    for (; number > 0; number--)
        p = strchr(p, '.') + 1;
    assert_true(base64url_read(p, strcspn(p, "."), (uint8_t *)out, size - 1, &n));
    out[n] = '\0';
}

static void test_assertion_names_the_key_and_no_port(void **state) {
    (void)state;
    struct c1_credential c;
    struct secret text = SECRET_INIT;
    char json[512];
    parse("a\"b@[::1]:8443/x", NULL, &c);
    c.key_id = mem_strdup("k1");
    assert_true(c1_assertion_make(&c, 1000, nonce, &text, NULL));
    part(&text, 0, json, sizeof json);
    assert_string_equal(json, "{\"alg\":\"EdDSA\",\"kid\":\"k1\","
                              "\"nonce\":\"c9a532bf4568d46ceb8383ab0857d1ee\"}");
    part(&text, 1, json, sizeof json);
    assert_string_equal(json, "{\"iss\":\"a\\\"b@[::1]:8443/x\",\"sub\":\"a\\\"b@[::1]:8443/x\","
                              "\"aud\":\"::1\",\"exp\":1120,\"nbf\":880,\"iat\":1000}");
    secret_done(&text);
    c1_credential_done(&c);
}

static void test_assertion_goes_into_a_request(void **state) {
    (void)state;
    static const struct {
        const char *api_host, *host;
    } cases[] = {{NULL, "127.0.0.1"}, {"[::1]:18443", "[::1]:18443"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct c1_credential c;
        struct secret assertion = SECRET_INIT, request = SECRET_INIT;
        parse(EXAMPLE_ID, cases[i].api_host, &c);
        assert_true(c1_assertion_make(&c, EXAMPLE_TIME, nonce, &assertion, NULL));
        c1_token_request_make(&c, &assertion, &request);
        char *expected = mem_printf(
            "POST /auth/v1/token HTTP/1.1\r\n"
            "Host: %s\r\n"
            "User-Agent: baton-c1-credential-provider baton-sdk/v0.25.0\r\n"
            "Content-Length: 546\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            "Connection: close\r\n"
            "\r\n"
            "client_assertion=" EXAMPLE_ASSERTION
            "&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-assertion-type%%3Ajwt-"
            "bearer"
            "&client_id=mock-client-00001%%40127.0.0.1%%2Fccc"
            "&grant_type=client_credentials",
            cases[i].host);
        assert_string_equal(secret_reveal(&request), expected);
        free(expected);
        secret_done(&assertion);
        secret_done(&request);
        c1_credential_done(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assertion_is_the_worked_example),
        cmocka_unit_test(test_assertion_names_the_key_and_no_port),
        cmocka_unit_test(test_assertion_goes_into_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* basic: the credentials, byte for byte. */
#include "tests/unit/test.h"

#include <string.h>

#include "net/basic.h"

static void check(const char *identifier, const char *key_text, const char *expected) {
    struct secret key = SECRET_INIT, line = SECRET_INIT;
    secret_set(&key, key_text, strlen(key_text));
    basic_header(identifier, &key, &line);
    assert_string_equal(secret_reveal(&line), expected);
    assert_int_equal(line.len, strlen(expected));
    secret_done(&key);
    secret_done(&line);
}

/* crisp-api.md 1.1 */
static void test_basic_header_is_the_one_of_the_documentation(void **state) {
    (void)state;
    check("1d000000-0000-4000-8000-00000000c0de",
          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
          "Authorization: Basic "
          "MWQwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDBjMGRlOjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJj"
          "ZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
}

/* RFC 4648 section 10 has the text and its prefixes; RFC 7617 section 2 the pair with a pound sign.
 * */
static void test_basic_header_pads_every_length(void **state) {
    (void)state;
    check("f", "o", "Authorization: Basic Zjpv");
    check("fo", "o", "Authorization: Basic Zm86bw==");
    check("foo", "b", "Authorization: Basic Zm9vOmI=");
    check("test", "123\xC2\xA3", "Authorization: Basic dGVzdDoxMjPCow==");
    check("\xFF\xFF", "\xFF?>", "Authorization: Basic //86/z8+");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basic_header_is_the_one_of_the_documentation),
        cmocka_unit_test(test_basic_header_pads_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How a call ended: HTTP, HTTP/2 and gRPC's own words. */
#include "tests/unit/test.h"

#include <string.h>

#include "base/utf8.h"
#include "grpc/status.h"

static void test_status_of_http_follows_grpcs_table(void **state) {
    (void)state;
    static const struct {
        int http;
        enum err_code code;
    } cases[] = {
        {400, ERR_INTERNAL},      {401, ERR_UNAUTHENTICATED}, {403, ERR_PERMISSION_DENIED},
        {404, ERR_UNIMPLEMENTED}, {429, ERR_UNAVAILABLE},     {502, ERR_UNAVAILABLE},
        {503, ERR_UNAVAILABLE},   {504, ERR_UNAVAILABLE},     {200, ERR_UNKNOWN},
        {500, ERR_UNKNOWN},       {302, ERR_UNKNOWN},         {0, ERR_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(grpc_status_from_http(cases[i].http), cases[i].code);
}

static void test_status_of_http2_follows_grpcs_table(void **state) {
    (void)state;
    static const enum err_code codes[] = {
        ERR_INTERNAL,          ERR_INTERNAL,           ERR_INTERNAL,          ERR_INTERNAL,
        ERR_INTERNAL,          ERR_INTERNAL,           ERR_INTERNAL,          ERR_UNAVAILABLE,
        ERR_CANCELLED,         ERR_INTERNAL,           ERR_INTERNAL,          ERR_RESOURCE_EXHAUSTED,
        ERR_PERMISSION_DENIED, ERR_INTERNAL,           ERR_UNKNOWN,
    };
    for (uint32_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_int_equal(grpc_status_from_h2(i), codes[i]);
}

static void test_status_number_out_of_range_is_unknown(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum err_code code;
    } cases[] = {
        {"0", ERR_OK},       {"12", ERR_UNIMPLEMENTED}, {"16", ERR_UNAUTHENTICATED},
        {"17", ERR_UNKNOWN}, {"", ERR_UNKNOWN},         {"-1", ERR_UNKNOWN},
        {"1x", ERR_UNKNOWN}, {"99999", ERR_UNKNOWN},    {"07", ERR_PERMISSION_DENIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(grpc_status_parse(cases[i].text, strlen(cases[i].text)), cases[i].code);
}

static void test_status_text_is_decoded_and_always_shown(void **state) {
    (void)state;
#define LOST "\xEF\xBF\xBD"
    static const struct {
        const char *wire, *text;
    } cases[] = {
        {"plain words", "plain words"},
        {"100%25 sure", "100% sure"},
        {"gr%C3%BC%c3%9fe", "gr\xC3\xBC\xC3\x9F" "e"},
        {"raw gr\xC3\xBC", "raw gr\xC3\xBC"},
        {"50% off, %zz, %4", "50% off, %zz, %4"},
        {"%", "%"},
        {"%FF%FE", LOST LOST},
        {"cut %E2%82", "cut " LOST LOST},
        {"esc%1B[31m%00%7F", "esc" LOST "[31m" LOST LOST},
        {"two%0Alines%09", "two\nlines\t"},
        {"%ED%A0%80", LOST LOST LOST},
        {"%F0%9F%98%80", "\xF0\x9F\x98\x80"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        grpc_status_text(cases[i].wire, strlen(cases[i].wire), text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_status_text_is_cut_between_characters(void **state) {
    (void)state;
    static const char wire[] = "%E2%82%AC%E2%82%AC%E2%82%AC";
    for (size_t size = 1; size < 14; size++) {
        char text[14];
        memset(text, 'x', sizeof text);
        grpc_status_text(wire, sizeof wire - 1, text, size);
        assert_true(strlen(text) < size && strlen(text) % 3 == 0);
        assert_true(utf8_valid(text, strlen(text)));
    }
}

static void test_status_shows_foreign_bytes_as_ascii(void **state) {
    (void)state;
    char text[8];
    grpc_status_printable("a\x1b\xC3 b~\x7F-and more", 17, text, sizeof text);
    assert_string_equal(text, "a?? b~?");
    grpc_status_printable(NULL, 0, text, sizeof text);
    assert_string_equal(text, "");
}

static void test_status_timeout_has_at_most_eight_digits(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {1, "1m"},
        {30000, "30000m"},
        {99999999, "99999999m"},
        {100000000, "100000S"},
        {100000001, "100001S"},
        {INT64_C(2147483647), "2147484S"},
        {INT64_C(99999999000), "99999999S"},
        {INT64_C(99999999001), "1666667M"},
        {INT64_MAX, "99999999H"},
        {0, "0m"},
        {-5, "0m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[GRPC_TIMEOUT_MAX];
        grpc_status_timeout(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_of_http_follows_grpcs_table),
        cmocka_unit_test(test_status_of_http2_follows_grpcs_table),
        cmocka_unit_test(test_status_number_out_of_range_is_unknown),
        cmocka_unit_test(test_status_text_is_decoded_and_always_shown),
        cmocka_unit_test(test_status_text_is_cut_between_characters),
        cmocka_unit_test(test_status_shows_foreign_bytes_as_ascii),
        cmocka_unit_test(test_status_timeout_has_at_most_eight_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

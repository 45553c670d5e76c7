/* base64url: the vectors of RFC 4648 section 10 without their padding, and what is none. */
#include "tests/unit/test.h"

#include <string.h>

#include "c1/base64url.h"

static void test_base64url_there_and_back(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},         {"f", "Zg"},         {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF\xBF", "-_-_"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_auto struct buf out;
        uint8_t back[16];
        size_t n = 99;
        buf_init(&out, 64);
        assert_true(base64url_add(&out, cases[i][0], strlen(cases[i][0])));
        assert_string_equal(out.data, cases[i][1]);
        assert_true(base64url_read(out.data, out.len, back, sizeof back, &n));
        assert_int_equal(n, strlen(cases[i][0]));
        assert_memory_equal(back, cases[i][0], n);
    }
}

static void test_base64url_reads_as_go_does(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {
        {"Zm9v\n", true}, {"Zm\r\n9v", true}, {"Zh", true}, /* bits left over */
        {"Zg==", false},  {"Zm9", true},      {"Z", false}, {"Zm9vY", false},
        {"Zm 9v", false}, {"+/+/", false},    {"Zm9\xC3", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[16];
        size_t n;
        bool ok = base64url_read(cases[i].text, strlen(cases[i].text), out, sizeof out, &n);
        if (ok != cases[i].is_good)
            fail_msg("\"%s\" %s", cases[i].text, ok ? "was taken" : "was refused");
    }
}

static void test_base64url_keeps_to_the_room_it_has(void **state) {
    (void)state;
    uint8_t out[3] = {0, 0, 7};
    size_t n;
    assert_false(base64url_read("Zm9v", 4, out, 2, &n));
    assert_int_equal(out[2], 7);
    assert_true(base64url_read("Zm9v", 4, out, 3, &n));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64url_there_and_back),
        cmocka_unit_test(test_base64url_reads_as_go_does),
        cmocka_unit_test(test_base64url_keeps_to_the_room_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

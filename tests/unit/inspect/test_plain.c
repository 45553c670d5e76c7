/* plain: nothing that a terminal would act on gets through. */
#include "tests/unit/test.h"

#include <string.h>

#include "inspect/plain.h"

static void test_plain_escapes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Chlo\u00e9 \u6f22 \U0001f600", "Chlo\u00e9 \u6f22 \U0001f600"},
        {"\x1b[2J", "\\x1b[2J"},
        {"a\nb\tc\rd", "a\\nb\\tc\\x0dd"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b" "31m", "\\u{9b}31m"},         /* CSI as one character */
        {"a\u202eb", "a\\u{202e}b"},              /* right-to-left override */
        {"a\u2066b\u2069", "a\\u{2066}b\\u{2069}"},
        {"\ufeff", "\\u{feff}"},
        {"\U000e0041", "\\u{e0041}"},             /* a tag */
        {"\xff\xfe", "\\xff\\xfe"},               /* not UTF-8 */
        {"\xe2\x82", "\\xe2\\x82"},               /* cut */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},      /* a surrogate */
        {"e\u0301", "e\u0301"},                   /* a combining mark stays */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_auto struct buf out;
        buf_init(&out, 4096);
        plain_adds(&out, cases[i][0]);
        assert_string_equal(out.data, cases[i][1]);
    }
}

static void test_plain_shows_nul(void **state) {
    (void)state;
    buf_auto struct buf out;
    buf_init(&out, 4096);
    plain_add(&out, "a\0b", 3);
    assert_string_equal(out.data, "a\\x00b");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_escapes),
        cmocka_unit_test(test_plain_shows_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static void test_plain_clips(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t columns;
        const char *want;
    } cases[] = {
        {"", 4, ""},
        {"abcd", 4, "abcd"},
        {"abcde", 4, "abc\u2026"},
        {"\u6f22\u5b57\u6f22", 4, "\u6f22\u2026"},   /* a wide one is not cut in half */
        {"e\u0301bcde", 4, "e\u0301bc\u2026"},
        {"\x1b\x1b", 4, "\\x1\u2026"},                /* what is shown counts */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_auto struct buf out;
        buf_init(&out, 4096);
        buf_adds(&out, "> ");
        plain_adds_clipped(&out, cases[i].text, cases[i].columns);
        assert_string_equal(out.data + 2, cases[i].want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_escapes),
        cmocka_unit_test(test_plain_shows_nul),
        cmocka_unit_test(test_plain_clips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

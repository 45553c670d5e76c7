/* gotext: expected values were printed by strconv, encoding/csv and fmt of go1.26. */
#include "tests/unit/test.h"

#include <inttypes.h>
#include <string.h>

#include "baton/gotext.h"

static const struct {
    const char *text;
    int64_t value;
} good_numbers[] = {
    {"0", 0},
    {"00", 0},
    {"-0", 0},
    {"5", 5},
    {"+5", 5},
    {"-1", -1},
    {"010", 8},
    {"0x10", 16},
    {"0XfF", 255},
    {"0b101", 5},
    {"0o17", 15},
    {"1_000", 1000},
    {"0x_1", 1},
    {"0_7", 7},
    {"9223372036854775807", INT64_MAX},
    {"-9223372036854775808", INT64_MIN},
    {"-0x8000000000000000", INT64_MIN},
};

static void test_gotext_reads_numbers_as_go_does(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good_numbers / sizeof good_numbers[0]; i++) {
        int64_t n = 77;
        struct err err = ERR_INIT;
        if (!gotext_int(good_numbers[i].text, &n, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(n, good_numbers[i].value);
    }
}

static const struct {
    const char *text, *why;
} bad_numbers[] = {
    {"", "invalid syntax"},
    {"-", "invalid syntax"},
    {"abc", "invalid syntax"},
    {"5.0", "invalid syntax"},
    {" 5", "invalid syntax"},
    {"08", "invalid syntax"},
    {"0x", "invalid syntax"},
    {"0b2", "invalid syntax"},
    {"1__2", "invalid syntax"},
    {"_1", "invalid syntax"},
    {"1_", "invalid syntax"},
    {"9223372036854775808", "value out of range"},
    {"-9223372036854775809", "value out of range"},
    {"99999999999999999999", "value out of range"},
    {"0xFFFFFFFFFFFFFFFFF", "value out of range"},
};

static void test_gotext_refuses_numbers_with_the_text_of_go(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_numbers / sizeof bad_numbers[0]; i++) {
        char want[128];
        int64_t n = 77;
        struct err err = ERR_INIT;
        snprintf(want, sizeof want, "strconv.ParseInt: parsing \"%s\": %s", bad_numbers[i].text,
                 bad_numbers[i].why);
        assert_false(gotext_int(bad_numbers[i].text, &n, &err));
        assert_string_equal(err.msg, want);
        assert_int_equal(err.code, ERR_UNKNOWN);
        assert_int_equal(n, 77);
    }
}

static void test_gotext_reads_booleans(void **state) {
    (void)state;
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < 6; i++) {
        bool b = false;
        assert_true(gotext_bool(yes[i], &b, NULL));
        assert_true(b);
        assert_true(gotext_bool(no[i], &b, NULL));
        assert_false(b);
    }
    bool b = true;
    struct err err = ERR_INIT;
    assert_false(gotext_bool("yes", &b, &err));
    assert_string_equal(err.msg, "strconv.ParseBool: parsing \"yes\": invalid syntax");
    assert_true(b);
}

/* The fields joined by '|'. */
static const struct {
    const char *text, *fields;
} good_csv[] = {
    {"", ""},
    {"a", "a"},
    {"x,y z", "x|y z"},
    {",", "|"},
    {"a,,b", "a||b"},
    {"\"a, b\",c", "a, b|c"},
    {"\"a\"\"b\"", "a\"b"},
    {"\"\"", ""},
    {"a\nb", "a"},
    {"a\r\nb", "a"},
    {"a\r", "a"},
    {"\n\nx", "x"},
    {"\"a\nb\",c", "a\nb|c"},
    {"\"a\r\nb\"", "a\nb"},
    {"\"a\"\n", "a"},
    {" a , b ", " a | b "},
};

static void test_gotext_reads_lists_as_csv(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good_csv / sizeof good_csv[0]; i++) {
        strlist_auto struct strlist fields = {0};
        struct err err = ERR_INIT;
        if (!gotext_csv(good_csv[i].text, &fields, &err))
            fail_msg("%s: %s", good_csv[i].text, err.msg);
        char joined[64] = "";
        size_t n = 0;
        for (size_t j = 0; j < fields.count; j++)
            n += (size_t)snprintf(joined + n, sizeof joined - n, "%s%s", j ? "|" : "",
                                  fields.items[j]);
        assert_string_equal(joined, good_csv[i].fields);
    }
}

static const struct {
    const char *text, *why;
} bad_csv[] = {
    {"a\"b", "parse error on line 1, column 2: bare \" in non-quoted-field"},
    {"x,a\"b", "parse error on line 1, column 4: bare \" in non-quoted-field"},
    {" \"a\"", "parse error on line 1, column 2: bare \" in non-quoted-field"},
    {"\"ab", "parse error on line 1, column 4: extraneous or missing \" in quoted-field"},
    {"\"a\"b", "parse error on line 1, column 3: extraneous or missing \" in quoted-field"},
    {"\"a\nb", "record on line 1; parse error on line 2, column 2: extraneous or missing \" in "
               "quoted-field"},
    {"\n", "EOF"},
    {"\r", "EOF"},
};

static void test_gotext_refuses_lists_with_the_text_of_go(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_csv / sizeof bad_csv[0]; i++) {
        strlist_auto struct strlist fields = {0};
        struct err err = ERR_INIT;
        assert_false(gotext_csv(bad_csv[i].text, &fields, &err));
        assert_string_equal(err.msg, bad_csv[i].why);
        assert_int_equal(fields.count, 0);
    }
}

static void test_gotext_quotes_what_a_terminal_should_not_see(void **state) {
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"abc", "\"abc\""},
        {"a\"b\\", "\"a\\\"b\\\\\""},
        {"\033[1m\n\x7F", "\"\\x1b[1m\\n\\x7f\""},
        {"\xC3\xA9", "\"\xC3\xA9\""},
        {"\xFF", "\"\\xff\""},
        {"\xC3", "\"\\xc3\""},
        {"\xE2\x80\x8B", "\"\\u200b\""},
        {"\xC2\x80", "\"\\u0080\""},
        {"\xF3\xA0\x80\x81", "\"\\U000e0001\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_auto struct buf b;
        buf_init(&b, 256);
        gotext_quote(&b, cases[i].text);
        assert_string_equal(b.data, cases[i].quoted);
    }
}

static void test_gotext_splits_words(void **state) {
    (void)state;
    strlist_auto struct strlist words = {0};
    gotext_words("  a\"b \t c\n", &words);
    assert_int_equal(words.count, 2);
    assert_string_equal(words.items[0], "a\"b");
    assert_string_equal(words.items[1], "c");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gotext_reads_numbers_as_go_does),
        cmocka_unit_test(test_gotext_refuses_numbers_with_the_text_of_go),
        cmocka_unit_test(test_gotext_reads_booleans),
        cmocka_unit_test(test_gotext_reads_lists_as_csv),
        cmocka_unit_test(test_gotext_refuses_lists_with_the_text_of_go),
        cmocka_unit_test(test_gotext_quotes_what_a_terminal_should_not_see),
        cmocka_unit_test(test_gotext_splits_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/test.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

static void test_err_set_returns_false_and_fills(void **state) {
    (void)state;
    struct err e = ERR_INIT;
    assert_false(err_set(&e, ERR_NOT_FOUND, "website %s not found", "w1"));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_string_equal(e.msg, "website w1 not found");
}

static void test_err_wrap_puts_context_in_front_and_keeps_code(void **state) {
    (void)state;
    struct err e = ERR_INIT;
    err_set(&e, ERR_UNAVAILABLE, "HTTP 503");
    e.retry_at_unix = 7;
    assert_false(err_wrap(&e, "list operators of %s", "w1"));
    assert_string_equal(e.msg, "list operators of w1: HTTP 503");
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_int_equal(e.retry_at_unix, 7);
}

static void test_err_append_adds_behind(void **state) {
    (void)state;
    struct err e = ERR_INIT;
    err_set(&e, ERR_INTERNAL, "a");
    err_append(&e, " (%d)", 5);
    assert_string_equal(e.msg, "a (5)");
}

static void test_err_accepts_null(void **state) {
    (void)state;
    assert_false(err_set(NULL, ERR_INTERNAL, "x"));
    assert_false(err_wrap(NULL, "x"));
    assert_false(err_append(NULL, "x"));
    assert_false(err_set_errno(NULL, ERR_INTERNAL, 2, "x"));
    err_clear(NULL);
}

static void test_err_long_text_is_cut_between_characters(void **state) {
    (void)state;
    char text[ERR_MSG_MAX + 100];
    for (size_t i = 0; i + 2 <= sizeof text; i += 2)
        memcpy(text + i, "é", 2);
    text[sizeof text - 2] = '\0';
    struct err e = ERR_INIT;
    err_set(&e, ERR_INTERNAL, "x%s", text);
    size_t n = strlen(e.msg);
    assert_in_range(n, ERR_MSG_MAX - 3, ERR_MSG_MAX - 1);
    assert_int_equal(n % 2, 1); /* one x and whole two-byte characters */
}

static void test_err_text_is_cut_whole_at_every_offset(void **state) {
    (void)state;
    for (size_t before = ERR_MSG_MAX - 6; before < ERR_MSG_MAX; before++) {
        char text[ERR_MSG_MAX + 8];
        memset(text, 'a', before);
        memcpy(text + before, "\xF0\x9F\x92\xB3" "zz", 7);
        struct err e = ERR_INIT;
        err_set(&e, ERR_INTERNAL, "%s", text);
        size_t n = strlen(e.msg);
        assert_true(utf8_valid(e.msg, n));
        assert_in_range(n, before < ERR_MSG_MAX - 1 ? before : ERR_MSG_MAX - 1, ERR_MSG_MAX - 1);
    }
}

static void test_err_set_errno_names_the_cause(void **state) {
    (void)state;
    struct err e = ERR_INIT;
    err_set_errno(&e, ERR_UNKNOWN, 2, "open %s", "/nope");
    assert_string_equal(e.msg, "open /nope: No such file or directory");
}

static void test_err_code_name_knows_all_and_survives_others(void **state) {
    (void)state;
    assert_string_equal(err_code_name(ERR_UNAUTHENTICATED), "Unauthenticated");
    assert_string_equal(err_code_name((enum err_code)99), "Unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_set_returns_false_and_fills),
        cmocka_unit_test(test_err_wrap_puts_context_in_front_and_keeps_code),
        cmocka_unit_test(test_err_append_adds_behind),
        cmocka_unit_test(test_err_accepts_null),
        cmocka_unit_test(test_err_long_text_is_cut_between_characters),
        cmocka_unit_test(test_err_text_is_cut_whole_at_every_offset),
        cmocka_unit_test(test_err_set_errno_names_the_cause),
        cmocka_unit_test(test_err_code_name_knows_all_and_survives_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

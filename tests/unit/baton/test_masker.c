/* masker: what is taken out of a text, and what is left alone. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "baton/masker.h"

static const char key[] = "0123456789abcdefghijklmnopqrstuv";

static void assert_masked(const char *secret, const char *text, const char *want) {
    struct masker m = {0};
    char buf[256];
    masker_add(&m, secret);
    assert_true(snprintf(buf, sizeof buf, "%s", text) < (int)sizeof buf);
    masker_apply(&m, buf);
    assert_string_equal(buf, want);
    masker_done(&m);
    assert_int_equal(m.count, 0);
}

static void test_masker_takes_every_occurrence_out(void **state) {
    (void)state;
    assert_masked("hunter2", "hunter2 is not hunter2, hunter", "*** is not ***, hunter");
    assert_masked("hunter2", "hunter2hunter2", "******");
    assert_masked("hunter2", "", "");
    assert_masked("aaaa", "aaaaaa", "***aa");
}

static void test_masker_leaves_short_values(void **state) {
    (void)state;
    assert_masked("key", "the key", "the key");
    assert_masked("", "the key", "the key");
    assert_masked("keys", "the keys", "the ***");
}

/* A text may be cut, and a value may stand behind a letter that was taken for a flag. */
static void test_masker_takes_parts_out(void **state) {
    (void)state;
    assert_masked(key, "got 0123456789abcdef", "got ***");
    assert_masked(key, "got 0123456789abcde", "got 0123456789abcde");
    assert_masked(key, "in -6789abcdefghijklmnopqrstuv.", "in -***.");
    assert_masked(key, "in 6789abcdefghijklmnop and on", "in *** and on");
}

static void test_masker_knows_the_quoted_form(void **state) {
    (void)state;
    assert_masked("hun\"ter2", "parsing \"hun\\\"ter2\": hun\"ter2", "parsing \"***\": ***");
}

static void test_masker_of_nothing(void **state) {
    (void)state;
    struct masker m = {0};
    char text[] = "as it is";
    masker_apply(&m, text);
    assert_string_equal(text, "as it is");
    masker_done(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masker_takes_every_occurrence_out),
        cmocka_unit_test(test_masker_leaves_short_values),
        cmocka_unit_test(test_masker_takes_parts_out),
        cmocka_unit_test(test_masker_knows_the_quoted_form),
        cmocka_unit_test(test_masker_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

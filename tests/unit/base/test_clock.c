#include "tests/unit/test.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/ksuid.h"

static void use_zone(const char *zone) {
    setenv("TZ", zone, 1);
    tzset();
}

static void test_clock_format_sqlite_drops_zeros_and_uses_local_time(void **state) {
    (void)state;
    char text[CLOCK_TEXT_MAX];
    use_zone("UTC");
    clock_format_sqlite(1795326264405163180, text);
    assert_string_equal(text, "2026-11-22 05:44:24.40516318");
    clock_format_sqlite(INT64_C(1795326264) * CLOCK_NS_PER_S, text);
    assert_string_equal(text, "2026-11-22 05:44:24");
    use_zone("Asia/Tokyo");
    clock_format_sqlite(INT64_C(1795326264) * CLOCK_NS_PER_S, text);
    use_zone("UTC");
    assert_string_equal(text, "2026-11-22 14:44:24");
}

static void test_clock_parse_sqlite_reads_every_form_the_driver_reads(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"2026-11-22 05:44:24.40516318", 1795326264405163180},
        {"2026-11-22 05:44:24", INT64_C(1795326264000000000)},
        {"2026-11-22T05:44:24Z", INT64_C(1795326264000000000)},
        {"2026-11-22T07:44:24+02:00", INT64_C(1795326264000000000)},
        {"2026-11-22 05:44", INT64_C(1795326240000000000)},
        {"2026-11-22", INT64_C(1795305600000000000)},
        {"1969-12-31 23:59:59.5", -500000000},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ns = 0;
        assert_true(clock_parse_sqlite(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
    static const char *const bad[] = {"",           "2026",       "2026-13-01", "2026-11-22 25:00:00",
                                      "2026-11-22x", "9999-01-01", "2026-11-22 05:44:24.", "yesterday"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = 42;
        assert_false(clock_parse_sqlite(bad[i], &ns));
        assert_int_equal(ns, 42);
    }
}

static void test_clock_format_rfc3339_uses_0_3_6_or_9_digits(void **state) {
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {500000000, "1970-01-01T00:00:00.500Z"},
        {1000, "1970-01-01T00:00:00.000001Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {1795326264405163180, "2026-11-22T05:44:24.405163180Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CLOCK_TEXT_MAX];
        clock_format_rfc3339(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_clock_parse_http_reads_the_three_forms(void **state) {
    (void)state;
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < 3; i++) {
        int64_t s = 0;
        assert_true(clock_parse_http(forms[i], &s));
        assert_int_equal(s, 784111777);
    }
    int64_t s = 1;
    assert_false(clock_parse_http("120", &s));
    assert_int_equal(s, 1);
}

static void test_ksuid_matches_the_measured_example(void **state) {
    (void)state;
    /* c1z.md 2.7 */
    static const uint8_t bytes[KSUID_BYTES] = {0x17, 0x90, 0x32, 0xfc, 0x5e, 0x27, 0xd8,
                                               0x6b, 0x70, 0x20, 0x95, 0x2b, 0xe5, 0x08,
                                               0x4e, 0xe3, 0x64, 0x0a, 0xaf, 0x09};
    char text[KSUID_LEN + 1];
    ksuid_encode(bytes, text);
    assert_string_equal(text, "3MRvTmaBs2SYnhWlcdrdDAzQyEr");
    uint8_t back[KSUID_BYTES];
    assert_true(ksuid_decode(text, back));
    assert_memory_equal(back, bytes, sizeof bytes);
}

static void test_ksuid_new_begins_with_the_time_and_differs(void **state) {
    (void)state;
    char a[KSUID_LEN + 1], b[KSUID_LEN + 1];
    assert_true(ksuid_new(1795326204, a, NULL));
    assert_true(ksuid_new(1795326204, b, NULL));
    assert_string_not_equal(a, b);
    uint8_t bytes[KSUID_BYTES];
    assert_true(ksuid_decode(a, bytes));
    uint32_t t = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
                 bytes[3];
    assert_int_equal(t, 1795326204 - 1400000000);
}

static void test_ksuid_decode_refuses_other_text(void **state) {
    (void)state;
    uint8_t bytes[KSUID_BYTES];
    assert_false(ksuid_decode("", bytes));
    assert_false(ksuid_decode("3MRvTmaBs2SYnhWlcdrdDAzQyE-", bytes));
    assert_false(ksuid_decode("zzzzzzzzzzzzzzzzzzzzzzzzzzz", bytes)); /* above 2^160 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_format_sqlite_drops_zeros_and_uses_local_time),
        cmocka_unit_test(test_clock_parse_sqlite_reads_every_form_the_driver_reads),
        cmocka_unit_test(test_clock_format_rfc3339_uses_0_3_6_or_9_digits),
        cmocka_unit_test(test_clock_parse_http_reads_the_three_forms),
        cmocka_unit_test(test_ksuid_matches_the_measured_example),
        cmocka_unit_test(test_ksuid_new_begins_with_the_time_and_differs),
        cmocka_unit_test(test_ksuid_decode_refuses_other_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

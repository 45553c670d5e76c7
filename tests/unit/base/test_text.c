/* utf8, buf, arena and secret: the small holders of text. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/secret.h"
#include "base/utf8.h"

static void test_utf8_valid_accepts_and_refuses(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        bool is_valid;
    } cases[] = {
        {"", 0, true},
        {"Chlo\xC3\xA9", 6, true},
        {"\xF0\x9F\x92\xB3", 4, true},
        {"\xFF\xFE", 2, false},
        {"\xC0\xAF", 2, false},         /* overlong */
        {"\xE0\x80\x80", 3, false},     /* overlong */
        {"\xED\xA0\x80", 3, false},     /* surrogate */
        {"\xF4\x90\x80\x80", 4, false}, /* above U+10FFFF */
        {"\xC3", 1, false},             /* cut */
        {"a\0b", 3, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(utf8_valid(cases[i].bytes, cases[i].n), cases[i].is_valid);
}

static void test_utf8_clip_never_cuts_a_character(void **state) {
    (void)state;
    const char *s = "a\xC3\xA9\xF0\x9F\x92\xB3";
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 3, 7, 7};
    for (size_t max = 0; max < 9; max++)
        assert_int_equal(utf8_clip(s, 7, max), expected[max]);
}

static void test_utf8_columns_counts_wide_and_combining(void **state) {
    (void)state;
    assert_int_equal(utf8_columns("abc", 3), 3);
    assert_int_equal(utf8_columns("\xE6\xBC\xA2", 3), 2);      /* a CJK character */
    assert_int_equal(utf8_columns("e\xCC\x81", 3), 1);         /* e and a combining accent */
    assert_int_equal(utf8_columns("\xF0\x9F\x92\xB3", 4), 2);  /* an emoji */
}

static void test_buf_stops_at_its_ceiling_and_keeps_what_it_has(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 4);
    assert_true(buf_adds(&b, "abc"));
    assert_false(buf_adds(&b, "de"));
    assert_false(buf_ok(&b));
    assert_string_equal(b.data, "abc");
    assert_false(buf_addc(&b, 'd')); /* it would fit, but the text would have a hole */
    buf_reset(&b);
    assert_true(buf_addf(&b, "%d", 1234));
    assert_string_equal(b.data, "1234");
}

static void test_buf_drop_and_detach(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 100);
    buf_adds(&b, "hello world");
    buf_drop(&b, 6);
    assert_string_equal(b.data, "world");
    char *p = buf_detach(&b);
    assert_string_equal(p, "world");
    free(p);
    assert_int_equal(b.len, 0);
    p = buf_detach(&b);
    assert_string_equal(p, "");
    free(p);
}

static void test_arena_gives_zeroed_aligned_memory_and_survives_reset(void **state) {
    (void)state;
    arena_auto struct arena a;
    arena_init(&a);
    for (int round = 0; round < 3; round++) {
        for (size_t n = 1; n < 3000; n += 7) {
            unsigned char *p = arena_alloc(&a, n);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAA, n);
        }
        arena_reset(&a);
    }
    char *big = arena_alloc(&a, 1024 * 1024);
    big[1024 * 1024 - 1] = 'x';
    arena_reset(&a);
    assert_string_equal(arena_printf(&a, "%s-%d", "a", 5), "a-5");
    assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
    assert_string_equal(arena_join(&a, "ab", "", "c", NULL), "abc");
}

static void test_secret_is_copied_found_and_dropped(void **state) {
    (void)state;
    char source[] = "feedface";
    struct secret s = SECRET_INIT;
    assert_false(secret_is_set(&s));
    assert_string_equal(secret_reveal(&s), "");
    secret_set(&s, source, 8);
    memset(source, 'x', 8);
    assert_string_equal(secret_reveal(&s), "feedface");
    assert_true(secret_is_in(&s, "key=feedface;"));
    assert_false(secret_is_in(&s, "key=feed"));
    secret_done(&s);
    secret_done(&s);
    assert_false(secret_is_in(&s, "anything"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_valid_accepts_and_refuses),
        cmocka_unit_test(test_utf8_clip_never_cuts_a_character),
        cmocka_unit_test(test_utf8_columns_counts_wide_and_combining),
        cmocka_unit_test(test_buf_stops_at_its_ceiling_and_keeps_what_it_has),
        cmocka_unit_test(test_buf_drop_and_detach),
        cmocka_unit_test(test_arena_gives_zeroed_aligned_memory_and_survives_reset),
        cmocka_unit_test(test_secret_is_copied_found_and_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

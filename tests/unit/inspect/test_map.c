/* map: adding, finding, growing. */
#include "tests/unit/test.h"

#include <stdio.h>

#include "inspect/map.h"

static void test_map_finds_what_was_added(void **state) {
    (void)state;
    struct map *m = map_new();
    int one = 1, two = 2;
    assert_null(map_get(m, "a"));
    assert_true(map_add(m, "a", &one));
    assert_true(map_add(m, "", &two));
    assert_ptr_equal(map_get(m, "a"), &one);
    assert_ptr_equal(map_get(m, ""), &two);
    assert_false(map_add(m, "a", &two));
    assert_ptr_equal(map_get(m, "a"), &one);
    assert_int_equal(map_count(m), 2);
    map_free(m);
}

static void test_map_copies_keys(void **state) {
    (void)state;
    struct map *m = map_new();
    char key[] = "key";
    assert_true(map_see(m, key));
    key[0] = 'K';
    assert_false(map_see(m, "key"));
    assert_true(map_see(m, key));
    map_free(m);
}

static void test_map_grows(void **state) {
    (void)state;
    struct map *m = map_new();
    char key[16];
    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_true(map_see(m, key));
    }
    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_false(map_see(m, key));
    }
    assert_null(map_get(m, "10000"));
    assert_int_equal(map_count(m), 10000);
    map_free(m);
    map_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_finds_what_was_added),
        cmocka_unit_test(test_map_copies_keys),
        cmocka_unit_test(test_map_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

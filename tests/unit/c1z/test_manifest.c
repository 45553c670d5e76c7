/* manifest: what the head of a v3 file says. */
#include "tests/unit/test.h"

#include <string.h>

#include "c1z/manifest.h"
#include "tests/unit/c1z/scratch.h"

static void test_manifest_names_sync_and_counts(void **state) {
    (void)state;
    mem_auto char *path = golden_path("three-operators.v3.c1z");
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
    struct manifest m;
    struct err err = ERR_INIT;
    assert_true(manifest_read(fd, &m, &err));
    close(fd);
    assert_string_equal(m.engine, "pebble3");
    assert_int_equal(strlen(m.sync_id), 27);
    assert_true(m.has_counts);
    assert_int_equal(m.resource_types, 2);
    assert_int_equal(m.resources, 4);
    assert_int_equal(m.entitlements, 2);
    assert_int_equal(m.grants, 3);
}

/* Reads these bytes as what stands behind the magic. */
static bool read_from(const char *bytes, size_t n, struct err *err) {
    int ends[2];
    struct manifest m;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, n), n);
    close(ends[1]);
    bool ok = manifest_read(ends[0], &m, err);
    close(ends[0]);
    return ok;
}

static void test_manifest_refuses_cut_and_large_ones(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *text;
    } cases[] = {
        {"\0\0", 2, "c1z v3: envelope truncated: reading manifest length: unexpected EOF"},
        {"\0\0\0\5ab", 6, "c1z v3: envelope truncated: reading manifest: unexpected EOF"},
        {"\1\0\0\1", 4, "c1z v3: manifest claims 16777217 bytes, exceeds cap 16777216"},
        {"\0\0\0\2\xff\xff", 6, "c1z v3: the manifest is damaged"},
    };
    for (size_t i = 0; i < 4; i++) {
        struct err err = ERR_INIT;
        assert_false(read_from(cases[i].bytes, cases[i].n, &err));
        assert_string_equal(err.msg, cases[i].text);
    }
}

static void test_manifest_makes_text_harmless(void **state) {
    (void)state;
    struct manifest m;
    struct err err = ERR_INIT;
    static const uint8_t escape[] = {0x0A, 5, 'a', 0x1B, '[', 0x80, '\n'};
    assert_true(manifest_parse(escape, sizeof escape, &m, &err));
    assert_string_equal(m.engine, "a?[??");
    uint8_t longer[2 + 100] = {0x0A, 100};
    memset(longer + 2, 'x', 100);
    assert_true(manifest_parse(longer, sizeof longer, &m, &err));
    assert_int_equal(strlen(m.engine), MANIFEST_TEXT_MAX - 1);
}

static void test_manifest_may_lack_everything(void **state) {
    (void)state;
    struct manifest m;
    struct err err = ERR_INIT;
    assert_true(manifest_parse((const uint8_t *)"", 0, &m, &err));
    assert_string_equal(m.engine, "");
    assert_string_equal(m.sync_id, "");
    assert_false(m.has_counts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest_names_sync_and_counts),
        cmocka_unit_test(test_manifest_refuses_cut_and_large_ones),
        cmocka_unit_test(test_manifest_makes_text_harmless),
        cmocka_unit_test(test_manifest_may_lack_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* yaml_file: the forms a config file may have, and the ceilings. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "baton/yaml_file.h"
#include "tests/unit/baton/probe.h"

static void parse(const char *text, struct yaml_file *ret) {
    struct err err = ERR_INIT;
    if (!yaml_file_parse(text, strlen(text), ret, &err))
        fail_msg("%s", err.msg);
}

/* "key=kind:item|item" of each entry, in lines. */
static void describe(const struct yaml_file *f, struct buf *out) {
    static const char *const kinds[] = {"null", "scalar", "list", "map"};
    for (size_t i = 0; i < f->count; i++) {
        const struct yaml_entry *e = &f->entries[i];
        buf_addf(out, "%d %s=%s:", e->line, e->key, kinds[e->kind]);
        for (size_t j = 0; j < e->items.count; j++)
            buf_addf(out, "%s%s", j ? "|" : "", e->items.items[j]);
        buf_addc(out, '\n');
    }
}

static const struct {
    const char *text, *want;
} good[] = {
    {"", ""},
    {"# nothing\n", ""},
    {"---\n...\n", ""},
    {"a: 1\nb: two\n", "1 a=scalar:1\n2 b=scalar:two\n"},
    {"a: 0123\nb: 1e3\nc: 1.50\nd: yes\n",
     "1 a=scalar:0123\n2 b=scalar:1e3\n3 c=scalar:1.50\n4 d=scalar:yes\n"},
    {"a:\nb: ~\nc: null\nd: \"\"\ne: \"null\"\n",
     "1 a=null:\n2 b=null:\n3 c=null:\n4 d=scalar:\n5 e=scalar:null\n"},
    {"t: [a, \"b,c\", 1, null]\n", "1 t=list:a|b,c|1|\n"},
    {"t:\n- a\n- b\nu: []\n", "1 t=list:a|b\n4 u=list:\n"},
    {"m: {a: {b: [c]}}\nn: x\n", "1 m=map:\n2 n=scalar:x\n"},
    {"{\"a\": \"w\", \"b\": [1]}", "1 a=scalar:w\n1 b=list:1\n"},
    {"a: |\n  multi\n  line\n", "1 a=scalar:multi\nline\n\n"},
    {"a: x\n---\na: y\n", "1 a=scalar:x\n"},
    {"a: &anchor w\nb: !!str 12\nc: !foo k\n", "1 a=scalar:w\n2 b=scalar:12\n3 c=scalar:k\n"},
    {"a: w # comment\r\nb: 'it''s'\r\n", "1 a=scalar:w\n2 b=scalar:it's\n"},
    {"\xEF\xBB\xBF"
     "a: w\n",
     "1 a=scalar:w\n"},
};

static void test_yaml_file_reads(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        yaml_file_auto struct yaml_file f;
        parse(good[i].text, &f);
        buf_auto struct buf text;
        buf_init(&text, 4096);
        describe(&f, &text);
        assert_string_equal(text.data, good[i].want);
    }
}

static const struct {
    const char *text, *want; /* the beginning of the error */
} bad[] = {
    {"a: w\n  b: i\n", "line 2: "},
    {"- a\n- b\n", "line 1: expected `name: value` pairs"},
    {"word\n", "line 1: expected `name: value` pairs"},
    {"a: x\nb: y\na: z\n", "line 3: the key a stands in line 1 already"},
    {"a: &x w\nb: *x\n", "line 2: aliases are not supported"},
    {"a: &x [1]\nb: [*x]\n", "line 2: aliases are not supported"},
    {"a: &x 1\nb: {c: *x}\n", "line 2: aliases are not supported"},
    {"<<: *x\n", "line 1: aliases are not supported"},
    {"a: [[1]]\n", "line 1: a list may hold plain values only"},
    {"? [a]\n: b\n", "line 1: a key must be a plain word"},
    {"a: 1\n]\n", "line 2: "},
    {"a: \"open\n", "line 2: "},
    {"a: \"x\\0y\"\n", "line 1: a value holds a NUL character"},
    {"a: {b: [[[[[[[[[[[[[[[[[[[[", "line 1: nested too deeply"},
    {"a: \xFF\n", "line "},
    {"a: %\n", "line 1: "},
};

static void test_yaml_file_refuses(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct yaml_file f = {.count = 77};
        struct err err = ERR_INIT;
        if (yaml_file_parse(bad[i].text, strlen(bad[i].text), &f, &err))
            fail_msg("%s passed", bad[i].text);
        if (strncmp(err.msg, bad[i].want, strlen(bad[i].want)) != 0)
            fail_msg("%s: %s", bad[i].text, err.msg);
        assert_int_equal(err.code, ERR_UNKNOWN);
        assert_int_equal(f.count, 77);
    }
}

static void assert_refused(const struct buf *text, const char *why) {
    struct yaml_file f;
    struct err err = ERR_INIT;
    assert_true(buf_ok(text));
    assert_false(yaml_file_parse(text->data, text->len, &f, &err));
    assert_non_null(strstr(err.msg, why));
}

static void test_yaml_file_keeps_its_ceilings(void **state) {
    (void)state;
    buf_auto struct buf text;
    buf_init(&text, 2 * YAML_FILE_MAX_BYTES);
    for (int i = 0; i <= YAML_FILE_MAX_KEYS; i++)
        buf_addf(&text, "k%d: v\n", i);
    assert_refused(&text, "too many keys");

    buf_reset(&text);
    buf_adds(&text, "a:\n");
    for (int i = 0; i <= YAML_FILE_MAX_ITEMS; i++)
        buf_adds(&text, "- x\n");
    assert_refused(&text, "too many values");

    buf_reset(&text);
    while (text.len <= YAML_FILE_MAX_BYTES)
        buf_adds(&text, "# a long line of comment\n");
    assert_refused(&text, "larger than 1048576 bytes");
}

static void test_yaml_file_reads_a_file(void **state) {
    (void)state;
    yaml_file_auto struct yaml_file f;
    struct err err = ERR_INIT;
    probe_write("c.yaml", "a: 1\n");
    assert_int_equal(chmod("c.yaml", 0644), 0);
    assert_true(yaml_file_read("c.yaml", &f, &err));
    assert_int_equal(f.count, 1);
    assert_int_equal(f.mode & 0777, 0644);
}

static void test_yaml_file_says_what_is_wrong_with_a_file(void **state) {
    (void)state;
    struct yaml_file f;
    struct err err = ERR_INIT;
    assert_false(yaml_file_read("nope.yaml", &f, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(mkdir("d.yaml", 0700), 0);
    assert_false(yaml_file_read("d.yaml", &f, &err));
    assert_int_equal(err.code, ERR_UNKNOWN);
    assert_string_equal(err.msg, "is a directory: name a file in it");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_file_reads),
        cmocka_unit_test(test_yaml_file_refuses),
        cmocka_unit_test(test_yaml_file_keeps_its_ceilings),
        probe_test(test_yaml_file_reads_a_file),
        probe_test(test_yaml_file_says_what_is_wrong_with_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

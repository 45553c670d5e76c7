/* jsonr: strict JSON without a tree. Jansson is the yardstick: both must agree on what is JSON. */
#include "tests/unit/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/jsonr.h"

/* The bytes in a block of their own size, so that a read past the end is seen. */
static bool accepts(const char *text, size_t n) {
    char *exact = malloc(n ? n : 1);
    memcpy(exact, text, n);
    struct jsonr r;
    jsonr_init(&r, exact, n);
    bool ok = jsonr_skip(&r) && jsonr_is_complete(&r);
    free(exact);
    return ok;
}

static bool jansson_accepts(const char *text, size_t n) {
    json_t *value = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_decref(value);
    return value != NULL;
}

static const char *const texts[] = {
    "{}", "[]", "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "1e5", "1E+5", "1e-5",
    "1.5e3", "\"\"", "\"a\"", " [ 1 , 2 ] ", "{\"a\":1}", "{ \"a\" : { \"b\" : [ ] } }",
    "[[],{},[1]]", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"",
    "\"Chlo\xC3\xA9\"", "\"\xF0\x9F\x98\x80\"", "\t\r\n1", "\"12345678\"", "\"1234567890123456\\n\"",
    /* not JSON */
    "", " ", "{", "}", "[", "]", "{]", "[}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}",
    "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\" 1}", "{1:2}", "{\"a\":1 \"b\":2}", "nul",
    "nulll", "True", "tru", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "-01", "1a", "\"",
    "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\", "\"\\u", "\"\n\"", "\"\x01\"",
    "\"1234567\x1f\"", "'a'", "[] []", "{} x", "1 2", "// x\n1", "\"\xFF\"", "\"\xC3\"",
    "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"12345678\xE2\x82\"", "\xEF\xBB\xBF{}",
    "NaN", "Infinity", "[1]]", "{\"a\":1}}", "[\"a\":1]", "{\"\xFF\":1}",
};

static void test_jsonr_agrees_with_jansson(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t n = strlen(texts[i]);
        if (accepts(texts[i], n) != jansson_accepts(texts[i], n))
            fail_msg("%s: Jansson says %d", texts[i], jansson_accepts(texts[i], n));
    }
    assert_false(accepts("[1\0]", 4));
    assert_false(accepts("\"a\0b\"", 5));
}

/* Every prefix of a valid object is refused, by reading no byte too many. */
static void test_jsonr_refuses_every_prefix(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\":[1,-2.5e3,true,null],\"b\\u00e9\":\"x\\n\xC3\xA9\\ud83d\\ude00\",\"c\":{\"d\":false}}";
    for (size_t n = 0; n < sizeof text - 1; n++)
        assert_false(accepts(text, n));
    assert_true(accepts(text, sizeof text - 1));
}

/* What Jansson refuses and Go replaces: a name cut inside an emoji, as JavaScript sends it. */
static void test_jsonr_replaces_lone_surrogates_and_nul(void **state) {
    (void)state;
    static const struct {
        const char *text, *decoded;
    } cases[] = {
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF"},
        {"\"a\\ud83d\"", "a\xEF\xBF\xBD"},
        {"\"\\ud83dx\"", "\xEF\xBF\xBDx"},
        {"\"\\ude00\"", "\xEF\xBF\xBD"},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {"\"\\ud83d\\u0041\"", "\xEF\xBF\xBD" "A"},
        {"\"\\ud83d\\n\"", "\xEF\xBF\xBD\n"},
        {"\"a\\u0000b\"", "a\xEF\xBF\xBD" "b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jsonr r;
        struct jsonr_string s;
        char out[64];
        jsonr_init(&r, cases[i].text, strlen(cases[i].text));
        assert_true(jsonr_string(&r, &s));
        assert_true(jsonr_is_complete(&r));
        assert_int_equal(jsonr_decode(&s, out), strlen(cases[i].decoded));
        assert_string_equal(out, cases[i].decoded);
        assert_true(strlen(out) <= s.len);
        assert_true(jsonr_equals(&s, cases[i].decoded));
        assert_false(jsonr_equals(&s, "something else"));
    }
}

static void nest(char *out, size_t depth) {
    memset(out, '[', depth);
    memset(out + depth, ']', depth);
    out[2 * depth] = '\0';
}

static void test_jsonr_limits_the_depth(void **state) {
    (void)state;
    char text[2 * JSONR_DEPTH_MAX + 8];
    nest(text, JSONR_DEPTH_MAX);
    assert_true(accepts(text, strlen(text)));
    nest(text, JSONR_DEPTH_MAX + 1);
    assert_false(accepts(text, strlen(text)));
    struct jsonr r;
    jsonr_init(&r, text, strlen(text));
    assert_false(jsonr_skip(&r));
    assert_string_equal(r.problem, "nesting deeper than 64 levels");
}

static void test_jsonr_reads_integers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is_int;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"1763789940000", true, 1763789940000},
        {"9007199254740993", true, 9007199254740993},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jsonr r;
        int64_t value = 0;
        bool is_int = false;
        jsonr_init(&r, cases[i].text, strlen(cases[i].text));
        assert_true(jsonr_int(&r, &value, &is_int));
        assert_true(jsonr_is_complete(&r));
        assert_int_equal(is_int, cases[i].is_int);
        if (is_int)
            assert_true(value == cases[i].value);
    }
}

static void test_jsonr_walks_members_and_elements(void **state) {
    (void)state;
    static const char text[] = "{\"n\":[10,20,30],\"t\":true,\"s\":\"x\",\"o\":{\"z\":null}}";
    struct jsonr r;
    struct jsonr_string key, s = {0};
    int64_t sum = 0, value;
    bool is_int, flag = false;
    size_t members = 0;
    jsonr_init(&r, text, strlen(text));
    assert_true(jsonr_enter_object(&r));
    while (jsonr_next_member(&r, &key)) {
        members++;
        if (jsonr_equals(&key, "n")) {
            assert_true(jsonr_enter_array(&r));
            while (jsonr_next_element(&r) && jsonr_int(&r, &value, &is_int))
                sum += value;
        } else if (jsonr_equals(&key, "t")) {
            assert_true(jsonr_bool(&r, &flag));
        } else if (jsonr_equals(&key, "s")) {
            assert_true(jsonr_string(&r, &s));
        } else {
            assert_int_equal(jsonr_peek(&r), JSONR_OBJECT);
            assert_true(jsonr_skip(&r));
        }
    }
    assert_true(jsonr_is_complete(&r));
    assert_int_equal(members, 4);
    assert_int_equal(sum, 60);
    assert_true(flag);
    assert_true(jsonr_equals(&s, "x"));
}

static void test_jsonr_errors_stick(void **state) {
    (void)state;
    struct jsonr r;
    struct jsonr_string s = {.len = 7};
    jsonr_init(&r, "[1,\"x\"]", 7);
    assert_true(jsonr_enter_array(&r));
    assert_true(jsonr_next_element(&r));
    assert_false(jsonr_string(&r, &s));
    assert_int_equal(s.len, 7);
    assert_false(jsonr_next_element(&r));
    assert_false(jsonr_skip(&r));
    assert_false(jsonr_is_complete(&r));
    assert_string_equal(r.problem, "a string was expected");
}

static void test_jsonr_names_every_kind(void **state) {
    (void)state;
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"null", "null"},     {"true", "a boolean"}, {"-1", "a number"}, {"\"\"", "a string"},
        {"[", "a list"},      {" {", "an object"},   {"x", "not JSON"},  {"", "not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jsonr r;
        jsonr_init(&r, cases[i].text, strlen(cases[i].text));
        assert_string_equal(jsonr_kind_name(jsonr_peek(&r)), cases[i].name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonr_agrees_with_jansson),
        cmocka_unit_test(test_jsonr_refuses_every_prefix),
        cmocka_unit_test(test_jsonr_replaces_lone_surrogates_and_nul),
        cmocka_unit_test(test_jsonr_limits_the_depth),
        cmocka_unit_test(test_jsonr_reads_integers),
        cmocka_unit_test(test_jsonr_walks_members_and_elements),
        cmocka_unit_test(test_jsonr_errors_stick),
        cmocka_unit_test(test_jsonr_names_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

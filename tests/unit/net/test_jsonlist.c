/* jsonlist: the pieces are the same however the bytes are cut. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/jsonlist.h"

enum { VALUE_MAX = 200 };

struct seen {
    struct buf text; /* "E:<element>;" and "M:<key>=<value>;" */
    int refuse_at;   /* say no at this piece, 0: never */
    int count;
};

static bool on_element(void *payload, const char *text, size_t n, struct err *err) {
    struct seen *seen = payload;
    buf_addf(&seen->text, "E:%.*s;", (int)n, text);
    if (++seen->count == seen->refuse_at)
        return err_set(err, ERR_DATA_LOSS, "refused");
    return true;
}

static bool on_member(void *payload, const struct jsonr_string *key, const char *text, size_t n,
                      struct err *err) {
    struct seen *seen = payload;
    char name[512];
    jsonr_decode(key, name);
    buf_addf(&seen->text, "M:%s=%.*s;", name, (int)n, text);
    if (++seen->count == seen->refuse_at)
        return err_set(err, ERR_DATA_LOSS, "refused");
    return true;
}

/* Feeds pieces of `step` bytes, each in a block of its own size. */
static bool feed(const char *list, const char *text, size_t n, size_t step, struct seen *seen,
                 struct err *err) {
    struct jsonlist *l = jsonlist_new(
        list, VALUE_MAX,
        &(struct jsonlist_handler){.element = on_element, .member = on_member, .payload = seen});
    bool ok = true;
    for (size_t i = 0; ok && i < n; i += step) {
        size_t piece = n - i < step ? n - i : step;
        char *exact = malloc(piece);
        memcpy(exact, text + i, piece);
        ok = jsonlist_feed(l, exact, piece, err);
        free(exact);
    }
    ok = ok && jsonlist_end(l, err);
    jsonlist_free(l);
    return ok;
}

static void test_jsonlist_gives_the_same_pieces_for_every_cut(void **state) {
    (void)state;
    static const struct {
        const char *list, *text, *pieces;
    } cases[] = {
        {"data", "{\"error\":false,\"reason\":\"listed\",\"data\":[]}",
         "M:error=false;M:reason=\"listed\";"},
        {"data", " { \"data\" : [ 1 , \"two\" ,{\"a\":[3,\"]}\\\"\"]},[ ],null ] ,\"error\":false } \n",
         "E:1;E:\"two\";E:{\"a\":[3,\"]}\\\"\"]};E:[ ];E:null;M:error=false;"},
        {"data", "{\"d\\u0061ta\":[1],\"\\u0061\":2}", "E:1;M:a=2;"},
        {"data", "{\"x\":{\"data\":[7]},\"data\":[[8]],\"y\":[1,{\"z\":\"\\\\\"}]}",
         "M:x={\"data\":[7]};E:[8];M:y=[1,{\"z\":\"\\\\\"}];"},
        {"data", "{\"data\":[\"\xC3\xA9\\\"\",-1.5e3,true]}", "E:\"\xC3\xA9\\\"\";E:-1.5e3;E:true;"},
        {NULL, "{\"error\":false,\"data\":[1,2],\"x\":null}", "M:error=false;M:data=[1,2];M:x=null;"},
        {NULL, "{}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].text);
        for (size_t step = 1; step <= n; step++) {
            struct seen seen = {0};
            struct err err = ERR_INIT;
            buf_init(&seen.text, 4096);
            if (!feed(cases[i].list, cases[i].text, n, step, &seen, &err))
                fail_msg("%s by %zu: %s", cases[i].text, step, err.msg);
            assert_string_equal(seen.text.data, cases[i].pieces);
            buf_done(&seen.text);
        }
    }
}

static void test_jsonlist_names_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "an empty body"},
        {" \n ", "a body of blanks"},
        {"<!DOCTYPE html>", "an object was expected at byte 0"},
        {"[1]", "an object was expected at byte 0"},
        {"\xEF\xBB\xBF{}", "an object was expected at byte 0"},
        {"{}", "`data` is missing"},
        {"{\"error\":false}", "`data` is missing"},
        {"{\"Data\":[]}", "`data` is missing"},
        {"{\"data\":{}}", "`data` is an object, not a list"},
        {"{\"data\":null}", "`data` is null, not a list"},
        {"{\"data\":\"x\"}", "`data` is a string, not a list"},
        {"{\"data\":true}", "`data` is a boolean, not a list"},
        {"{\"data\":1}", "`data` is a number, not a list"},
        {"{\"data\":[],\"data\":[]}", "`data` is there twice"},
        {"{\"data\":[]} x", "more text behind the end, at byte 12"},
        {"{\"data\":[]}{\"data\":[]}", "more text behind the end, at byte 11"},
        {"{\"data\":[1,]}", "an element was expected at byte 11"},
        {"{\"data\":[,1]}", "an element was expected at byte 9"},
        {"{\"data\":[1 2]}", "a comma or a closing bracket was expected at byte 11"},
        {"{\"data\":[1}", "a comma or a closing bracket was expected at byte 10"},
        {"{\"data\":[1:2]}", "a comma or a closing bracket was expected at byte 10"},
        {"{\"data\":[],}", "a member name was expected at byte 11"},
        {"{data:[]}", "a member name was expected at byte 1"},
        {"{\"data\" []}", "a colon was expected at byte 8"},
        {"{\"data\":,}", "a value was expected at byte 8"},
        {"{\"x\":nul,\"data\":[]}", "an unknown word"},
        {"{\"x\":1a,\"data\":[]}", "something behind a value"},
        {"{\"x\":{]},\"data\":[]}", "a string was expected"},
        {"{\"x\":\"\xFF\",\"data\":[]}", "a string that is not UTF-8"},
        {"{\"\xFF\":1,\"data\":[]}", "a string that is not UTF-8"},
        {"{\"data\":[1]", "breaks off after 11 bytes"},
        {"{\"data\":[1", "breaks off after 10 bytes"},
        {"{\"data\":[{\"a\":\"b", "breaks off after 16 bytes"},
        {"{\"da", "breaks off after 4 bytes"},
        {"{", "breaks off after 1 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].text);
        for (size_t step = 1; step <= n + 1; step += n ? n : 1) {
            struct seen seen = {0};
            struct err err = ERR_INIT;
            buf_init(&seen.text, 4096);
            if (feed("data", cases[i].text, n, step, &seen, &err))
                fail_msg("accepted: %s", cases[i].text);
            if (!strstr(err.msg, cases[i].problem))
                fail_msg("%s: %s", cases[i].text, err.msg);
            assert_int_equal(err.code, ERR_INTERNAL);
            buf_done(&seen.text);
        }
    }
}

/* `{"data":[<n bytes of string>]}` */
static bool feed_element(size_t n, size_t step, struct err *err) {
    struct seen seen = {0};
    struct buf text;
    buf_init(&text, 4096);
    buf_init(&seen.text, 8192);
    buf_adds(&text, "{\"data\":[\"");
    for (size_t i = 2; i < n; i++)
        buf_addc(&text, 'x');
    buf_adds(&text, "\"]}");
    bool ok = feed("data", text.data, text.len, step, &seen, err);
    buf_done(&text);
    buf_done(&seen.text);
    return ok;
}

static void test_jsonlist_limits_an_element(void **state) {
    (void)state;
    static const size_t steps[] = {1, 7, 4096};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct err err = ERR_INIT;
        assert_true(feed_element(VALUE_MAX, steps[i], &err));
        assert_false(feed_element(VALUE_MAX + 1, steps[i], &err));
        assert_non_null(strstr(err.msg, "an element of the list has more than 200 bytes"));
        assert_int_equal(err.code, ERR_INTERNAL);
    }
}

static void test_jsonlist_limits_the_depth(void **state) {
    (void)state;
    for (int extra = 0; extra <= 1; extra++) {
        struct seen seen = {0};
        struct err err = ERR_INIT;
        struct buf text;
        buf_init(&text, 4096);
        buf_init(&seen.text, 4096);
        buf_adds(&text, "{\"data\":[");
        for (int i = 0; i < JSONR_DEPTH_MAX + extra; i++)
            buf_addc(&text, '[');
        for (int i = 0; i < JSONR_DEPTH_MAX + extra; i++)
            buf_addc(&text, ']');
        buf_adds(&text, "]}");
        assert_int_equal(feed("data", text.data, text.len, 5, &seen, &err), extra == 0);
        if (extra)
            assert_non_null(strstr(err.msg, "nesting deeper than 64 levels"));
        buf_done(&text);
        buf_done(&seen.text);
    }
}

static void test_jsonlist_limits_a_member_name(void **state) {
    (void)state;
    struct seen seen = {0};
    struct err err = ERR_INIT;
    char text[512];
    buf_init(&seen.text, 4096);
    snprintf(text, sizeof text, "{\"%0199d\":1,\"data\":[]}", 0);
    assert_false(feed("data", text, strlen(text), 512, &seen, &err));
    assert_non_null(strstr(err.msg, "a member name has more than 200 bytes"));
    buf_done(&seen.text);
}

static void test_jsonlist_ends_with_the_handlers_error(void **state) {
    (void)state;
    static const char text[] = "{\"error\":false,\"data\":[1,2,3]}";
    for (int refuse_at = 1; refuse_at <= 4; refuse_at++) {
        struct seen seen = {.refuse_at = refuse_at};
        struct err err = ERR_INIT;
        buf_init(&seen.text, 4096);
        assert_false(feed("data", text, strlen(text), 3, &seen, &err));
        assert_int_equal(err.code, ERR_DATA_LOSS);
        assert_int_equal(seen.count, refuse_at);
        buf_done(&seen.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonlist_gives_the_same_pieces_for_every_cut),
        cmocka_unit_test(test_jsonlist_names_what_is_wrong),
        cmocka_unit_test(test_jsonlist_limits_an_element),
        cmocka_unit_test(test_jsonlist_limits_the_depth),
        cmocka_unit_test(test_jsonlist_limits_a_member_name),
        cmocka_unit_test(test_jsonlist_ends_with_the_handlers_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* website: the answer to `GET website/{id}`, from the sample answers. */
#include "tests/unit/test.h"

#include "tests/unit/crisp/fixture.h"

#include "crisp/website.h"

#define ID "5f0c1a2b-1111-4222-8333-abcdef000001"

static bool decode(struct crisp_website_decoder *d, const char *text, size_t n, struct err *err) {
    return fixture_feed(d, crisp_website_begin, crisp_website_body, crisp_website_end, text, n, 9,
                        err);
}

static void test_website_reads_the_samples(void **state) {
    (void)state;
    static const struct {
        const char *file, *name, *domain, *logo;
    } cases[] = {
        {"website_get_200.json", "Fictive Widgets (test)", "widgets.example.com",
         "https://storage.example.com/website/logo.png"},
        {"website_get_200_minimal.json", "Fictive Widgets (test)", "widgets.example.com", ""},
        {"website_get_200_blank_strings.json", "", "widgets.example.com", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = fixture_read(cases[i].file);
        struct crisp_website_decoder d;
        arena_auto struct arena arena;
        arena_init(&arena);
        crisp_website_decoder_init(&d);
        assert_true(decode(&d, text.data, text.len, NULL));
        struct crisp_website website = crisp_website_take(&d, &arena);
        buf_done(&text);
        assert_string_equal(website.website_id, ID);
        assert_string_equal(website.name, cases[i].name);
        assert_string_equal(website.domain, cases[i].domain);
        assert_string_equal(website.logo, cases[i].logo);
    }
}

static void test_website_takes_odd_members_as_missing(void **state) {
    (void)state;
    static const char text[] =
        "{\"data\":{\"name\":5,\"domain\":null,\"website_id\":\"" ID "\",\"logo\":[\"x\"],"
        "\"brand_new\":{\"website_id\":\"other\"}},\"brand_new\":1}";
    struct crisp_website_decoder d;
    arena_auto struct arena arena;
    arena_init(&arena);
    crisp_website_decoder_init(&d);
    assert_true(decode(&d, text, strlen(text), NULL));
    struct crisp_website website = crisp_website_take(&d, &arena);
    assert_string_equal(website.website_id, ID);
    assert_string_equal(website.name, "");
    assert_string_equal(website.domain, "");
    assert_string_equal(website.logo, "");
}

static void test_website_refuses_a_wrong_answer(void **state) {
    (void)state;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "an empty body"},
        {"<html>", "an object was expected"},
        {"{\"error\":false}", "`data` is missing"},
        {"{\"data\":null}", "`data` is null, not an object"},
        {"{\"data\":[]}", "`data` is a list, not an object"},
        {"{\"data\":{}}", "`data.website_id` is missing or not a string"},
        {"{\"data\":{\"website_id\":5}}", "`data.website_id` is missing or not a string"},
        {"{\"data\":{\"website_id\":\"\"}}", "`data.website_id` is missing or not a string"},
        {"{\"data\":{\"website_id\":\"x\"},\"data\":{}}", "`data` is there twice"},
        {"{\"error\":true,\"reason\":\"server_error\",\"data\":{\"website_id\":\"x\"}}",
         "`error` is true (server_error)"},
        {"{\"data\":{\"website_id\":\"x\"}", "breaks off"},
        {"{\"data\":{\"website_id\":\"\xC3\"}}", "not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct crisp_website_decoder d;
        struct err err = ERR_INIT;
        crisp_website_decoder_init(&d);
        assert_false(decode(&d, cases[i].text, strlen(cases[i].text), &err));
        assert_int_equal(err.code, ERR_INTERNAL);
        if (!strstr(err.msg, cases[i].problem))
            fail_msg("%s: %s", cases[i].text, err.msg);
        crisp_website_decoder_done(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_website_reads_the_samples),
        cmocka_unit_test(test_website_takes_odd_members_as_missing),
        cmocka_unit_test(test_website_refuses_a_wrong_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

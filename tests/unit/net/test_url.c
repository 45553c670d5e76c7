/* url: what we send credentials to, and what we do not. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "net/url.h"

static void test_url_accepts(void **state) {
    (void)state;
    static const struct {
        const char *text, *host;
        bool is_tls, is_loopback;
        const char *path;
    } cases[] = {
        {"https://api.crisp.chat/v1", "api.crisp.chat", true, false, "/v1"},
        {"https://api.crisp.chat/v1/", "api.crisp.chat", true, false, "/v1/"},
        {"HTTPS://API.crisp.chat", "API.crisp.chat", true, false, ""},
        {"https://10.0.0.1:8443/a%2Fb", "10.0.0.1", true, false, "/a%2Fb"},
        {"https://[2001:db8::1]:443/v1", "[2001:db8::1]", true, false, "/v1"},
        {"http://127.0.0.1:8080/v1", "127.0.0.1", false, true, "/v1"},
        {"http://127.1.2.3/v1", "127.1.2.3", false, true, "/v1"},
        {"http://localhost:1/v1", "localhost", false, true, "/v1"},
        {"http://[::1]:65535/v1", "[::1]", false, true, "/v1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url url;
        struct err err = ERR_INIT;
        if (!url_parse(cases[i].text, &url, &err))
            fail_msg("%s: %s", cases[i].text, err.msg);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.is_tls, cases[i].is_tls);
        assert_int_equal(url.is_loopback, cases[i].is_loopback);
        assert_string_equal(cases[i].text + url.path_at, cases[i].path);
    }
}

static void test_url_refuses(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "api.crisp.chat/v1",
        "ftp://api.crisp.chat/v1",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://user@api.crisp.chat/v1",
        "https://user:secret@api.crisp.chat/v1",
        "https://api.crisp.chat:0/v1",
        "https://api.crisp.chat:65536/v1",
        "https://api.crisp.chat:999999999999/v1",
        "https://api.crisp.chat:/v1",
        "https://api.crisp.chat:80x/v1",
        "https://api.crisp.chat/v1?x=1",
        "https://api.crisp.chat/v1#x",
        "https://api.crisp.chat/v 1",
        "https://api.crisp.chat/%zz",
        "https://api.crisp.chat/v1\r\nX: y",
        "https://api.crisp.chat\\@evil.example/v1",
        ("https://b\xC3\xBC"
         "cher.example/v1"),
        "https://[::1",
        "https://[]/v1",
        "https://[1.2.3.4]/v1",
        "http://api.crisp.chat/v1",
        "http://128.0.0.1/v1",
        "http://0.0.0.0/v1",
        "http://127.1/v1",
        "http://2130706433/v1",
        "http://0x7f.0.0.1/v1",
        "http://127.0.0.1.evil.example/v1",
        "http://localhost.evil.example/v1",
        "http://127.0.0.1@evil.example/v1",
        "http://127.0.0.1#@evil.example/v1",
        "http://[::2]/v1",
        "http://[::ffff:127.0.0.1]/v1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct url url = {.host = "untouched"};
        struct err err = ERR_INIT;
        if (url_parse(texts[i], &url, &err))
            fail_msg("accepted: %s", texts[i]);
        assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
        assert_string_equal(url.host, "untouched");
        assert_null(strstr(err.msg, "secret"));
    }
}

static void test_url_refuses_what_is_too_long(void **state) {
    (void)state;
    char text[URL_MAX + 32] = "https://a/";
    memset(text + 10, 'x', URL_MAX);
    text[10 + URL_MAX] = '\0';
    struct url url;
    assert_false(url_parse(text, &url, NULL));
    snprintf(text, sizeof text, "https://%0*d/", URL_HOST_MAX, 0);
    assert_false(url_parse(text, &url, NULL));
}

static void test_url_show_host_hides_odd_ones(void **state) {
    (void)state;
    static const struct {
        const char *text, *host;
    } cases[] = {
        {"https://login.example.com/x?y=z#w", "login.example.com"},
        {"http://login.example.com:8080", "login.example.com"},
        {"https://[2001:db8::1]:1/", "[2001:db8::1]"},
        {"https://user:pw@evil.example/", ""},
        {"https://\x1b[31mred/", ""},
        {"not a url", ""},
        {"https://", ""},
        {"https://[zz]/", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[64];
        url_show_host(cases[i].text, host, sizeof host);
        assert_string_equal(host, cases[i].host);
    }
    char small[8];
    url_show_host("https://login.example.com/", small, sizeof small);
    assert_string_equal(small, "");
}

static void test_url_add_segment_encodes(void **state) {
    (void)state;
    char out[32] = "x/";
    assert_true(url_add_segment(out, sizeof out, "aZ09-._~ /?%\xC3\xA9"));
    assert_string_equal(out, "x/aZ09-._~%20%2F%3F%25%C3%A9");
    char small[6] = "";
    assert_false(url_add_segment(small, sizeof small, "ab//"));
    assert_true(strlen(small) < sizeof small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url_accepts),
        cmocka_unit_test(test_url_refuses),
        cmocka_unit_test(test_url_refuses_what_is_too_long),
        cmocka_unit_test(test_url_show_host_hides_odd_ones),
        cmocka_unit_test(test_url_add_segment_encodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

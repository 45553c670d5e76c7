/* proxy: which way, the request, and what a proxy may answer. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/proxy.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool is_direct(const char *no_proxy, const char *host, int port) {
    struct proxy_settings settings = {"http://proxy.test:3128", no_proxy};
    struct proxy proxy = PROXY_INIT;
    struct err err = ERR_INIT;
    if (!proxy_for(&settings, host, port, &proxy, &err))
        fail_msg("%s", err.msg);
    bool direct = proxy.is_direct;
    proxy_done(&proxy);
    return direct;
}

static void test_proxy_no_proxy_follows_go(void **state) {
    (void)state;
    static const struct {
        const char *no_proxy, *host;
        bool is_direct;
    } cases[] = {
        {NULL, "example.com", false},
        {"", "example.com", false},
        {"*", "example.com", true},
        {" , * ", "example.com", true},
        {"*", "192.0.2.1", true},
        {"other.org", "example.com", false},
        {"example.com", "example.com", true},
        {"EXAMPLE.com", "example.COM", true},
        {"example.com", "www.example.com", true},
        {"example.com", "badexample.com", false},
        {"example.com", "com", false},
        {".example.com", "example.com", false},
        {".example.com", "www.example.com", true},
        {"*.example.com", "www.example.com", true},
        {"*.example.com", "example.com", false},
        {"*example.com", "www.example.com", false},
        {"a.org, example.com ,b.org", "example.com", true},
        {"example.com:443", "example.com", true},
        {"example.com:8443", "example.com", false},
        {".example.com:443", "www.example.com", true},
        {":443", "example.com", false},
        {".", "example.com", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1:443", "192.0.2.1", true},
        {"192.0.2.1:80", "192.0.2.1", false},
        {"192.0.2.2", "192.0.2.1", false},
        {"2.1", "192.0.2.1", false},
        {".2.1", "192.0.2.1", false},
        {"192.0.2.0/24", "192.0.2.77", true},
        {"192.0.2.0/24", "192.0.3.77", false},
        {"192.0.2.0/31", "192.0.2.1", true},
        {"192.0.2.0/31", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"192.0.2.0/33", "192.0.2.1", false},
        {"192.0.2.0/24", "example.com", false},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"2001:db8::/32", "2001:db8:1::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"2001:db8::1", "2001:db8:0::1", true},
        {"[2001:db8::1]:443", "2001:db8::1", true},
        {"[2001:db8::1]:80", "2001:db8::1", false},
        {"[2001:db8::1", "2001:db8::1", false},
        {"::ffff:192.0.2.1", "192.0.2.1", true},
        {"fe80::/10", "fe80::1%eth0", true},
        /* never through a proxy */
        {NULL, "localhost", true},
        {NULL, "127.0.0.1", true},
        {NULL, "127.9.8.7", true},
        {NULL, "::1", true},
        {NULL, "::ffff:127.0.0.1", true},
        {NULL, "localhost.example.com", false},
        {NULL, "128.0.0.1", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (is_direct(cases[i].no_proxy, cases[i].host, 443) != cases[i].is_direct)
            fail_msg("NO_PROXY=%s, host %s: expected %s", cases[i].no_proxy, cases[i].host,
                     cases[i].is_direct ? "direct" : "proxy");
}

static void test_proxy_reads_each_form(void **state) {
    (void)state;
    static const struct {
        const char *setting, *host;
        int port;
        const char *authorization;
    } cases[] = {
        {"http://proxy.test:3128", "proxy.test", 3128, ""},
        {"HTTP://proxy.test", "proxy.test", 80, ""},
        {"http://proxy.test:/", "proxy.test", 80, ""},
        {"http://proxy.test:8080/path?x#y", "proxy.test", 8080, ""},
        {"proxy.test:8080", "proxy.test", 8080, ""},
        {"192.0.2.1:8080", "192.0.2.1", 8080, ""},
        {"http://[2001:db8::1]:8080", "2001:db8::1", 8080, ""},
        {"[2001:db8::1]", "2001:db8::1", 80, ""},
        {"http://user:pass@proxy.test:1", "proxy.test", 1,
         "Proxy-Authorization: Basic dXNlcjpwYXNz"},
        {"user:pass@proxy.test", "proxy.test", 80, "Proxy-Authorization: Basic dXNlcjpwYXNz"},
        {"http://user@proxy.test", "proxy.test", 80, "Proxy-Authorization: Basic dXNlcjo="},
        {"http://us%65r:p%40%3a@proxy.test", "proxy.test", 80,
         "Proxy-Authorization: Basic dXNlcjpwQDo="},
        {"http://user:p@ss@proxy.test", "proxy.test", 80,
         "Proxy-Authorization: Basic dXNlcjpwQHNz"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct proxy_settings settings = {cases[i].setting, NULL};
        struct proxy proxy = PROXY_INIT;
        struct err err = ERR_INIT;
        if (!proxy_for(&settings, "example.com", 443, &proxy, &err))
            fail_msg("%s: %s", cases[i].setting, err.msg);
        assert_false(proxy.is_direct);
        assert_string_equal(proxy.host, cases[i].host);
        assert_int_equal(proxy.port, cases[i].port);
        assert_string_equal(secret_reveal(&proxy.authorization), cases[i].authorization);
        proxy_done(&proxy);
        assert_true(proxy.is_direct);
    }
}

static void test_proxy_refuses_without_telling_secrets(void **state) {
    (void)state;
    static const struct {
        const char *setting, *text;
    } cases[] = {
        {"https://hunter2:hunter2@proxy.test", "kind https"},
        {"socks5://hunter2:hunter2@proxy.test:1080", "kind socks5,"},
        {"socks5h://proxy.test", "only http:// proxies"},
        {"hunter2://proxy.test", "unknown kind"},
        {"http://", "does not name a proxy"},
        {"http://hunter2:hunter2@", "does not name a proxy"},
        {"http://hunter2:hun/ter2@proxy.test", "does not name a proxy"},
        {"http://proxy.test:0", "does not name a proxy"},
        {"http://proxy.test:65536", "does not name a proxy"},
        {"http://proxy.test:99999999999", "does not name a proxy"},
        {"http://proxy.test:80x", "does not name a proxy"},
        {"http://pro xy.test", "does not name a proxy"},
        {"http://2001:db8::1", "does not name a proxy"},
        {"http://[2001:db8::1", "does not name a proxy"},
        {"http://[proxy.test]", "does not name a proxy"},
        {"http://[::1]x", "does not name a proxy"},
        {"http://hunter2:hunter2%@proxy.test", "broken %XX"},
        {"http://hunter2:hunter2%4@proxy.test", "broken %XX"},
        {"http://hunter2%00:x@proxy.test", "broken %XX"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct proxy_settings settings = {cases[i].setting, NULL};
        struct proxy proxy = PROXY_INIT;
        struct err err = ERR_INIT;
        if (proxy_for(&settings, "example.com", 443, &proxy, &err))
            fail_msg("%s was taken", cases[i].setting);
        assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.msg, cases[i].text));
        assert_null(strstr(err.msg, "hunter2"));
        assert_null(strstr(err.msg, "ter2"));
        assert_true(proxy.is_direct);
    }
}

static void test_proxy_a_bad_setting_does_not_matter_for_a_direct_target(void **state) {
    (void)state;
    struct proxy_settings settings = {"socks5://proxy.test", "example.com"};
    struct proxy proxy = PROXY_INIT;
    assert_true(proxy_for(&settings, "example.com", 443, &proxy, NULL));
    assert_true(proxy_for(&settings, "localhost", 443, &proxy, NULL));
    assert_true(proxy.is_direct);
}

static void test_proxy_environment_takes_the_first_that_is_not_empty(void **state) {
    (void)state;
    unsetenv("NO_PROXY");
    unsetenv("no_proxy");
    setenv("HTTP_PROXY", "http://wrong.test", 1);
    setenv("HTTPS_PROXY", "", 1);
    setenv("https_proxy", "http://small.test", 1);
    setenv("no_proxy", "a.test", 1);
    assert_string_equal(proxy_settings_from_environment().https_proxy, "http://small.test");
    assert_string_equal(proxy_settings_from_environment().no_proxy, "a.test");
    setenv("HTTPS_PROXY", "http://large.test", 1);
    assert_string_equal(proxy_settings_from_environment().https_proxy, "http://large.test");
    unsetenv("HTTPS_PROXY");
    unsetenv("https_proxy");
    assert_null(proxy_settings_from_environment().https_proxy);
}

static void test_proxy_request_is_a_connect(void **state) {
    (void)state;
    struct proxy proxy = {.host = "proxy.test", .port = 80};
    struct secret text = SECRET_INIT;
    proxy_request(&proxy, "example.com", 443, &text);
    assert_string_equal(secret_reveal(&text),
                        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
    static const char line[] = "Proxy-Authorization: Basic dXNlcjpwYXNz";
    secret_set(&proxy.authorization, line, strlen(line));
    proxy_request(&proxy, "2001:db8::1", 8443, &text);
    assert_string_equal(secret_reveal(&text),
                        "CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n"
                        "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");
    secret_done(&text);
    proxy_done(&proxy);
}

/* Feeds in pieces of `step` bytes; *ret_left is what was not taken. */
static bool feed(struct proxy_answer *a, const char *text, size_t step, size_t *ret_left,
                 struct err *err) {
    size_t n = strlen(text), at = 0;
    *a = PROXY_ANSWER_INIT;
    while (at < n && !a->is_complete) {
        size_t used = 0, piece = n - at < step ? n - at : step;
        if (!proxy_answer_feed(a, text + at, piece, &used, err))
            return false;
        at += used;
    }
    *ret_left = n - at;
    return true;
}

static void test_proxy_answer_2xx_opens_in_any_pieces(void **state) {
    (void)state;
    static const char *const texts[] = {
        "HTTP/1.1 200 Connection established\r\n\r\nrest",
        "HTTP/1.0 200 OK\r\nVia: x\r\nDate: y\r\n\r\nrest",
        "HTTP/1.1 200\r\n\r\nrest",
        "HTTP/1.1 299 \n\nrest",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t step = 1; step < 80; step++) {
            struct proxy_answer a;
            size_t left = 0;
            assert_true(feed(&a, texts[i], step, &left, NULL));
            assert_true(a.is_complete);
            assert_int_equal(left, 4);
            assert_true(proxy_answer_check(&a, "example.com:443", NULL));
        }
}

static void test_proxy_answer_others_are_told_in_words(void **state) {
    (void)state;
    static const struct {
        const char *answer, *text;
    } cases[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407: it wants a user and a password"},
        {"HTTP/1.1 403 Forbidden\r\n\r\n", "does not allow this target"},
        {"HTTP/1.1 502 Bad Gateway\r\n\r\n", "cannot reach the target"},
        {"HTTP/1.1 504 T\r\n\r\n", "in time"},
        {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "status 302"},
        {"HTTP/1.1 100 Continue\r\n\r\n", "status 100"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct proxy_answer a;
        struct err err = ERR_INIT;
        size_t left;
        assert_true(feed(&a, cases[i].answer, 7, &left, &err));
        assert_true(a.is_complete);
        assert_false(proxy_answer_check(&a, "example.com:443", &err));
        assert_int_equal(err.code, ERR_UNAVAILABLE);
        assert_non_null(strstr(err.msg, cases[i].text));
        assert_non_null(strstr(err.msg, "example.com:443"));
    }
}

static void test_proxy_answer_garbage_is_refused_at_once(void **state) {
    (void)state;
    static const char *const texts[] = {
        "SSH-2.0-OpenSSH\r\n", "H", "\r\n",           "HTTP/2 200 OK\r\n",     "HTTP/1.1\r\n",
        "HTTP/1.1 20\r\n",     "X", "HTTP/1.1 2x0 ",  "HTTP/1.1 2000 OK\r\n",  "HTTP/1.1 099 x\r\n",
        "HTTP/1.x 200 OK\r\n", "",  "HTTP/1.1 200OK\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct proxy_answer a;
        struct err err = ERR_INIT;
        size_t left;
        bool ok = feed(&a, texts[i], 1, &left, &err);
        bool is_start = strcmp(texts[i], "H") == 0 || texts[i][0] == '\0' || !strchr(texts[i], '\n');
        if (is_start && texts[i][0] != 'X')
            assert_true(ok && !a.is_complete);
        else if (ok)
            fail_msg("taken: %s", texts[i]);
        else
            assert_int_equal(err.code, ERR_UNAVAILABLE);
    }
}

static void test_proxy_answer_has_a_ceiling(void **state) {
    (void)state;
    struct proxy_answer a = PROXY_ANSWER_INIT;
    struct err err = ERR_INIT;
    static const char start[] = "HTTP/1.1 200 OK\r\n", line[] = "X: 0123456789\r\n";
    size_t used = 0, sent = strlen(start);
    assert_true(proxy_answer_feed(&a, start, strlen(start), &used, &err));
    while (proxy_answer_feed(&a, line, strlen(line), &used, &err)) {
        sent += used;
        assert_true(sent <= PROXY_ANSWER_MAX);
    }
    assert_non_null(strstr(err.msg, "16384"));
    char reason[PROXY_STATUS_LINE_MAX + 64];
    memset(reason, 'x', sizeof reason);
    a = PROXY_ANSWER_INIT;
    assert_true(proxy_answer_feed(&a, start, strlen(start) - 2, &used, &err));
    assert_false(proxy_answer_feed(&a, reason, sizeof reason, &used, &err));
    assert_non_null(strstr(err.msg, "too long"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxy_no_proxy_follows_go),
        cmocka_unit_test(test_proxy_reads_each_form),
        cmocka_unit_test(test_proxy_refuses_without_telling_secrets),
        cmocka_unit_test(test_proxy_a_bad_setting_does_not_matter_for_a_direct_target),
        cmocka_unit_test(test_proxy_environment_takes_the_first_that_is_not_empty),
        cmocka_unit_test(test_proxy_request_is_a_connect),
        cmocka_unit_test(test_proxy_answer_2xx_opens_in_any_pieces),
        cmocka_unit_test(test_proxy_answer_others_are_told_in_words),
        cmocka_unit_test(test_proxy_answer_garbage_is_refused_at_once),
        cmocka_unit_test(test_proxy_answer_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

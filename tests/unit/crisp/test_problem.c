/* problem: crisp-api.md section 8, from the sample answers. */
#include "tests/unit/test.h"

#include "tests/unit/crisp/fixture.h"

#include "crisp/problem.h"

#define KEY "deadbeef_key_deadbeef"
#define HEADER "MWQwMDAwMDAtMDAwMA=="

static struct secret key, header;

static struct crisp_question question_for(const char *tier) {
    return (struct crisp_question){.what = "ask Crisp for the operators of website W-1",
                                   .host = "api.crisp.chat",
                                   .website_id = "W-1",
                                   .tier = tier,
                                   .key = &key,
                                   .header = &header};
}

static struct err explain(const char *tier, int status, const char *body) {
    struct crisp_question question = question_for(tier);
    struct http_get get = {.tries = 1, .answer = {.status = status}};
    char *copy = body ? strdup(body) : NULL;
    get.answer.error_body = copy;
    get.answer.error_body_len = body ? strlen(body) : 0;
    struct err err = ERR_INIT;
    assert_false(crisp_problem(&question, &get, &err));
    free(copy);
    return err;
}

static void assert_says(const struct err *err, const char *text) {
    if (!strstr(err->msg, text))
        fail_msg("\"%s\" does not say \"%s\"", err->msg, text);
}

static void assert_does_not_say(const struct err *err, const char *text) {
    if (strstr(err->msg, text))
        fail_msg("\"%s\" says \"%s\"", err->msg, text);
}

static void test_problem_explains_the_samples(void **state) {
    (void)state;
    static const struct {
        const char *file, *tier;
        int status;
        enum err_code code;
        const char *says[4];
    } cases[] = {
        {"error_400_invalid_data.json", "plugin", 400, ERR_INVALID_ARGUMENT,
         {"HTTP 400 invalid_data", "data.role should be equal", "UUID"}},
        {"error_401_invalid_session.json", "plugin", 401, ERR_UNAUTHENTICATED,
         {"HTTP 401 invalid_session", "identifier and key", "tier (plugin)", "ten minutes"}},
        {"error_403_restricted_route_tier.json", "website", 403, ERR_PERMISSION_DENIED,
         {"HTTP 403 restricted_route_tier", "tokens of tier website"}},
        {"error_403_not_allowed.json", "plugin", 403, ERR_PERMISSION_DENIED,
         {"HTTP 403 not_allowed", "website W-1", "website:operators (read)"}},
        {"error_403_not_allowed.json", "website", 403, ERR_PERMISSION_DENIED,
         {"generate the token anew"}},
        {"error_403_not_allowed.json", "user", 403, ERR_PERMISSION_DENIED, {"must be an owner"}},
        {"error_403_edge.html", "plugin", 403, ERR_PERMISSION_DENIED,
         {"HTTP 403", "not JSON", "proxy"}},
        {"error_404_not_subscribed.json", "plugin", 404, ERR_NOT_FOUND,
         {"not installed on website W-1", "owner", "trusted", "ten minutes"}},
        {"error_404_route_not_found.json", "plugin", 404, ERR_NOT_FOUND,
         {"HTTP 404 not_found", "api.crisp.chat has no such API route", "base URL", "/v1"}},
        {"error_404_website_not_found.json", "plugin", 404, ERR_NOT_FOUND,
         {"HTTP 404 website_not_found", "website W-1, or this part of it, was not found",
          "app.crisp.chat/website/"}},
        {"error_420_enhance_your_calm.json", "plugin", 420, ERR_UNAVAILABLE,
         {"rate limited", "quota", "5,000", "10,000"}},
        {"error_429_rate_limited.json", "plugin", 429, ERR_UNAVAILABLE,
         {"rate limited", "quota", "Marketplace"}},
        {"error_429_quota.json", "plugin", 429, ERR_UNAVAILABLE, {"quota_limit_exceeded"}},
        {"error_500_server_error.json", "plugin", 500, ERR_UNAVAILABLE,
         {"HTTP 500 server_error", "cannot be reached right now"}},
        {"error_502_offline.txt", "plugin", 502, ERR_UNAVAILABLE, {"HTTP 502: Crisp cannot"}},
        {"error_503_maintenance.json", "plugin", 503, ERR_UNAVAILABLE, {"maintenance"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf body = fixture_read(cases[i].file);
        struct err err = explain(cases[i].tier, cases[i].status, body.data);
        buf_done(&body);
        if (err.code != cases[i].code)
            fail_msg("%s: code %d: %s", cases[i].file, err.code, err.msg);
        assert_says(&err, "ask Crisp for the operators of website W-1: HTTP ");
        for (size_t j = 0; j < 4 && cases[i].says[j]; j++)
            assert_says(&err, cases[i].says[j]);
        assert_does_not_say(&err, "{");
        assert_does_not_say(&err, "DOCTYPE");
    }
}

static void test_problem_falls_back_to_the_status(void **state) {
    (void)state;
    static const struct {
        int status;
        enum err_code code;
    } cases[] = {
        {301, ERR_INTERNAL},          {304, ERR_INTERNAL},         {400, ERR_INVALID_ARGUMENT},
        {401, ERR_UNAUTHENTICATED},   {402, ERR_INVALID_ARGUMENT}, {403, ERR_PERMISSION_DENIED},
        {404, ERR_NOT_FOUND},         {408, ERR_DEADLINE_EXCEEDED}, {409, ERR_INVALID_ARGUMENT},
        {420, ERR_UNAVAILABLE},       {422, ERR_INVALID_ARGUMENT}, {429, ERR_UNAVAILABLE},
        {500, ERR_UNAVAILABLE},       {501, ERR_UNAVAILABLE},      {524, ERR_UNAVAILABLE},
        {599, ERR_UNAVAILABLE},       {600, ERR_INTERNAL},         {999, ERR_INTERNAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = explain("plugin", cases[i].status, NULL);
        if (err.code != cases[i].code)
            fail_msg("%d: code %d", cases[i].status, err.code);
    }
}

/* What a stranger sends does not reach the terminal, nor do the credentials by way of an echo. */
static void test_problem_shows_only_harmless_text(void **state) {
    (void)state;
    static const struct {
        const char *body, *hidden;
    } cases[] = {
        {"{\"reason\":\"\\u001b[31mred\"}", "red"},
        {"{\"reason\":\"Not A Name\"}", "Not A Name"},
        {"{\"reason\":\"_lead\"}", "_lead"},
        {"{\"reason\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", "aaaa"},
        {"{\"reason\":\"" KEY "\"}", "deadbeef"},
        {"{\"reason\":5}", "5:"},
        {"{\"data\":{\"message\":\"bell \\u0007\"}}", "bell"},
        {"{\"data\":{\"message\":\"caf\xC3\xA9\"}}", "caf"},
        {"{\"data\":{\"message\":\"you sent " KEY "\"}}", "you sent"},
        {"{\"data\":{\"message\":\"Basic " HEADER "\"}}", "Basic"},
        {"{\"data\":{\"message\":[\"x-in-list\"]}}", "x-in-list"},
        {"{\"data\":{\"message\":\"kept\"}", "kept"}, /* broken JSON */
        {"plain text body", "plain"},
        {"<html>page</html>", "page"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = explain("plugin", 400, cases[i].body);
        assert_does_not_say(&err, cases[i].hidden);
        assert_says(&err, "HTTP 400: Crisp refused the request. ");
    }
    char body[512];
    snprintf(body, sizeof body, "{\"data\":{\"message\":\"%0*d\"}}", CRISP_MESSAGE_MAX + 1, 0);
    struct err err = explain("plugin", 400, body);
    assert_does_not_say(&err, "000");
}

static void test_problem_explains_transport_trouble(void **state) {
    (void)state;
    static const struct {
        enum http_trouble trouble;
        enum err_code code;
        const char *says;
    } cases[] = {
        {HTTP_RESOLVE, ERR_UNAVAILABLE, "name api.crisp.chat cannot be resolved (the detail)"},
        {HTTP_CONNECT, ERR_UNAVAILABLE, "api.crisp.chat cannot be reached (the detail)"},
        {HTTP_TIMEOUT, ERR_UNAVAILABLE, "in time (the detail)"},
        {HTTP_STALL, ERR_UNAVAILABLE, "stopped sending"},
        {HTTP_CUT, ERR_UNAVAILABLE, "was lost"},
        {HTTP_PROXY_DENIED, ERR_UNAVAILABLE, "HTTPS_PROXY"},
        {HTTP_TLS, ERR_UNAVAILABLE, "SSL_CERT_FILE"},
        {HTTP_NOT_HTTP, ERR_UNAVAILABLE, "base URL"},
        {HTTP_TOO_BIG, ERR_INTERNAL, "too big"},
        {HTTP_REFUSED, ERR_INTERNAL, "unexpected answer from Crisp: `data` is missing"},
        {HTTP_ABANDONED, ERR_ABORTED, "another request failed"},
        {HTTP_LOCAL, ERR_UNAVAILABLE, "this machine"},
    };
    struct crisp_question question = question_for("plugin");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_get get = {.tries = 3, .trouble = cases[i].trouble, .detail = "the detail"};
        struct err err = ERR_INIT;
        err_set(&get.err, ERR_INTERNAL, "`data` is missing");
        assert_false(crisp_problem(&question, &get, &err));
        assert_int_equal(err.code, cases[i].code);
        assert_says(&err, cases[i].says);
        assert_says(&err, "(3 tries)");
        assert_does_not_say(&err, "{");
    }
    struct http_get get = {.tries = 1, .trouble = HTTP_CUT, .detail = "lost " KEY};
    struct err err = ERR_INIT;
    assert_false(crisp_problem(&question, &get, &err));
    assert_does_not_say(&err, KEY);
    assert_does_not_say(&err, "tries");
}

static void test_problem_tells_when_to_come_back(void **state) {
    (void)state;
    struct crisp_question question = question_for("plugin");
    struct http_get get = {
        .tries = 1, .answer = {.status = 429}, .retry_at_unix = 1795338000};
    struct err err = ERR_INIT;
    assert_false(crisp_problem(&question, &get, &err));
    assert_true(err.retry_at_unix == 1795338000);
    assert_says(&err, "try again later, not before 2026-11-22T09:00:00Z");
    get.answer.status = 503;
    assert_false(crisp_problem(&question, &get, &err));
    assert_says(&err, "Try again later, not before 2026-11-22T09:00:00Z");
}

static void test_problem_names_the_host_of_a_redirect(void **state) {
    (void)state;
    struct crisp_question question = question_for("plugin");
    struct http_get get = {
        .tries = 1, .answer = {.status = 302, .redirect_host = "login.example.com"}};
    struct err err = ERR_INIT;
    assert_false(crisp_problem(&question, &get, &err));
    assert_says(&err, "a redirect to login.example.com, which is not followed");
    get.answer.redirect_host[0] = '\0';
    assert_false(crisp_problem(&question, &get, &err));
    assert_says(&err, "a redirect, which is not followed");
}

static int make_secrets(void **state) {
    (void)state;
    secret_set(&key, KEY, strlen(KEY));
    secret_set(&header, HEADER, strlen(HEADER));
    return 0;
}

static int drop_secrets(void **state) {
    (void)state;
    secret_done(&key);
    secret_done(&header);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problem_explains_the_samples),
        cmocka_unit_test(test_problem_falls_back_to_the_status),
        cmocka_unit_test(test_problem_shows_only_harmless_text),
        cmocka_unit_test(test_problem_explains_transport_trouble),
        cmocka_unit_test(test_problem_tells_when_to_come_back),
        cmocka_unit_test(test_problem_names_the_host_of_a_redirect),
    };
    return cmocka_run_group_tests(tests, make_secrets, drop_secrets);
}

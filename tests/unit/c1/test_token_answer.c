/* token_answer: every answer of the token endpoint, and what it means. */
#include "tests/unit/test.h"

#include <string.h>

#include "c1/token_answer.h"

enum { NOW = 1795326310 };

static bool read_answer(int status, const char *body, struct c1_token_answer *ret,
                        struct err *err) {
    struct c1_token_reply reply = {.status = status,
                                   .date = "",
                                   .retry_after = "",
                                   .body = body,
                                   .body_len = strlen(body),
                                   .now_unix_s = NOW};
    return c1_token_answer_read(&reply, ret, err);
}

static void test_token_answer_takes_tokens(void **state) {
    (void)state;
    static const struct {
        const char *body, *authorization;
        int64_t life_s;
    } cases[] = {
        {"{\"access_token\":\"abc\",\"expires_in\":3600,\"token_type\":\"Bearer\"}", "Bearer abc", 3600},
        {"{\"token_type\":\"bEARER\",\"access_token\":\"abc\",\"expires_in\":1}", "Bearer abc", 1},
        {"{\"access_token\":\"abc\"}\n", "Bearer abc", 0},
        {"{\"access_token\":\"abc\",\"token_type\":\"\",\"expires_in\":0}", "Bearer abc", 0},
        {"{\"access_token\":\"abc\",\"token_type\":\"mac\",\"expires_in\":-5}", "MAC abc", 0},
        {"{\"access_token\":\"abc\",\"token_type\":\"basic\",\"expires_in\":1e3}", "Basic abc", 0},
        {"{\"access_token\":\"abc\",\"token_type\":\"DPoP\",\"expires_in\":null}", "DPoP abc", 0},
        {"{\"access_token\":\"a\\u002db\",\"x\":{\"y\":[1]},\"expires_in\":99999999999}", "Bearer a-b",
         C1_TOKEN_LIFE_MAX_S},
        {"{\"access_token\":\"x\",\"access_token\":\"abc\"}", "Bearer abc", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct c1_token_answer answer;
        struct err err = ERR_INIT;
        if (!read_answer(200, cases[i].body, &answer, &err))
            fail_msg("%s: %s", cases[i].body, err.msg);
        assert_string_equal(secret_reveal(&answer.authorization), cases[i].authorization);
        assert_int_equal(answer.expires_in_s, cases[i].life_s);
        c1_token_answer_done(&answer);
    }
}

static void test_token_answer_refuses_bodies(void **state) {
    (void)state;
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"{}", "failed to get token: empty access token"},
        {"{\"access_token\":\"\"}", "failed to get token: empty access token"},
        {"{\"access_token\":null}", "failed to get token: empty access token"},
        {"", "failed to get token: the answer is not the JSON object"},
        {"<html>", "failed to get token: the answer is not the JSON object"},
        {"[]", "failed to get token: the answer is not the JSON object"},
        {"{\"access_token\":7}", "failed to get token: the answer is not the JSON object"},
        {"{\"access_token\":\"sesame\",\"expires_in\":\"5\"}", "failed to get token: the answer is"},
        {"{\"access_token\":\"sesame\"", "failed to get token: the answer is not the JSON object"},
        {"{\"access_token\":\"sesame\\r\\nx: y\"}", "failed to get token: it holds characters"},
        {"{\"access_token\":\"sesame \"}", "failed to get token: it holds characters"},
        {"{\"access_token\":\"sesame\xC3\xBC\"}", "failed to get token: it holds characters"},
        {"{\"access_token\":\"sesame\",\"token_type\":\"a b\"}", "failed to get token: it holds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct c1_token_answer answer;
        struct err err = ERR_INIT;
        assert_false(read_answer(200, cases[i].body, &answer, &err));
        assert_int_equal(err.code, ERR_UNAUTHENTICATED);
        if (strncmp(err.msg, cases[i].text, strlen(cases[i].text)) != 0)
            fail_msg("%s: %s", cases[i].body, err.msg);
        assert_null(strstr(err.msg, "sesame"));
    }
}

static void test_token_answer_classifies_statuses(void **state) {
    (void)state;
    static const struct {
        int status;
        enum err_code code;
        const char *text;
    } cases[] = {
        {400, ERR_UNAUTHENTICATED, "failed to get token: 400 Bad Request: the client secret may"},
        {401, ERR_UNAUTHENTICATED, "failed to get token: 401 Unauthorized: the client secret may"},
        {403, ERR_UNAUTHENTICATED, "failed to get token: 403 Forbidden: the client secret may"},
        {404, ERR_UNAUTHENTICATED, "failed to get token: 404 Not Found: is the host"},
        {302, ERR_UNAUTHENTICATED, "failed to get token: 302 unexpected status: is the host"},
        {204, ERR_UNAUTHENTICATED, "failed to get token: 204 unexpected status: is the host"},
        {408, ERR_UNAVAILABLE, "failed to get token: 408 Request Timeout"},
        {429, ERR_UNAVAILABLE, "failed to get token: 429 Too Many Requests"},
        {500, ERR_UNAVAILABLE, "failed to get token: 500 Internal Server Error"},
        {503, ERR_UNAVAILABLE, "failed to get token: 503 Service Unavailable"},
        {599, ERR_UNAVAILABLE, "failed to get token: 599 Server Error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct c1_token_answer answer;
        struct err err = ERR_INIT;
        assert_false(read_answer(cases[i].status, "{\"access_token\":\"abc\"}", &answer, &err));
        assert_int_equal(err.code, cases[i].code);
        if (strncmp(err.msg, cases[i].text, strlen(cases[i].text)) != 0)
            fail_msg("%s", err.msg);
    }
}

static void test_token_answer_sees_a_wrong_clock(void **state) {
    (void)state;
    static const struct {
        int64_t now_unix_s;
        const char *hint;
    } cases[] = {
        {784111777, NULL},
        {784111777 + 100, NULL},
        {784111777 - 100, NULL},
        {784111777 + 101, "; this machine's clock is 101 s ahead of the server's: set it"},
        {784111777 - 3600, "; this machine's clock is 3600 s behind the server's: set it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct c1_token_reply reply = {.status = 401,
                                       .date = "Sun, 06 Nov 1994 08:49:37 GMT", /* RFC 9110 5.6.7 */
                                       .retry_after = "",
                                       .body = "",
                                       .now_unix_s = cases[i].now_unix_s};
        struct c1_token_answer answer;
        struct err err = ERR_INIT;
        assert_false(c1_token_answer_read(&reply, &answer, &err));
        const char *hint = strstr(err.msg, "; this machine");
        assert_true(cases[i].hint ? hint && !strcmp(hint, cases[i].hint) : !hint);
    }
}

static void test_token_answer_keeps_the_time_to_come_back(void **state) {
    (void)state;
    struct c1_token_reply reply = {
        .status = 503, .date = "", .retry_after = "17", .body = "", .now_unix_s = NOW};
    struct c1_token_answer answer;
    struct err err = ERR_INIT;
    assert_false(c1_token_answer_read(&reply, &answer, &err));
    assert_int_equal(err.retry_at_unix, NOW + 17);
    assert_false(c1_token_answer_read(&reply, &answer, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_answer_takes_tokens),
        cmocka_unit_test(test_token_answer_refuses_bodies),
        cmocka_unit_test(test_token_answer_classifies_statuses),
        cmocka_unit_test(test_token_answer_sees_a_wrong_clock),
        cmocka_unit_test(test_token_answer_keeps_the_time_to_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

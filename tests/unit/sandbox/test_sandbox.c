/* sandbox: requests in, answers out, without a socket; and the options it starts with. */
#include "tests/unit/test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/listener.h"
#include "sandbox/options.h"
#include "sandbox/sandbox.h"

#include <unistd.h>

#define SITE "/v1/website/" WEBSITE_MAIN_ID
#define BEN SITE "/operator/0a000000-0000-4000-8000-000000000002"

/* base64 of identifier:key of each tier */
static const char *const pairs[TIER_COUNT] = {
    [TIER_USER] = "Basic MmUwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDBjMGRlOjg5YWJjZGVmMDEyMzQ1Njc4"
                  "OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc=",
    [TIER_PLUGIN] = "Basic MWQwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDBjMGRlOjAxMjM0NTY3ODlhYmNkZWYw"
                    "MTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    [TIER_WEBSITE] = "Basic M2YwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDBjMGRlOmZlZGNiYTk4NzY1NDMy"
                     "MTBmZWRjYmE5ODc2NTQzMjEwZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=",
};

static struct sandbox *sandbox;
static struct answer answer;

static void start(const struct sandbox_options *options) {
    sandbox_free(sandbox);
    sandbox = sandbox_new(options, NULL);
    assert_non_null(sandbox);
}

static int make_sandbox(void **state) {
    (void)state;
    start(&(struct sandbox_options){.quota = -1});
    answer_init(&answer);
    return 0;
}

static int drop_sandbox(void **state) {
    (void)state;
    answer_done(&answer);
    sandbox_free(sandbox);
    sandbox = NULL;
    return 0;
}

/* One request; returns the status. */
static int ask(enum tier tier, const char *method, const char *target, const char *body) {
    struct request_header headers[] = {{"authorization", pairs[tier]},
                                       {"x-crisp-tier", tier_name(tier)}};
    struct request req = {.method = method, .target = target, .version = "HTTP/1.1",
                          .headers = headers, .header_count = 2,
                          .body = body ? body : "", .body_len = body ? strlen(body) : 0};
    answer_done(&answer);
    sandbox_handle(sandbox, &req, &answer);
    return answer.status;
}

static int get(const char *target) {
    return ask(TIER_PLUGIN, "GET", target, NULL);
}

static void test_sandbox_answers_each_tier(void **state) {
    (void)state;
    for (int i = 0; i < TIER_COUNT; i++) {
        assert_int_equal(ask((enum tier)i, "GET", SITE "/operators/list", NULL), 200);
        assert_string_equal(answer.tier, tier_name((enum tier)i));
    }
}

static void test_sandbox_writes_of_a_user_take_effect(void **state) {
    (void)state;
    assert_int_equal(ask(TIER_PLUGIN, "PATCH", BEN, "{\"role\":\"owner\"}"), 403);
    assert_int_equal(ask(TIER_USER, "PATCH", BEN, "{\"role\":\"owner\"}"), 200);
    assert_int_equal(get(BEN), 200);
    assert_non_null(strstr(answer.body->data, "\"role\":\"owner\""));
    assert_int_equal(ask(TIER_USER, "DELETE", BEN, NULL), 200);
    assert_int_equal(get(BEN), 404);
}

static void test_sandbox_reset_goes_back_to_the_start(void **state) {
    (void)state;
    assert_int_equal(get(SITE "/operators/list"), 200);
    struct blob *before = blob_ref(answer.body);
    assert_int_equal(ask(TIER_USER, "DELETE", BEN, NULL), 200);
    assert_true(sandbox_reset(sandbox, NULL));
    assert_int_equal(get(SITE "/operators/list"), 200);
    assert_string_equal(answer.body->data, before->data);
    blob_unref(before);
}

static void test_sandbox_quota_is_the_last_check(void **state) {
    (void)state;
    start(&(struct sandbox_options){.quota = 1});
    assert_int_equal(get(SITE "/operator/nobody"), 404);
    assert_int_equal(ask(TIER_PLUGIN, "PATCH", SITE "/settings", "7"), 400);
    assert_int_equal(get(SITE), 200);
    assert_int_equal(ask(TIER_PLUGIN, "PATCH", SITE "/settings", "{\"name\":\"X\"}"), 429);
    assert_int_equal(get(SITE), 429);
    assert_int_equal(ask(TIER_USER, "GET", SITE, NULL), 200);
    assert_null(strstr(answer.body->data, "\"X\""));
}

static void test_sandbox_quota_returns_the_next_day(void **state) {
    (void)state;
    clock_set_for_test(INT64_C(1763855999) * CLOCK_NS_PER_S); /* 2025-11-22T23:59:59Z */
    start(&(struct sandbox_options){.quota = 1});
    assert_int_equal(get(SITE), 200);
    assert_int_equal(get(SITE), 429);
    clock_set_for_test(INT64_C(1763856000) * CLOCK_NS_PER_S);
    assert_int_equal(get(SITE), 200);
    clock_set_for_test(0);
}

static void test_sandbox_records_what_was_asked(void **state) {
    (void)state;
    get(SITE);
    get("/nothing");
    get("/_sandbox/state");
    assert_int_equal(sandbox->journal.next, 3);
}

static void test_sandbox_options_that_do_not_fit(void **state) {
    (void)state;
    static char bad_fault[] = "website:explode";
    char *faults[] = {bad_fault};
    const struct sandbox_options bad[] = {
        {.website_id = "x"},
        {.scopes = "x"},
        {.scenario = "/nonexistent/file"},
        {.faults = faults, .fault_count = 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = ERR_INIT;
        assert_null(sandbox_new(&bad[i], &err));
        assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
    }
    sandbox_free(NULL);
}

static void test_admin_changes_and_shows(void **state) {
    (void)state;
    assert_int_equal(ask(TIER_USER, "POST", "/_sandbox/operators", "{\"user_id\":\"zoe\"}"), 201);
    assert_int_equal(get(SITE "/operator/zoe"), 200);
    assert_int_equal(ask(TIER_USER, "PATCH", "/_sandbox/operators/zoe", "{\"role\":7}"), 200);
    assert_int_equal(get("/_sandbox/operators/zoe"), 200);
    assert_non_null(strstr(answer.body->data, "\"role\":7"));
    assert_int_equal(ask(TIER_USER, "DELETE", "/_sandbox/operators/zoe", NULL), 200);
    assert_int_equal(get("/_sandbox/operators/zoe"), 404);
    assert_int_equal(get("/_sandboxes"), 404);
    assert_non_null(strstr(answer.body->data, "the route does not exist"));
}

/* ---- options and listener ---- */

static bool parse(struct options *o, struct err *err, int argc, ...) {
    char *argv[8];
    va_list args;
    va_start(args, argc);
    for (int i = 0; i < argc; i++)
        argv[i] = va_arg(args, char *);
    va_end(args);
    return options_parse(argc, argv, o, err);
}

static void test_options_defaults_and_both_forms(void **state) {
    (void)state;
    struct options o;
    assert_true(parse(&o, NULL, 1, "x"));
    assert_string_equal(o.server.listen, "127.0.0.1:0");
    assert_int_equal(o.sandbox.quota, -1);
    assert_int_equal(o.action, OPTIONS_RUN);
    options_done(&o);
    assert_true(parse(&o, NULL, 6, "x", "--operators", "5", "--quota=7", "--fault=a:1=2", "--log"));
    assert_int_equal(o.sandbox.operators, 5);
    assert_int_equal(o.sandbox.quota, 7);
    assert_int_equal(o.sandbox.fault_count, 1);
    assert_string_equal(o.sandbox.faults[0], "a:1=2");
    assert_true(o.server.log);
    options_done(&o);
}

static void test_options_leave_the_output_after_a_failure(void **state) {
    (void)state;
    struct options o = {.ready_file = "before"};
    struct err err = ERR_INIT;
    assert_false(parse(&o, &err, 4, "x", "--fault", "a:b", "--nonsense"));
    assert_string_equal(o.ready_file, "before");
    assert_non_null(strstr(err.msg, "--nonsense"));
    assert_false(parse(&o, &err, 2, "x", "--operators"));
}

static void test_listener_only_takes_loopback(void **state) {
    (void)state;
    static const char *const good[] = {"127.0.0.1:0", "127.9.9.9:0", "localhost:0"};
    static const char *const bad[] = {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "::1:0",
                                      "[::1]", "0.0.0.0:0", "127.0.0.1:99999"};
    char origin[LISTENER_ORIGIN_MAX] = "untouched";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(listener_open(bad[i], false, origin, &err), -1);
        assert_string_equal(origin, "untouched");
        assert_true(strlen(err.msg) > 10);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int fd = listener_open(good[i], false, origin, NULL);
        assert_true(fd >= 0);
        close(fd);
        assert_memory_equal(origin, "http://", 7);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_sandbox, drop_sandbox)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_sandbox_answers_each_tier),
        CASE(test_sandbox_writes_of_a_user_take_effect),
        CASE(test_sandbox_reset_goes_back_to_the_start),
        CASE(test_sandbox_quota_is_the_last_check),
        CASE(test_sandbox_quota_returns_the_next_day),
        CASE(test_sandbox_records_what_was_asked),
        CASE(test_sandbox_options_that_do_not_fit),
        CASE(test_admin_changes_and_shows),
        cmocka_unit_test(test_options_defaults_and_both_forms),
        cmocka_unit_test(test_options_leave_the_output_after_a_failure),
        cmocka_unit_test(test_listener_only_takes_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/test.h"

#include "service/hello.h"
#include "tests/unit/service/desk.h"

struct told {
    int waiting, done;
    struct err err;
};

static void on_waiting(const struct err *err, void *payload) {
    struct told *told = payload;
    told->waiting++;
    told->err = *err;
}

static void on_done(const struct err *err, void *payload) {
    struct told *told = payload;
    told->done++;
    told->err = *err;
}

static void test_hello_fills_every_field(void **state) {
    (void)state;
    struct told told = {0};
    hostinfo_read(&desk.rt.host);
    struct hello *h = hello_start(&desk.rt, on_waiting, on_done, &told);
    assert_int_equal(desk.call->method, C1_HELLO);
    const Api__BatonServiceHelloRequest *r = (const Api__BatonServiceHelloRequest *)desk.call->request;
    const char *const texts[] = {
        r->host_id, r->build_info->lang_version, r->build_info->package,
        r->build_info->package_version, r->os_info->hostname, r->os_info->os, r->os_info->platform,
        r->os_info->platform_version, r->os_info->platform_family, r->os_info->kernel_version,
        r->os_info->kernel_arch, r->os_info->virtualization_system};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_in_range(strlen(texts[i]), 1, 256);
    assert_string_equal(r->task_id, "");
    assert_non_null(r->connector_metadata->capabilities->credential_details);
    hello_abandon(h);
    assert_int_equal(desk.cancelled, 1);
}

static void test_hello_is_tried_again_until_it_is_taken(void **state) {
    (void)state;
    static const enum err_code passing[] = {ERR_UNAVAILABLE, ERR_DEADLINE_EXCEEDED, ERR_INTERNAL,
                                            ERR_UNKNOWN, ERR_RESOURCE_EXHAUSTED, ERR_CANCELLED};
    enum { COUNT = sizeof passing / sizeof *passing };
    struct told told = {0};
    struct hello *h = hello_start(&desk.rt, on_waiting, on_done, &told);
    for (int i = 0; i < COUNT; i++) {
        desk_answer(passing[i], NULL);
        assert_int_equal(told.waiting, i + 1);
        assert_int_equal(desk.failures, i + 1);
        desk_run_until(&desk.calls, i + 2);
    }
    desk_answer(ERR_OK, NULL);
    assert_int_equal(told.done, 1);
    assert_int_equal(told.err.code, ERR_OK);
    hello_abandon(h);
}

static void test_hello_takes_a_refusal_as_final(void **state) {
    (void)state;
    static const enum err_code final[] = {ERR_UNAUTHENTICATED, ERR_PERMISSION_DENIED,
                                          ERR_INVALID_ARGUMENT, ERR_UNIMPLEMENTED,
                                          ERR_FAILED_PRECONDITION, ERR_NOT_FOUND};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
        struct told told = {0};
        struct hello *h = hello_start(&desk.rt, on_waiting, on_done, &told);
        desk_answer(final[i], NULL);
        assert_int_equal(told.waiting, 0);
        assert_int_equal(told.done, 1);
        assert_int_equal(told.err.code, final[i]);
        hello_abandon(h);
    }
    hello_abandon(NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_hello_fills_every_field),
        TEST(test_hello_is_tried_again_until_it_is_taken),
        TEST(test_hello_takes_a_refusal_as_final),
    };
    return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}

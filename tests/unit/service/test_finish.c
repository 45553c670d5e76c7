#include "tests/unit/test.h"

#include "service/finish.h"
#include "tests/unit/service/desk.h"

struct told {
    int count;
    struct err err;
};

static void on_done(const struct err *err, void *payload) {
    struct told *told = payload;
    told->count++;
    told->err = *err;
}

static const Api__BatonServiceFinishTaskRequest *sent(void) {
    assert_int_equal(desk.call->method, C1_FINISH_TASK);
    return (const Api__BatonServiceFinishTaskRequest *)desk.call->request;
}

static struct finish *fail_task(const char *text, struct told *told) {
    struct answer answer = {.err = ERR_INIT};
    *told = (struct told){0};
    err_set(&answer.err, ERR_UNAVAILABLE, "%s", text);
    return finish_start(&desk.rt, TASK, &answer, false, on_done, told);
}

static void test_finish_sends_the_outcome(void **state) {
    (void)state;
    struct told told;
    fail_task("gone", &told);
    assert_string_equal(sent()->host_id, "desk-host");
    assert_string_equal(sent()->task_id, TASK);
    assert_int_equal(sent()->status->code, ERR_UNAVAILABLE);
    assert_string_equal(sent()->status->message, "gone");
    assert_false(sent()->error->non_retryable);
    assert_int_equal(desk.call->deadline_ms, 30000);
    desk_answer(ERR_OK, NULL);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.err.code, ERR_OK);

    struct answer good = {.err = ERR_INIT, .response_type = "type.googleapis.com/a.B"};
    finish_start(&desk.rt, TASK, &good, false, on_done, &told);
    assert_null(sent()->status);
    assert_string_equal(sent()->success->response->type_url, "type.googleapis.com/a.B");
    desk_answer(ERR_OK, NULL);
    assert_int_equal(told.count, 2);
}

static void test_finish_tries_again_what_may_pass(void **state) {
    (void)state;
    static const enum err_code passing[] = {ERR_UNAVAILABLE, ERR_DEADLINE_EXCEEDED,
                                            ERR_RESOURCE_EXHAUSTED, ERR_ABORTED, ERR_INTERNAL,
                                            ERR_UNKNOWN};
    struct told told;
    fail_task("gone", &told);
    for (int i = 0; i < SCHEDULE_FINISH_TRIES - 1; i++) {
        desk_answer(passing[i], NULL);
        assert_int_equal(told.count, 0);
        assert_int_equal(desk.failures, i + 1);
        desk_run_until(&desk.calls, i + 2);
    }
    desk_answer(ERR_UNAUTHENTICATED, NULL);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.err.code, ERR_UNAUTHENTICATED);
}

static void test_finish_gives_up_what_c1_will_never_take(void **state) {
    (void)state;
    static const enum err_code final[] = {ERR_NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_PERMISSION_DENIED,
                                          ERR_FAILED_PRECONDITION, ERR_UNIMPLEMENTED};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
        struct told told;
        fail_task("gone", &told);
        desk_answer(final[i], NULL);
        assert_int_equal(told.count, 1);
        assert_int_equal(told.err.code, final[i]);
    }
}

static void test_finish_in_a_hurry_waits_less(void **state) {
    (void)state;
    struct told told;
    struct finish *f = fail_task("gone", &told);
    desk_answer(ERR_UNAVAILABLE, NULL);
    finish_hurry(f);
    finish_hurry(f);
    desk_run_until(&desk.calls, 2);
    assert_in_range(desk.call->deadline_ms, 1, 4000);
    int waits = desk.waits;
    desk_answer(ERR_UNAVAILABLE, NULL);
    assert_int_equal(told.count, 0);
    desk_run_until(&desk.calls, 3);
    assert_int_equal(desk.waits, waits); /* not the schedule's */
    desk_answer(ERR_OK, NULL);
    assert_int_equal(told.count, 1);
}

static void test_finish_abandoned_tells_nobody(void **state) {
    (void)state;
    struct told told;
    finish_abandon(fail_task("gone", &told));
    assert_int_equal(desk.cancelled, 1);
    struct finish *f = fail_task("gone", &told);
    desk_answer(ERR_UNAVAILABLE, NULL);
    finish_abandon(f);
    finish_abandon(NULL);
    event_base_loop(desk.rt.base, EVLOOP_NONBLOCK);
    assert_int_equal(told.count, 0);
    assert_int_equal(desk.calls, 2);
}

/* The desk refuses a message that is not UTF-8, as C1 does. */
static void test_finish_sends_valid_text_without_secrets(void **state) {
    (void)state;
    static const struct {
        const char *text, *sent;
    } rows[] = {
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"open /tmp/caf\xE9: no", "open /tmp/caf?: no"},
        {"\xFF\xC3\xA9\xC3", "?\xC3\xA9?"},
        {"key=s3cr3t-value", "key=************"},
    };
    secret_auto struct secret secret = SECRET_INIT;
    secret_set(&secret, "s3cr3t-value", strlen("s3cr3t-value"));
    log_hide(desk.rt.log, &secret);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct told told;
        fail_task(rows[i].text, &told);
        assert_string_equal(sent()->status->message, rows[i].sent);
        desk_answer(ERR_OK, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finish_sends_the_outcome, desk_set_up, desk_tear_down),
        cmocka_unit_test_setup_teardown(test_finish_tries_again_what_may_pass, desk_set_up,
                                        desk_tear_down),
        cmocka_unit_test_setup_teardown(test_finish_gives_up_what_c1_will_never_take, desk_set_up,
                                        desk_tear_down),
        cmocka_unit_test_setup_teardown(test_finish_in_a_hurry_waits_less, desk_set_up, desk_tear_down),
        cmocka_unit_test_setup_teardown(test_finish_abandoned_tells_nobody, desk_set_up, desk_tear_down),
        cmocka_unit_test_setup_teardown(test_finish_sends_valid_text_without_secrets, desk_set_up,
                                        desk_tear_down),
    };
    return cmocka_run_group_tests_name("finish", tests, NULL, NULL);
}

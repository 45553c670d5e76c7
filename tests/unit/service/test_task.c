/* task: that each is answered once, however it ends. */
#include "tests/unit/test.h"

#include "service/task.h"
#include "tests/unit/service/desk.h"

static int done;

static void on_done(struct task *task, void *payload) {
    (void)payload;
    done++;
    task_free(task);
}

static Api__Task__HelloTask hello_body = API__TASK__HELLO_TASK__INIT;
static Api__Task__SyncFullTask sync_body;
static Api__Task__GrantTask grant_body = API__TASK__GRANT_TASK__INIT;

static struct task *make(Api__Task__TaskTypeCase type) {
    char id[] = TASK;
    api__task__sync_full_task__init(&sync_body);
    Api__Task message;
    api__task__init(&message);
    message.id = id;
    message.task_type_case = type;
    if (type == API__TASK__TASK_TYPE_HELLO)
        message.hello = &hello_body;
    else if (type == API__TASK__TASK_TYPE_SYNC_FULL)
        message.sync_full = &sync_body;
    else if (type == API__TASK__TASK_TYPE_GRANT)
        message.grant = &grant_body;
    done = 0;
    struct task *task = task_new(&desk.rt, &message, on_done, NULL);
    assert_string_equal(task_id(task), TASK);
    assert_false(task_has_started(task));
    return task;
}

static const Api__BatonServiceFinishTaskRequest *finish(void) {
    assert_int_equal(desk.call->method, C1_FINISH_TASK);
    return (const Api__BatonServiceFinishTaskRequest *)desk.call->request;
}

static void test_task_of_hello_is_answered_by_hello(void **state) {
    (void)state;
    task_start(make(API__TASK__TASK_TYPE_HELLO));
    assert_int_equal(desk.call->method, C1_HELLO);
    assert_string_equal(((const Api__BatonServiceHelloRequest *)desk.call->request)->task_id, TASK);
    desk_answer(ERR_OK, NULL);
    assert_int_equal(done, 1);
    assert_int_equal(desk.calls, 1);
}

static void test_task_without_work_is_finished_at_once(void **state) {
    (void)state;
    task_start(make(API__TASK__TASK_TYPE_GRANT));
    assert_int_equal(finish()->status->code, ERR_UNKNOWN);
    assert_string_equal(finish()->status->message,
                        "malformed grant task\ntask failed and is non-retryable");
    assert_true(finish()->error->non_retryable);
    desk_answer(ERR_OK, NULL);
    assert_int_equal(done, 1);
    task_start(make(API__TASK__TASK_TYPE__NOT_SET));
    assert_string_equal(finish()->status->message, "unsupported task type");
    assert_false(finish()->error->non_retryable);
    desk_answer(ERR_NOT_FOUND, NULL);
    assert_int_equal(done, 1);
    assert_non_null(strstr(desk.log, "C1 did not take the outcome of the task"));
}

static void test_task_whose_heartbeat_fails_is_answered(void **state) {
    (void)state;
    task_start(make(API__TASK__TASK_TYPE_SYNC_FULL));
    for (int i = 1; i < SCHEDULE_FIRST_HEARTBEAT_TRIES; i++) {
        desk_answer(ERR_UNAVAILABLE, NULL);
        desk_run_until(&desk.calls, i + 1);
    }
    desk_answer(ERR_UNAVAILABLE, NULL);
    assert_int_equal(finish()->status->code, ERR_UNAVAILABLE);
    assert_false(finish()->error->non_retryable);
    desk_answer(ERR_OK, NULL);
    assert_int_equal(done, 1);
}

static void expect_cancelled(void) {
    assert_int_equal(finish()->status->code, ERR_CANCELLED);
    assert_string_equal(finish()->status->message, "enough");
    assert_false(finish()->error->non_retryable);
    desk_answer(ERR_OK, NULL);
    assert_int_equal(done, 1);
}

static void test_task_that_is_stopped_is_answered(void **state) {
    (void)state;
    task_stop(make(API__TASK__TASK_TYPE_SYNC_FULL), "enough"); /* not begun */
    expect_cancelled();

    struct task *t = make(API__TASK__TASK_TYPE_SYNC_FULL);
    task_start(t);
    task_stop(t, "enough");
    task_stop(t, "again");
    desk_run_until(&desk.calls, 3);
    expect_cancelled();

    t = make(API__TASK__TASK_TYPE_HELLO);
    task_start(t);
    task_stop(t, "enough");
    assert_int_equal(done, 1);

    t = make(API__TASK__TASK_TYPE_GRANT);
    task_start(t);
    task_stop(t, "enough"); /* what is on its way says it all */
    int calls = desk.calls;
    desk_answer(ERR_UNAVAILABLE, NULL);
    assert_int_equal(done, 0);
    desk_run_until(&desk.calls, calls + 1);
    desk_answer(ERR_OK, NULL);
    assert_int_equal(done, 1);
}

static void test_task_free_drops_what_runs(void **state) {
    (void)state;
    static const Api__Task__TaskTypeCase types[] = {API__TASK__TASK_TYPE_HELLO,
                                                    API__TASK__TASK_TYPE_GRANT,
                                                    API__TASK__TASK_TYPE_SYNC_FULL};
    for (int i = 0; i < 3; i++) {
        struct task *t = make(types[i]);
        task_start(t);
        task_free(t);
        assert_int_equal(desk.cancelled, i + 1);
        assert_int_equal(done, 0);
    }
    task_free(NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_task_of_hello_is_answered_by_hello),
        TEST(test_task_without_work_is_finished_at_once),
        TEST(test_task_whose_heartbeat_fails_is_answered),
        TEST(test_task_that_is_stopped_is_answered),
        TEST(test_task_free_drops_what_runs),
    };
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}

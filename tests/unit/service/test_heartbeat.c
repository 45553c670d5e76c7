#include "tests/unit/test.h"

#include "service/heartbeat.h"
#include "tests/unit/service/desk.h"

struct told {
    struct heartbeat *heartbeat;
    int begun, lost;
    struct err err;
    bool is_freeing; /* in the callback */
};

static void note(struct told *told, const struct err *err) {
    told->err = *err;
    if (told->is_freeing) {
        heartbeat_free(told->heartbeat);
        told->heartbeat = NULL;
    }
}

static void on_begun(const struct err *err, void *payload) {
    struct told *told = payload;
    told->begun++;
    note(told, err);
}

static void on_lost(const struct err *err, void *payload) {
    struct told *told = payload;
    told->lost++;
    note(told, err);
}

static void start(struct told *told, bool is_freeing) {
    *told = (struct told){.is_freeing = is_freeing};
    told->heartbeat = heartbeat_start(&desk.rt, TASK, on_begun, on_lost, told);
    assert_int_equal(told->begun, 0);
}

static void answer(bool is_cancelled) {
    Api__BatonServiceHeartbeatResponse response = API__BATON_SERVICE_HEARTBEAT_RESPONSE__INIT;
    response.cancelled = is_cancelled;
    desk_answer(ERR_OK, &response.base);
}

static void test_heartbeat_begins_and_goes_on(void **state) {
    (void)state;
    struct told told;
    start(&told, false);
    const Api__BatonServiceHeartbeatRequest *request =
        (const Api__BatonServiceHeartbeatRequest *)desk.call->request;
    assert_string_equal(request->host_id, "desk-host");
    assert_string_equal(request->task_id, TASK);
    assert_int_equal(desk.call->deadline_ms, 30000);
    for (int i = 1; i <= 5; i++) {
        answer(false);
        assert_int_equal(told.begun, 1);
        assert_int_equal(told.err.code, ERR_OK);
        desk_run_until(&desk.calls, i + 1);
    }
    heartbeat_free(told.heartbeat);
    assert_int_equal(desk.cancelled, 1);
    assert_int_equal(told.lost, 0);
}

static void test_heartbeat_first_failure_is_tried_again(void **state) {
    (void)state;
    struct told told;
    start(&told, true);
    for (int i = 1; i < SCHEDULE_FIRST_HEARTBEAT_TRIES; i++) {
        desk_answer(ERR_UNAVAILABLE, NULL);
        desk_run_until(&desk.calls, i + 1);
    }
    assert_int_equal(told.begun, 0);
    desk_answer(ERR_UNAVAILABLE, NULL);
    assert_int_equal(told.begun, 1);
    assert_int_equal(told.err.code, ERR_UNAVAILABLE);
    assert_string_equal(told.err.msg, "the task's first heartbeat failed: from the desk");
}

static void test_heartbeat_is_lost_after_nine_failures_in_a_row(void **state) {
    (void)state;
    struct told told;
    start(&told, false);
    answer(false);
    told.is_freeing = true;
    for (int i = 0; i < SCHEDULE_HEARTBEATS_LOST - 1; i++) {
        desk_run_until(&desk.calls, desk.calls + 1);
        desk_answer(ERR_UNAVAILABLE, NULL);
    }
    desk_run_until(&desk.calls, desk.calls + 1);
    answer(false); /* begins the count anew */
    for (int i = 0; i < SCHEDULE_HEARTBEATS_LOST; i++) {
        assert_int_equal(told.lost, 0);
        desk_run_until(&desk.calls, desk.calls + 1);
        desk_answer(ERR_UNAVAILABLE, NULL);
    }
    assert_int_equal(told.lost, 1);
    assert_int_equal(told.begun, 1);
    assert_int_equal(told.err.code, ERR_CANCELLED);
    assert_string_equal(told.err.msg, "context canceled: 9 heartbeats in a row failed: from the desk");
}

static void test_heartbeat_hears_that_the_task_is_cancelled(void **state) {
    (void)state;
    struct told told;
    start(&told, true);
    answer(true);
    assert_int_equal(told.begun, 1);
    assert_int_equal(told.lost, 0);
    assert_int_equal(told.err.code, ERR_CANCELLED);

    start(&told, false);
    answer(false);
    desk_run_until(&desk.calls, desk.calls + 1);
    told.is_freeing = true;
    answer(true);
    assert_int_equal(told.begun, 1);
    assert_int_equal(told.lost, 1);
    assert_int_equal(told.err.code, ERR_CANCELLED);
    heartbeat_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_heartbeat_begins_and_goes_on, desk_set_up, desk_tear_down),
        cmocka_unit_test_setup_teardown(test_heartbeat_first_failure_is_tried_again, desk_set_up,
                                        desk_tear_down),
        cmocka_unit_test_setup_teardown(test_heartbeat_is_lost_after_nine_failures_in_a_row, desk_set_up,
                                        desk_tear_down),
        cmocka_unit_test_setup_teardown(test_heartbeat_hears_that_the_task_is_cancelled, desk_set_up,
                                        desk_tear_down),
    };
    return cmocka_run_group_tests_name("heartbeat", tests, NULL, NULL);
}

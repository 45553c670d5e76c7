#include "tests/unit/test.h"

#include "service/schedule.h"

static struct schedule_duration of(int64_t seconds, int32_t nanos) {
    return (struct schedule_duration){.is_set = true, .seconds = seconds, .nanos = nanos};
}

static void test_schedule_poll_keeps_between_its_limits(void **state) {
    (void)state;
    const struct {
        struct schedule_duration wish;
        int64_t ms;
    } rows[] = {
        {{.is_set = false}, 1000},      {of(0, 0), 1000},        {of(-1, 0), 1000},
        {of(0, -5), 1000},              {of(0, 1), 100},         {of(0, 99000000), 100},
        {of(0, 500000000), 500},        {of(2, 500000000), 2500}, {of(300, 0), 300000},
        {of(301, 0), 300000},           {of(INT64_MAX, INT32_MAX), 300000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(schedule_poll(rows[i].wish), rows[i].ms);
}

static void test_schedule_heartbeat_keeps_between_its_limits(void **state) {
    (void)state;
    assert_int_equal(schedule_heartbeat((struct schedule_duration){.is_set = false}), 30000);
    assert_int_equal(schedule_heartbeat(of(0, 0)), 30000);
    assert_int_equal(schedule_heartbeat(of(0, 1)), 1000);
    assert_int_equal(schedule_heartbeat(of(7, 0)), 7000);
    assert_int_equal(schedule_heartbeat(of(INT64_MAX, 0)), 300000);
}

static void test_schedule_retries_grow_to_their_ceilings(void **state) {
    (void)state;
    const int64_t hello[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
    for (int i = 0; i < 11; i++)
        assert_int_equal(schedule_hello_retry(i + 1), hello[i] * 1000);
    const int64_t poll[] = {1, 4, 9, 16, 25, 36, 49, 60, 60};
    for (int i = 0; i < 9; i++)
        assert_int_equal(schedule_poll_retry(i + 1), poll[i] * 1000);
    assert_int_equal(schedule_poll_retry(INT32_MAX), 60000);
    assert_int_equal(schedule_hello_retry(INT32_MAX), 300000);
    assert_int_equal(schedule_upload_retry(1), 0);
    assert_int_equal(schedule_upload_retry(2), 1000);
    assert_int_equal(schedule_finish_retry(1), 1000);
    assert_int_equal(schedule_finish_retry(9), 16000);
    assert_int_equal(schedule_first_heartbeat_retry(2), 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_poll_keeps_between_its_limits),
        cmocka_unit_test(test_schedule_heartbeat_keeps_between_its_limits),
        cmocka_unit_test(test_schedule_retries_grow_to_their_ceilings),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}

/* full_sync: how a task goes and how it ends. The child is the test's own: it ends when the test says so. */
#include "tests/unit/test.h"

#include <sys/eventfd.h>

#include "service/full_sync.h"
#include "service/sync_job.h"
#include "service/worker.h"
#include "tests/unit/service/desk.h"

/* -- service/worker.h -------------------------------------------------------------------------------- */

struct worker {
    struct worker_options options;
};

static struct {
    struct worker *running;
    int started, stopped, abandoned;
    bool is_failing; /* worker_start() */
} child;

struct worker *worker_start(const struct worker_options *options, struct err *err) {
    if (child.is_failing) {
        err_set(err, ERR_RESOURCE_EXHAUSTED, "no process");
        return NULL;
    }
    child.started++;
    child.running = mem_zalloc(sizeof *child.running);
    child.running->options = *options;
    return child.running;
}

void worker_stop(struct worker *worker) {
    assert_ptr_equal(worker, child.running);
    child.stopped++;
}

void worker_abandon(struct worker *worker) {
    if (!worker)
        return;
    child.abandoned++;
    child.running = NULL;
    free(worker);
}

static struct sync_job_result result;

static void end_child(enum err_code code, const char *text) {
    struct worker *w = child.running;
    struct err err = ERR_INIT;
    child.running = NULL;
    if (code != ERR_OK)
        err_set(&err, code, "%s", text);
    w->options.done(&err, &result, w->options.payload);
    free(w);
}

static void end_child_with(uint64_t file_size) {
    result.compressed_bytes = file_size;
    end_child(ERR_OK, NULL);
}

/* -- the task ---------------------------------------------------------------------------------------- */

static struct {
    int count;
    struct answer answer;
} told;

static void on_done(const struct answer *answer, void *payload) {
    (void)payload;
    told.count++;
    told.answer = *answer;
}

static Api__Task__SyncFullTask body;
static Api__Task task;

static struct full_sync *start(void) {
    static char id[] = TASK;
    api__task__init(&task);
    task.id = id;
    task.task_type_case = API__TASK__TASK_TYPE_SYNC_FULL;
    task.sync_full = &body;
    return full_sync_start(&desk.rt, &task, on_done, NULL);
}

static int set_up(void **state) {
    memset(&child, 0, sizeof child);
    memset(&told, 0, sizeof told);
    api__task__sync_full_task__init(&body);
    return desk_set_up(state);
}

static int tear_down(void **state) {
    return desk_tear_down(state) == 0 && !child.running ? 0 : -1;
}

static void take_heartbeat(bool is_cancelled) {
    Api__BatonServiceHeartbeatResponse answer = API__BATON_SERVICE_HEARTBEAT_RESPONSE__INIT;
    Pb__Duration next = PB__DURATION__INIT;
    next.seconds = is_cancelled ? 0 : 300;
    answer.next_heartbeat = is_cancelled ? NULL : &next;
    answer.cancelled = is_cancelled;
    assert_int_equal(desk.call->method, C1_HEARTBEAT);
    desk_answer(ERR_OK, &answer.base);
}

/* Until the upload has begun. */
static struct full_sync *start_upload(void) {
    struct full_sync *s = start();
    take_heartbeat(false);
    end_child(ERR_OK, NULL);
    assert_int_equal(desk.uploads, 1);
    return s;
}

static void expect(enum err_code code, bool is_non_retryable) {
    assert_int_equal(told.count, 1);
    assert_int_equal(told.answer.err.code, code);
    assert_int_equal(told.answer.is_non_retryable, is_non_retryable);
}

static void test_full_sync_goes_from_heartbeat_to_upload(void **state) {
    (void)state;
    start();
    assert_int_equal(child.started, 0);
    take_heartbeat(false);
    assert_int_equal(child.started, 1);
    end_child(ERR_OK, NULL);
    desk_end_upload(ERR_OK);
    expect(ERR_OK, false);
}

static void test_full_sync_does_not_begin_what_is_cancelled(void **state) {
    (void)state;
    start();
    take_heartbeat(true);
    expect(ERR_CANCELLED, false);
    assert_int_equal(child.started, 0);
}

/* Whatever the code, even one that means "never": only the task's own wish makes it hopeless. */
static void test_full_sync_failures_may_be_tried_again(void **state) {
    (void)state;
    static const enum err_code codes[] = {ERR_PERMISSION_DENIED, ERR_INTERNAL, ERR_UNIMPLEMENTED};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        told.count = 0;
        start();
        take_heartbeat(false);
        end_child(codes[i], "no");
        expect(codes[i], false);
        assert_string_equal(told.answer.err.msg, "no");
    }
}

static void test_full_sync_of_some_resources_is_refused_for_good(void **state) {
    (void)state;
    C1__Resource resource, *list[] = {&resource};
    c1__resource__init(&resource);
    body.targeted_sync_resources = list;
    body.n_targeted_sync_resources = 1;
    start();
    take_heartbeat(false);
    expect(ERR_UNIMPLEMENTED, true);
    assert_int_equal(child.started, 0);
}

static void test_full_sync_without_a_process(void **state) {
    (void)state;
    child.is_failing = true;
    start();
    take_heartbeat(false);
    expect(ERR_RESOURCE_EXHAUSTED, false);
}

static void test_full_sync_uploads_three_times(void **state) {
    (void)state;
    start_upload();
    for (int i = 1; i < SCHEDULE_UPLOAD_TRIES; i++) {
        desk_end_upload(ERR_UNAVAILABLE);
        assert_int_equal(desk.failures, i);
        desk_run_until(&desk.uploads, i + 1);
    }
    desk_end_upload(ERR_UNIMPLEMENTED);
    expect(ERR_UNIMPLEMENTED, false);
}

/* The child has written so much of the file. */
static void write_file(int64_t bytes) {
    /* The second of those that stay open in the child. */
    assert_int_equal(eventfd_write(child.running->options.keep[1], (eventfd_t)bytes), 0);
    for (int i = 0; i < 5; i++)
        event_base_loop(desk.rt.base, EVLOOP_NONBLOCK);
}

static void test_full_sync_uploads_a_large_file_while_it_is_written(void **state) {
    (void)state;
    start();
    take_heartbeat(false);
    write_file(300000);
    assert_int_equal(desk.uploads, 0); /* it may be complete at any moment */
    write_file(900000);
    assert_int_equal(desk.uploads, 1);
    assert_int_equal(desk.upload->size, 1200000);
    write_file(800000);
    assert_int_equal(desk.upload->size, 2000000);
    assert_true(desk.upload->is_growing);
    end_child_with(2000100);
    assert_int_equal(desk.uploads, 1);
    assert_int_equal(desk.upload->size, 2000100);
    assert_false(desk.upload->is_growing);
    desk_end_upload(ERR_OK);
    expect(ERR_OK, false);
}

static void test_full_sync_begins_a_failed_early_upload_again_when_the_file_is_whole(void **state) {
    (void)state;
    start();
    take_heartbeat(false);
    write_file(2000000);
    desk_end_upload(ERR_UNAVAILABLE);
    assert_non_null(strstr(desk.log, "will retry when the file is complete"));
    write_file(2000000);
    assert_int_equal(desk.uploads, 1);
    assert_int_equal(told.count, 0);
    end_child_with(4000000);
    assert_int_equal(desk.uploads, 2);
    assert_false(desk.upload->is_growing);
    desk_end_upload(ERR_UNAVAILABLE); /* the second of three */
    desk_run_until(&desk.uploads, 3);
    desk_end_upload(ERR_UNAVAILABLE);
    expect(ERR_UNAVAILABLE, false);
}

static void test_full_sync_gives_an_early_upload_up_with_the_child(void **state) {
    (void)state;
    start();
    take_heartbeat(false);
    write_file(2000000);
    end_child(ERR_RESOURCE_EXHAUSTED, "disk full");
    assert_int_equal(desk.uploads_cancelled, 1);
    expect(ERR_RESOURCE_EXHAUSTED, false);
}

static void test_full_sync_cancelled_during_an_early_upload(void **state) {
    (void)state;
    struct full_sync *s = start();
    take_heartbeat(false);
    write_file(2000000);
    full_sync_stop(s, "enough");
    assert_int_equal(desk.uploads_cancelled, 1);
    assert_int_equal(child.stopped, 1);
    write_file(2000000); /* it does not stop at once */
    assert_int_equal(desk.uploads, 1);
    end_child(ERR_CANCELLED, "stopped");
    expect(ERR_CANCELLED, false);
    assert_string_equal(told.answer.err.msg, "enough");
}

static void test_full_sync_cancelled_in_the_child(void **state) {
    (void)state;
    struct full_sync *s = start();
    take_heartbeat(false);
    full_sync_stop(s, "enough");
    full_sync_stop(s, "again");
    assert_int_equal(child.stopped, 1);
    assert_int_equal(told.count, 0);
    end_child(ERR_OK, NULL); /* it was done a moment before */
    expect(ERR_CANCELLED, false);
    assert_string_equal(told.answer.err.msg, "enough");
    assert_int_equal(desk.uploads, 0);
}

static void test_full_sync_cancelled_during_the_upload(void **state) {
    (void)state;
    full_sync_stop(start_upload(), "enough");
    assert_int_equal(desk.uploads_cancelled, 1);
    assert_int_equal(told.count, 0);
    desk_run_until(&told.count, 1);
    expect(ERR_CANCELLED, false);
}

static void test_full_sync_cancelled_between_two_uploads(void **state) {
    (void)state;
    struct full_sync *s = start_upload();
    desk_end_upload(ERR_UNAVAILABLE);
    full_sync_stop(s, "enough");
    desk_run_until(&told.count, 1);
    expect(ERR_CANCELLED, false);
    assert_int_equal(desk.uploads, 1);
}

static void test_full_sync_cancelled_before_it_begins(void **state) {
    (void)state;
    full_sync_stop(start(), "enough");
    desk_run_until(&told.count, 1);
    expect(ERR_CANCELLED, false);
    assert_int_equal(desk.cancelled, 1);
}

static void test_full_sync_abandoned_tells_nobody(void **state) {
    (void)state;
    struct full_sync *s = start();
    take_heartbeat(false);
    full_sync_abandon(s);
    assert_int_equal(child.abandoned, 1);
    full_sync_abandon(start_upload());
    assert_int_equal(desk.uploads_cancelled, 1);
    full_sync_abandon(NULL);
    assert_int_equal(told.count, 0);
}

static void test_full_sync_without_a_temp_dir_says_so(void **state) {
    (void)state;
    setenv("BATON_TMPDIR", "/nowhere", 1);
    start_upload();
    unsetenv("BATON_TMPDIR");
    assert_non_null(strstr(desk.log, "no file can be made in the temp directory"));
    assert_non_null(strstr(desk.log, "/nowhere"));
    desk_end_upload(ERR_OK);
    expect(ERR_OK, false);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_full_sync_goes_from_heartbeat_to_upload),
        TEST(test_full_sync_does_not_begin_what_is_cancelled),
        TEST(test_full_sync_failures_may_be_tried_again),
        TEST(test_full_sync_of_some_resources_is_refused_for_good),
        TEST(test_full_sync_without_a_process),
        TEST(test_full_sync_uploads_three_times),
        TEST(test_full_sync_uploads_a_large_file_while_it_is_written),
        TEST(test_full_sync_begins_a_failed_early_upload_again_when_the_file_is_whole),
        TEST(test_full_sync_gives_an_early_upload_up_with_the_child),
        TEST(test_full_sync_cancelled_during_an_early_upload),
        TEST(test_full_sync_cancelled_in_the_child),
        TEST(test_full_sync_cancelled_during_the_upload),
        TEST(test_full_sync_cancelled_between_two_uploads),
        TEST(test_full_sync_cancelled_before_it_begins),
        TEST(test_full_sync_abandoned_tells_nobody),
        TEST(test_full_sync_without_a_temp_dir_says_so),
    };
    return cmocka_run_group_tests_name("full_sync", tests, NULL, NULL);
}

#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service/worker.h"

struct outcome {
    struct event_base *base;
    struct err err;
    int number;
    int calls;
    volatile int *may_leave; /* shared with children */
};

static void on_done(const struct err *err, const void *result, void *payload) {
    struct outcome *o = payload;
    o->err = *err;
    memcpy(&o->number, result, sizeof o->number);
    o->calls++;
    event_base_loopbreak(o->base);
}

static struct worker *start_at(struct outcome *o, worker_work *work, int limit_ms) {
    struct worker_options options = {
        .base = o->base,
        .log = log_new(LOG_ERROR, LOG_JSON),
        .limit_ms = limit_ms,
        .work = work,
        .done = on_done,
        .payload = o,
        .result_len = sizeof(int),
    };
    struct err err = ERR_INIT;
    struct worker *w = worker_start(&options, &err);
    assert_non_null(w);
    log_free((struct log *)options.log);
    return w;
}

static struct worker *start(struct outcome *o, worker_work *work, int limit_ms) {
    struct worker *w = start_at(o, work, limit_ms);
    assert_int_equal(o->calls, 0);
    return w;
}

static int set_up(void **state) {
    static struct outcome o;
    o = (struct outcome){.base = event_base_new()};
    *state = &o;
    return o.base ? 0 : -1;
}

static int tear_down(void **state) {
    struct outcome *o = *state;
    worker_drain();
    event_base_free(o->base);
    /* No child is left, not even a dead one. */
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

static bool give_number(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    (void)payload, (void)cancel, (void)err;
    memcpy(result, &(int){42}, sizeof(int));
    return true;
}

static void test_worker_brings_the_result(void **state) {
    struct outcome *o = *state;
    start(o, give_number, 0);
    event_base_dispatch(o->base);
    assert_int_equal(o->calls, 1);
    assert_int_equal(o->err.code, ERR_OK);
    assert_int_equal(o->number, 42);
}

static bool refuse(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    (void)payload, (void)cancel, (void)result;
    return err_set(err, ERR_PERMISSION_DENIED, "may not");
}

static void test_worker_brings_the_error(void **state) {
    struct outcome *o = *state;
    start(o, refuse, 0);
    event_base_dispatch(o->base);
    assert_int_equal(o->err.code, ERR_PERMISSION_DENIED);
    assert_string_equal(o->err.msg, "may not");
}

static bool die(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    (void)payload, (void)cancel, (void)result, (void)err;
    raise(SIGKILL);
    return true;
}

static void test_worker_that_dies_is_an_error(void **state) {
    struct outcome *o = *state;
    start(o, die, 0);
    event_base_dispatch(o->base);
    assert_int_equal(o->err.code, ERR_INTERNAL);
    assert_non_null(strstr(o->err.msg, "signal 9 (KILL)"));
}

static bool wait_for_cancel(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    (void)payload, (void)result;
    struct pollfd p = {.fd = cancel_fd(cancel), .events = POLLIN};
    while (cancel_reason(cancel) == 0)
        poll(&p, 1, -1);
    return cancel_check(cancel, err);
}

static void test_worker_stop_cancels(void **state) {
    struct outcome *o = *state;
    struct worker *w = start(o, wait_for_cancel, 0);
    worker_stop(w);
    worker_stop(w);
    event_base_dispatch(o->base);
    assert_int_equal(o->calls, 1);
    assert_int_equal(o->err.code, ERR_CANCELLED);
}

static void test_worker_limit_ends_it(void **state) {
    struct outcome *o = *state;
    start(o, wait_for_cancel, 20);
    event_base_dispatch(o->base);
    assert_int_equal(o->err.code, ERR_DEADLINE_EXCEEDED);
}

static bool ignore_cancel(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    (void)result, (void)err;
    while (payload)
        poll(NULL, 0, 1000);
    return cancel_reason(cancel) != 0;
}

static void test_worker_that_does_not_stop_is_killed(void **state) {
    struct outcome *o = *state;
    struct worker *w = start(o, ignore_cancel, 0);
    worker_stop(w);
    event_base_dispatch(o->base);
    assert_int_equal(o->err.code, ERR_CANCELLED);
}

static void test_worker_abandon_tells_nobody(void **state) {
    struct outcome *o = *state;
    worker_abandon(start(o, ignore_cancel, 0));
    worker_abandon(NULL);
    event_base_loop(o->base, EVLOOP_NONBLOCK);
    assert_int_equal(o->calls, 0);
}

/* A SIGTERM that comes before the child has its own token is neither lost nor the parent's. */
static void test_worker_stop_right_after_the_start(void **state) {
    struct outcome *o = *state;
    struct err err = ERR_INIT;
    struct cancel *own = cancel_new(&err);
    assert_non_null(own);
    cancel_on_signals(own);
    for (int i = 1; i <= 10; i++) {
        worker_stop(start_at(o, wait_for_cancel, 0));
        event_base_dispatch(o->base);
        assert_int_equal(o->calls, i);
        assert_int_equal(o->err.code, ERR_CANCELLED);
        assert_string_equal(o->err.msg, "stopped on request");
        struct pollfd p = {.fd = cancel_fd(own), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 0), 0);
    }
    cancel_on_signals(NULL);
    cancel_free(own);
}

/* Stands for a child in an uninterruptible wait: something keeps its end of the pipe open. */
static bool linger(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    struct outcome *o = payload;
    if (fork() == 0) {
        while (!*o->may_leave)
            poll(NULL, 0, 10);
        _exit(0);
    }
    return ignore_cancel(payload, cancel, result, err);
}

static void test_worker_that_does_not_die_is_not_waited_for(void **state) {
    struct outcome *o = *state;
    o->may_leave = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(o->may_leave != MAP_FAILED);
    worker_stop(start(o, linger, 0));
    event_base_dispatch(o->base);
    assert_int_equal(o->calls, 1);
    assert_int_equal(o->err.code, ERR_CANCELLED);
    worker_drain();
    *o->may_leave = 1;
    assert_true(waitpid(-1, NULL, 0) > 0);
}

static int secret_fd; /* stands for a socket of the parent */

static bool look_at_fds(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    (void)payload, (void)cancel, (void)err;
    int is_open = fcntl(secret_fd, F_GETFD) != -1;
    memcpy(result, &is_open, sizeof is_open);
    return true;
}

static void test_worker_closes_what_it_need_not_have(void **state) {
    struct outcome *o = *state;
    secret_fd = dup(STDIN_FILENO);
    assert_true(secret_fd > STDERR_FILENO);
    start(o, look_at_fds, 0);
    event_base_dispatch(o->base);
    assert_int_equal(o->err.code, ERR_OK);
    assert_int_equal(o->number, 0);
    close(secret_fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_worker_brings_the_result, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_brings_the_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_that_dies_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_stop_cancels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_limit_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_that_does_not_stop_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_abandon_tells_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_stop_right_after_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_worker_that_does_not_die_is_not_waited_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_worker_closes_what_it_need_not_have, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}

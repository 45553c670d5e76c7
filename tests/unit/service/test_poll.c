/* poll: what it asks for, takes and keeps. The tasks are the test's own: they run until it ends them. */
#include "tests/unit/test.h"

#include "service/poll.h"
#include "service/task.h"
#include "tests/unit/service/desk.h"

enum { TASKS_MAX = 16 };

/* -- tasks ------------------------------------------------------------------------------------------- */

struct task {
    char id[POLL_ID_MAX + 1];
    bool is_started, is_stopped;
    task_done *done;
    void *payload;
};

static struct {
    struct task *all[TASKS_MAX]; /* made and not freed */
    int count, started, stopped;
    bool is_ending_at_stop; /* inside task_stop(), as a hello task does */
} tasks;

struct task *task_new(const struct runtime *rt, const Api__Task *message, task_done *done,
                      void *payload) {
    struct task *t = mem_zalloc(sizeof *t);
    assert_ptr_equal(rt, &desk.rt);
    assert_true(tasks.count < TASKS_MAX);
    snprintf(t->id, sizeof t->id, "%s", message->id);
    t->done = done;
    t->payload = payload;
    tasks.all[tasks.count++] = t;
    return t;
}

void task_start(struct task *t) {
    assert_false(t->is_started);
    t->is_started = true;
    tasks.started++;
}

void task_stop(struct task *t, const char *why) {
    assert_string_equal(why, "enough");
    t->is_stopped = true;
    tasks.stopped++;
    if (tasks.is_ending_at_stop)
        t->done(t, t->payload);
}

void task_free(struct task *t) {
    for (int i = 0; i < tasks.count; i++) {
        if (tasks.all[i] != t)
            continue;
        tasks.all[i] = tasks.all[--tasks.count];
        free(t);
        return;
    }
    fail_msg("a task was freed twice");
}

const char *task_id(const struct task *t) {
    return t->id;
}

bool task_has_started(const struct task *t) {
    return t->is_started;
}

static struct task *find(const char *id) {
    for (int i = 0; i < tasks.count; i++) {
        if (strcmp(tasks.all[i]->id, id) == 0)
            return tasks.all[i];
    }
    fail_msg("there is no task %s", id);
    return NULL;
}

static void end_task(const char *id) {
    struct task *t = find(id);
    t->done(t, t->payload);
}

/* -- the poll ---------------------------------------------------------------------------------------- */

static int idle, stopped, links;

static void on_idle(void *payload) {
    (void)payload;
    idle++;
}

static void on_stopped(void *payload) {
    (void)payload;
    stopped++;
}

static void on_link(const struct err *err, void *payload) {
    (void)payload;
    links += err->code == ERR_OK ? 1 : 100;
}

static struct poll *start(int slots, bool is_batch) {
    memset(&tasks, 0, sizeof tasks);
    idle = stopped = links = 0;
    return poll_start(&(struct poll_options){
        .rt = &desk.rt, .slots = slots, .is_batch = is_batch, .link = on_link, .idle = on_idle});
}

static Api__Task hello(char *id) {
    static Api__Task__HelloTask body = API__TASK__HELLO_TASK__INIT;
    Api__Task task;
    api__task__init(&task);
    task.id = id;
    task.task_type_case = API__TASK__TASK_TYPE_HELLO;
    task.hello = &body;
    return task;
}

/* To GetTask; NULL: no task. */
static void give(const char *id) {
    char text[2 * POLL_ID_MAX];
    Api__BatonServiceGetTaskResponse answer = API__BATON_SERVICE_GET_TASK_RESPONSE__INIT;
    snprintf(text, sizeof text, "%s", id ? id : "");
    Api__Task task = hello(text);
    answer.task = id ? &task : NULL;
    assert_int_equal(desk.call->method, C1_GET_TASK);
    desk_answer(ERR_OK, &answer.base);
}

/* To GetTasks: tasks a, b, c ... */
static void give_many(int count) {
    enum { MANY = 5000 };
    static char ids[MANY][8];
    static Api__Task all[MANY], *list[MANY];
    Api__BatonServiceGetTasksResponse answer = API__BATON_SERVICE_GET_TASKS_RESPONSE__INIT;
    for (int i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], i < 26 ? "%c" : "%c%d", 'a' + i % 26, i / 26);
        all[i] = hello(ids[i]);
        list[i] = &all[i];
    }
    answer.tasks = list;
    answer.n_tasks = (size_t)count;
    desk_answer(ERR_OK, &answer.base);
}

static const Api__BatonServiceGetTasksRequest *asked(void) {
    assert_int_equal(desk.call->method, C1_GET_TASKS);
    return (const Api__BatonServiceGetTasksRequest *)desk.call->request;
}

static void test_poll_asks_only_while_a_slot_is_free(void **state) {
    (void)state;
    struct poll *p = start(2, false);
    give("a");
    desk_run_until(&desk.calls, 2);
    give("b");
    assert_int_equal(tasks.started, 2);
    for (int i = 0; i < 5; i++)
        event_base_loop(desk.rt.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_null(desk.call);
    end_task("a");
    desk_run_until(&desk.calls, 3);
    assert_int_equal(tasks.count, 1);
    assert_int_equal(idle, 0);
    give(NULL);
    end_task("b");
    desk_run_until(&idle, 1);
    poll_free(p);
    assert_int_equal(tasks.count, 0);
}

static void test_poll_takes_no_task_twice_at_a_time(void **state) {
    (void)state;
    struct poll *p = start(3, false);
    give("a");
    desk_run_until(&desk.calls, 2);
    give("a");
    assert_int_equal(tasks.count, 1);
    desk_run_until(&desk.calls, 3);
    end_task("a");
    give("a"); /* over, although not yet swept away: a new one */
    assert_int_equal(tasks.started, 2);
    desk_run_until(&desk.calls, 4);
    assert_int_equal(tasks.count, 1);
    poll_free(p);
}

static void test_poll_drops_what_nobody_can_answer(void **state) {
    (void)state;
    char id[POLL_ID_MAX + 2];
    struct poll *p = start(3, false);
    give("");
    desk_run_until(&desk.calls, 2);
    memset(id, 'x', sizeof id);
    id[POLL_ID_MAX + 1] = '\0';
    give(id);
    assert_int_equal(tasks.count, 0);
    desk_run_until(&desk.calls, 3);
    id[POLL_ID_MAX] = '\0';
    give(id);
    assert_int_equal(tasks.count, 1);
    assert_null(strstr(desk.log, "xxx"));
    poll_free(p);
}

static void test_poll_backs_off_and_starts_anew(void **state) {
    (void)state;
    struct poll *p = start(3, false);
    for (int i = 1; i <= 3; i++) {
        desk_answer(i == 2 ? ERR_UNAUTHENTICATED : ERR_UNAVAILABLE, NULL);
        assert_int_equal(desk.failures, i);
        assert_int_equal(links, 100);
        desk_run_until(&desk.calls, i + 1);
    }
    give(NULL);
    assert_int_equal(links, 101);
    desk_run_until(&desk.calls, 5);
    desk_answer(ERR_UNAVAILABLE, NULL);
    assert_int_equal(desk.failures, 1);
    poll_free(p);
}

static void test_poll_fetches_ahead(void **state) {
    (void)state;
    struct poll *p = start(2, true);
    assert_int_equal(asked()->page_size, 4);
    assert_int_equal(asked()->n_known_task_ids, 0);
    give_many(3);
    assert_int_equal(tasks.count, 3);
    assert_int_equal(tasks.started, 2);
    end_task("a");
    desk_run_until(&tasks.started, 3);
    assert_null(desk.call);
    end_task("b");
    desk_run_until(&desk.calls, 2);
    assert_int_equal(asked()->page_size, 3);
    assert_int_equal(asked()->n_known_task_ids, 1);
    assert_string_equal(asked()->known_task_ids[0], "c");
    poll_free(p);
}

static void test_poll_asks_for_a_hundred_at_most(void **state) {
    (void)state;
    struct poll *p = start(100, true);
    assert_int_equal(asked()->page_size, 100);
    poll_free(p);
}

static int lines_with(const char *text) {
    int n = 0;
    for (const char *at = desk.log; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static void test_poll_has_one_line_for_thousands_of_tasks(void **state) {
    (void)state;
    struct poll *p = start(2, true);
    give_many(5000);
    assert_int_equal(tasks.count, 4);
    assert_int_equal(tasks.started, 2);
    assert_int_equal(lines_with("\n"), 1);
    assert_non_null(strstr(desk.log, "\"count\":4996"));
    poll_free(p);
}

static void test_poll_stop_waits_for_the_tasks(void **state) {
    (void)state;
    struct poll *p = start(2, true);
    give_many(3);
    poll_stop(p, "enough", on_stopped, NULL);
    assert_int_equal(tasks.stopped, 3); /* the waiting one too */
    end_task("a");
    end_task("c");
    for (int i = 0; i < 5; i++)
        event_base_loop(desk.rt.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_int_equal(stopped, 0);
    assert_null(desk.call);
    end_task("b");
    desk_run_until(&stopped, 1);
    assert_int_equal(idle, 0);
    poll_free(p);
}

static void test_poll_stop_with_tasks_that_end_inside(void **state) {
    (void)state;
    struct poll *p = start(3, true);
    give_many(3);
    tasks.is_ending_at_stop = true;
    poll_stop(p, "enough", on_stopped, NULL);
    assert_int_equal(stopped, 0);
    desk_run_until(&stopped, 1);
    assert_int_equal(tasks.count, 0);
    poll_free(p);

    p = start(3, true);
    poll_stop(p, "enough", on_stopped, NULL);
    desk_run_until(&stopped, 1);
    assert_int_equal(desk.cancelled, 1);
    poll_free(p);
    poll_free(NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_poll_asks_only_while_a_slot_is_free),
        TEST(test_poll_takes_no_task_twice_at_a_time),
        TEST(test_poll_drops_what_nobody_can_answer),
        TEST(test_poll_backs_off_and_starts_anew),
        TEST(test_poll_fetches_ahead),
        TEST(test_poll_asks_for_a_hundred_at_most),
        TEST(test_poll_has_one_line_for_thousands_of_tasks),
        TEST(test_poll_stop_waits_for_the_tasks),
        TEST(test_poll_stop_with_tasks_that_end_inside),
    };
    return cmocka_run_group_tests_name("poll", tests, NULL, NULL);
}

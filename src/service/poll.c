#include "service/poll.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "service/schedule.h"
#include "service/task.h"

struct poll {
    struct poll_options o;
    struct c1_call *call;
    struct event *timer, *sweeper;
    int64_t next_ms; /* monotonic: do not ask before */
    int failures;    /* in a row */
    bool is_linked;
    /* In the order of arrival: running, waiting for a slot, or (briefly) done. At most 2 x slots. */
    struct task **tasks;
    int count, running;
    struct task **dead; /* done; freed from the loop, not from inside their own callbacks */
    int dead_count;
    void (*stopped)(void *payload);
    void *stopped_payload;
    const char *stop_why; /* NULL: not stopping */
};

static void tick(struct poll *p);

/* --- tasks --- */

static void on_sweep(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct poll *p = payload;
    for (int i = 0; i < p->dead_count; i++)
        task_free(p->dead[i]);
    p->dead_count = 0;
    if (!p->stop_why) {
        tick(p);
        if (p->running == 0 && p->o.idle)
            p->o.idle(p->o.payload);
    }
    if (p->stop_why && p->count == 0)
        p->stopped(p->stopped_payload);
}

static void sweep_soon(struct poll *p) {
    runtime_after(p->o.rt, &p->sweeper, 0, on_sweep, p);
}

static void bury(struct poll *p, int index) {
    p->dead = mem_realloc_array(p->dead, (size_t)p->dead_count + 1, sizeof *p->dead);
    p->dead[p->dead_count++] = p->tasks[index];
    p->count--;
    memmove(&p->tasks[index], &p->tasks[index + 1], (size_t)(p->count - index) * sizeof *p->tasks);
    sweep_soon(p);
}

static void on_task_done(struct task *task, void *payload) {
    struct poll *p = payload;
    for (int i = 0; i < p->count; i++) {
        if (p->tasks[i] != task)
            continue;
        p->running--;
        bury(p, i);
        return;
    }
}

static void start_waiting(struct poll *p) {
    for (int i = 0; i < p->count && p->running < p->o.slots; i++) {
        if (task_has_started(p->tasks[i]))
            continue;
        p->running++;
        task_start(p->tasks[i]);
    }
}

static bool is_known(const struct poll *p, const char *id) {
    for (int i = 0; i < p->count; i++) {
        if (strcmp(task_id(p->tasks[i]), id) == 0)
            return true;
    }
    return false;
}

/* What one answer brought in vain. */
struct waste {
    int64_t unanswerable, surplus;
};

static void take(struct poll *p, const Api__Task *message, struct waste *waste) {
    if (!message || message->task_type_case == API__TASK__TASK_TYPE_NONE)
        return;
    size_t id_len = strlen(message->id);
    if (id_len == 0 || id_len > POLL_ID_MAX) {
        waste->unanswerable++;
        return;
    }
    if (p->count >= 2 * p->o.slots) {
        waste->surplus++;
        return;
    }
    if (is_known(p, message->id)) {
        log_debug(p->o.rt->log, "the task is here already", LOG_STR("task_id", message->id));
        return;
    }
    struct task *task = task_new(p->o.rt, message, on_task_done, p);
    if (task)
        p->tasks[p->count++] = task;
    else
        waste->unanswerable++;
}

static void tell_waste(const struct poll *p, const struct waste *waste) {
    if (waste->unanswerable)
        log_warn(p->o.rt->log, "C1 sent tasks without an id, or with one that is too long; dropped, for "
                 "nobody can answer them", LOG_INT("count", waste->unanswerable));
    if (waste->surplus)
        log_warn(p->o.rt->log, "C1 sent more tasks than were asked for; the rest is left to it",
                 LOG_INT("count", waste->surplus));
}

/* --- asking --- */

static void on_timer(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct poll *p = payload;
    p->next_ms = 0; /* it is time: libevent counts from the turn's begin, a little before our own clock */
    tick(p);
}

static void ask_after(struct poll *p, int64_t ms) {
    p->next_ms = clock_mono_ms() + ms;
    runtime_after(p->o.rt, &p->timer, ms, on_timer, p);
}

static void tell_link(struct poll *p, const struct err *err) {
    bool is_linked = err->code == ERR_OK;
    counters_add(p->o.rt->counters, is_linked ? COUNTER_POLL_OK : COUNTER_POLL_ERROR, 1);
    if (is_linked != p->is_linked && p->o.link)
        p->o.link(err, p->o.payload);
    p->is_linked = is_linked;
    counters_set(p->o.rt->counters, COUNTER_CONNECTED, is_linked);
}

static void on_failure(struct poll *p, const struct err *err) {
    int64_t wait = schedule_poll_retry(++p->failures);
    log_error(p->o.rt->log, "runner: error getting next task", LOG_ERROR_FIELD(err),
              LOG_INT("err_count", p->failures), LOG_MS("next_check_after", wait));
    ask_after(p, wait);
}

static struct schedule_duration duration(const Pb__Duration *d) {
    return (struct schedule_duration){
        .is_set = d, .seconds = d ? d->seconds : 0, .nanos = d ? d->nanos : 0};
}

static void on_answer(const struct err *err, bool is_from_server, const ProtobufCMessage *message,
                      void *payload) {
    (void)is_from_server;
    struct poll *p = payload;
    struct err outcome = runtime_outcome(err);
    p->call = NULL;
    tell_link(p, &outcome);
    if (outcome.code != ERR_OK) {
        on_failure(p, &outcome);
        return;
    }
    struct waste waste = {0};
    p->failures = 0;
    if (p->o.is_batch) {
        const Api__BatonServiceGetTasksResponse *a =
            (const Api__BatonServiceGetTasksResponse *)message;
        for (size_t i = 0; i < a->n_tasks; i++)
            take(p, a->tasks[i], &waste);
        ask_after(p, schedule_poll(duration(a->next_poll)));
    } else {
        const Api__BatonServiceGetTaskResponse *a =
            (const Api__BatonServiceGetTaskResponse *)message;
        take(p, a->task, &waste);
        ask_after(p, schedule_poll(duration(a->next_poll)));
    }
    tell_waste(p, &waste);
    start_waiting(p);
}

static void ask_for_one(struct poll *p, char *host_id) {
    Api__BatonServiceGetTaskRequest request;
    api__baton_service_get_task_request__init(&request);
    request.host_id = host_id;
    p->call = c1_call_start(p->o.rt->client, C1_GET_TASK, &request.base, SCHEDULE_CALL_DEADLINE_MS,
                            on_answer, p);
}

static void ask_for_many(struct poll *p, char *host_id) {
    Api__BatonServiceGetTasksRequest request;
    api__baton_service_get_tasks_request__init(&request);
    int room = 2 * p->o.slots - p->count;
    request.host_id = host_id;
    request.page_size = (uint32_t)(room < POLL_PAGE_MAX ? room : POLL_PAGE_MAX);
    mem_auto char **known = mem_realloc_array(NULL, (size_t)p->count + 1, sizeof *known);
    for (int i = 0; i < p->count; i++) {
        /* Packed before the call returns; protobuf-c has no const strings. */
        known[i] = mem_strdup(task_id(p->tasks[i]));
    }
    request.known_task_ids = known;
    request.n_known_task_ids = (size_t)p->count;
    p->call = c1_call_start(p->o.rt->client, C1_GET_TASKS, &request.base, SCHEDULE_CALL_DEADLINE_MS,
                            on_answer, p);
    for (int i = 0; i < p->count; i++)
        free(known[i]);
}

/* Looks what can be done now: start what waits, and ask if there is room and it is time. */
static void tick(struct poll *p) {
    if (p->stop_why)
        return;
    start_waiting(p);
    if (p->call || p->count >= p->o.slots || clock_mono_ms() < p->next_ms)
        return; /* an answer, the end of a task, or the timer brings us back */
    char host_id[HOSTINFO_TEXT_MAX];
    memcpy(host_id, p->o.rt->host.host_id, sizeof host_id);
    if (p->o.is_batch)
        ask_for_many(p, host_id);
    else
        ask_for_one(p, host_id);
}

struct poll *poll_start(const struct poll_options *options) {
    struct poll *p = mem_zalloc(sizeof *p);
    p->o = *options;
    p->is_linked = true; /* Hello has just succeeded */
    p->tasks = mem_realloc_array(NULL, 2 * (size_t)options->slots, sizeof *p->tasks);
    tick(p);
    return p;
}

void poll_stop(struct poll *p, const char *why, void (*done)(void *payload), void *payload) {
    p->stop_why = why;
    p->stopped = done;
    p->stopped_payload = payload;
    c1_call_cancel(p->call);
    p->call = NULL;
    runtime_timer_free(&p->timer);
    p->running = p->count;
    for (int i = p->count - 1; i >= 0; i--)
        task_stop(p->tasks[i], why);
    sweep_soon(p);
}

void poll_free(struct poll *p) {
    if (!p)
        return;
    c1_call_cancel(p->call);
    runtime_timer_free(&p->timer);
    runtime_timer_free(&p->sweeper);
    for (int i = 0; i < p->count; i++)
        task_free(p->tasks[i]);
    for (int i = 0; i < p->dead_count; i++)
        task_free(p->dead[i]);
    free(p->tasks);
    free(p->dead);
    free(p);
}

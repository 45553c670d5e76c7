#include "service/task.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pb/pack.h"
#include "service/finish.h"
#include "service/full_sync.h"
#include "service/hello.h"

struct task {
    const struct runtime *rt;
    struct arena arena; /* of the message */
    Api__Task *message;
    task_done *done;
    void *payload;
    struct full_sync *sync;
    struct c1_call *hello;
    struct finish *finish;
    struct answer answer;
    int64_t started_ms; /* 0: not yet */
    bool is_stopping;
};

const char *task_id(const struct task *task) {
    return task->message->id;
}

bool task_has_started(const struct task *task) {
    return task->started_ms != 0;
}

struct task *task_new(const struct runtime *rt, const Api__Task *message, task_done *done,
                      void *payload) {
    struct task *t = mem_zalloc(sizeof *t);
    arena_init(&t->arena);
    size_t n;
    const uint8_t *bytes = pb_pack(&message->base, &t->arena, &n);
    t->message = (Api__Task *)pb_unpack(&api__task__descriptor, bytes, n, &t->arena, NULL);
    if (!t->message) {
        task_free(t);
        return NULL;
    }
    t->rt = rt;
    t->done = done;
    t->payload = payload;
    return t;
}

void task_free(struct task *t) {
    if (!t)
        return;
    full_sync_abandon(t->sync);
    c1_call_cancel(t->hello);
    finish_abandon(t->finish);
    arena_done(&t->arena);
    free(t);
}

/* --- the end --- */

static void end(struct task *t, const struct err *err) {
    bool is_success = err->code == ERR_OK;
    int64_t took = clock_mono_ms() - t->started_ms;
    counters_add(t->rt->counters, is_success ? COUNTER_TASK_SUCCESS : COUNTER_TASK_ERROR, 1);
    counters_add(t->rt->counters, COUNTER_TASKS_RUNNING, -1);
    if (is_success)
        log_info(t->rt->log, "c1_api_task_manager.finishTask(): finishing task successfully",
                 LOG_STR("task_id", task_id(t)), LOG_STR("task_type", answer_type_name(t->message)),
                 LOG_STR("result", "success"), LOG_MS("duration", took));
    else
        log_error(t->rt->log, "c1_api_task_manager.finishTask(): finishing task with error",
                  LOG_STR("task_id", task_id(t)), LOG_STR("task_type", answer_type_name(t->message)),
                  LOG_STR("result", t->answer.is_non_retryable ? "error" : "retryable error"),
                  LOG_STR("code", err_code_name(err->code)), LOG_ERROR_FIELD(err),
                  LOG_MS("duration", took));
    t->done(t, t->payload);
}

static void on_finished(const struct err *err, void *payload) {
    struct task *t = payload;
    t->finish = NULL;
    if (err->code != ERR_OK)
        log_error(t->rt->log, "c1_api_task_manager.finishTask(): C1 did not take the outcome of the task",
                  LOG_STR("task_id", task_id(t)), LOG_ERROR_FIELD(err));
    struct err outcome = t->answer.err.code != ERR_OK ? t->answer.err : *err;
    end(t, &outcome);
}

static void finish(struct task *t) {
    t->finish = finish_start(t->rt, task_id(t), &t->answer, t->is_stopping, on_finished, t);
}

static void on_synced(const struct answer *answer, void *payload) {
    struct task *t = payload;
    t->sync = NULL;
    t->answer = *answer;
    finish(t);
}

/* Hello with the id of the task is the answer to it. */
static void on_hello(const struct err *err, bool is_from_server, const ProtobufCMessage *message,
                     void *payload) {
    (void)is_from_server, (void)message;
    struct task *t = payload;
    struct err outcome = runtime_outcome(err);
    t->hello = NULL;
    end(t, &outcome);
}

/* --- the beginning --- */

static void note_start(struct task *t) {
    t->started_ms = clock_mono_ms();
    counters_add(t->rt->counters, COUNTER_TASKS_RUNNING, 1);
}

void task_start(struct task *t) {
    note_start(t);
    log_info(t->rt->log, "c1_api_task_manager.Process(): processing task",
             LOG_STR("task_id", task_id(t)), LOG_STR("task_type", answer_type_name(t->message)));
    if (answer_for(t->message, options_bool(t->rt->env->options, "provisioning"), &t->answer))
        finish(t);
    else if (t->message->task_type_case == API__TASK__TASK_TYPE_HELLO)
        t->hello = hello_call(t->rt, task_id(t), on_hello, t);
    else
        t->sync = full_sync_start(t->rt, t->message, on_synced, t);
}

void task_stop(struct task *t, const char *why) {
    if (t->is_stopping)
        return;
    t->is_stopping = true;
    if (t->sync) {
        full_sync_stop(t->sync, why);
    } else if (t->finish) {
        finish_hurry(t->finish);
    } else if (t->hello) {
        struct err err = ERR_INIT;
        c1_call_cancel(t->hello);
        t->hello = NULL;
        err_set(&err, ERR_CANCELLED, "%s", why);
        end(t, &err);
    } else if (!task_has_started(t)) {
        note_start(t);
        err_set(&t->answer.err, ERR_CANCELLED, "%s", why);
        finish(t);
    }
}

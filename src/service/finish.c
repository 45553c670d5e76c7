#include "service/finish.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "pb/pack.h"
#include "service/schedule.h"

enum { HURRIED_DEADLINE_MS = 2500, HURRIED_RETRY_MS = 300 };

struct finish {
    const struct runtime *rt;
    char *task_id;
    struct answer answer;
    finish_done *done;
    void *payload;
    struct c1_call *call;
    struct event *timer;
    int failures;
    bool is_hurried;
};

static void finish_free(struct finish *f) {
    runtime_timer_free(&f->timer);
    free(f->task_id);
    free(f);
}

static bool may_pass(enum err_code code) {
    switch (code) {
    case ERR_UNAVAILABLE:
    case ERR_DEADLINE_EXCEEDED:
    case ERR_RESOURCE_EXHAUSTED:
    case ERR_ABORTED:
    case ERR_INTERNAL:
    case ERR_UNKNOWN:
    case ERR_UNAUTHENTICATED:
        return true;
    default:
        return false;
    }
}

static void again(evutil_socket_t fd, short what, void *payload);

static void on_answer(const struct err *err, bool is_from_server, const ProtobufCMessage *message,
                      void *payload) {
    (void)is_from_server, (void)message;
    struct finish *f = payload;
    struct err outcome = runtime_outcome(err);
    f->call = NULL;
    f->failures += outcome.code != ERR_OK;
    if (outcome.code == ERR_OK || !may_pass(outcome.code) ||
        f->failures >= SCHEDULE_FINISH_TRIES) {
        finish_done *done = f->done;
        void *to = f->payload;
        finish_free(f);
        done(&outcome, to);
        return;
    }
    int64_t wait = f->is_hurried ? HURRIED_RETRY_MS : schedule_finish_retry(f->failures);
    log_warn(f->rt->log, "c1_api_task_manager.finishTask(): could not report the outcome; will retry",
             LOG_STR("task_id", f->task_id), LOG_ERROR_FIELD(&outcome), LOG_MS("wait", wait));
    runtime_after(f->rt, &f->timer, wait, again, f);
}

/* Everything the message points at lives in this frame: it is packed before the call returns. */
static void report(struct finish *f) {
    Api__BatonServiceFinishTaskRequest request;
    Api__BatonServiceFinishTaskRequest__Error error;
    Api__BatonServiceFinishTaskRequest__Success success;
    Rpc__Status status;
    Pb__Any response;
    api__baton_service_finish_task_request__init(&request);
    api__baton_service_finish_task_request__error__init(&error);
    api__baton_service_finish_task_request__success__init(&success);
    rpc__status__init(&status);
    pb__any__init(&response);
    mem_auto char *response_type = NULL;
    char host_id[HOSTINFO_TEXT_MAX];
    memcpy(host_id, f->rt->host.host_id, sizeof host_id);
    request.host_id = host_id;
    request.task_id = f->task_id;
    if (f->answer.err.code == ERR_OK) {
        request.final_state_case = API__BATON_SERVICE_FINISH_TASK_REQUEST__FINAL_STATE_SUCCESS;
        request.success = &success;
        if (f->answer.response_type) {
            response.type_url = response_type = mem_strdup(f->answer.response_type);
            success.response = &response;
        }
    } else {
        status.code = (int32_t)f->answer.err.code;
        status.message = f->answer.err.msg;
        error.non_retryable = f->answer.is_non_retryable;
        request.status = &status;
        request.final_state_case = API__BATON_SERVICE_FINISH_TASK_REQUEST__FINAL_STATE_ERROR;
        request.error = &error;
    }
    f->call = c1_call_start(f->rt->client, C1_FINISH_TASK, &request.base,
                            f->is_hurried ? HURRIED_DEADLINE_MS : SCHEDULE_FINISH_DEADLINE_MS, on_answer, f);
}

static void again(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    report(payload);
}

/* C1 would refuse a message with a string that is not UTF-8 whole, and the name of a file need not be. */
static void make_utf8(char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        size_t len = 1;
        while (len <= 4 && len <= left && !utf8_valid(text, len))
            len++;
        if (len > 4 || len > left) {
            *text = '?';
            len = 1;
        }
        text += len;
        left -= len;
    }
}

struct finish *finish_start(const struct runtime *rt, const char *task_id, const struct answer *answer,
                            bool is_hurried, finish_done *done, void *payload) {
    struct finish *f = mem_zalloc(sizeof *f);
    *f = (struct finish){
        .rt = rt,
        .task_id = mem_strdup(task_id),
        .answer = *answer,
        .done = done,
        .payload = payload,
        .is_hurried = is_hurried,
    };
    log_mask(rt->log, f->answer.err.msg);
    make_utf8(f->answer.err.msg);
    report(f);
    return f;
}

void finish_hurry(struct finish *f) {
    if (f->is_hurried)
        return;
    f->is_hurried = true;
    if (!f->call)
        runtime_after(f->rt, &f->timer, 0, again, f);
}

void finish_abandon(struct finish *f) {
    if (!f)
        return;
    c1_call_cancel(f->call);
    finish_free(f);
}

#include "service/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "service/schedule.h"

struct heartbeat {
    const struct runtime *rt;
    char *task_id;
    heartbeat_news *begun, *lost;
    void *payload;
    struct c1_call *call;
    struct event *timer;
    int64_t interval_ms;
    int failures; /* in a row */
    bool has_begun;
};

static void beat(struct heartbeat *h);

static void on_timer(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    beat(payload);
}

/* The last thing a function does: the owner may free the heartbeat. */
static void tell(struct heartbeat *h, const struct err *err) {
    heartbeat_news *news = h->has_begun ? h->lost : h->begun;
    if (err->code == ERR_OK) {
        h->has_begun = true;
        runtime_after(h->rt, &h->timer, h->interval_ms, on_timer, h);
    }
    news(err, h->payload);
}

static void on_failure(struct heartbeat *h, const struct err *err) {
    h->failures++;
    int limit = h->has_begun ? SCHEDULE_HEARTBEATS_LOST : SCHEDULE_FIRST_HEARTBEAT_TRIES;
    if (h->failures < limit) {
        log_warn(h->rt->log, "heartbeat failed; will retry", LOG_STR("task_id", h->task_id),
                 LOG_INT("failures", h->failures), LOG_ERROR_FIELD(err));
        int64_t wait = h->has_begun ? h->interval_ms : schedule_first_heartbeat_retry(h->failures);
        runtime_after(h->rt, &h->timer, wait, on_timer, h);
        return;
    }
    struct err outcome = *err;
    if (h->has_begun) {
        outcome.code = ERR_CANCELLED;
        err_wrap(&outcome, "context canceled: %d heartbeats in a row failed", h->failures);
    } else {
        err_wrap(&outcome, "the task's first heartbeat failed");
    }
    tell(h, &outcome);
}

static void on_answer(const struct err *err, bool is_from_server, const ProtobufCMessage *message,
                      void *payload) {
    (void)is_from_server;
    struct heartbeat *h = payload;
    h->call = NULL;
    if (err) {
        on_failure(h, err);
        return;
    }
    const Api__BatonServiceHeartbeatResponse *answer =
        (const Api__BatonServiceHeartbeatResponse *)message;
    const Pb__Duration *next = answer->next_heartbeat;
    h->failures = 0;
    h->interval_ms = schedule_heartbeat((struct schedule_duration){
        .is_set = next, .seconds = next ? next->seconds : 0, .nanos = next ? next->nanos : 0});
    struct err outcome = ERR_INIT;
    if (answer->cancelled)
        err_set(&outcome, ERR_CANCELLED, "context canceled: C1 has cancelled this task");
    if (outcome.code != ERR_OK || !h->has_begun)
        tell(h, &outcome);
    else
        runtime_after(h->rt, &h->timer, h->interval_ms, on_timer, h);
}

static void beat(struct heartbeat *h) {
    Api__BatonServiceHeartbeatRequest request;
    api__baton_service_heartbeat_request__init(&request);
    char host_id[HOSTINFO_TEXT_MAX];
    memcpy(host_id, h->rt->host.host_id, sizeof host_id);
    request.host_id = host_id;
    request.task_id = h->task_id;
    h->call = c1_call_start(h->rt->client, C1_HEARTBEAT, &request.base,
                            SCHEDULE_HEARTBEAT_DEADLINE_MS, on_answer, h);
}

struct heartbeat *heartbeat_start(const struct runtime *rt, const char *task_id, heartbeat_news *begun,
                                  heartbeat_news *lost, void *payload) {
    struct heartbeat *h = mem_zalloc(sizeof *h);
    *h = (struct heartbeat){
        .rt = rt,
        .task_id = mem_strdup(task_id),
        .begun = begun,
        .lost = lost,
        .payload = payload,
    };
    beat(h);
    return h;
}

void heartbeat_free(struct heartbeat *h) {
    if (!h)
        return;
    c1_call_cancel(h->call);
    runtime_timer_free(&h->timer);
    free(h->task_id);
    free(h);
}

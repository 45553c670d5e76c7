#include "service/counters.h"

#include <stdlib.h>

#include "base/mem.h"

struct row {
    const char *name, *help, *labels;
    enum metrics_kind kind;
};

static const struct row rows[COUNTER_COUNT] = {
    [COUNTER_SYNC_SUCCESS] = {"baton_syncs_total", "Full-sync tasks by result.",
                              "result=\"success\"", METRICS_COUNTER},
    [COUNTER_SYNC_FAILURE] = {"baton_syncs_total", NULL, "result=\"failure\"", METRICS_COUNTER},
    [COUNTER_SYNC_CANCELLED] = {"baton_syncs_total", NULL, "result=\"cancelled\"", METRICS_COUNTER},
    [COUNTER_SYNC_MS] = {"baton_sync_duration_seconds_total",
                         "Time spent in full-sync tasks, upload included.", NULL,
                         METRICS_COUNTER_MS},
    [COUNTER_LAST_SYNC_MS] = {"baton_last_sync_duration_seconds",
                              "Duration of the last full-sync task.", NULL, METRICS_GAUGE_MS},
    [COUNTER_LAST_SUCCESS] = {"baton_last_sync_success_timestamp_seconds",
                              "When a full-sync task last succeeded, as Unix time; 0: never.", NULL,
                              METRICS_GAUGE},
    [COUNTER_UPLOAD_BYTES] = {"baton_uploaded_bytes_total", "Bytes of assets that C1 has taken.",
                              NULL, METRICS_COUNTER},
    [COUNTER_TASK_SUCCESS] = {"baton_tasks_total", "Tasks of every type by the result told to C1.",
                              "result=\"success\"", METRICS_COUNTER},
    [COUNTER_TASK_ERROR] = {"baton_tasks_total", NULL, "result=\"error\"", METRICS_COUNTER},
    [COUNTER_TASKS_RUNNING] = {"baton_tasks_running", "Tasks that run now.", NULL, METRICS_GAUGE},
    [COUNTER_POLL_OK] = {"baton_polls_total", "Times C1 was asked for tasks, by result.",
                         "result=\"success\"", METRICS_COUNTER},
    [COUNTER_POLL_ERROR] = {"baton_polls_total", NULL, "result=\"error\"", METRICS_COUNTER},
    [COUNTER_CONNECTED] = {"baton_connected", "1 while C1 answers.", NULL, METRICS_GAUGE},
};

struct counters {
    struct metrics *metrics;
    int index[COUNTER_COUNT];
    int *meter_index; /* of the connector's rows */
    struct meter meter;
};

static void meter_add_row(void *payload, size_t row, int64_t n) {
    const struct counters *c = payload;
    metrics_add(c->metrics, c->meter_index[row], n);
}

static void meter_set_row(void *payload, size_t row, int64_t value) {
    const struct counters *c = payload;
    metrics_set(c->metrics, c->meter_index[row], value);
}

struct counters *counters_new(const struct baton_connector *connector, struct err *err) {
    struct metrics *metrics = metrics_new(err);
    if (!metrics)
        return NULL;
    struct counters *c = mem_zalloc(sizeof *c);
    c->metrics = metrics;
    const char *help = "";
    for (int i = 0; i < COUNTER_COUNT; i++) {
        const struct row *r = &rows[i];
        if (r->help) /* rows of one name share the text of the first */
            help = r->help;
        c->index[i] = metrics_register(metrics, r->name, help, r->kind, r->labels);
    }
    c->meter_index = mem_realloc_array(NULL, connector->meter_count + 1, sizeof *c->meter_index);
    for (size_t i = 0; i < connector->meter_count; i++) {
        const struct meter_row *r = &connector->meters[i];
        if (r->help)
            help = r->help;
        enum metrics_kind kind = r->is_gauge ? METRICS_GAUGE : METRICS_COUNTER;
        c->meter_index[i] = metrics_register(metrics, r->name, help, kind, r->labels);
    }
    c->meter = (struct meter){.add = meter_add_row, .set = meter_set_row, .payload = c};
    return c;
}

void counters_free(struct counters *c) {
    if (!c)
        return;
    metrics_free(c->metrics);
    free(c->meter_index);
    free(c);
}

void counters_add(struct counters *c, enum counter which, int64_t n) {
    metrics_add(c->metrics, c->index[which], n);
}

void counters_set(struct counters *c, enum counter which, int64_t value) {
    if (rows[which].kind == METRICS_GAUGE_MS)
        metrics_set_seconds(c->metrics, c->index[which], value);
    else
        metrics_set(c->metrics, c->index[which], value);
}

const struct metrics *counters_metrics(const struct counters *c) {
    return c->metrics;
}

const struct meter *counters_meter(const struct counters *c) {
    return &c->meter;
}

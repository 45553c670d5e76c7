#include "service/service.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pages.h"
#include "c1/client.h"
#include "c1/credential.h"
#include "service/counters.h"
#include "service/health.h"
#include "service/hello.h"
#include "service/notify.h"
#include "service/poll.h"
#include "service/runtime.h"
#include "service/schedule.h"
#include "service/sync_job.h"
#include "service/worker.h"

enum { DEFAULT_SLOTS = 3, REST_AFTER_MS = 1000 };

struct service {
    struct runtime rt;
    struct baton_env env; /* with the meter */
    struct trust *trust;
    struct c1_credential credential;
    struct counters *counters;
    struct health *health; /* NULL: not wanted */
    struct hello *hello;
    struct poll *poll;
    struct worker *check; /* of /health */
    struct health_reply *check_reply;
    struct event *on_cancel, *on_hangup, *watchdog, *hard_stop, *rest;
    struct err outcome; /* code OK: ended by a signal */
    bool is_up;         /* the service manager has been told so */
    bool is_stopping;
};

/* --- settings --- */

static bool check_settings(const struct options *o, struct err *err) {
    if (!secret_is_set(options_secret(o, "client-secret")))
        return err_set(err, ERR_UNKNOWN, "client-secret is required in service mode");
    const char *temp_dir = options_str(o, "c1z-temp-dir");
    struct stat st;
    if (*temp_dir && (stat(temp_dir, &st) != 0 || !S_ISDIR(st.st_mode)))
        return err_set(err, ERR_UNKNOWN, "the specified c1z temp dir does not exist: %s", temp_dir);
    return true;
}

/* As Go's strconv.ParseBool reads it; what it cannot read is false. */
static bool env_is_true(const char *name) {
    static const char *const words[] = {"1", "t", "T", "true", "TRUE", "True"};
    const char *value = getenv(name);
    for (size_t i = 0; value && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0)
            return true;
    }
    return false;
}

/* --- the end --- */

static void leave(struct service *s) {
    event_base_loopbreak(s->rt.base);
}

static void on_stopped(void *payload) {
    leave(payload);
}

static void on_hard_stop(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct service *s = payload;
    log_warn(s->rt.log, "some tasks could not be reported in time; C1 will hand them out again");
    leave(s);
}

static void on_cancelled(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct service *s = payload;
    if (s->is_stopping)
        return;
    s->is_stopping = true;
    event_del(s->on_cancel); /* stays readable */
    notify_stopping();
    log_info(s->rt.log, "stopping", LOG_INT("signal", cancel_reason(s->env.cancel)));
    if (s->health)
        health_set_ready(s->health, false, "stopping");
    if (!s->poll) {
        leave(s);
        return;
    }
    runtime_after(&s->rt, &s->hard_stop, SCHEDULE_STOP_MS, on_hard_stop, s);
    poll_stop(s->poll, "context canceled: the connector is shutting down", on_stopped, s);
}

/* --- what the outside sees --- */

static void say_ready(struct service *s) {
    s->is_up = true;
    notify_ready();
}

static void on_hangup(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct service *s = payload;
    struct err err = ERR_INIT;
    /* To one that starts or stops, these two words would say that it has started. */
    bool is_told = s->is_up && !s->is_stopping;
    if (is_told)
        notify_reloading();
    if (log_reopen(s->rt.log, &err))
        log_info(s->rt.log, "log files opened again");
    else
        log_error(s->rt.log, "log files", LOG_ERROR_FIELD(&err));
    if (is_told)
        notify_ready();
}

static void on_watchdog(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct service *s = payload;
    notify_alive();
    runtime_after(&s->rt, &s->watchdog, notify_watchdog(), on_watchdog, s);
}

static void show_status(const char *what, const struct err *err) {
    mem_auto char *text = mem_printf("%s%s%s", what, err ? ": " : "", err ? err->msg : "");
    notify_status(text);
}

static void on_link(const struct err *err, void *payload) {
    (void)payload;
    if (err->code == ERR_OK)
        show_status("Connected to C1; waiting for tasks", NULL);
    else
        show_status("C1 does not answer", err);
}

static void on_checked(const struct err *err, const void *result, void *payload) {
    (void)result;
    struct service *s = payload;
    struct err shown = *err;
    s->check = NULL;
    log_mask(s->rt.log, shown.msg);
    health_reply_done(s->check_reply, &shown);
}

/* In the child. */
static bool run_check(void *payload, const struct cancel *cancel, void *result, struct err *err) {
    const struct service *s = payload;
    struct sync_job job = {
        .connector = s->rt.connector,
        .env = &s->env,
        .out_fd = -1,
        .written_fd = -1,
        .debug_fd = -1,
    };
    return sync_job_validate(&job, cancel, result, err);
}

static void start_check(struct health_reply *reply, void *payload) {
    struct service *s = payload;
    struct err err = ERR_INIT;
    struct worker_options o = {
        .base = s->rt.base,
        .log = s->rt.log,
        .limit_ms = HEALTH_CHECK_MS,
        .work = run_check,
        .done = on_checked,
        .payload = s,
    };
    s->check_reply = reply;
    s->check = worker_start(&o, &err);
    if (!s->check)
        health_reply_done(reply, &err);
}

/* --- memory --- */

static void on_rest(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what, (void)payload;
    pages_drop_all();
}

/* A little later, so that tasks that follow each other do not pay for it. */
static void on_idle(void *payload) {
    struct service *s = payload;
    runtime_after(&s->rt, &s->rest, REST_AFTER_MS, on_rest, s);
}

/* --- Hello, then the loop --- */

static void on_waiting(const struct err *err, void *payload) {
    struct service *s = payload;
    if (s->health)
        health_set_ready(s->health, false, err->msg);
    /* A service that waits for the network has started: whoever waits for it must not wait too. */
    show_status("Waiting for C1", err);
    say_ready(s);
}

/* What every sync's child would do again. */
static void prepare(struct service *s) {
    if (!s->rt.connector->prepare || s->rt.connector->prepare(&s->outcome))
        on_idle(s);
    else
        leave(s);
}

static void on_introduced(const struct err *err, void *payload) {
    struct service *s = payload;
    hello_abandon(s->hello);
    s->hello = NULL;
    if (err->code != ERR_OK) {
        s->outcome = *err;
        err_wrap(&s->outcome, "runner: startup Hello failed");
        leave(s);
        return;
    }
    counters_set(s->counters, COUNTER_CONNECTED, 1);
    if (s->health)
        health_set_ready(s->health, true, NULL);
    on_link(err, s);
    say_ready(s);
    int slots = (int)options_int(s->env.options, "task-concurrency");
    if (slots < 1)
        slots = 1;
    if (slots != DEFAULT_SLOTS)
        log_info(s->rt.log, "runner: task concurrency", LOG_INT("slots", slots));
    struct poll_options o = {
        .rt = &s->rt,
        .slots = slots,
        .is_batch = env_is_true("BATON_GET_TASKS"),
        .link = on_link,
        .idle = on_idle,
        .payload = s,
    };
    s->poll = poll_start(&o);
    /* While the first answer is on its way. */
    prepare(s);
}

/* --- building it --- */

static bool start_health(struct service *s, struct err *err) {
    const struct options *o = s->env.options;
    if (!options_bool(o, "health-check"))
        return true;
    const char *address = options_str(o, "health-check-bind-address");
    struct health_options how = {
        .base = s->rt.base,
        .bind_address = address,
        .port = (int)options_int(o, "health-check-port"),
        .metrics = counters_metrics(s->counters),
        .check = start_check,
        .payload = s,
    };
    s->health = health_new(&how, err);
    if (!s->health)
        return false;
    health_set_ready(s->health, false, "the first Hello to C1 has not been answered yet");
    mem_auto char *shown = mem_printf(strchr(address, ':') ? "[%s]:%d" : "%s:%d", address,
                                      health_port(s->health));
    log_info(s->rt.log, "health check server starting", LOG_STR("address", shown));
    return true;
}

/* What libevent has to say goes nowhere: its texts are about itself, and stderr is the log's. */
static void no_words(int severity, const char *text) {
    (void)severity, (void)text;
}

static bool start_loop(struct service *s, struct err *err) {
    event_set_log_callback(no_words);
    struct event_config *config = event_config_new();
    if (config) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
        s->rt.base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (!s->rt.base)
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "cannot make an event loop: out of descriptors?");
    s->on_cancel = event_new(s->rt.base, cancel_fd(s->env.cancel), EV_READ | EV_PERSIST, on_cancelled, s);
    s->on_hangup = evsignal_new(s->rt.base, SIGHUP, on_hangup, s);
    if (!s->on_cancel || !s->on_hangup || event_add(s->on_cancel, NULL) != 0 ||
        event_add(s->on_hangup, NULL) != 0)
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "cannot watch for signals");
    return true;
}

static bool start_client(struct service *s, struct err *err) {
    const struct options *o = s->env.options;
    if (!c1_credential_parse(options_str(o, "client-id"), options_secret(o, "client-secret"),
                             getenv("BATON_C1_API_HOST"), &s->credential, err))
        return false;
    s->trust = trust_new();
    struct c1_client_options how = {
        .base = s->rt.base,
        .trust = s->trust,
        .credential = &s->credential,
        .http_timeout_ms = (int)options_int(o, "http-timeout-seconds") * 1000,
    };
    s->rt.client = c1_client_new(&how);
    c1_client_warm_up(s->rt.client);
    return true;
}

/* What is wrong with the connector's settings shall be known now, not at the first task. */
static bool check_connector(const struct service *s, struct err *err) {
    void *state;
    if (!s->rt.connector->open(&s->env, &state, err))
        return false;
    s->rt.connector->close(state);
    return true;
}

static bool start(struct service *s, struct err *err) {
    if (!check_settings(s->env.options, err) || !check_connector(s, err) || !start_loop(s, err))
        return false;
    s->rt.counters = s->counters = counters_new(s->rt.connector, err);
    if (!s->counters)
        return false;
    s->env.meter = counters_meter(s->counters);
    if (!start_client(s, err) || !start_health(s, err))
        return false;
    hostinfo_read(&s->rt.host);
    notify_init();
    if (notify_watchdog() > 0)
        on_watchdog(-1, 0, s);
    s->hello = hello_start(&s->rt, on_waiting, on_introduced, s);
    return true;
}

static void stop(struct service *s) {
    hello_abandon(s->hello);
    poll_free(s->poll);
    worker_abandon(s->check);
    worker_drain();
    health_free(s->health);
    if (s->check)
        health_reply_done(s->check_reply, NULL);
    c1_client_free(s->rt.client);
    trust_free(s->trust);
    c1_credential_done(&s->credential);
    counters_free(s->counters);
    struct event **events[] = {&s->on_cancel, &s->on_hangup, &s->watchdog, &s->hard_stop,
                               &s->rest};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        runtime_timer_free(events[i]);
    if (s->rt.base) {
        /* A stream with a callback still due is freed by that turn, not with the base. */
        event_base_loop(s->rt.base, EVLOOP_NONBLOCK);
        event_base_free(s->rt.base);
    }
}

bool service_run(const struct baton_connector *connector, const struct baton_env *env, struct err *err) {
    struct service s = {
        .rt = {.log = env->log, .connector = connector},
        .env = *env,
        .outcome = ERR_INIT,
    };
    s.rt.env = &s.env;
    bool ok = start(&s, err);
    if (ok) {
        if (event_base_dispatch(s.rt.base) != 0)
            err_set(&s.outcome, ERR_INTERNAL, "the event loop of the service broke: start it again");
        ok = s.outcome.code == ERR_OK;
        if (!ok && err)
            *err = s.outcome;
    }
    stop(&s);
    return ok;
}

/* desk: the runtime of the unit tests. It takes the place of c1/client.h and service/schedule.h: a call
 * waits until the test answers it, and every wait takes one millisecond and is written down.
 */
#ifndef TESTS_UNIT_SERVICE_DESK_H
#define TESTS_UNIT_SERVICE_DESK_H

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "pb/pack.h"
#include "service/runtime.h"
#include "service/schedule.h"

#define TASK "2EkNWZFDMw8Cm1Yp0cXcvjSTq1x"

enum { DESK_PATIENCE_MS = 20000, DESK_LOG_MAX = 8192 };

struct c1_call {
    enum c1_method method;
    ProtobufCMessage *request; /* in the arena of the desk */
    int deadline_ms;
    c1_call_done *done;
    void *payload;
};

struct c1_upload {
    int fd;
    bool is_growing;
    int64_t size; /* as told while it grows */
    c1_upload_done *done;
    void *payload;
};

static struct desk {
    struct runtime rt;
    struct baton_env env;
    struct options *options;
    struct arena arena;
    struct c1_call *call; /* the last that is open */
    struct c1_upload *upload;
    int calls, cancelled, uploads, uploads_cancelled;
    int waits;    /* asked of the schedule */
    int failures; /* what the last was told */
    char log[DESK_LOG_MAX]; /* every line */
} desk;

static const struct baton_connector desk_connector = {
    .name = "desk", .version = "1", .display_name = "Desk", .description = "none"};

/* -- c1/client.h ----------------------------------------------------------------------------------- */

struct c1_call *c1_call_start(struct c1_client *client, enum c1_method method,
                              const ProtobufCMessage *request, int deadline_ms, c1_call_done *done,
                              void *payload) {
    size_t n;
    const uint8_t *bytes = pb_pack(request, &desk.arena, &n);
    struct c1_call *call = mem_zalloc(sizeof *call);
    assert_null(client);
    *call = (struct c1_call){
        .method = method,
        .request = pb_unpack(request->descriptor, bytes, n, &desk.arena, NULL),
        .deadline_ms = deadline_ms,
        .done = done,
        .payload = payload,
    };
    assert_non_null(call->request); /* what C1 could not read either */
    desk.calls++;
    desk.call = call;
    return call;
}

void c1_call_cancel(struct c1_call *call) {
    if (!call)
        return;
    desk.cancelled++;
    if (desk.call == call)
        desk.call = NULL;
    free(call);
}

struct c1_upload *c1_upload_start(struct c1_client *client, const char *host_id, const char *task_id,
                                  int fd, bool is_growing, c1_upload_done *done, void *payload) {
    assert_null(client);
    assert_string_equal(host_id, "desk-host");
    assert_string_equal(task_id, TASK);
    struct c1_upload *upload = mem_zalloc(sizeof *upload);
    *upload = (struct c1_upload){.fd = fd, .is_growing = is_growing, .done = done, .payload = payload};
    desk.uploads++;
    desk.upload = upload;
    return upload;
}

void c1_upload_grow(struct c1_upload *upload, int64_t size) {
    assert_ptr_equal(upload, desk.upload);
    assert_true(upload->is_growing);
    upload->size = size;
}

void c1_upload_complete(struct c1_upload *upload, int64_t size) {
    c1_upload_grow(upload, size);
    upload->is_growing = false;
}

void c1_upload_cancel(struct c1_upload *upload) {
    if (!upload)
        return;
    desk.uploads_cancelled++;
    if (desk.upload == upload)
        desk.upload = NULL;
    free(upload);
}

/* -- service/schedule.h ------------------------------------------------------------------------------ */

static inline int64_t desk_wait(int failures) {
    desk.waits++;
    desk.failures = failures;
    return 1;
}

int64_t schedule_poll(struct schedule_duration next_poll) {
    return next_poll.is_set ? next_poll.seconds * 1000 : desk_wait(0);
}

int64_t schedule_heartbeat(struct schedule_duration next_heartbeat) {
    return next_heartbeat.is_set ? next_heartbeat.seconds * 1000 : desk_wait(0);
}

int64_t schedule_hello_retry(int failures) {
    return desk_wait(failures);
}

int64_t schedule_poll_retry(int failures) {
    return desk_wait(failures);
}

int64_t schedule_upload_retry(int failures) {
    return desk_wait(failures);
}

int64_t schedule_first_heartbeat_retry(int failures) {
    return desk_wait(failures);
}

int64_t schedule_finish_retry(int failures) {
    return desk_wait(failures);
}

/* -- what the test does ------------------------------------------------------------------------------ */

static inline void desk_on_line(const char *line, size_t n, void *payload) {
    (void)payload;
    size_t used = strlen(desk.log);
    n = n < sizeof desk.log - used - 1 ? n : sizeof desk.log - used - 1;
    memcpy(desk.log + used, line, n);
    desk.log[used + n] = '\0';
}

static inline int desk_set_up(void **state) {
    struct err err = ERR_INIT;
    (void)state;
    desk = (struct desk){.rt = {.base = event_base_new(), .log = log_new(LOG_INFO, LOG_JSON)}};
    arena_init(&desk.arena);
    assert_true(log_open_path(desk.rt.log, "/dev/null", &err));
    log_set_tap(desk.rt.log, desk_on_line, NULL);
    desk.options = options_new(NULL, 0);
    desk.env = (struct baton_env){.options = desk.options, .log = desk.rt.log};
    desk.rt.env = &desk.env;
    desk.rt.connector = &desk_connector;
    desk.rt.counters = counters_new(&desk_connector, &err);
    snprintf(desk.rt.host.host_id, sizeof desk.rt.host.host_id, "desk-host");
    return desk.rt.base && desk.rt.counters ? 0 : -1;
}

static inline int desk_tear_down(void **state) {
    (void)state;
    bool is_clean = !desk.call && !desk.upload;
    counters_free(desk.rt.counters);
    options_free(desk.options);
    log_free(desk.rt.log);
    arena_done(&desk.arena);
    event_base_free(desk.rt.base);
    return is_clean ? 0 : -1;
}

static inline void desk_on_patience(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    *(bool *)payload = true;
}

/* Runs the loop until *counter is at least `value`. */
static inline void desk_run_until(const int *counter, int value) {
    bool is_late = false;
    struct event *patience = evtimer_new(desk.rt.base, desk_on_patience, &is_late);
    event_add(patience, &(struct timeval){.tv_sec = DESK_PATIENCE_MS / 1000});
    while (*counter < value && !is_late)
        event_base_loop(desk.rt.base, EVLOOP_ONCE);
    event_free(patience);
    assert_false(is_late);
}

/* Ends the open call: with the answer if the code is OK (NULL: an empty one of that kind). */
static inline void desk_answer(enum err_code code, const ProtobufCMessage *answer) {
    struct c1_call *call = desk.call;
    struct err err = ERR_INIT;
    assert_non_null(call);
    desk.call = NULL;
    if (code != ERR_OK)
        err_set(&err, code, "from the desk");
    call->done(code != ERR_OK ? &err : NULL, code != ERR_OK, answer, call->payload);
    free(call);
}

static inline void desk_end_upload(enum err_code code) {
    struct c1_upload *upload = desk.upload;
    struct err err = ERR_INIT;
    assert_non_null(upload);
    desk.upload = NULL;
    if (code != ERR_OK)
        err_set(&err, code, "from the desk");
    upload->done(code != ERR_OK ? &err : NULL, code != ERR_OK, upload->payload);
    free(upload);
}

#endif

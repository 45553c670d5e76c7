/* client: calls and uploads with a token on them. The channel below is a script: each call of the
 * test's gRPC takes the next outcome. */
#include "tests/unit/test.h"

#include <sys/mman.h>
#include <unistd.h>

#include "baton_api.pb-c.h"
#include "c1/asset.h"
#include "c1/client.h"
#include "grpc/channel.h"
#include "tests/unit/c1/endpoint.h"

#define TASK "2EkNWZFDMw8Cm1Yp0cXcvjSTq1x"

/* -- the channel ----------------------------------------------------------------------------------- */

struct step {
    enum err_code code;
    bool is_local; /* the error is not the server's */
    const char *answer;
    int pulls;       /* messages asked for before the end; -1: all */
    bool is_hanging; /* no end */
};

static struct grpc_script {
    const struct step *steps;
    int calls, cancelled, warmed, freed, waits;
    char log[512];        /* a line a call: path, authorization, size of the request or messages */
    char user_agent[128];
    int deadline_ms;      /* of the last call */
} script;

struct grpc_channel {
    struct event_base *base;
};

struct grpc_call {
    struct grpc_call_options options;
    const struct step *step;
    struct event *event;
    int pulled;
    bool is_waiting; /* for a message that is not there yet */
};

struct grpc_channel *grpc_channel_new(const struct grpc_channel_options *options) {
    struct grpc_channel *channel = calloc(1, sizeof *channel);
    channel->base = options->base;
    assert_string_equal(options->host, "127.0.0.1");
    assert_int_equal(options->port, 18443);
    snprintf(script.user_agent, sizeof script.user_agent, "%s", options->user_agent);
    return channel;
}

void grpc_channel_free(struct grpc_channel *channel) {
    script.freed++;
    free(channel);
}

void grpc_channel_warm_up(struct grpc_channel *channel) {
    (void)channel;
    script.warmed++;
}

void grpc_call_cancel(struct grpc_call *call) {
    if (!call)
        return;
    script.cancelled++;
    event_free(call->event);
    free(call);
}

void grpc_call_wake(struct grpc_call *call) {
    assert_true(call->is_waiting);
    call->is_waiting = false;
    event_active(call->event, EV_TIMEOUT, 0);
}

/* Asks for the messages of an upload. */
static void pull(struct grpc_call *call, struct err *err) {
    enum grpc_next next = GRPC_NEXT_MESSAGE;
    while (next == GRPC_NEXT_MESSAGE && call->pulled != call->step->pulls) {
        buf_auto struct buf message;
        buf_init(&message, C1_CHUNK_MESSAGE_MAX);
        next = call->options.next(call->options.payload, &message, err);
        call->pulled += next == GRPC_NEXT_MESSAGE || next == GRPC_NEXT_LAST;
    }
    call->is_waiting = next == GRPC_NEXT_LATER;
    script.waits += call->is_waiting;
    if (call->is_waiting || next == GRPC_NEXT_FAILED)
        return;
    size_t used = strlen(script.log);
    snprintf(script.log + used, sizeof script.log - used, " %d messages\n", call->pulled);
}

static void end_call(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    struct grpc_call *call = payload;
    const struct step *step = call->step;
    const char *answer = step->answer ? step->answer : "";
    struct grpc_outcome outcome = {.err = ERR_INIT,
                                   .answer = (const uint8_t *)answer,
                                   .answer_len = strlen(answer)};
    if (step->code != ERR_OK) {
        err_set(&outcome.err, step->code, "scripted");
        outcome.is_from_server = !step->is_local;
    }
    if (call->options.next)
        pull(call, &outcome.err);
    if (step->is_hanging || call->is_waiting)
        return;
    grpc_call_done *done = call->options.done;
    void *done_payload = call->options.payload;
    event_free(call->event);
    free(call);
    done(&outcome, done_payload);
}

struct grpc_call *grpc_call_start(struct grpc_channel *channel,
                                  const struct grpc_call_options *options) {
    struct grpc_call *call = calloc(1, sizeof *call);
    const char *method = strrchr(options->path, '/') + 1;
    size_t used = strlen(script.log);
    assert_int_equal(method - options->path, strlen("/c1.connectorapi.baton.v1.BatonService/"));
    snprintf(script.log + used, sizeof script.log - used, "%s %s", method, options->authorization);
    used = strlen(script.log);
    if (options->message)
        snprintf(script.log + used, sizeof script.log - used, " %zu\n", options->message_len);
    script.deadline_ms = options->deadline_ms;
    call->options = *options;
    call->step = &script.steps[script.calls++];
    call->event = event_new(channel->base, -1, 0, end_call, call);
    event_active(call->event, EV_TIMEOUT, 0);
    return call;
}

/* -- the caller ------------------------------------------------------------------------------------ */

struct caller {
    int told;
    struct err err;
    bool is_from_server;
    int64_t next_poll_s; /* -1: no answer of that kind */
};

static void on_answer(const struct err *err, bool is_from_server, const ProtobufCMessage *answer,
                      void *payload) {
    struct caller *caller = payload;
    assert_true(!err != !answer);
    caller->told++;
    caller->err = err ? *err : ERR_INIT;
    caller->is_from_server = is_from_server;
    caller->next_poll_s = -1;
    if (!answer || answer->descriptor != &api__baton_service_get_task_response__descriptor)
        return;
    const Api__BatonServiceGetTaskResponse *response = (const void *)answer;
    caller->next_poll_s = response->next_poll ? response->next_poll->seconds : 0;
}

static void on_uploaded(const struct err *err, bool is_from_server, void *payload) {
    struct caller *caller = payload;
    caller->told++;
    caller->err = err ? *err : ERR_INIT;
    caller->is_from_server = is_from_server;
}

static struct c1_client *begin(const struct step *steps, int stall_ms) {
    world_begin();
    script = (struct grpc_script){.steps = steps};
    return c1_client_new(&(struct c1_client_options){
        .base = world.base, .credential = &world.credential, .stall_ms = stall_ms});
}

static void end(struct c1_client *client) {
    c1_client_free(client);
    assert_int_equal(script.freed, 1);
    world_end();
}

static struct c1_call *get_task(struct c1_client *client, int deadline_ms, struct caller *caller) {
    Api__BatonServiceGetTaskRequest request;
    char host[] = "host-a";
    api__baton_service_get_task_request__init(&request);
    request.host_id = host;
    *caller = (struct caller){0};
    struct c1_call *call =
        c1_call_start(client, C1_GET_TASK, &request.base, deadline_ms, on_answer, caller);
    assert_int_equal(caller->told, 0);
    return call;
}

static void test_client_calls(void **state) {
    (void)state;
    static const struct step steps[] = {{.answer = "\x12\x02\x08\x07"}, {0}};
    struct c1_client *client = begin(steps, 0);
    struct caller caller;
    c1_client_warm_up(client);
    assert_int_equal(script.warmed, 1);
    assert_int_equal(world.dials, 1);
    get_task(client, 5000, &caller);
    run_until(&caller.told, 1);
    assert_int_equal(caller.err.code, ERR_OK);
    assert_int_equal(caller.next_poll_s, 7);
    assert_in_range(script.deadline_ms, 1, 5000);
    get_task(client, 0, &caller);
    run_until(&caller.told, 1);
    assert_int_equal(caller.next_poll_s, 0);
    assert_int_equal(script.deadline_ms, 0);
    assert_string_equal(script.log, "GetTask Bearer t1 8\nGetTask Bearer t1 8\n");
    assert_string_equal(script.user_agent, "mock-client-00001 baton-sdk/v0.25.0 "
                                           "grpc-c-baton/" BATON_CRISP_VERSION);
    end(client);
}

static void test_client_takes_a_fresh_token_once(void **state) {
    (void)state;
    static const struct step steps[] = {
        {.code = ERR_UNAUTHENTICATED}, {.answer = "\x12\x02\x08\x07"}, {.code = ERR_UNAUTHENTICATED},
        {.code = ERR_UNAUTHENTICATED}, {.code = ERR_UNAUTHENTICATED, .is_local = true},
        {.code = ERR_UNAVAILABLE}};
    static const struct {
        enum err_code code;
        bool is_from_server;
        const char *log;
    } cases[] = {
        {ERR_OK, false, "GetTask Bearer t1 8\nGetTask Bearer t2 8\n"},
        {ERR_UNAUTHENTICATED, true, "GetTask Bearer t2 8\nGetTask Bearer t3 8\n"},
        {ERR_UNAUTHENTICATED, false, "GetTask Bearer t4 8\n"},
        {ERR_UNAVAILABLE, true, "GetTask Bearer t4 8\n"},
    };
    struct c1_client *client = begin(steps, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct caller caller;
        *script.log = '\0';
        get_task(client, 0, &caller);
        run_until(&caller.told, 1);
        assert_int_equal(caller.err.code, cases[i].code);
        assert_int_equal(caller.is_from_server, cases[i].is_from_server);
        assert_string_equal(script.log, cases[i].log);
    }
    end(client);
}

static void test_client_tells_that_there_is_no_token(void **state) {
    (void)state;
    struct c1_client *client = begin(NULL, 0);
    struct caller caller;
    world.answer = "HTTP/1.1 401 No\r\n\r\n";
    get_task(client, 1000, &caller);
    run_until(&caller.told, 1);
    assert_int_equal(caller.err.code, ERR_UNAUTHENTICATED);
    assert_false(caller.is_from_server);

    world.answer = NULL;
    get_task(client, 50, &caller);
    run_until(&caller.told, 1);
    assert_int_equal(caller.err.code, ERR_DEADLINE_EXCEEDED);
    assert_string_equal(caller.err.msg, "/c1.connectorapi.baton.v1.BatonService/GetTask: 50 ms passed "
                                        "while waiting for a token");
    end(client);
}

static void test_client_refuses_what_is_no_answer(void **state) {
    (void)state;
    static const struct step steps[] = {{.answer = "\x12\x7f"}};
    struct c1_client *client = begin(steps, 0);
    struct caller caller;
    get_task(client, 0, &caller);
    run_until(&caller.told, 1);
    assert_int_equal(caller.err.code, ERR_INTERNAL);
    assert_false(caller.is_from_server);
    assert_non_null(strstr(caller.err.msg, "cannot read the server's answer to GetTask: "));
    end(client);
}

static void test_client_cancels(void **state) {
    (void)state;
    static const struct step steps[] = {{.is_hanging = true}};
    struct c1_client *client = begin(steps, 0);
    struct caller caller;
    c1_call_cancel(get_task(client, 1000, &caller)); /* waiting for the token */
    struct c1_call *call = get_task(client, 0, &caller);
    run_until(&script.calls, 1);
    c1_call_cancel(call);
    assert_int_equal(script.cancelled, 1);
    run_dry();
    assert_int_equal(caller.told, 0);
    c1_call_cancel(NULL);
    c1_upload_cancel(NULL);
    end(client);
}

/* -- uploads --------------------------------------------------------------------------------------- */

static int make_file(size_t size) {
    int fd = memfd_create("asset", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

static void test_client_uploads(void **state) {
    (void)state;
    static const struct step steps[] = {{.pulls = -1},
                                        {.code = ERR_UNAUTHENTICATED, .pulls = 2},
                                        {.pulls = -1},
                                        {.code = ERR_UNAVAILABLE, .pulls = 1}};
    static const struct {
        enum err_code code;
        const char *log;
    } cases[] = {
        {ERR_OK, "UploadAsset Bearer t1 5 messages\n"},
        {ERR_OK, "UploadAsset Bearer t1 2 messages\nUploadAsset Bearer t2 5 messages\n"},
        {ERR_UNAVAILABLE, "UploadAsset Bearer t2 1 messages\n"},
    };
    struct c1_client *client = begin(steps, 0);
    int fd = make_file(2 * C1_CHUNK + 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct caller caller = {0};
        *script.log = '\0';
        c1_upload_start(client, "vm", TASK, fd, false, on_uploaded, &caller);
        assert_int_equal(caller.told, 0);
        run_until(&caller.told, 1);
        assert_int_equal(caller.err.code, cases[i].code);
        assert_int_equal(caller.is_from_server, cases[i].code != ERR_OK);
        assert_string_equal(script.log, cases[i].log);
    }
    close(fd);
    end(client);
}

static void test_client_gives_a_stalled_upload_up(void **state) {
    (void)state;
    static const struct step steps[] = {{.pulls = 0, .is_hanging = true},
                                        {.pulls = 2, .is_hanging = true},
                                        {.pulls = -1, .is_hanging = true}};
    static const char *const texts[] = {
        "the upload stalled: the server has not let it begin for 50 ms",
        "the upload stalled: the server has taken nothing for 50 ms, after 524288 of 524289 bytes",
        "the upload stalled: all was sent, but no answer in 50 ms",
    };
    struct c1_client *client = begin(steps, 50);
    int fd = make_file(C1_CHUNK + 1);
    for (int i = 0; i < 3; i++) {
        struct caller caller = {0};
        c1_upload_start(client, "vm", TASK, fd, false, on_uploaded, &caller);
        run_until(&caller.told, 1);
        assert_int_equal(caller.err.code, ERR_UNAVAILABLE);
        assert_false(caller.is_from_server);
        assert_string_equal(caller.err.msg, texts[i]);
        assert_int_equal(script.cancelled, i + 1);
    }
    close(fd);
    end(client);
}

static void test_client_uploads_a_file_that_grows(void **state) {
    (void)state;
    static const struct step steps[] = {
        {.pulls = -1}, {.code = ERR_UNAUTHENTICATED, .pulls = 2}, {.pulls = -1}};
    static const char *const logs[] = {
        "UploadAsset Bearer t1 5 messages\n",
        "UploadAsset Bearer t1 2 messages\nUploadAsset Bearer t2 5 messages\n"};
    struct c1_client *client = begin(steps, 50);
    int fd = make_file(2 * C1_CHUNK + 7);
    for (int i = 0; i < 2; i++) {
        struct caller caller = {0};
        *script.log = '\0';
        script.waits = 0;
        struct c1_upload *upload = c1_upload_start(client, "vm", TASK, fd, true, on_uploaded, &caller);
        c1_upload_grow(upload, C1_CHUNK);
        run_until(&script.waits, 1);
        /* Longer than a server may let it stand still. */
        event_base_loopexit(world.base, &(struct timeval){.tv_usec = 100000});
        event_base_dispatch(world.base);
        c1_upload_grow(upload, C1_CHUNK + 9);
        run_dry();
        assert_int_equal(script.waits, 1); /* no whole chunk */
        c1_upload_grow(upload, 2 * C1_CHUNK + 7);
        run_until(&script.waits, 2);
        assert_int_equal(caller.told, 0);
        c1_upload_complete(upload, 2 * C1_CHUNK + 7);
        run_until(&caller.told, 1);
        assert_int_equal(caller.err.code, ERR_OK);
        assert_string_equal(script.log, logs[i]);
    }
    close(fd);
    end(client);
}

static void test_client_believes_no_ok_before_the_end(void **state) {
    (void)state;
    static const struct step steps[] = {{.pulls = 0}, {.pulls = 2}, {.pulls = 3}};
    struct c1_client *client = begin(steps, 0);
    int fd = make_file(C1_CHUNK + 1);
    for (int i = 0; i < 3; i++) { /* metadata, two chunks; the end is still to come */
        struct caller caller = {0};
        c1_upload_start(client, "vm", TASK, fd, false, on_uploaded, &caller);
        run_until(&caller.told, 1);
        assert_int_equal(caller.err.code, ERR_INTERNAL);
        assert_false(caller.is_from_server);
    }
    close(fd);
    end(client);
}

static void test_client_cancels_uploads(void **state) {
    (void)state;
    static const struct step steps[] = {{.pulls = 1, .is_hanging = true}};
    struct c1_client *client = begin(steps, 0);
    struct caller caller = {0};
    int fd = make_file(1);
    c1_upload_cancel(c1_upload_start(client, "vm", TASK, fd, false, on_uploaded, &caller));
    struct c1_upload *upload = c1_upload_start(client, "vm", TASK, fd, false, on_uploaded, &caller);
    run_until(&script.calls, 1);
    run_dry();
    c1_upload_cancel(upload);
    assert_int_equal(caller.told, 0);
    close(fd);
    end(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_calls),
        cmocka_unit_test(test_client_takes_a_fresh_token_once),
        cmocka_unit_test(test_client_tells_that_there_is_no_token),
        cmocka_unit_test(test_client_refuses_what_is_no_answer),
        cmocka_unit_test(test_client_cancels),
        cmocka_unit_test(test_client_uploads),
        cmocka_unit_test(test_client_gives_a_stalled_upload_up),
        cmocka_unit_test(test_client_uploads_a_file_that_grows),
        cmocka_unit_test(test_client_believes_no_ok_before_the_end),
        cmocka_unit_test(test_client_cancels_uploads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

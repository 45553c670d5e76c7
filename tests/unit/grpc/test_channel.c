/* Calls over a channel, against a server that does right and one that does every kind of wrong. */
#include "tests/unit/test.h"

#include <signal.h>

#include "grpc/channel.h"
#include "tests/unit/grpc/peer.h"

static struct grpc_channel *channel;
static int fds_before;

/* How calls ended, together. */
static struct got {
    int count, ok_count;
    enum err_code code;
    bool is_from_server;
    char msg[ERR_MSG_MAX], answer[64];
    size_t answer_len;
} got;

static void on_done(const struct grpc_outcome *outcome, void *payload) {
    (void)payload;
    got.count++;
    got.ok_count += outcome->err.code == ERR_OK;
    got.code = outcome->err.code;
    got.is_from_server = outcome->is_from_server;
    got.answer_len = outcome->answer_len;
    snprintf(got.msg, sizeof got.msg, "%s", outcome->err.msg);
    snprintf(got.answer, sizeof got.answer, "%.*s", (int)outcome->answer_len,
             outcome->answer ? (const char *)outcome->answer : "");
}

static struct grpc_call_options usual(void) {
    return (struct grpc_call_options){.path = "/test.Service/Say",
                                      .authorization = "Bearer abc",
                                      .message = (const uint8_t *)"hi",
                                      .message_len = 2,
                                      .done = on_done};
}

static struct grpc_call *start(void) {
    struct grpc_call_options options = usual();
    return grpc_call_start(channel, &options);
}

static struct grpc_call *start_with_deadline(int ms) {
    struct grpc_call_options options = usual();
    options.deadline_ms = ms;
    return grpc_call_start(channel, &options);
}

static void call_once(void) {
    int before = got.count;
    start();
    run_until(&got.count, before + 1);
}

/* A stream of requests: `left` messages of `size` bytes. */
struct source {
    int left, asked;
    size_t size;
    bool is_failing;
    bool is_live; /* only `ready` messages are there yet */
    int ready, waits;
};

static enum grpc_next next_message(void *payload, struct buf *message, struct err *err) {
    struct source *source = payload;
    assert_int_equal(message->len, 0);
    source->asked++;
    if (source->is_live && source->ready == 0) {
        source->waits++;
        return GRPC_NEXT_LATER;
    }
    source->ready--;
    if (source->is_failing) {
        err_set(err, ERR_DATA_LOSS, "the file has shrunk");
        return GRPC_NEXT_FAILED;
    }
    void *to = buf_extend(message, source->size);
    if (to)
        memset(to, 'x', source->size);
    return --source->left == 0 ? GRPC_NEXT_LAST : GRPC_NEXT_MESSAGE;
}

static struct grpc_call *start_stream(struct source *source, int deadline_ms) {
    struct grpc_call_options options = {.path = "/test.Service/Put",
                                        .next = next_message,
                                        .deadline_ms = deadline_ms,
                                        .done = on_done,
                                        .payload = source};
    return grpc_call_start(channel, &options);
}

static void make_channel(const struct grpc_channel_options *more) {
    struct grpc_channel_options options = more ? *more : (struct grpc_channel_options){0};
    options.base = world.base;
    options.host = options.host ? options.host : "c1.test";
    options.port = 443;
    options.user_agent = "tester/1";
    channel = grpc_channel_new(&options);
}

static void remake_channel(const struct grpc_channel_options *more) {
    grpc_channel_free(channel);
    make_channel(more);
}

/* A connection on which the server's settings have come already. */
static void connect_first(void) {
    grpc_channel_warm_up(channel);
    run_until(&world.accepted, 1);
    run_dry();
}

static void set(int32_t id, uint32_t value) {
    world.settings[world.setting_count++] = (nghttp2_settings_entry){id, value};
}

static int set_up(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    fds_before = count_fds();
    got = (struct got){0};
    world_begin();
    world.on_frame = answer_all;
    make_channel(NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    grpc_channel_free(channel);
    world_end();
    assert_int_equal(count_fds(), fds_before);
    return 0;
}

/* ---- it works ---- */

static void test_channel_makes_a_unary_call(void **state) {
    (void)state;
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_true(got.is_from_server);
    assert_string_equal(got.answer, "hello");
    assert_int_equal(world.received, 7);
    assert_string_equal(world.heads, ":method: POST\n:scheme: https\n:path: /test.Service/Say\n"
                                     ":authority: c1.test:443\ncontent-type: application/grpc\n"
                                     "user-agent: tester/1\nte: trailers\n"
                                     "authorization: Bearer abc (never indexed)\n");
}

static void test_channel_sends_the_deadline(void **state) {
    (void)state;
    start_with_deadline(90000);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_OK);
    const char *timeout = strstr(world.heads, "te: trailers\ngrpc-timeout: ");
    assert_non_null(timeout);
    long ms = strtol(timeout + strlen("te: trailers\ngrpc-timeout: "), NULL, 10);
    assert_in_range(ms, 80000, 90000);
    assert_non_null(strstr(timeout, "m\nauthorization: "));
}

static void test_channel_puts_brackets_around_ipv6(void **state) {
    (void)state;
    remake_channel(&(struct grpc_channel_options){.host = "::1"});
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_non_null(strstr(world.heads, ":authority: [::1]:443\n"));
}

static void test_channel_makes_many_calls_on_one_connection(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++)
        call_once();
    for (int i = 0; i < 50; i++)
        start();
    run_until(&got.count, 100);
    assert_int_equal(got.ok_count, 100);
    assert_int_equal(world.dials, 1);
}

static void test_channel_streams_messages(void **state) {
    (void)state;
    struct source source = {.left = 20, .size = 512 * 1024};
    start_stream(&source, 0);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(source.asked, 20);
    assert_int_equal(world.received, 20 * (512 * 1024 + 5));
}

static void test_channel_waits_for_a_message_that_is_late(void **state) {
    (void)state;
    struct source source = {.left = 3, .size = 20000, .is_live = true};
    struct grpc_call *call = start_stream(&source, 0);
    grpc_call_wake(call); /* before it has a connection */
    for (int i = 0; i < 3; i++) {
        int before = source.waits;
        run_until(&source.waits, before + 1);
        run_dry();
        assert_in_range(source.waits, before + 1, before + 2); /* not over and over */
        before = source.waits;
        call_once(); /* another call is not held up */
        assert_int_equal(source.waits, before);
        source.ready = 1;
        grpc_call_wake(call);
        grpc_call_wake(call);
    }
    run_until(&got.count, 4);
    assert_int_equal(got.ok_count, 4);
    assert_int_equal(world.dials, 1);
}

/* The first call of a connection, of whose two messages one is late. */
static struct grpc_call *start_late(struct source *source) {
    *source = (struct source){.left = 2, .size = 20000, .is_live = true, .ready = 1};
    struct grpc_call *call = start_stream(source, 0);
    run_until(&source->waits, 1);
    run_dry();
    return call;
}

static void late_refuse(struct peer *peer) {
    peer_refuse(peer, 1, "16", "no token");
}

static void late_reset(struct peer *peer) {
    nghttp2_submit_rst_stream(peer->h2, 0, 1, NGHTTP2_REFUSED_STREAM);
}

static void late_goaway(struct peer *peer) {
    nghttp2_submit_goaway(peer->h2, 0, 0, NGHTTP2_NO_ERROR, NULL, 0);
}

static void test_channel_ends_a_call_that_waits_for_its_message(void **state) {
    (void)state;
    static const struct {
        void (*act)(struct peer *peer);
        enum err_code code;
    } cases[] = {
        {late_refuse, ERR_UNAUTHENTICATED},
        {late_reset, ERR_UNAVAILABLE},
        {late_goaway, ERR_UNAVAILABLE},
        {peer_cut, ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source source;
        remake_channel(NULL);
        struct grpc_call *call = start_late(&source);
        struct peer *peer = &world.peers[world.accepted - 1];
        int before = got.count;
        cases[i].act(peer);
        if (cases[i].act != peer_cut)
            peer_flush(peer);
        for (int k = 0; k < 5 && got.count == before; k++) {
            grpc_call_wake(call);
            event_base_loop(world.base, EVLOOP_NONBLOCK);
        }
        run_until(&got.count, before + 1);
        run_dry();
        assert_int_equal(got.count, before + 1);
        assert_int_equal(got.code, cases[i].code);
    }
}

static void test_channel_lets_a_late_message_out_after_a_goaway(void **state) {
    (void)state;
    struct source source;
    struct grpc_call *call = start_late(&source);
    nghttp2_submit_goaway(world.peers[0].h2, 0, 1, NGHTTP2_NO_ERROR, NULL, 0);
    peer_flush(&world.peers[0]);
    run_dry();
    assert_int_equal(got.count, 0);
    source.ready = 1;
    grpc_call_wake(call);
    run_until(&got.count, 1);
    assert_int_equal(got.ok_count, 1);
    assert_int_equal(world.received, 2 * (20000 + 5));
}

static void test_channel_gives_up_a_call_that_waits_for_its_message(void **state) {
    (void)state;
    struct source source;
    grpc_call_cancel(start_late(&source));
    call_once();
    assert_int_equal(got.count, 1);
    start_late(&source); /* the channel goes before it */
}

static void answer_emptily(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame))
        peer_answer_raw(peer, frame->hd.stream_id, "\0\0\0\0\0", 5, "0");
}

static void test_channel_takes_an_empty_answer(void **state) {
    (void)state;
    world.on_frame = answer_emptily;
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(got.answer_len, 0);
}

static void test_channel_warms_up(void **state) {
    (void)state;
    connect_first();
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(world.dials, 1);
}

/* ---- the server's word ---- */

static const char *script_status, *script_message;

static void refuse_at_end(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame))
        peer_refuse(peer, frame->hd.stream_id, script_status, script_message);
}

static void refuse_at_head(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_head(frame))
        peer_refuse(peer, frame->hd.stream_id, script_status, script_message);
}

static void test_channel_hands_on_a_trailers_only_status(void **state) {
    (void)state;
    static const char *const messages[][2] = {
        {"not you, %C3%84rger%21", "not you, \xC3\x84rger!"},
        {" spaces around ", " spaces around "},
        {"raw \xC3\xBC", "raw \xC3\xBC"},
        {"", "the server gave no reason"},
    };
    script_status = "7";
    world.on_frame = refuse_at_end;
    for (size_t i = 0; i < COUNT(messages); i++) {
        script_message = messages[i][0];
        call_once();
        assert_int_equal(got.code, ERR_PERMISSION_DENIED);
        assert_true(got.is_from_server);
        assert_string_equal(got.msg, messages[i][1]);
    }
}

static void test_channel_keeps_the_code_when_the_message_may_not_be(void **state) {
    (void)state;
    script_status = "7";
    script_message = "bell \a";
    world.on_frame = refuse_at_end;
    call_once();
    assert_int_equal(got.code, ERR_PERMISSION_DENIED);
    assert_true(got.is_from_server);
}

static void answer_with_status_5(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame))
        peer_answer_raw(peer, frame->hd.stream_id, "\0\0\0\0\1x", 6, "5");
}

static void test_channel_hands_on_a_status_behind_an_answer(void **state) {
    (void)state;
    world.on_frame = answer_with_status_5;
    call_once();
    assert_int_equal(got.code, ERR_NOT_FOUND);
    assert_true(got.is_from_server);
    assert_int_equal(got.answer_len, 0);
}

static void test_channel_never_loses_an_early_answer(void **state) {
    (void)state;
    script_status = "12";
    script_message = "unknown service";
    world.on_frame = refuse_at_head;
    for (int i = 0; i < 200; i++) {
        struct source source = {.left = 4, .size = (size_t)(i % 5) * 30000 + 1};
        start_stream(&source, 0);
        run_until(&got.count, i + 1);
        assert_int_equal(got.code, ERR_UNIMPLEMENTED);
        assert_true(got.is_from_server);
        assert_string_equal(got.msg, "unknown service");
    }
    assert_int_equal(world.dials, 1);
}

static void refuse_after_1_mib(struct peer *peer, const nghttp2_frame *frame) {
    if (frame->hd.type == NGHTTP2_DATA && world.received > 1024 * 1024 &&
        !nghttp2_session_get_stream_user_data(peer->h2, frame->hd.stream_id)) {
        nghttp2_session_set_stream_user_data(peer->h2, frame->hd.stream_id, peer);
        peer_refuse(peer, frame->hd.stream_id, "8", "enough");
    }
}

static void test_channel_hears_an_error_in_the_middle_of_an_upload(void **state) {
    (void)state;
    struct source source = {.left = 1000, .size = 100 * 1024};
    world.on_frame = refuse_after_1_mib;
    start_stream(&source, 0);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_RESOURCE_EXHAUSTED);
    assert_true(got.is_from_server);
    assert_string_equal(got.msg, "enough");
    assert_in_range(source.asked, 10, 40);
    world.on_frame = answer_all;
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(world.dials, 1);
}

/* Out at once, and then the end, while the client may still be writing. */
static void send_and_hang_up(struct peer *peer) {
    const uint8_t *data;
    for (ssize_t n; (n = nghttp2_session_mem_send(peer->h2, &data)) > 0;)
        assert_int_equal(send(bufferevent_getfd(peer->wire), data, (size_t)n, MSG_NOSIGNAL), n);
    shutdown(bufferevent_getfd(peer->wire), SHUT_RDWR);
}

static void answer_early_and_hang_up(struct peer *peer, const nghttp2_frame *frame) {
    if (frame->hd.type != NGHTTP2_DATA || world.received < 300 * 1024)
        return;
    world.on_frame = NULL;
    peer_refuse(peer, frame->hd.stream_id, "9", "closing now");
    send_and_hang_up(peer);
}

static void test_channel_reads_what_was_said_before_the_end(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct source source = {.left = 1000, .size = 100 * 1024};
        world.received = 0;
        world.on_frame = answer_early_and_hang_up;
        start_stream(&source, 0);
        run_until(&got.count, i + 1);
        assert_int_equal(got.code, ERR_FAILED_PRECONDITION);
        assert_string_equal(got.msg, "closing now");
    }
}

/* ---- answers that are wrong ---- */

struct bad_answer {
    const char *data;
    size_t len;
    const char *status;
    enum err_code code;
    const char *words;
};

static const struct bad_answer *bad_answer;

static void answer_badly(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame))
        peer_answer_raw(peer, frame->hd.stream_id, bad_answer->data, bad_answer->len,
                        bad_answer->status);
}

static void test_channel_names_what_is_wrong_with_an_answer(void **state) {
    (void)state;
    static const struct bad_answer cases[] = {
        {"\1\0\0\0\1x", 6, "0", ERR_UNIMPLEMENTED, "compressed"},
        {"\0\0\0\4\1x", 6, "0", ERR_RESOURCE_EXHAUSTED, "1025 bytes"},
        {"\0\0\0\0\1x", 6, NULL, ERR_UNKNOWN, "without grpc-status"},
        {"", 0, NULL, ERR_UNKNOWN, "without grpc-status"},
        {"\0\0\0\0\2x", 6, "0", ERR_INTERNAL, "inside its message"},
        {"\0\0\0", 3, "0", ERR_INTERNAL, "inside its message"},
        {"\0\0\0\0\2x", 6, NULL, ERR_INTERNAL, "inside its message"},
        {"", 0, "0", ERR_INTERNAL, "no answer"},
        {"\0\0\0\0\1x\0\0\0\0\1y", 12, "0", ERR_INTERNAL, "more than one"},
        {"\0\0\0\0\1x", 6, "99", ERR_UNKNOWN, "no reason"}, /* this one is the server's word */
    };
    world.on_frame = answer_badly;
    struct grpc_call_options options = usual();
    options.answer_max = 1024;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bad_answer = &cases[i];
        grpc_call_start(channel, &options);
        run_until(&got.count, (int)i + 1);
        assert_int_equal(got.code, cases[i].code);
        assert_non_null(strstr(got.msg, cases[i].words));
        assert_int_equal(got.is_from_server, i + 1 == COUNT(cases));
    }
    assert_int_equal(world.dials, 1);
}

static const nghttp2_nv *script_head;
static size_t script_head_count;

static void answer_with_head(struct peer *peer, const nghttp2_frame *frame) {
    if (!is_request_end(frame))
        return;
    struct body *body = calloc(1, sizeof *body);
    body->data = (uint8_t *)strdup("<html>secret page</html>");
    body->len = 24;
    const nghttp2_data_provider provider = {.source.ptr = body, .read_callback = body_read};
    nghttp2_submit_response(peer->h2, frame->hd.stream_id, script_head, script_head_count,
                            &provider);
}

static void test_channel_judges_what_is_not_grpc_by_http(void **state) {
    (void)state;
    static const struct {
        const char *http, *type;
        enum err_code code;
    } cases[] = {
        {"503", "text/html", ERR_UNAVAILABLE},
        {"401", "application/json", ERR_UNAUTHENTICATED},
        {"404", "text/\xC3\xBC", ERR_UNIMPLEMENTED},
        {"200", "text/html", ERR_UNKNOWN},
        {"200", "application/grpc-web", ERR_UNKNOWN},
        {"502", "application/grpc", ERR_UNAVAILABLE},
    };
    world.on_frame = answer_with_head;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const nghttp2_nv head[] = {NV(":status", cases[i].http),
                                   NV("content-type", cases[i].type)};
        script_head = head;
        script_head_count = COUNT(head);
        call_once();
        assert_int_equal(got.code, cases[i].code);
        assert_false(got.is_from_server);
        assert_non_null(strstr(got.msg, "c1.test:443 answered HTTP"));
        assert_null(strstr(got.msg, "secret"));
    }
}

static void test_channel_passes_over_interim_answers(void **state) {
    (void)state;
    world.on_frame = NULL;
    start();
    run_until(&world.accepted, 1);
    run_dry();
    const nghttp2_nv hints[] = {NV(":status", "103"), NV("link", "x")};
    nghttp2_submit_headers(world.peers[0].h2, 0, 1, NULL, hints, COUNT(hints), NULL);
    peer_flush(&world.peers[0]);
    run_dry();
    assert_int_equal(got.count, 0);
    peer_answer(&world.peers[0], 1);
    peer_flush(&world.peers[0]);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_OK);
}

static void flood(struct peer *peer, const nghttp2_frame *frame) {
    static char long_value[20000];
    if (!is_request_end(frame))
        return;
    memset(long_value, 'v', sizeof long_value - 1);
    bool is_wide = strcmp(script_status, "wide") == 0;
    nghttp2_nv head[400] = {NV(":status", "200"), NV("content-type", "application/grpc")};
    size_t count = is_wide ? 6 : COUNT(head); /* 4 x 20000 bytes, or 398 small fields */
    for (size_t i = 2; i < count; i++)
        head[i] = NV("x", is_wide ? long_value : "v");
    assert_int_equal(nghttp2_submit_response(peer->h2, frame->hd.stream_id, head, count, NULL), 0);
}

static void test_channel_bounds_headers(void **state) {
    (void)state;
    static const char *const shapes[] = {"long", "wide"};
    world.on_frame = flood;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        script_status = shapes[i];
        call_once();
        assert_int_equal(got.code, ERR_RESOURCE_EXHAUSTED);
        assert_false(got.is_from_server);
    }
    world.on_frame = answer_all;
    call_once();
    assert_int_equal(got.code, ERR_OK);
}

static void test_channel_does_not_believe_garbage(void **state) {
    (void)state;
    static const char *const garbage[] = {
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n and then some more bytes",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    };
    world.on_frame = NULL;
    world.is_mute = true;
    for (int i = 0; i < (int)COUNT(garbage); i++) {
        start();
        run_until(&world.accepted, i + 1);
        run_dry();
        bufferevent_write(world.peers[i].wire, garbage[i], strlen(garbage[i]));
        run_until(&got.count, i + 1);
        assert_int_equal(got.code, ERR_UNAVAILABLE);
        assert_non_null(strstr(got.msg, "HTTP/2"));
    }
}

static void test_channel_blames_no_old_fault(void **state) {
    (void)state;
    script_status = "7";
    script_message = "bell \a";
    world.on_frame = refuse_at_end;
    call_once();
    assert_int_equal(got.code, ERR_PERMISSION_DENIED);
    world.on_frame = NULL;
    start();
    run_dry();
    bufferevent_write(world.peers[0].wire, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    run_until(&got.count, 2);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(got.msg, "HTTP/2"));
    assert_null(strstr(got.msg, "header field"));
}

/* ---- streams and connections that end ---- */

static uint32_t script_code;

static void reset_at_end(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame))
        nghttp2_submit_rst_stream(peer->h2, 0, frame->hd.stream_id, script_code);
}

static void test_channel_maps_resets(void **state) {
    (void)state;
    static const enum err_code codes[] = {
        [NGHTTP2_NO_ERROR] = ERR_INTERNAL,
        [NGHTTP2_PROTOCOL_ERROR] = ERR_INTERNAL,
        [NGHTTP2_INTERNAL_ERROR] = ERR_INTERNAL,
        [NGHTTP2_FLOW_CONTROL_ERROR] = ERR_INTERNAL,
        [NGHTTP2_SETTINGS_TIMEOUT] = ERR_INTERNAL,
        [NGHTTP2_STREAM_CLOSED] = ERR_INTERNAL,
        [NGHTTP2_FRAME_SIZE_ERROR] = ERR_INTERNAL,
        [NGHTTP2_REFUSED_STREAM] = ERR_UNAVAILABLE,
        [NGHTTP2_CANCEL] = ERR_CANCELLED,
        [NGHTTP2_COMPRESSION_ERROR] = ERR_INTERNAL,
        [NGHTTP2_CONNECT_ERROR] = ERR_INTERNAL,
        [NGHTTP2_ENHANCE_YOUR_CALM] = ERR_RESOURCE_EXHAUSTED,
        [NGHTTP2_INADEQUATE_SECURITY] = ERR_PERMISSION_DENIED,
        [NGHTTP2_HTTP_1_1_REQUIRED] = ERR_INTERNAL,
    };
    world.on_frame = reset_at_end;
    for (script_code = 0; script_code < COUNT(codes); script_code++) {
        call_once();
        assert_int_equal(got.code, codes[script_code]);
        assert_false(got.is_from_server);
        assert_non_null(strstr(got.msg, nghttp2_http2_strerror(script_code)));
    }
    assert_int_equal(world.dials, 2); /* a refused one was tried once more, on another connection */
}

static void refuse_on_first(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame) && peer->number == 0)
        nghttp2_submit_rst_stream(peer->h2, 0, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    else
        answer_all(peer, frame);
}

static void test_channel_tries_a_refused_call_again(void **state) {
    (void)state;
    world.on_frame = refuse_on_first;
    for (int i = 0; i < 5; i++)
        start();
    run_until(&got.count, 5);
    assert_int_equal(got.ok_count, 5);
    assert_int_equal(world.dials, 2);
}

static void test_channel_repeats_no_upload_that_has_begun(void **state) {
    (void)state;
    struct source source = {.left = 3, .size = 10};
    world.on_frame = refuse_on_first;
    start_stream(&source, 0);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_int_equal(source.asked, 3);
}

static void goaway_below(struct peer *peer, const nghttp2_frame *frame) {
    if (peer->number > 0)
        answer_all(peer, frame);
    else if (is_request_end(frame))
        nghttp2_submit_goaway(peer->h2, 0, 0, NGHTTP2_NO_ERROR, (const uint8_t *)"bye", 3);
}

static void test_channel_repeats_calls_above_the_id_of_a_goaway(void **state) {
    (void)state;
    world.on_frame = goaway_below;
    for (int i = 0; i < 3; i++)
        start();
    run_until(&got.count, 3);
    assert_int_equal(got.ok_count, 3);
    assert_int_equal(world.dials, 2);
}

static int32_t held_id;

static void hold_and_goaway(struct peer *peer, const nghttp2_frame *frame) {
    if (peer->number > 0) {
        answer_all(peer, frame);
    } else if (is_request_end(frame)) {
        held_id = frame->hd.stream_id;
        nghttp2_submit_goaway(peer->h2, 0, held_id, NGHTTP2_NO_ERROR, NULL, 0);
    }
}

static void test_channel_lets_calls_below_a_goaway_end(void **state) {
    (void)state;
    world.on_frame = hold_and_goaway;
    held_id = 0;
    start();
    run_until(&held_id, 1);
    run_dry();
    assert_int_equal(got.count, 0);
    call_once();
    assert_int_equal(got.ok_count, 1);
    assert_int_equal(world.dials, 2);
    peer_answer(&world.peers[0], held_id);
    peer_flush(&world.peers[0]);
    run_until(&got.count, 2);
    assert_int_equal(got.ok_count, 2);
    run_dry();
    assert_true(world.peers[0].is_gone);
    assert_false(world.peers[1].is_gone);
}

static void cut_at_end(struct peer *peer, const nghttp2_frame *frame) {
    if (is_request_end(frame))
        shutdown(bufferevent_getfd(peer->wire), SHUT_RDWR);
}

static void cut_at_data(struct peer *peer, const nghttp2_frame *frame) {
    if (frame->hd.type == NGHTTP2_DATA)
        shutdown(bufferevent_getfd(peer->wire), SHUT_RDWR);
}

static void cut_in_answer(struct peer *peer, const nghttp2_frame *frame) {
    if (!is_request_end(frame))
        return;
    const nghttp2_nv head[] = {NV(":status", "200"), NV("content-type", "application/grpc")};
    nghttp2_submit_headers(peer->h2, 0, frame->hd.stream_id, NULL, head, COUNT(head), NULL);
    send_and_hang_up(peer);
}

static void test_channel_says_that_the_connection_was_lost(void **state) {
    (void)state;
    static void (*const scripts[])(struct peer *, const nghttp2_frame *) = {cut_at_end, cut_at_data,
                                                                            cut_in_answer};
    struct source source = {.left = 1000, .size = 100 * 1024};
    for (int i = 0; i < (int)COUNT(scripts); i++) {
        world.on_frame = scripts[i];
        if (scripts[i] == cut_at_data)
            start_stream(&source, 0);
        else
            start();
        run_until(&got.count, i + 1);
        assert_int_equal(got.code, ERR_UNAVAILABLE);
        assert_false(got.is_from_server);
        assert_non_null(strstr(got.msg, "the connection to c1.test:443 was lost: "));
    }
    assert_int_equal(world.dials, COUNT(scripts)); /* nothing was sent twice */
    world.on_frame = answer_all;
    call_once();
    assert_int_equal(got.code, ERR_OK);
}

static void cut_when_accepted(struct peer *peer) {
    peer_cut(peer);
}

static void cut_first_when_accepted(struct peer *peer) {
    if (peer->number == 0)
        peer_cut(peer);
}

static void test_channel_repeats_what_was_never_sent(void **state) {
    (void)state;
    world.on_accept = cut_first_when_accepted;
    for (int i = 0; i < 3; i++)
        start();
    run_until(&got.count, 3);
    assert_int_equal(got.ok_count, 3);
    assert_int_equal(world.dials, 2);
}

static void test_channel_does_not_dial_for_ever(void **state) {
    (void)state;
    world.on_accept = cut_when_accepted;
    call_once();
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_int_equal(world.dials, 2);
    run_dry();
    assert_int_equal(world.dials, 2);
}

static void goaway_when_accepted(struct peer *peer) {
    nghttp2_submit_goaway(peer->h2, 0, 0, NGHTTP2_ENHANCE_YOUR_CALM, (const uint8_t *)"go", 2);
}

static void test_channel_does_not_dial_a_server_for_ever_that_says_goaway(void **state) {
    (void)state;
    world.on_accept = goaway_when_accepted;
    call_once();
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_int_equal(world.dials, 2);
}

static void test_channel_does_not_dial_a_server_for_ever_that_allows_no_stream(void **state) {
    (void)state;
    set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
    world.is_eager = true;
    world.on_accept = cut_when_accepted;
    call_once();
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_string_equal(world.heads, "");
    assert_int_equal(world.dials, 2);
}

static void test_channel_notices_a_connection_that_goes_while_idle(void **state) {
    (void)state;
    call_once();
    peer_cut(&world.peers[0]);
    run_dry();
    call_once();
    assert_int_equal(got.ok_count, 2);
    assert_int_equal(world.dials, 2);
}

static void test_channel_tells_why_it_could_not_dial(void **state) {
    (void)state;
    world.is_dial_failing = true;
    for (int i = 0; i < 3; i++)
        start();
    run_until(&got.count, 3);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_string_equal(got.msg, "nobody listens there");
    assert_int_equal(world.dials, 1);
    world.is_dial_failing = false;
    call_once();
    assert_int_equal(got.code, ERR_OK);
}

/* ---- time ---- */

static void test_channel_keeps_a_deadline_and_the_connection(void **state) {
    (void)state;
    world.on_frame = NULL;
    start_with_deadline(50);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_DEADLINE_EXCEEDED);
    assert_false(got.is_from_server);
    assert_string_equal(got.msg, "/test.Service/Say at c1.test:443 took longer than 50 ms: the answer "
                                 "did not come");
    run_dry();
    assert_int_equal(world.last_reset, NGHTTP2_CANCEL + 1);
    world.on_frame = answer_all;
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(world.dials, 1);
}

static void test_channel_keeps_a_deadline_while_dialing(void **state) {
    (void)state;
    world.is_dial_hanging = true;
    start_with_deadline(30);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_DEADLINE_EXCEEDED);
    assert_non_null(strstr(got.msg, "no connection yet: its name was still being looked up"));
}

static void test_channel_keeps_a_deadline_when_the_window_never_opens(void **state) {
    (void)state;
    set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
    connect_first();
    struct source source = {.left = 10, .size = 1000};
    start_stream(&source, 50);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_DEADLINE_EXCEEDED);
    assert_non_null(strstr(got.msg, "not sent in full"));
    assert_int_equal(source.asked, 0);
    assert_int_equal(world.dials, 1);
}

static void test_channel_lives_with_tiny_windows(void **state) {
    (void)state;
    set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 7);
    connect_first();
    struct source source = {.left = 3, .size = 5000};
    start_stream(&source, 0);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(world.received, 3 * 5005);
}

static void open_wide(struct peer *peer) {
    nghttp2_session_set_local_window_size(peer->h2, 0, 0, 64 * 1024 * 1024);
}

static void go_deaf_at_data(struct peer *peer, const nghttp2_frame *frame) {
    if (frame->hd.type == NGHTTP2_DATA)
        bufferevent_disable(peer->wire, EV_READ);
}

static void test_channel_does_not_buffer_an_upload(void **state) {
    (void)state;
    set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 64 * 1024 * 1024);
    world.on_accept = open_wide;
    world.on_frame = go_deaf_at_data;
    connect_first();
    struct source source = {.left = 100, .size = 512 * 1024};
    start_stream(&source, 200);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_DEADLINE_EXCEEDED);
    /* What is asked for: 256 KiB here, as much in the socket, and the message in hand. */
    assert_in_range(source.asked, 1, 3);
}

static void test_channel_gives_up_a_connection_that_answers_no_ping(void **state) {
    (void)state;
    remake_channel(&(struct grpc_channel_options){.ping_after_ms = 20, .ping_answer_ms = 20});
    world.is_without_ping_answers = true;
    world.on_frame = NULL;
    call_once();
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(got.msg, "PING"));
    assert_int_equal(world.pings, 1);
    world.is_without_ping_answers = false;
    world.on_frame = answer_all;
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(world.dials, 2);
}

/* Each call gives up before the silence is long enough for a PING. */
static void test_channel_gives_up_a_silent_connection_that_outlives_each_call(void **state) {
    (void)state;
    remake_channel(&(struct grpc_channel_options){.ping_after_ms = 60, .ping_answer_ms = 20});
    world.is_without_ping_answers = true;
    world.on_frame = NULL;
    for (int i = 0; i < 40 && world.dials < 2; i++) {
        start_with_deadline(20);
        run_until(&got.count, i + 1);
        run_dry();
    }
    assert_int_equal(world.pings, 1);
    assert_int_equal(world.dials, 2);
}

static void read_slowly(struct peer *peer) {
    static struct ev_token_bucket_cfg *slow;
    const struct timeval tick = {.tv_usec = 20000};
    open_wide(peer);
    if (!slow)
        slow = ev_token_bucket_cfg_new(16384, 16384, EV_RATE_LIMIT_MAX, EV_RATE_LIMIT_MAX, &tick);
    bufferevent_set_rate_limit(peer->wire, slow);
}

/* A PING stands in line behind what is being sent; the peer is alive as long as it takes bytes. */
static void test_channel_waits_for_a_ping_behind_an_upload(void **state) {
    (void)state;
    remake_channel(&(struct grpc_channel_options){.ping_after_ms = 20, .ping_answer_ms = 250});
    set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 64 * 1024 * 1024);
    world.on_accept = read_slowly;
    connect_first();
    struct source source = {.left = 4, .size = 256 * 1024};
    start_stream(&source, 0);
    run_until(&got.count, 1);
    assert_string_equal(got.msg, "");
    assert_int_equal(got.code, ERR_OK);
    assert_int_not_equal(world.pings, 0);
}

static void test_channel_pings_no_server_into_hanging_up(void **state) {
    (void)state;
    remake_channel(&(struct grpc_channel_options){.ping_after_ms = 5, .ping_answer_ms = 10000});
    world.on_frame = NULL;
    start_with_deadline(300);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_DEADLINE_EXCEEDED);
    assert_int_equal(world.pings, 3);
    assert_int_equal(world.dials, 1);
}

static void test_channel_closes_an_idle_connection_without_a_ping(void **state) {
    (void)state;
    remake_channel(&(struct grpc_channel_options){.ping_after_ms = 5, .idle_ms = 60});
    call_once();
    run_until(&world.goaways, 1);
    assert_int_equal(world.pings, 0);
    call_once();
    assert_int_equal(got.ok_count, 2);
    assert_int_equal(world.dials, 2);
}

/* ---- many calls ---- */

static void hold(struct peer *peer, const nghttp2_frame *frame) {
    (void)peer;
    if (is_request_end(frame))
        held_id = frame->hd.stream_id;
}

static void test_channel_respects_the_number_of_streams(void **state) {
    (void)state;
    set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
    world.on_frame = hold;
    connect_first();
    held_id = 0;
    start();
    run_until(&held_id, 1);
    start();
    start_with_deadline(40);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_DEADLINE_EXCEEDED);
    assert_non_null(strstr(got.msg, "the server allowed no more calls"));
    assert_int_equal(held_id, 1);
    world.on_frame = answer_all;
    peer_answer(&world.peers[0], 1);
    peer_flush(&world.peers[0]);
    run_until(&got.count, 3);
    assert_int_equal(got.ok_count, 2);
    assert_int_equal(world.dials, 1);
}

static void test_channel_bounds_the_number_of_calls(void **state) {
    (void)state;
    world.is_dial_hanging = true;
    for (int i = 0; i < GRPC_CALLS_MAX; i++)
        start();
    run_dry();
    assert_int_equal(got.count, 0);
    start();
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_RESOURCE_EXHAUSTED);
}

/* ---- the caller's side ---- */

static void test_channel_ends_a_call_whose_source_fails(void **state) {
    (void)state;
    struct source source = {.left = 10, .size = 10, .is_failing = true};
    start_stream(&source, 0);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_DATA_LOSS);
    assert_string_equal(got.msg, "the file has shrunk");
    run_dry();
    assert_int_equal(world.last_reset, NGHTTP2_CANCEL + 1);
}

/* A call that ends before it begins. */
static struct grpc_call *start_too_large(void) {
    uint8_t *large = calloc(1, GRPC_MESSAGE_MAX + 1);
    struct grpc_call_options options = usual();
    options.message = large;
    options.message_len = GRPC_MESSAGE_MAX + 1;
    struct grpc_call *call = grpc_call_start(channel, &options);
    free(large);
    return call;
}

static void test_channel_refuses_messages_above_the_limit(void **state) {
    (void)state;
    struct source source = {.left = 10, .size = GRPC_MESSAGE_MAX + 1};
    start_stream(&source, 0);
    run_until(&got.count, 1);
    assert_int_equal(got.code, ERR_RESOURCE_EXHAUSTED);
    start_too_large();
    assert_int_equal(got.count, 1); /* never from inside the start */
    run_until(&got.count, 2);
    assert_int_equal(got.code, ERR_RESOURCE_EXHAUSTED);
}

static void test_channel_cancels_in_every_state(void **state) {
    (void)state;
    grpc_call_cancel(start()); /* not dialed yet */
    world.on_frame = hold;
    held_id = 0;
    struct grpc_call *call = start();
    run_until(&held_id, 1); /* the answer is awaited */
    grpc_call_cancel(call);
    run_dry();
    assert_int_equal(world.last_reset, NGHTTP2_CANCEL + 1);
    grpc_call_cancel(start()); /* with a connection, not placed */

    world.on_frame = go_deaf_at_data;
    struct source source = {.left = 100, .size = 512 * 1024};
    call = start_stream(&source, 0);
    run_until(&source.asked, 1); /* in the middle of its upload */
    run_dry();
    grpc_call_cancel(call);
    bufferevent_enable(world.peers[0].wire, EV_READ);
    world.on_frame = answer_all;
    run_dry();

    grpc_call_cancel(NULL);
    assert_int_equal(got.count, 0);
    call_once();
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(world.dials, 1);
}

static void test_channel_cancels_a_call_that_has_ended_untold(void **state) {
    (void)state;
    grpc_call_cancel(start_too_large());
    run_dry();
    assert_int_equal(got.count, 0);
}

static void free_channel_in_done(const struct grpc_outcome *outcome, void *payload) {
    on_done(outcome, payload);
    grpc_channel_free(channel);
    channel = NULL;
}

static void test_channel_may_be_freed_in_done(void **state) {
    (void)state;
    struct grpc_call_options options = usual();
    options.done = free_channel_in_done;
    for (int i = 0; i < 3; i++)
        grpc_call_start(channel, &options);
    run_until(&got.count, 1);
    run_dry();
    assert_int_equal(got.count, 1);
    assert_int_equal(got.code, ERR_OK);
}

static void test_channel_may_be_freed_in_done_of_a_lost_connection(void **state) {
    (void)state;
    struct grpc_call_options options = usual();
    options.done = free_channel_in_done;
    world.on_frame = cut_at_end;
    for (int i = 0; i < 3; i++)
        grpc_call_start(channel, &options);
    run_until(&got.count, 1);
    run_dry();
    assert_int_equal(got.count, 1);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
}

static struct grpc_call *victim;

static void cancel_and_start_in_done(const struct grpc_outcome *outcome, void *payload) {
    on_done(outcome, payload);
    grpc_call_cancel(victim);
    victim = NULL;
    if (got.count < 10) {
        struct grpc_call_options options = usual();
        options.done = cancel_and_start_in_done;
        grpc_call_start(channel, &options);
        victim = start();
    }
}

static void test_channel_may_be_used_in_done(void **state) {
    (void)state;
    struct grpc_call_options options = usual();
    options.done = cancel_and_start_in_done;
    grpc_call_start(channel, &options);
    victim = start();
    run_until(&got.count, 10);
    run_dry();
    assert_int_equal(got.count, 10);
    assert_int_equal(got.ok_count, 10);
}

static void test_channel_is_freed_with_calls_in_every_state(void **state) {
    (void)state;
    world.on_frame = go_deaf_at_data;
    struct source source = {.left = 100, .size = 512 * 1024};
    start_stream(&source, 5000);
    run_until(&source.asked, 1);
    start_with_deadline(5000);
    run_dry();
    start();
    remake_channel(NULL);
    assert_int_equal(got.count, 0);
    world.is_dial_hanging = true;
    start();
    run_dry();
    grpc_channel_free(channel);
    channel = NULL;
    assert_int_equal(world.cancelled_dials, 1);
    assert_int_equal(got.count, 0);
    grpc_channel_free(NULL);
}

static struct source untouched;

static void start_stream_in_done(const struct grpc_outcome *outcome, void *payload) {
    on_done(outcome, payload);
    start_stream(&untouched, 0);
}

static void test_channel_asks_for_nothing_while_it_is_freed(void **state) {
    (void)state;
    connect_first();
    untouched = (struct source){.left = 3, .size = 10};
    struct grpc_call_options first = usual(), second = usual();
    first.done = start_stream_in_done;
    second.done = free_channel_in_done; /* in the turn that has put the stream on the connection */
    grpc_call_start(channel, &first);
    grpc_call_start(channel, &second);
    run_until(&got.count, 2);
    assert_int_equal(untouched.asked, 0);
    run_dry();
    assert_int_equal(got.count, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_channel_makes_a_unary_call),
        TEST(test_channel_sends_the_deadline),
        TEST(test_channel_puts_brackets_around_ipv6),
        TEST(test_channel_makes_many_calls_on_one_connection),
        TEST(test_channel_streams_messages),
        TEST(test_channel_waits_for_a_message_that_is_late),
        TEST(test_channel_ends_a_call_that_waits_for_its_message),
        TEST(test_channel_lets_a_late_message_out_after_a_goaway),
        TEST(test_channel_gives_up_a_call_that_waits_for_its_message),
        TEST(test_channel_takes_an_empty_answer),
        TEST(test_channel_warms_up),
        TEST(test_channel_hands_on_a_trailers_only_status),
        TEST(test_channel_keeps_the_code_when_the_message_may_not_be),
        TEST(test_channel_hands_on_a_status_behind_an_answer),
        TEST(test_channel_never_loses_an_early_answer),
        TEST(test_channel_hears_an_error_in_the_middle_of_an_upload),
        TEST(test_channel_reads_what_was_said_before_the_end),
        TEST(test_channel_names_what_is_wrong_with_an_answer),
        TEST(test_channel_judges_what_is_not_grpc_by_http),
        TEST(test_channel_passes_over_interim_answers),
        TEST(test_channel_bounds_headers),
        TEST(test_channel_does_not_believe_garbage),
        TEST(test_channel_blames_no_old_fault),
        TEST(test_channel_maps_resets),
        TEST(test_channel_tries_a_refused_call_again),
        TEST(test_channel_repeats_no_upload_that_has_begun),
        TEST(test_channel_repeats_calls_above_the_id_of_a_goaway),
        TEST(test_channel_lets_calls_below_a_goaway_end),
        TEST(test_channel_says_that_the_connection_was_lost),
        TEST(test_channel_repeats_what_was_never_sent),
        TEST(test_channel_does_not_dial_for_ever),
        TEST(test_channel_does_not_dial_a_server_for_ever_that_says_goaway),
        TEST(test_channel_does_not_dial_a_server_for_ever_that_allows_no_stream),
        TEST(test_channel_notices_a_connection_that_goes_while_idle),
        TEST(test_channel_tells_why_it_could_not_dial),
        TEST(test_channel_keeps_a_deadline_and_the_connection),
        TEST(test_channel_keeps_a_deadline_while_dialing),
        TEST(test_channel_keeps_a_deadline_when_the_window_never_opens),
        TEST(test_channel_lives_with_tiny_windows),
        TEST(test_channel_does_not_buffer_an_upload),
        TEST(test_channel_gives_up_a_connection_that_answers_no_ping),
        TEST(test_channel_gives_up_a_silent_connection_that_outlives_each_call),
        TEST(test_channel_waits_for_a_ping_behind_an_upload),
        TEST(test_channel_pings_no_server_into_hanging_up),
        TEST(test_channel_closes_an_idle_connection_without_a_ping),
        TEST(test_channel_respects_the_number_of_streams),
        TEST(test_channel_bounds_the_number_of_calls),
        TEST(test_channel_ends_a_call_whose_source_fails),
        TEST(test_channel_refuses_messages_above_the_limit),
        TEST(test_channel_cancels_in_every_state),
        TEST(test_channel_cancels_a_call_that_has_ended_untold),
        TEST(test_channel_may_be_freed_in_done),
        TEST(test_channel_may_be_freed_in_done_of_a_lost_connection),
        TEST(test_channel_may_be_used_in_done),
        TEST(test_channel_is_freed_with_calls_in_every_state),
        TEST(test_channel_asks_for_nothing_while_it_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

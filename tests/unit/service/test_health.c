#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "service/health.h"

enum { PATIENCE_MS = 5000, ANSWER_MAX = 64 * 1024, NEVER_MS = 60 * 1000 };

#define STAMP "\"timestamp\":\"2026-11-22T05:44:47Z\""

struct world {
    struct event_base *base;
    struct health *health;
    struct health_reply *reply; /* of the check that runs */
    int checks;
    bool answers_at_once;
};

static void start_check(struct health_reply *reply, void *payload) {
    struct world *w = payload;
    assert_null(w->reply);
    w->checks++;
    if (w->answers_at_once)
        health_reply_done(reply, NULL);
    else
        w->reply = reply;
}

static void finish_check(struct world *w, const char *problem) {
    struct err err = ERR_INIT;
    if (problem)
        err_set(&err, ERR_UNAVAILABLE, "%s", problem);
    struct health_reply *reply = w->reply;
    assert_non_null(reply);
    w->reply = NULL;
    health_reply_done(reply, &err);
}

static int set_up(void **state) {
    struct world *w = mem_zalloc(sizeof *w);
    signal(SIGPIPE, SIG_IGN);
    clock_set_for_test(INT64_C(1795326287) * CLOCK_NS_PER_S + 999);
    w->base = event_base_new();
    *state = w;
    return w->base ? 0 : -1;
}

static int tear_down(void **state) {
    struct world *w = *state;
    health_free(w->health);
    if (w->reply)
        health_reply_done(w->reply, NULL);
    event_base_free(w->base);
    clock_set_for_test(0);
    free(w);
    return 0;
}

static void start_with(struct world *w, struct health_options o) {
    struct err err = ERR_INIT;
    o.base = w->base;
    o.bind_address = o.bind_address ? o.bind_address : "127.0.0.1";
    o.check = start_check;
    o.payload = w;
    w->health = health_new(&o, &err);
    if (!w->health)
        fail_msg("%s", err.msg);
    assert_true(health_port(w->health) > 0);
}
#define start(w, ...) start_with((w), (struct health_options){__VA_ARGS__})

/* --- clients --- */

static int dial_at(struct world *w, const struct sockaddr *at, socklen_t n) {
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)w;
    assert_int_equal(connect(fd, at, n), 0); /* the kernel answers for the listener */
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int dial(struct world *w) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)health_port(w->health)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return dial_at(w, (const struct sockaddr *)&at, sizeof at);
}

static void say(int fd, const char *text) {
    size_t n = strlen(text);
    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
}

static void turn(struct world *w) {
    assert_true(event_base_loop(w->base, EVLOOP_NONBLOCK) >= 0);
}

/* Turns the loop while it waits for the client's socket; false if nothing came in time. */
static bool turn_until_readable(struct world *w, int fd, int limit_ms) {
    for (int64_t end = clock_mono_ms() + limit_ms; clock_mono_ms() < end;) {
        turn(w);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 1) == 1)
            return true;
    }
    return false;
}

/* All that the server says until it closes. Closes the client. */
static char *hear(struct world *w, int fd) {
    struct buf got;
    buf_init(&got, ANSWER_MAX);
    for (;;) {
        char chunk[4096];
        assert_true(turn_until_readable(w, fd, PATIENCE_MS));
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);
        if (n <= 0) {
            assert_true(n == 0 || errno == ECONNRESET);
            break;
        }
        buf_add(&got, chunk, (size_t)n);
    }
    close(fd);
    return buf_detach(&got);
}

static char *ask(struct world *w, const char *method, const char *path) {
    mem_auto char *text = mem_printf("%s %s HTTP/1.1\r\nHost: h\r\n\r\n", method, path);
    int fd = dial(w);
    say(fd, text);
    return hear(w, fd);
}

static int ask_later(struct world *w, const char *path) {
    mem_auto char *text = mem_printf("GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
    int fd = dial(w);
    say(fd, text);
    return fd;
}

static const char *body_of(const char *answer) {
    const char *blank = strstr(answer, "\r\n\r\n");
    assert_non_null(blank);
    return blank + 4;
}

static void check_answer(const char *answer, int status, const char *type, const char *body) {
    char line[32], header[128], length[64];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    snprintf(header, sizeof header, "\r\nContent-Type: %s\r\n", type);
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body));
    if (strncmp(answer, line, strlen(line)) != 0 || !strstr(answer, header) ||
        !strstr(answer, length) || !strstr(answer, "\r\nConnection: close\r\n"))
        fail_msg("not %d, %s: %s", status, type, answer);
    assert_string_equal(body_of(answer), body);
}

static void expect(struct world *w, const char *path, int status, const char *body) {
    mem_auto char *answer = ask(w, "GET", path);
    check_answer(answer, status, "application/json", body);
}

static void expect_heard(struct world *w, int fd, int status, const char *body) {
    mem_auto char *answer = hear(w, fd);
    check_answer(answer, status, "application/json", body);
}

static void turn_until_check(struct world *w) {
    for (int64_t end = clock_mono_ms() + PATIENCE_MS; !w->reply;) {
        assert_true(clock_mono_ms() < end);
        turn(w);
    }
}

#define HEALTHY "{\"status\":\"healthy\"," STAMP "}\n"
#define LIVE "{\"status\":\"alive\"," STAMP "}\n"
#define READY "{\"status\":\"ready\"," STAMP "}\n"
#define NOT_READY(why)                                                                             \
    "{\"status\":\"not_ready\"," STAMP ",\"details\":{\"error\":\"" why "\"}}\n"
#define UNHEALTHY(why)                                                                             \
    "{\"status\":\"unhealthy\"," STAMP                                                             \
    ",\"details\":{\"error\":\"connector validation failed\",\"validation_error\":\"" why "\"}}\n"
#define OVERDUE UNHEALTHY("context deadline exceeded: the check has not answered yet")

/* --- paths --- */

static void test_health_live_and_ready(void **state) {
    struct world *w = *state;
    start(w);
    expect(w, "/live", 200, LIVE);
    expect(w, "/ready", 503, NOT_READY("failed to get connector client"));
    health_set_ready(w->health, false, "no Hello \"yet\"");
    expect(w, "/ready", 503, NOT_READY("no Hello \\\"yet\\\""));
    health_set_ready(w->health, true, NULL);
    expect(w, "/ready?verbose", 200, READY);
    assert_int_equal(w->checks, 0);
}

static void test_health_unknown_paths(void **state) {
    struct world *w = *state;
    start(w);
    static const char *const paths[] = {"/", "/healthz", "/health/", "//health", "/metrics", "*",
                                        "/live%00", "/LIVE"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        mem_auto char *answer = ask(w, "GET", paths[i]);
        check_answer(answer, 404, "text/plain; charset=utf-8", "404 page not found\n");
    }
}

static void test_health_any_method(void **state) {
    struct world *w = *state;
    start(w);
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE",
                                          "BREW"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        mem_auto char *answer = ask(w, methods[i], "/live");
        check_answer(answer, 200, "application/json", LIVE);
    }
}

static void test_health_head(void **state) {
    struct world *w = *state;
    start(w);
    mem_auto char *answer = ask(w, "HEAD", "/live");
    char length[64];
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(LIVE));
    assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
    assert_non_null(strstr(answer, length));
    assert_string_equal(body_of(answer), "");
}

static void test_health_old_client(void **state) {
    struct world *w = *state;
    start(w);
    int fd = dial(w);
    say(fd, "GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    mem_auto char *answer = hear(w, fd);
    assert_memory_equal(answer, "HTTP/1.0 200 OK\r\n", 17);
    assert_null(strstr(answer, "keep-alive"));
    assert_string_equal(body_of(answer), LIVE);
}

static void test_health_metrics(void **state) {
    struct world *w = *state;
    struct metrics *m = metrics_new(NULL);
    assert_non_null(m);
    int i = metrics_register(m, "demo_total", "Demo.", METRICS_COUNTER, NULL);
    start(w, .metrics = m);
    metrics_add(m, i, 5);
    mem_auto char *answer = ask(w, "GET", "/metrics");
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_memory_equal(body_of(answer), "# HELP demo_total Demo.\n", 24);
    assert_non_null(strstr(answer, "\ndemo_total 5\n"));
    assert_non_null(strstr(answer, "\nprocess_open_fds "));
    metrics_free(m);
}

/* --- /health --- */

static void test_health_checks(void **state) {
    struct world *w = *state;
    start(w);
    int fd = ask_later(w, "/health");
    turn_until_check(w);
    finish_check(w, NULL);
    expect_heard(w, fd, 200, HEALTHY);
}

static void test_health_bad_check(void **state) {
    struct world *w = *state;
    start(w);
    int fd = ask_later(w, "/health");
    turn_until_check(w);
    finish_check(w, "crisp: 401 <unauthorized> \"x\"");
    expect_heard(w, fd, 503, UNHEALTHY("crisp: 401 <unauthorized> \\\"x\\\""));
}

static void test_health_answer_from_inside(void **state) {
    struct world *w = *state;
    w->answers_at_once = true;
    start(w, .reuse_ms = 1);
    expect(w, "/health", 200, HEALTHY);
    for (int64_t end = clock_mono_ms() + PATIENCE_MS; w->checks < 2 && clock_mono_ms() < end;)
        expect(w, "/health", 200, HEALTHY);
    assert_int_equal(w->checks, 2);
}

static void test_health_shares_a_check(void **state) {
    enum { CLIENTS = 5 };
    struct world *w = *state;
    start(w, .reuse_ms = NEVER_MS);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = ask_later(w, "/health");
    turn_until_check(w);
    expect(w, "/live", 200, LIVE); /* goes on meanwhile */
    finish_check(w, NULL);
    for (int i = 0; i < CLIENTS; i++)
        expect_heard(w, fds[i], 200, HEALTHY);
    expect(w, "/health", 200, HEALTHY);
    assert_int_equal(w->checks, 1);
}

/* The time of a result that is used again is that of its check. */
static void test_health_result_keeps_its_time(void **state) {
    struct world *w = *state;
    w->answers_at_once = true;
    start(w, .reuse_ms = NEVER_MS);
    expect(w, "/health", 200, HEALTHY);
    clock_set_for_test(INT64_C(1795326290) * CLOCK_NS_PER_S);
    expect(w, "/health", 200, HEALTHY);
    expect(w, "/live", 200, "{\"status\":\"alive\",\"timestamp\":\"2026-11-22T05:44:50Z\"}\n");
}

static void test_health_overdue_check(void **state) {
    struct world *w = *state;
    start(w, .check_ms = 20, .reuse_ms = NEVER_MS);
    expect(w, "/health", 503, OVERDUE);
    expect(w, "/health", 503, OVERDUE); /* no second check beside the first */
    assert_int_equal(w->checks, 1);
    finish_check(w, NULL);
    expect(w, "/health", 200, HEALTHY);
    assert_int_equal(w->checks, 1);
}

static void test_health_client_goes_away(void **state) {
    struct world *w = *state;
    start(w, .reuse_ms = NEVER_MS);
    int gone = ask_later(w, "/health"), reset = ask_later(w, "/health");
    int stays = ask_later(w, "/health");
    turn_until_check(w);
    const struct linger hard = {.l_onoff = 1};
    setsockopt(reset, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(gone);
    close(reset);
    expect(w, "/live", 200, LIVE);
    finish_check(w, NULL);
    expect_heard(w, stays, 200, HEALTHY);
    expect(w, "/live", 200, LIVE);
}

static void test_health_free_while_checking(void **state) {
    struct world *w = *state;
    start(w);
    int fd = ask_later(w, "/health");
    turn_until_check(w);
    health_free(w->health);
    w->health = NULL;
    mem_auto char *answer = hear(w, fd);
    assert_string_equal(answer, "");
    finish_check(w, NULL);
}

/* --- requests that are none --- */

static void test_health_large_requests(void **state) {
    struct world *w = *state;
    start(w, .request_ms = 300); /* evhttp keeps the connection after its own error page */
    char filler[HEALTH_HEADERS_MAX + 1];
    memset(filler, 'a', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    const struct {
        char *text;
        const char *status;
    } rows[] = {
        {mem_printf("GET /live HTTP/1.1\r\nX: %s\r\n\r\n", filler), "HTTP/1.1 400 "},
        {mem_printf("GET /%s", filler), "HTTP/1.1 400 "},
        {mem_printf("POST /live HTTP/1.1\r\nContent-Length: %d\r\n\r\n", HEALTH_BODY_MAX + 1),
         "HTTP/1.1 413 "},
        {mem_printf("POST /live HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n"),
         "HTTP/1.1 413 "},
        {mem_printf("nonsense\r\n\r\n"), "HTTP/1.1 400 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial(w);
        say(fd, rows[i].text);
        mem_auto char *answer = hear(w, fd);
        if (strncmp(answer, rows[i].status, strlen(rows[i].status)) != 0)
            fail_msg("row %zu: %s", i, answer);
        assert_null(strstr(answer, "alive"));
        free(rows[i].text);
    }
}

static void test_health_body_is_read(void **state) {
    struct world *w = *state;
    start(w);
    int fd = dial(w);
    say(fd, "POST /live HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_true(turn_until_readable(w, fd, PATIENCE_MS));
    char text[64] = {0};
    assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "hello");
    expect_heard(w, fd, 200, LIVE);
}

/* What comes behind a waiting request must not disturb it. */
static void test_health_more_behind_a_request(void **state) {
    struct world *w = *state;
    start(w, .reuse_ms = NEVER_MS);
    int fd = dial(w);
    say(fd, "POST /health HTTP/1.1\r\nExpect: nothing\r\nContent-Length: 5\r\n\r\n");
    say(fd, "helloGET /health HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\n\r\n");
    int other = ask_later(w, "/health");
    turn_until_check(w);
    shutdown(fd, SHUT_WR);
    expect(w, "/live", 200, LIVE);
    finish_check(w, NULL);
    expect_heard(w, other, 200, HEALTHY);
    mem_auto char *answer = hear(w, fd);
    assert_memory_equal(answer, "HTTP/1.1 417 ", 13);
}

static void test_health_slow_client_is_cut(void **state) {
    struct world *w = *state;
    start(w, .request_ms = 30);
    int silent = dial(w), slow = dial(w);
    int64_t end = clock_mono_ms() + PATIENCE_MS;
    ssize_t sent = send(slow, "GET /live HTTP/1.1\r\nX: ", 23, MSG_NOSIGNAL);
    /* Goes on byte by byte until it is cut. */
    while (sent > 0 && clock_mono_ms() < end) {
        if (turn_until_readable(w, slow, 5))
            break;
        sent = send(slow, "a", 1, MSG_NOSIGNAL);
    }
    assert_true(clock_mono_ms() < end);
    mem_auto char *first = hear(w, slow), *second = hear(w, silent);
    assert_string_equal(first, "");
    assert_string_equal(second, "");
    expect(w, "/live", 200, LIVE);
}

static void test_health_too_many_connections(void **state) {
    enum { FLOOD = 3 * HEALTH_CONNECTIONS_MAX };
    struct world *w = *state;
    start(w, .request_ms = NEVER_MS);
    int fds[HEALTH_CONNECTIONS_MAX], extra[FLOOD];
    for (int i = 0; i < HEALTH_CONNECTIONS_MAX; i++) {
        fds[i] = dial(w);
        turn(w);
    }
    for (int i = 0; i < FLOOD; i++) {
        extra[i] = dial(w);
        if (i >= HEALTH_CONNECTIONS_MAX)
            turn(w);
    }
    for (int i = 0; i < FLOOD; i++) {
        mem_auto char *nothing = hear(w, extra[i]);
        assert_string_equal(nothing, "");
    }
    for (int i = 0; i < HEALTH_CONNECTIONS_MAX; i++) {
        say(fds[i], "GET /live HTTP/1.1\r\n\r\n");
        expect_heard(w, fds[i], 200, LIVE);
    }
    expect(w, "/live", 200, LIVE);
}

/* Answered connections leave nothing behind. */
static void test_health_closes_what_it_answered(void **state) {
    struct world *w = *state;
    start(w);
    for (int i = 0; i < 5 * HEALTH_CONNECTIONS_MAX; i++)
        expect(w, "/live", 200, LIVE);
    int before = dup(0);
    assert_true(before >= 0);
    close(before);
    assert_true(before < HEALTH_CONNECTIONS_MAX);
}

/* --- addresses --- */

static void test_health_taken_port(void **state) {
    struct world *w = *state;
    start(w);
    struct health_options o = {.base = w->base, .bind_address = "127.0.0.1",
                               .port = health_port(w->health)};
    struct err err = ERR_INIT;
    assert_null(health_new(&o, &err));
    char expected[256];
    snprintf(expected, sizeof expected,
             "failed to create health check listener: listen tcp 127.0.0.1:%d: bind: address "
             "already in use; end the process that has the port, or choose another with "
             "--health-check-port",
             o.port);
    assert_string_equal(err.msg, expected);
    assert_int_equal(err.code, ERR_UNKNOWN);
    o.bind_address = "0.0.0.0";
    assert_null(health_new(&o, &err));
    assert_non_null(strstr(err.msg, "listen tcp 0.0.0.0:"));
}

static void test_health_bad_addresses(void **state) {
    struct world *w = *state;
    struct health_options o = {.base = w->base, .bind_address = "192.0.2.1"};
    struct err err = ERR_INIT;
    assert_null(health_new(&o, &err));
    assert_string_equal(err.msg,
                        "failed to create health check listener: listen tcp 192.0.2.1:0: bind: "
                        "cannot assign requested address; give an address of this machine with "
                        "--health-check-bind-address");
    o.port = 65536;
    assert_null(health_new(&o, &err));
    assert_non_null(strstr(err.msg, "address 65536: invalid port"));
    assert_int_equal(err.code, ERR_UNKNOWN);
}

static bool has_ipv6(void) {
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void expect_live_over_ipv6(struct world *w) {
    struct sockaddr_in6 at = {.sin6_family = AF_INET6,
                              .sin6_port = htons((uint16_t)health_port(w->health)),
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = dial_at(w, (const struct sockaddr *)&at, sizeof at);
    say(fd, "GET /live HTTP/1.1\r\n\r\n");
    expect_heard(w, fd, 200, LIVE);
}

static void test_health_ipv6(void **state) {
    struct world *w = *state;
    if (!has_ipv6()) {
        struct health_options o = {.base = w->base, .bind_address = "::1"};
        struct err err = ERR_INIT;
        assert_null(health_new(&o, &err));
        assert_non_null(strstr(err.msg, "listen tcp [::1]:0: "));
        return;
    }
    start(w, .bind_address = "::1");
    expect_live_over_ipv6(w);
}

static void test_health_all_addresses(void **state) {
    struct world *w = *state;
    static const char *const all[] = {"", "0.0.0.0", "::"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        start(w, .bind_address = all[i]);
        expect(w, "/live", 200, LIVE);
        if (has_ipv6())
            expect_live_over_ipv6(w);
        health_free(w->health);
        w->health = NULL;
    }
}

static void test_health_name(void **state) {
    struct world *w = *state;
    start(w, .bind_address = "localhost");
    expect(w, "/live", 200, LIVE);
}

#define world_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(test_health_live_and_ready),
        world_test(test_health_unknown_paths),
        world_test(test_health_any_method),
        world_test(test_health_head),
        world_test(test_health_old_client),
        world_test(test_health_metrics),
        world_test(test_health_checks),
        world_test(test_health_bad_check),
        world_test(test_health_answer_from_inside),
        world_test(test_health_shares_a_check),
        world_test(test_health_result_keeps_its_time),
        world_test(test_health_overdue_check),
        world_test(test_health_client_goes_away),
        world_test(test_health_free_while_checking),
        world_test(test_health_large_requests),
        world_test(test_health_body_is_read),
        world_test(test_health_more_behind_a_request),
        world_test(test_health_slow_client_is_cut),
        world_test(test_health_too_many_connections),
        world_test(test_health_closes_what_it_answered),
        world_test(test_health_taken_port),
        world_test(test_health_bad_addresses),
        world_test(test_health_ipv6),
        world_test(test_health_all_addresses),
        world_test(test_health_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* health_check: each outcome against a server in a thread that answers once and is gone. Texts and
 * codes were taken from a connector on the Go SDK v0.25.0. */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "baton/health_check.h"

struct server {
    int listener, port;
    const char *answer; /* NULL: never answer; the client goes first */
    bool resets;
    char request[1024];
    pthread_t thread;
};

/* Reads the request up to the blank line. */
static void read_request(struct server *s, int fd) {
    size_t n = 0;
    while (n + 1 < sizeof s->request && !strstr(s->request, "\r\n\r\n")) {
        ssize_t k = recv(fd, s->request + n, sizeof s->request - 1 - n, 0);
        if (k <= 0)
            break;
        n += (size_t)k;
        s->request[n] = '\0';
    }
}

static void *serve(void *payload) {
    struct server *s = payload;
    int fd = accept(s->listener, NULL, NULL);
    read_request(s, fd);
    if (s->answer && send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL) < 0)
        s->request[0] = '\0';
    if (!s->answer) { /* until the client gives up */
        char c;
        while (recv(fd, &c, 1, 0) > 0)
            ;
    }
    if (s->resets) {
        struct linger now = {.l_onoff = 1};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(fd);
    return NULL;
}

static void start(struct server *s) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s) {
    pthread_join(s->thread, NULL);
    close(s->listener);
}

/* `#` in the text stands for the address. */
static void assert_outcome(const struct err *err, bool ok, int port, enum err_code code,
                           const char *text) {
    char want[1024] = "";
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '#')
            n += (size_t)snprintf(want + n, sizeof want - n, "127.0.0.1:%d", port);
        else
            want[n++] = *p;
    }
    want[n] = '\0';
    assert_int_equal(ok, code == ERR_OK);
    assert_string_equal(err->msg, want);
    assert_int_equal(err->code, code);
}

static const struct {
    const char *answer;
    enum err_code code;
    const char *text;
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", ERR_OK, ""},
    {"HTTP/1.0 200 OK\r\n\r\n", ERR_OK, ""},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ERR_OK, ""},
    {"HTTP/1.1 503 Service Unavailable\r\n\r\n", ERR_UNKNOWN, "health check returned status 503"},
    {"HTTP/1.1 404 Not Found\r\n\r\n", ERR_UNKNOWN, "health check returned status 404"},
    {"HTTP/1.1 204 No Content\r\n\r\n", ERR_UNKNOWN, "health check returned status 204"},
    {"hello\r\n\r\n", ERR_UNKNOWN,
     "health check failed: Get \"http://#/health\": net/http: HTTP/1.x transport connection "
     "broken: "
     "malformed HTTP response \"hello\""},
    {"HTTP/2 200 OK\r\n\r\n", ERR_UNKNOWN,
     "health check failed: Get \"http://#/health\": net/http: HTTP/1.x transport connection "
     "broken: "
     "malformed HTTP response \"HTTP/2 200 OK\""},
    {"", ERR_UNAVAILABLE,
     "health check failed: Get \"http://#/health\": rpc error: code = Unavailable desc = "
     "connection "
     "closed before response\nEOF"},
    {"HTTP/1.1 20", ERR_UNAVAILABLE,
     "health check failed: Get \"http://#/health\": rpc error: code = Unavailable desc = "
     "unexpected "
     "EOF\nunexpected EOF"},
};

static void test_health_check_answers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct server s = {.answer = answers[i].answer};
        struct err err = ERR_INIT;
        start(&s);
        bool ok = health_check("127.0.0.1", s.port, "health", 30, &err);
        stop(&s);
        assert_outcome(&err, ok, s.port, answers[i].code, answers[i].text);
    }
}

static void test_health_check_request(void **state) {
    (void)state;
    struct server s = {.answer = "HTTP/1.1 200 OK\r\n\r\n"};
    char want[128];
    start(&s);
    assert_true(health_check("localhost", s.port, "ready", 0, NULL));
    stop(&s);
    snprintf(want, sizeof want, "GET /ready HTTP/1.1\r\nHost: localhost:%d\r\n", s.port);
    assert_int_equal(strncmp(s.request, want, strlen(want)), 0);
}

static void test_health_check_times_out(void **state) {
    (void)state;
    struct server s = {0};
    struct err err = ERR_INIT;
    start(&s);
    bool ok = health_check("127.0.0.1", s.port, "health", 1, &err);
    stop(&s);
    assert_outcome(&err, ok, s.port, ERR_DEADLINE_EXCEEDED,
                   "health check failed: Get \"http://#/health\": rpc error: code = "
                   "DeadlineExceeded desc = network timeout: context deadline exceeded\n"
                   "context deadline exceeded");
}

static void test_health_check_reset(void **state) {
    (void)state;
    struct server s = {.answer = "", .resets = true};
    struct err err = ERR_INIT;
    start(&s);
    bool ok = health_check("127.0.0.1", s.port, "live", 30, &err);
    stop(&s);
    assert_outcome(
        &err, ok, s.port, ERR_UNAVAILABLE,
        "health check failed: Get \"http://#/live\": rpc error: code = Unavailable desc = "
        "connection reset\nread tcp #: read: connection reset by peer");
}

static void test_health_check_refused(void **state) {
    (void)state;
    /* A port that was free a moment ago, and which this test keeps from others by not listening. */
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    struct err err = ERR_INIT;
    bool ok = health_check("127.0.0.1", ntohs(a.sin_port), "health", 30, &err);
    close(fd);
    assert_outcome(
        &err, ok, ntohs(a.sin_port), ERR_UNAVAILABLE,
        "health check failed: Get \"http://#/health\": rpc error: code = Unavailable desc "
        "= connection refused\ndial tcp #: connect: connection refused");
}

static void test_health_check_refuses_wrong_arguments(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    assert_false(health_check("127.0.0.1", 8081, "bogus", 5, &err));
    assert_string_equal(err.msg, "invalid endpoint: bogus (valid: health, ready, live)");
    assert_int_equal(err.code, ERR_UNKNOWN);
    assert_false(health_check("::1", 70000, "health", 5, &err));
    assert_string_equal(err.msg,
                        "health check failed: Get \"http://[::1]:70000/health\": dial tcp: "
                        "address 70000: invalid port");
    assert_false(health_check("127.0.0.1", -1, "health", 5, &err));
    assert_string_equal(err.msg, "failed to create request: parse \"http://127.0.0.1:-1/health\": "
                                 "invalid port \":-1\" after host");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_check_answers),
        cmocka_unit_test(test_health_check_request),
        cmocka_unit_test(test_health_check_times_out),
        cmocka_unit_test(test_health_check_reset),
        cmocka_unit_test(test_health_check_refused),
        cmocka_unit_test(test_health_check_refuses_wrong_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

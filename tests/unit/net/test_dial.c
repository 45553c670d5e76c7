/* dial: over loopback, every way in which a connection comes about or does not. */
#include "tests/unit/test.h"

#include <event2/buffer.h>
#include <stdlib.h>

#include "net/dial.h"
#include "tests/unit/net/fds.h"
#include "tests/unit/net/names.h"
#include "tests/unit/net/peer.h"

enum { LONG_MS = 20000 };

static char dir[] = "/tmp/test-dial-XXXXXX";
static char ca_file[128];
static struct cert ca, other_ca, server;
static const char *const loopback[] = {"127.0.0.1", NULL};

static int make_world(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(dir));
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", dir);
    ca = cert_make(&(struct cert_plan){.common_name = "CA"});
    other_ca = cert_make(&(struct cert_plan){.common_name = "Other CA"});
    server = cert_make(&(struct cert_plan){
        .common_name = "s", .names = "DNS:server.test,IP:127.0.0.1", .issuer = &ca});
    return 0;
}

static int end_world(void **state) {
    (void)state;
    cert_done(&ca);
    cert_done(&other_ca);
    cert_done(&server);
    unlink(ca_file);
    return rmdir(dir);
}

static int fresh(void **state) {
    (void)state;
    static const char *const variables[] = {"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
                                            "SSL_CERT_DIR"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
    cert_write(&ca, ca_file);
    setenv("SSL_CERT_FILE", ca_file, 1);
    names_addresses = loopback;
    return 0;
}

/* ---- one dial ---- */

struct world {
    struct event_base *base;
    struct trust *trust;
    int fds; /* before the dial */
    int calls;
    struct bufferevent *stream;
    struct err err;
};

static void on_done(struct bufferevent *stream, const struct err *err, void *payload) {
    struct world *w = payload;
    w->calls++;
    w->stream = stream;
    w->err = *err;
    event_base_loopbreak(w->base);
}

static struct world world_new(void) {
    struct world w = {.base = event_base_new(), .trust = trust_new()};
    assert_non_null(w.base);
    w.fds = fds_count();
    return w;
}

static struct dial *world_dial(struct world *w, const char *host, int port, const char *protocol,
                               int timeout_ms) {
    struct dial_options options = {.base = w->base, .trust = w->trust, .host = host, .port = port,
                                   .protocol = protocol, .timeout_ms = timeout_ms};
    struct dial *dial = dial_start(&options, on_done, w);
    assert_non_null(dial);
    assert_int_equal(w->calls, 0);
    return dial;
}

/* Nothing is left of the dial, but for the memory of OpenSSL's first use. */
static void world_check_end(struct world *w) {
    if (w->stream)
        bufferevent_free(w->stream);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    assert_int_equal(event_base_get_num_events(w->base, EVENT_BASE_COUNT_ADDED), 0);
    assert_int_equal(fds_count(), w->fds);
    event_base_free(w->base);
    trust_free(w->trust);
}

static void world_run(struct world *w, const char *host, int port, const char *protocol,
                      int timeout_ms) {
    world_dial(w, host, port, protocol, timeout_ms);
    event_base_dispatch(w->base);
    assert_int_equal(w->calls, 1);
}

/* Dials, and looks that it fails with this code and all of the texts. */
static void check_fails(const char *host, int port, enum err_code code, const char *text,
                        const char *other_text) {
    struct world w = world_new();
    world_run(&w, host, port, "h2", LONG_MS);
    assert_null(w.stream);
    if (w.err.code != code || !strstr(w.err.msg, text) || !strstr(w.err.msg, other_text))
        fail_msg("expected %s, \"%s\" and \"%s\", got %s: %s", err_code_name(code), text, other_text,
                 err_code_name(w.err.code), w.err.msg);
    world_check_end(&w);
}

static void on_echo(struct bufferevent *stream, void *payload) {
    if (evbuffer_get_length(bufferevent_get_input(stream)) == 5)
        event_base_loopbreak(payload);
}

/* Dials, and sends five bytes there and back. */
static void check_works(const char *host, int port, const char *protocol) {
    struct world w = world_new();
    world_run(&w, host, port, protocol, LONG_MS);
    if (!w.stream)
        fail_msg("%s", w.err.msg);
    assert_int_equal(w.err.code, ERR_OK);
    assert_int_equal(bufferevent_get_enabled(w.stream), 0);
    char echo[6] = "";
    struct timeval limit = {.tv_sec = LONG_MS / 1000};
    event_base_loopexit(w.base, &limit);
    bufferevent_setcb(w.stream, on_echo, NULL, NULL, w.base);
    bufferevent_enable(w.stream, EV_READ | EV_WRITE);
    bufferevent_write(w.stream, "hello", 5);
    event_base_dispatch(w.base);
    bufferevent_read(w.stream, echo, 5);
    assert_string_equal(echo, "hello");
    bufferevent_free(w.stream);
    event_base_loop(w.base, EVLOOP_NONBLOCK);
    assert_int_equal(fds_count(), w.fds);
    event_base_free(w.base);
    trust_free(w.trust);
}

/* ---- direct ---- */

static void test_dial_connects_and_carries_bytes(void **state) {
    (void)state;
    struct peer peer = peer_start(&(struct peer_plan){.cert = &server, .protocol = "h2"});
    check_works("server.test", peer.port, "h2");
    check_works("127.0.0.1", peer.port, "h2");
    peer_stop(&peer);
    peer = peer_start(&(struct peer_plan){.cert = &server, .max_version = TLS1_2_VERSION});
    check_works("server.test", peer.port, "http/1.1");
    check_fails("server.test", peer.port, ERR_UNAVAILABLE, "does not speak h2", "server.test");
    peer_stop(&peer);
    peer = peer_start(&(struct peer_plan){.cert = &server, .protocol = "http/1.1"});
    check_works("server.test", peer.port, "http/1.1");
    check_fails("server.test", peer.port, ERR_UNAVAILABLE, "application protocol", "server.test");
    peer_stop(&peer);
}

static void test_dial_refuses_what_it_cannot_believe(void **state) {
    (void)state;
    const struct {
        struct cert_plan plan;
        const char *host, *text;
    } cases[] = {
        {{"s", "DNS:server.test", &ca, 0, 0}, "wrong.test", "for another name"},
        {{"s", "DNS:server.test", &ca, 0, 0}, "127.0.0.1", "not for this IP address"},
        {{"s", "DNS:server.test", &other_ca, 0, 0}, "server.test", "unknown CA"},
        {{"s", "DNS:server.test", NULL, 0, 0}, "server.test", "self-signed"},
        {{"s", "DNS:server.test", &ca, -2 * CERTS_DAY, -CERTS_DAY}, "server.test", "expired"},
        {{"s", "DNS:server.test", &ca, CERTS_DAY, 2 * CERTS_DAY}, "server.test", "not yet valid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cert cert = cert_make(&cases[i].plan);
        struct peer peer = peer_start(&(struct peer_plan){.cert = &cert, .protocol = "h2"});
        check_fails(cases[i].host, peer.port, ERR_UNAVAILABLE, cases[i].text, cases[i].host);
        peer_stop(&peer);
        cert_done(&cert);
    }
}

static void test_dial_explains_what_is_no_tls(void **state) {
    (void)state;
    const struct {
        struct peer_plan plan;
        const char *text;
    } cases[] = {
        {{.kind = PEER_TEXT}, "does not speak TLS on this port"},
        {{.kind = PEER_CLOSE}, "cut during the handshake"},
        {{.cert = &server, .max_version = TLS1_1_VERSION}, "TLS 1.2 or later"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer peer = peer_start(&cases[i].plan);
        check_fails("server.test", peer.port, ERR_UNAVAILABLE, cases[i].text, "server.test");
        peer_stop(&peer);
    }
}

/* A port at which nobody listens while the socket is held. */
static int refused_port(int *ret_fd) {
    int port = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET};
    socklen_t n = sizeof to;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &n), 0);
    port = ntohs(to.sin_port);
    *ret_fd = fd;
    return port;
}

static void test_dial_tells_what_refuses(void **state) {
    (void)state;
    static const char *const two[] = {"127.0.0.3", "127.0.0.1", NULL};
    int fd, port = refused_port(&fd);
    check_fails("127.0.0.1", port, ERR_UNAVAILABLE, "Connection refused", "127.0.0.1:");
    names_addresses = two;
    check_fails("server.test", port, ERR_UNAVAILABLE, "Connection refused", "the last of 2");
    close(fd);
    check_fails("none.test", 443, ERR_UNAVAILABLE, "not known", "none.test");
    check_fails("again.test", 443, ERR_UNAVAILABLE, "temporary failure", "again.test");
}

static void test_dial_refuses_odd_targets(void **state) {
    (void)state;
    check_fails("", 443, ERR_INVALID_ARGUMENT, "a host", "");
    check_fails("a b", 443, ERR_INVALID_ARGUMENT, "a host", "");
    check_fails("a\r\nX: y", 443, ERR_INVALID_ARGUMENT, "a host", "");
    check_fails("server.test", 0, ERR_INVALID_ARGUMENT, "a port", "");
    check_fails("server.test", 65536, ERR_INVALID_ARGUMENT, "a port", "");
}

/* A listener whose queue is full: who connects hears nothing. */
struct deaf {
    int listener, queued;
};

static struct deaf deaf_open(const char *address, int *port) {
    struct deaf d = {peer_listen(address, *port, 0, port), socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)*port)};
    assert_true(d.listener >= 0);
    inet_pton(AF_INET, address, &to.sin_addr);
    assert_int_equal(connect(d.queued, (struct sockaddr *)&to, sizeof to), 0);
    return d;
}

static void deaf_close(struct deaf *d) {
    close(d->queued);
    close(d->listener);
}

static void test_dial_tries_the_next_address(void **state) {
    (void)state;
    static const char *const refused_first[] = {"127.0.0.2", "127.0.0.3", "127.0.0.1", NULL};
    static const char *const deaf_first[] = {"127.0.0.4", "127.0.0.1", NULL};
    struct peer peer = peer_start(&(struct peer_plan){.cert = &server, .protocol = "h2"});
    names_addresses = refused_first;
    check_works("server.test", peer.port, "h2");
    int port = peer.port;
    struct deaf deaf = deaf_open("127.0.0.4", &port);
    names_addresses = deaf_first;
    check_works("server.test", peer.port, "h2");
    deaf_close(&deaf);
    peer_stop(&peer);
}

static void test_dial_follows_a_rotated_ca(void **state) {
    (void)state;
    struct cert renewed = cert_make(&(struct cert_plan){
        .common_name = "s", .names = "DNS:server.test", .issuer = &other_ca});
    struct peer peer = peer_start(&(struct peer_plan){.cert = &renewed, .protocol = "h2"});
    struct world w = world_new();
    world_run(&w, "server.test", peer.port, "h2", LONG_MS);
    assert_non_null(strstr(w.err.msg, "unknown CA"));
    cert_write(&other_ca, ca_file);
    w.calls = 0;
    world_run(&w, "server.test", peer.port, "h2", LONG_MS);
    if (!w.stream)
        fail_msg("%s", w.err.msg);
    world_check_end(&w);
    peer_stop(&peer);
    cert_done(&renewed);
}

static void test_dial_without_trusted_certificates_fails(void **state) {
    (void)state;
    struct peer peer = peer_start(&(struct peer_plan){.cert = &server, .protocol = "h2"});
    setenv("SSL_CERT_FILE", "/nonexistent/ca.pem", 1);
    check_fails("server.test", peer.port, ERR_UNKNOWN, "/nonexistent/ca.pem", "SSL_CERT_FILE");
    peer_stop(&peer);
}

/* ---- through a proxy ---- */

static const char opened[] = "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n";

static void set_proxy(const char *credentials, int port) {
    char setting[128];
    snprintf(setting, sizeof setting, "http://%sproxy.test:%d", credentials, port);
    setenv("HTTPS_PROXY", setting, 1);
}

static void test_dial_goes_through_a_proxy(void **state) {
    (void)state;
    struct peer_plan plan = {.cert = &server, .protocol = "h2", .proxy_answer = opened,
                             .proxy_wants = "CONNECT server.test:443 HTTP/1.1\r\n"};
    struct peer peer = peer_start(&plan);
    struct peer direct = peer_start(&(struct peer_plan){.cert = &server, .protocol = "h2"});
    set_proxy("", peer.port);
    check_works("server.test", 443, "h2");
    check_works("127.0.0.1", direct.port, "h2");
    setenv("NO_PROXY", ".test", 1);
    check_works("server.test", direct.port, "h2");
    peer_stop(&direct);
    peer_stop(&peer);
}

static void test_dial_gives_the_proxy_its_credentials(void **state) {
    (void)state;
    struct peer_plan plan = {.cert = &server, .protocol = "h2", .proxy_answer = opened,
                             .proxy_wants = "\r\nProxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n"};
    struct peer peer = peer_start(&plan);
    set_proxy("user:hunter2@", peer.port);
    check_works("server.test", 443, "h2");
    set_proxy("", peer.port);
    check_fails("server.test", 443, ERR_UNAVAILABLE, "407", "wants a user");
    peer_stop(&peer);
}

static void test_dial_tells_what_a_proxy_does_wrong(void **state) {
    (void)state;
    static const struct {
        const char *answer, *text;
    } cases[] = {
        {"HTTP/1.1 407 No\r\n\r\n", "407"},
        {"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", "does not allow"},
        {"HTTP/1.1 502 No\r\n\r\n", "cannot reach the target"},
        {"SSH-2.0-OpenSSH_9\r\n", "not HTTP"},
        {"HTTP/1.1 2", "closed the connection"},
        {"HTTP/1.1 200 OK\r\n\r\nhello", "more than the head"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer peer = peer_start(&(struct peer_plan){.kind = PEER_CLOSE,
                                                          .proxy_answer = cases[i].answer});
        set_proxy("user:hunter2@", peer.port);
        check_fails("server.test", 443, ERR_UNAVAILABLE, cases[i].text, "the proxy proxy.test:");
        peer_stop(&peer);
    }
}

static void test_dial_tells_that_the_proxy_cannot_be_reached(void **state) {
    (void)state;
    int fd, port = refused_port(&fd);
    set_proxy("user:hunter2@", port);
    check_fails("server.test", 443, ERR_UNAVAILABLE, "the proxy proxy.test:", "HTTPS_PROXY");
    setenv("HTTPS_PROXY", "http://none.test", 1);
    check_fails("server.test", 443, ERR_UNAVAILABLE, "the proxy none.test:80", "not known");
    setenv("HTTPS_PROXY", "socks5://user:hunter2@proxy.test", 1);
    check_fails("server.test", 443, ERR_INVALID_ARGUMENT, "HTTPS_PROXY", "socks5");
    close(fd);
}

/* ---- limits and ends ---- */

static void check_limit(const char *host, int port, const char *text) {
    struct world w = world_new();
    world_run(&w, host, port, "h2", 30);
    assert_null(w.stream);
    if (w.err.code != ERR_DEADLINE_EXCEEDED || !strstr(w.err.msg, text) || !strstr(w.err.msg, host))
        fail_msg("no limit, or not about \"%s\": %s", text, w.err.msg);
    world_check_end(&w);
}

static void test_dial_has_a_time_limit_in_every_state(void **state) {
    (void)state;
    int port = 0;
    struct deaf deaf = deaf_open("127.0.0.1", &port);
    struct peer silent = peer_start(&(struct peer_plan){.kind = PEER_SILENT});
    struct peer proxy = peer_start(&(struct peer_plan){.proxy_answer = ""});
    check_limit("hangs.test", 443, "looked up");
    check_limit("server.test", port, "no address had answered");
    check_limit("server.test", silent.port, "handshake was not finished");
    set_proxy("", proxy.port);
    check_limit("server.test", 443, "the proxy had not answered");
    peer_stop(&silent);
    peer_stop(&proxy);
    deaf_close(&deaf);
}

static void on_told(evutil_socket_t fd, short what, void *payload) {
    (void)fd;
    (void)what;
    event_base_loopbreak(payload);
}

/* Dials, turns the loop until `told` is readable (-1: once), and cancels. */
static void check_cancel(const char *host, int port, int told) {
    struct world w = world_new();
    struct dial *dial = world_dial(&w, host, port, "h2", LONG_MS);
    if (told >= 0) {
        struct event *event = event_new(w.base, told, EV_READ, on_told, w.base);
        struct timeval limit = {.tv_sec = LONG_MS / 1000};
        event_add(event, &limit);
        event_base_dispatch(w.base);
        event_free(event);
    } else
        event_base_loop(w.base, EVLOOP_NONBLOCK);
    assert_int_equal(w.calls, 0);
    dial_cancel(dial);
    world_check_end(&w);
    assert_int_equal(w.calls, 0);
}

static void test_dial_cancel_leaves_nothing_in_any_state(void **state) {
    (void)state;
    static const char *const two_deaf[] = {"127.0.0.1", "127.0.0.1", NULL};
    int port = 0;
    struct deaf deaf = deaf_open("127.0.0.1", &port);
    struct peer silent = peer_start(&(struct peer_plan){.kind = PEER_SILENT});
    struct peer proxy = peer_start(&(struct peer_plan){.proxy_answer = ""});
    struct world w = world_new();
    dial_cancel(world_dial(&w, "server.test", 443, "h2", 0));
    dial_cancel(world_dial(&w, "a b", 443, "h2", 0));
    world_check_end(&w);
    dial_cancel(NULL);
    check_cancel("hangs.test", 443, -1);
    check_cancel("127.0.0.1", port, -1);
    names_addresses = two_deaf;
    check_cancel("server.test", port, -1);
    names_addresses = loopback;
    check_cancel("server.test", silent.port, silent.told);
    set_proxy("user:hunter2@", proxy.port);
    check_cancel("server.test", 443, proxy.told);
    peer_stop(&silent);
    peer_stop(&proxy);
    assert_true(fds_has_no_child());
    deaf_close(&deaf);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_dial_connects_and_carries_bytes),
        TEST(test_dial_refuses_what_it_cannot_believe),
        TEST(test_dial_explains_what_is_no_tls),
        TEST(test_dial_tells_what_refuses),
        TEST(test_dial_refuses_odd_targets),
        TEST(test_dial_tries_the_next_address),
        TEST(test_dial_follows_a_rotated_ca),
        TEST(test_dial_without_trusted_certificates_fails),
        TEST(test_dial_goes_through_a_proxy),
        TEST(test_dial_gives_the_proxy_its_credentials),
        TEST(test_dial_tells_what_a_proxy_does_wrong),
        TEST(test_dial_tells_that_the_proxy_cannot_be_reached),
        TEST(test_dial_has_a_time_limit_in_every_state),
        TEST(test_dial_cancel_leaves_nothing_in_any_state),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}

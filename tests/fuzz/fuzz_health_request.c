/* Bytes from a client to the health server, over loopback, in one loop. The first byte says how the check
 * of the connector goes and how the rest is cut into pieces. Whatever comes, the server answers in
 * HTTP or closes, and answers an ordinary request afterwards. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "service/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16 * 1024, HEARD_MAX = 16 * 1024, TURNS_MAX = 20000 };
enum { AT_ONCE = 1, GOOD = 2, IN_PIECES = 4, GOES_AWAY = 8, STAYS_OPEN = 16 };

static struct event_base *base;
static struct health *server;
static struct health_reply *reply;
static uint8_t way;

static void finish(struct health_reply *r) {
    struct err err = ERR_INIT;
    err_set(&err, ERR_UNAVAILABLE, "bad");
    health_reply_done(r, way & GOOD ? NULL : &err);
}

static void start_check(struct health_reply *r, void *payload) {
    (void)payload;
    assert(!reply);
    if (way & AT_ONCE)
        finish(r);
    else
        reply = r;
}

static void start_server(void) {
    signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    struct metrics *m = metrics_new(NULL);
    assert(base && m);
    metrics_register(m, "demo_total", "Demo.", METRICS_COUNTER, NULL);
    const struct health_options o = {.base = base, .bind_address = "127.0.0.1", .metrics = m,
                                     .check = start_check, .request_ms = 20, .reuse_ms = 1};
    struct err err = ERR_INIT;
    server = health_new(&o, &err);
    if (!server)
        abort();
}

static void turn(void) {
    event_base_loop(base, EVLOOP_NONBLOCK);
    if (reply) {
        struct health_reply *r = reply;
        reply = NULL;
        finish(r);
    }
}

/* A reset at the end keeps the ports of thousands of runs from waiting. */
static int dial(void) {
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)health_port(server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger hard = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard) != 0 ||
        connect(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        abort();
    return fd;
}

static void say(int fd, const uint8_t *data, size_t size, size_t piece) {
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (send(fd, data + at, n, MSG_NOSIGNAL) < 0)
            return; /* closed already */
        turn();
    }
}

/* Until the server closes. */
static size_t hear(int fd, char *out) {
    size_t len = 0;
    for (int i = 0; i < TURNS_MAX; i++) {
        turn();
        ssize_t n = recv(fd, out + len, HEARD_MAX - len, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return len;
        if (n > 0)
            len += (size_t)n;
        else
            usleep(50); /* evhttp keeps some open until they are cut */
    }
    fprintf(stderr, "the server neither answered nor closed\n");
    abort();
}

static void ask_plainly(void) {
    static const char request[] = "GET /live HTTP/1.1\r\n\r\n";
    char heard[HEARD_MAX];
    int fd = dial();
    say(fd, (const uint8_t *)request, sizeof request - 1, sizeof request);
    size_t n = hear(fd, heard);
    if (n < 15 || memcmp(heard, "HTTP/1.1 200 OK", 15) != 0)
        abort();
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char heard[HEARD_MAX];
    if (!server)
        start_server();
    if (size < 1 || size > INPUT_MAX)
        return 0;
    way = data[0];
    int fd = dial();
    say(fd, data + 1, size - 1, way & IN_PIECES ? 1 + size / 7 : size);
    if (!(way & STAYS_OPEN))
        shutdown(fd, SHUT_WR);
    size_t n = way & GOES_AWAY ? 0 : hear(fd, heard);
    if (n && (n < 5 || memcmp(heard, "HTTP/", 5) != 0))
        abort();
    close(fd);
    ask_plainly();
    return 0;
}

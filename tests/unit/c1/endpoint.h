/* endpoint: a token endpoint for the unit tests, in the same loop. It takes the place of net/dial: what
 * dials gets one end of a socket pair, and the endpoint at the other end answers what `world` says. */
#ifndef TESTS_UNIT_C1_ENDPOINT_H
#define TESTS_UNIT_C1_ENDPOINT_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/dial.h"
#include "tests/unit/c1/example.h"

enum { ENDPOINTS_MAX = 16, PATIENCE_MS = 20000 };

static struct world {
    struct event_base *base;
    struct c1_credential credential;
    const char *answer; /* raw; NULL: never; "%d" is the number of the connection, from 1 on */
    bool is_hanging_up; /* after the answer, or in place of it */
    bool is_dial_failing, is_dial_hanging;
    int dials, cancelled_dials;
    struct bufferevent *wires[ENDPOINTS_MAX];
    char request[4096]; /* the last */
} world;

/* `life` has four characters, blanks among them; the token is t1, t2, ... */
#define TOKEN(life)                                                                                \
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"                                        \
    "11\r\n{\"access_token\":\"\r\n2\r\nt%d\r\n"                                                   \
    "2a\r\n\",\"token_type\":\"Bearer\",\"expires_in\":" life "}\r\n0\r\n\r\n"

static void on_patience(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    *(bool *)payload = true;
}

/* Runs the loop until *counter is at least `value`. */
static inline void run_until(const int *counter, int value) {
    bool is_late = false;
    struct event *patience = evtimer_new(world.base, on_patience, &is_late);
    const struct timeval after = {PATIENCE_MS / 1000, 0};
    event_add(patience, &after);
    while (*counter < value && !is_late)
        event_base_loop(world.base, EVLOOP_ONCE);
    event_free(patience);
    assert_false(is_late);
}

/* Lets the loop do what is to be done without waiting. */
static inline void run_dry(void) {
    for (int i = 0; i < 50; i++)
        event_base_loop(world.base, EVLOOP_NONBLOCK);
}

/* Called for an empty output at the start, too. */
static void endpoint_written(struct bufferevent *wire, void *payload) {
    (void)payload;
    if (world.is_hanging_up && *world.request)
        shutdown(bufferevent_getfd(wire), SHUT_RDWR);
}

static void endpoint_answer(struct evbuffer *output) {
    const char *number = strstr(world.answer, "%d");
    size_t before = number ? (size_t)(number - world.answer) : strlen(world.answer);
    evbuffer_add(output, world.answer, before);
    if (number)
        evbuffer_add_printf(output, "%d%s", world.dials, number + 2);
}

static void endpoint_read(struct bufferevent *wire, void *payload) {
    (void)payload;
    struct evbuffer *input = bufferevent_get_input(wire);
    size_t n = evbuffer_get_length(input);
    assert_true(n < sizeof world.request);
    if (evbuffer_search(input, "grant_type=client_credentials", 29, NULL).pos < 0)
        return;
    evbuffer_remove(input, world.request, n);
    world.request[n] = '\0';
    if (world.answer)
        endpoint_answer(bufferevent_get_output(wire));
    else
        endpoint_written(wire, NULL);
}

struct dial {
    struct event *event;
    dial_done *done;
    void *payload;
};

static void dialed(evutil_socket_t ignored, short what, void *payload) {
    (void)ignored, (void)what;
    struct dial dial = *(struct dial *)payload;
    event_free(dial.event);
    free(payload);
    if (world.is_dial_failing) {
        struct err err;
        err_set(&err, ERR_DEADLINE_EXCEEDED, "nobody listens there");
        dial.done(NULL, &err, dial.payload);
        return;
    }
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_true(world.dials <= ENDPOINTS_MAX);
    struct bufferevent *wire = bufferevent_socket_new(world.base, fds[1], BEV_OPT_CLOSE_ON_FREE);
    world.wires[world.dials - 1] = wire;
    bufferevent_setcb(wire, endpoint_read, endpoint_written, NULL, NULL);
    bufferevent_enable(wire, EV_READ | EV_WRITE);
    dial.done(bufferevent_socket_new(world.base, fds[0], BEV_OPT_CLOSE_ON_FREE), NULL, dial.payload);
}

struct dial *dial_start(const struct dial_options *options, dial_done *done, void *payload) {
    struct dial *dial = calloc(1, sizeof *dial);
    assert_string_equal(options->protocol, "http/1.1");
    assert_string_equal(options->host, "127.0.0.1");
    assert_int_equal(options->port, 18443);
    *dial = (struct dial){event_new(options->base, -1, 0, dialed, dial), done, payload};
    world.dials++;
    *world.request = '\0';
    if (!world.is_dial_hanging)
        event_active(dial->event, EV_TIMEOUT, 0);
    return dial;
}

void dial_progress(const struct dial *dial, char ret_text[DIAL_PROGRESS_MAX]) {
    assert_non_null(dial);
    ret_text[0] = '\0';
}

void dial_cancel(struct dial *dial) {
    if (!dial)
        return;
    event_free(dial->event);
    free(dial);
    world.cancelled_dials++;
}

static inline void world_begin(void) {
    struct err err = ERR_INIT;
    signal(SIGPIPE, SIG_IGN);
    world = (struct world){.base = event_base_new(), .answer = TOKEN("3600")};
    if (!example_parse(EXAMPLE_ID, EXAMPLE_SECRET, "127.0.0.1:18443", &world.credential, &err))
        fail_msg("%s", err.msg);
}

static inline void world_end(void) {
    run_dry();
    for (int i = 0; i < world.dials; i++)
        if (world.wires[i])
            bufferevent_free(world.wires[i]);
    event_base_free(world.base);
    c1_credential_done(&world.credential);
}

#endif

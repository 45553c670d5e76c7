#include "tests/unit/test.h"

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/notify.h"

struct manager {
    int fd;
    char dir[64], path[96], got[1024];
};

static void listen_at(struct manager *m, const char *name) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    assert_true(n < sizeof at.sun_path);
    memcpy(at.sun_path, name, n);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(m->fd >= 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    assert_int_equal(bind(m->fd, (const struct sockaddr *)&at, len), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static int set_up(void **state) {
    struct manager *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    m->fd = -1;
    snprintf(m->dir, sizeof m->dir, "/tmp/test_notify.XXXXXX");
    if (!mkdtemp(m->dir))
        return -1;
    snprintf(m->path, sizeof m->path, "%s/notify", m->dir);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    *state = m;
    return 0;
}

static int tear_down(void **state) {
    struct manager *m = *state;
    if (m->fd >= 0)
        close(m->fd);
    unlink(m->path);
    int rc = rmdir(m->dir);
    free(m);
    return rc;
}

/* The next message. */
static const char *receive(struct manager *m) {
    struct pollfd p = {.fd = m->fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    ssize_t n = recv(m->fd, m->got, sizeof m->got - 1, 0);
    assert_true(n > 0);
    m->got[n] = '\0';
    return m->got;
}

static bool has_message(struct manager *m) {
    struct pollfd p = {.fd = m->fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void test_notify_messages(void **state) {
    struct manager *m = *state;
    listen_at(m, m->path);
    notify_init();
    notify_ready();
    assert_string_equal(receive(m), "READY=1\n");
    notify_status("waits for a task");
    assert_string_equal(receive(m), "STATUS=waits for a task\n");
    notify_alive();
    assert_string_equal(receive(m), "WATCHDOG=1\n");
    notify_stopping();
    assert_string_equal(receive(m), "STOPPING=1\n");
    assert_false(has_message(m));
}

static void test_notify_reloading(void **state) {
    struct manager *m = *state;
    listen_at(m, m->path);
    notify_init();
    int64_t before = clock_mono_ns() / 1000;
    notify_reloading();
    int64_t after = clock_mono_ns() / 1000;
    static const char head[] = "RELOADING=1\nMONOTONIC_USEC=";
    assert_memory_equal(receive(m), head, sizeof head - 1);
    char *end;
    long long us = strtoll(m->got + sizeof head - 1, &end, 10);
    assert_string_equal(end, "\n");
    assert_true(us >= before && us <= after);
}

static void test_notify_status_is_one_line(void **state) {
    struct manager *m = *state;
    listen_at(m, m->path);
    notify_init();
    notify_status("a\nMAINPID=1\r");
    assert_string_equal(receive(m), "STATUS=a MAINPID=1 \n");
    char text[1001] = {0};
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    text[0] = 'x', text[1] = 'x';
    notify_status(text);
    size_t n = strlen(receive(m));
    assert_true(n > 500 && n < 540);
    assert_memory_equal(m->got + n - 3, "\xC3\xA9\n", 3);
}

static void test_notify_abstract_socket(void **state) {
    struct manager *m = *state;
    char name[96];
    snprintf(name, sizeof name, "@test_notify/%d", (int)getpid());
    listen_at(m, name);
    notify_init();
    notify_ready();
    assert_string_equal(receive(m), "READY=1\n");
}

static void test_notify_environment_is_taken(void **state) {
    struct manager *m = *state;
    listen_at(m, m->path);
    setenv("WATCHDOG_USEC", "30000000", 1);
    notify_init();
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    assert_int_equal(notify_watchdog(), 15000);
    notify_init(); /* nothing is set any more */
    notify_ready();
    assert_int_equal(notify_watchdog(), 0);
    assert_false(has_message(m));
}

static void test_notify_watchdog(void **state) {
    (void)state;
    char mine[16], other[16];
    snprintf(mine, sizeof mine, "%d", (int)getpid());
    snprintf(other, sizeof other, "%d", (int)getpid() + 1);
    const struct {
        const char *usec, *pid;
        int64_t expected;
    } rows[] = {
        {"10000000", mine, 5000}, {"10000000", other, 0}, {"10000000", NULL, 5000},
        {"10000000", "x", 0},     {"0", NULL, 0},         {"-5", NULL, 0},
        {"5 s", NULL, 0},         {"", NULL, 0},          {"99999999999999999999", NULL, 0},
        {"1", NULL, 1},           {NULL, mine, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].usec)
            setenv("WATCHDOG_USEC", rows[i].usec, 1);
        if (rows[i].pid)
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        notify_init();
        assert_int_equal(notify_watchdog(), rows[i].expected);
    }
}

static void test_notify_nobody_listens(void **state) {
    struct manager *m = *state;
    char long_path[256];
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    const char *const names[] = {NULL, "", "/", "@", "relative", "vsock:2:1", long_path, m->path};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i])
            setenv("NOTIFY_SOCKET", names[i], 1);
        notify_init();
        int64_t before = clock_mono_ms();
        notify_ready();
        notify_status("x");
        notify_alive();
        notify_reloading();
        notify_stopping();
        assert_true(clock_mono_ms() - before < 5000);
        assert_null(getenv("NOTIFY_SOCKET"));
    }
}

/* A manager that does not read must not stop the service. */
static void test_notify_full_queue(void **state) {
    struct manager *m = *state;
    listen_at(m, m->path);
    notify_init();
    int small = 1;
    setsockopt(m->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    int64_t before = clock_mono_ms();
    struct pollfd p = {.fd = m->fd, .events = POLLIN};
    for (int i = 0; i < 600 && clock_mono_ms() - before < 300; i++)
        notify_alive();
    assert_true(clock_mono_ms() - before < 5000);
    assert_int_equal(poll(&p, 1, 0), 1);
}

#define manager_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        manager_test(test_notify_messages),
        manager_test(test_notify_reloading),
        manager_test(test_notify_status_is_one_line),
        manager_test(test_notify_abstract_socket),
        manager_test(test_notify_environment_is_taken),
        manager_test(test_notify_watchdog),
        manager_test(test_notify_nobody_listens),
        manager_test(test_notify_full_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

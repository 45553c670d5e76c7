/* resolve: literals, names, failures in words, and no child or descriptor left behind. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve.h"
#include "tests/unit/net/fds.h"
#include "tests/unit/net/names.h"

struct outcome {
    struct event_base *base;
    int calls;
    struct resolve_address addresses[RESOLVE_MAX];
    size_t count;
    struct err err;
};

static void on_done(const struct resolve_address *addresses, size_t count, const struct err *err,
                    void *payload) {
    struct outcome *o = payload;
    o->calls++;
    o->count = count;
    o->err = *err;
    if (count > 0)
        memcpy(o->addresses, addresses, count * sizeof *addresses);
    event_base_loopbreak(o->base);
}

static struct outcome look_up(const char *host, int timeout_ms) {
    struct outcome o = {.base = event_base_new()};
    int before = fds_count();
    assert_non_null(resolve_start(o.base, host, 443, timeout_ms, on_done, &o));
    assert_int_equal(o.calls, 0);
    event_base_dispatch(o.base);
    assert_int_equal(o.calls, 1);
    assert_int_equal(event_base_get_num_events(o.base, EVENT_BASE_COUNT_ADDED), 0);
    assert_int_equal(fds_count(), before);
    assert_true(fds_has_no_child());
    event_base_free(o.base);
    return o;
}

static void check_text(const struct outcome *o, size_t i, const char *expected) {
    char text[RESOLVE_TEXT_MAX];
    assert_true(i < o->count);
    resolve_text(&o->addresses[i], text);
    assert_string_equal(text, expected);
}

static void test_resolve_literals_need_no_help(void **state) {
    (void)state;
    struct outcome v4 = look_up("192.0.2.7", 10000), v6 = look_up("2001:db8::7", 10000);
    assert_int_equal(v4.count, 1);
    check_text(&v4, 0, "192.0.2.7:443");
    assert_int_equal(v6.count, 1);
    check_text(&v6, 0, "[2001:db8::7]:443");
}

static void test_resolve_names_give_all_addresses_in_order(void **state) {
    (void)state;
    static const char *const three[] = {"192.0.2.3", "2001:db8::1", "192.0.2.1", NULL};
    names_addresses = three;
    struct outcome o = look_up("three.test", 10000);
    assert_int_equal(o.err.code, ERR_OK);
    assert_int_equal(o.count, 3);
    check_text(&o, 0, "192.0.2.3:443");
    check_text(&o, 1, "[2001:db8::1]:443");
    check_text(&o, 2, "192.0.2.1:443");
}

static void test_resolve_takes_no_more_than_its_maximum(void **state) {
    (void)state;
    static const char *many[RESOLVE_MAX + 5];
    for (size_t i = 0; i < RESOLVE_MAX + 4; i++)
        many[i] = "192.0.2.9";
    names_addresses = many;
    struct outcome o = look_up("many.test", 10000);
    assert_int_equal(o.count, RESOLVE_MAX);
    check_text(&o, RESOLVE_MAX - 1, "192.0.2.9:443");
}

static void test_resolve_failures_name_host_and_reason(void **state) {
    (void)state;
    static const struct {
        const char *host, *text;
    } cases[] = {
        {"none.test", "none.test has no address: name or service not known"},
        {"again.test", "again.test: temporary failure"},
        {"system.test", "system.test: Too many open files"},
        {"dies.test", "dies.test: the process that asks ended early"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome o = look_up(cases[i].host, 10000);
        assert_int_equal(o.count, 0);
        assert_int_equal(o.err.code, ERR_UNAVAILABLE);
        if (!strstr(o.err.msg, cases[i].text))
            fail_msg("%s: %s", cases[i].host, o.err.msg);
    }
}

static void test_resolve_has_a_time_limit(void **state) {
    (void)state;
    struct outcome o = look_up("hangs.test", 20);
    assert_int_equal(o.count, 0);
    assert_int_equal(o.err.code, ERR_DEADLINE_EXCEEDED);
    assert_non_null(strstr(o.err.msg, "hangs.test"));
    assert_non_null(strstr(o.err.msg, "20 ms"));
}

/* A copy of a socket would keep the connection open after the parent has closed it. */
static void test_resolve_child_holds_no_descriptor_of_its_parent(void **state) {
    (void)state;
    static const char *const one[] = {"192.0.2.3", NULL};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    names_addresses = one;
    names_foreign_fd = ends[1];
    struct outcome o = look_up("alone.test", 10000);
    assert_string_equal(o.err.msg, "");
    check_text(&o, 0, "192.0.2.3:443");
    close(ends[0]);
    close(ends[1]);
}

/* "pkill -HUP", Ctrl-C and systemd reach the child, too; it is its parent who decides. */
static void test_resolve_child_is_not_ended_by_signals_to_all(void **state) {
    (void)state;
    static const char *const one[] = {"192.0.2.3", NULL};
    names_addresses = one;
    struct outcome o = look_up("signals.test", 10000);
    assert_string_equal(o.err.msg, "");
    assert_int_equal(o.count, 1);
}

static void test_resolve_cancel_leaves_nothing(void **state) {
    (void)state;
    static const char *const hosts[] = {"hangs.test", "none.test", "192.0.2.1"};
    struct outcome o = {.base = event_base_new()};
    int before = fds_count();
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        resolve_cancel(resolve_start(o.base, hosts[i], 443, 10000, on_done, &o));
        assert_int_equal(fds_count(), before);
        assert_true(fds_has_no_child());
    }
    event_base_loop(o.base, EVLOOP_NONBLOCK);
    assert_int_equal(o.calls, 0);
    resolve_cancel(NULL);
    event_base_free(o.base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve_literals_need_no_help),
        cmocka_unit_test(test_resolve_names_give_all_addresses_in_order),
        cmocka_unit_test(test_resolve_takes_no_more_than_its_maximum),
        cmocka_unit_test(test_resolve_failures_name_host_and_reason),
        cmocka_unit_test(test_resolve_has_a_time_limit),
        cmocka_unit_test(test_resolve_child_holds_no_descriptor_of_its_parent),
        cmocka_unit_test(test_resolve_child_is_not_ended_by_signals_to_all),
        cmocka_unit_test(test_resolve_cancel_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "service/metrics.h"

enum { TEXT_MAX = 64 * 1024 };

static struct metrics *fresh(void) {
    struct err err = ERR_INIT;
    struct metrics *m = metrics_new(&err);
    if (!m)
        fail_msg("%s", err.msg);
    return m;
}

static char *text_of(const struct metrics *m) {
    struct buf out;
    buf_init(&out, TEXT_MAX);
    metrics_write(m, &out);
    assert_true(buf_ok(&out));
    return buf_detach(&out);
}

static void test_metrics_text(void **state) {
    (void)state;
    struct metrics *m = fresh();
    int good = metrics_register(m, "demo_syncs_total", "Syncs by result.\nA \\ too.",
                                METRICS_COUNTER, "result=\"success\"");
    int bad = metrics_register(m, "demo_syncs_total", "Syncs by result.\nA \\ too.",
                               METRICS_COUNTER, "result=\"failure\",kind=\"full\"");
    int owners = metrics_register(m, "demo_owners", "Owners.", METRICS_GAUGE, NULL);
    int took = metrics_register(m, "demo_sync_seconds", "Duration.", METRICS_GAUGE_MS, NULL);
    int sum = metrics_register(m, "demo_busy_seconds_total", "Busy.", METRICS_COUNTER_MS, NULL);
    metrics_add(m, good, 2);
    metrics_add(m, good, 1);
    metrics_set(m, owners, -4);
    metrics_add(m, owners, 1);
    metrics_set_seconds(m, took, 61005);
    metrics_add(m, sum, 7);
    assert_int_equal(metrics_get(m, good), 3);
    assert_int_equal(metrics_get(m, bad), 0);
    static const char expected[] = "# HELP demo_syncs_total Syncs by result.\\nA \\\\ too.\n"
                                   "# TYPE demo_syncs_total counter\n"
                                   "demo_syncs_total{result=\"success\"} 3\n"
                                   "demo_syncs_total{result=\"failure\",kind=\"full\"} 0\n"
                                   "# HELP demo_owners Owners.\n"
                                   "# TYPE demo_owners gauge\n"
                                   "demo_owners -3\n"
                                   "# HELP demo_sync_seconds Duration.\n"
                                   "# TYPE demo_sync_seconds gauge\n"
                                   "demo_sync_seconds 61.005\n"
                                   "# HELP demo_busy_seconds_total Busy.\n"
                                   "# TYPE demo_busy_seconds_total counter\n"
                                   "demo_busy_seconds_total 0.007\n"
                                   "# HELP process_";
    char *text = text_of(m);
    text[sizeof expected - 1] = '\0';
    assert_string_equal(text, expected);
    free(text);
    metrics_free(m);
}

static void test_metrics_negative_seconds(void **state) {
    (void)state;
    struct metrics *m = fresh();
    int i = metrics_register(m, "a", "A.", METRICS_GAUGE_MS, NULL);
    metrics_set_seconds(m, i, INT64_MIN);
    char *text = text_of(m);
    assert_non_null(strstr(text, "\na -9223372036854775.808\n"));
    free(text);
    metrics_free(m);
}

static void test_metrics_label_is_escaped(void **state) {
    (void)state;
    struct metrics *m = fresh();
    buf_auto struct buf labels;
    buf_init(&labels, 256);
    metrics_add_label(&labels, "version", "1\"2\\3\n4");
    metrics_add_label(&labels, "tier", "plugin");
    assert_string_equal(labels.data, "version=\"1\\\"2\\\\3\\n4\",tier=\"plugin\"");
    int i = metrics_register(m, "demo_info", "Build.", METRICS_GAUGE, labels.data);
    metrics_set(m, i, 1);
    char *text = text_of(m);
    assert_non_null(
        strstr(text, "\ndemo_info{version=\"1\\\"2\\\\3\\n4\",tier=\"plugin\"} 1\n"));
    free(text);
    metrics_free(m);
}

static double value_of(const char *text, const char *name) {
    char line[128];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    if (!at)
        fail_msg("no %s in: %s", name, text);
    return strtod(at + strlen(line), NULL);
}

static void test_metrics_process(void **state) {
    (void)state;
    struct metrics *m = fresh();
    char *text = text_of(m);
    int spare = dup(0);
    char *more = text_of(m);
    double started = value_of(text, "process_start_time_seconds");
    assert_true(started > (double)(time(NULL) - 600) && started < (double)(time(NULL) + 2));
    assert_true(value_of(text, "process_start_time_seconds") ==
                value_of(more, "process_start_time_seconds"));
    double resident = value_of(text, "process_resident_memory_bytes");
    assert_true(resident > 100e3 && resident < 100e9);
    assert_true(value_of(text, "process_open_fds") >= 1);
    assert_true(value_of(more, "process_open_fds") == value_of(text, "process_open_fds") + 1);
    double cpu = value_of(text, "process_cpu_seconds_total");
    assert_true(cpu >= 0 && cpu < 60);
    close(spare);
    free(text);
    free(more);
    metrics_free(m);
}

static void test_metrics_children_count_too(void **state) {
    (void)state;
    enum { CHILDREN = 4, ROUNDS = 20000 };
    struct metrics *m = fresh();
    int total = metrics_register(m, "a_total", "A.", METRICS_COUNTER, NULL);
    int last = metrics_register(m, "b", "B.", METRICS_GAUGE, NULL);
    pid_t pids[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            for (int k = 0; k < ROUNDS; k++)
                metrics_add(m, total, 1);
            metrics_set(m, last, 42);
            _exit(0);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(metrics_get(m, total), CHILDREN * ROUNDS);
    assert_int_equal(metrics_get(m, last), 42);
    metrics_free(m);
}

static void test_metrics_none(void **state) {
    (void)state;
    metrics_add(NULL, 3, 1);
    metrics_set(NULL, 3, 1);
    metrics_set_seconds(NULL, 3, 1);
    assert_int_equal(metrics_get(NULL, 3), 0);
    metrics_free(NULL);
}

/* --- misuse ends the process --- */

static void bad_name(struct metrics *m) {
    metrics_register(m, "1a", "A.", METRICS_GAUGE, NULL);
}
static void bad_labels(struct metrics *m) {
    metrics_register(m, "a", "A.", METRICS_GAUGE, "x=\"1\",");
}
static void bad_escape(struct metrics *m) {
    metrics_register(m, "a", "A.", METRICS_GAUGE, "x=\"a\nb\"");
}
static void twice(struct metrics *m) {
    metrics_register(m, "a", "A.", METRICS_GAUGE, NULL);
    metrics_register(m, "a", "A.", METRICS_GAUGE, NULL);
}
static void scattered(struct metrics *m) {
    metrics_register(m, "a", "A.", METRICS_GAUGE, "x=\"1\"");
    metrics_register(m, "b", "B.", METRICS_GAUGE, NULL);
    metrics_register(m, "a", "A.", METRICS_GAUGE, "x=\"2\"");
}
static void shrinking(struct metrics *m) {
    metrics_add(m, metrics_register(m, "a", "A.", METRICS_COUNTER, NULL), -1);
}
static void set_counter(struct metrics *m) {
    metrics_set(m, metrics_register(m, "a", "A.", METRICS_COUNTER, NULL), 1);
}
static void beyond(struct metrics *m) {
    metrics_add(m, metrics_register(m, "a", "A.", METRICS_COUNTER, NULL) + 1, 1);
}
static void too_many(struct metrics *m) {
    for (int i = 0; i <= METRICS_MAX; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "n=\"%d\"", i);
        metrics_register(m, "a", "A.", METRICS_COUNTER, labels);
    }
}

static void test_metrics_child_may_not_register(void **state) {
    (void)state;
    struct metrics *m = fresh();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        signal(SIGABRT, SIG_DFL);
        metrics_register(m, "a", "A.", METRICS_GAUGE, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    metrics_free(m);
}

static void test_metrics_misuse(void **state) {
    (void)state;
    static void (*const cases[])(struct metrics * m) = {
        bad_name,  bad_labels,  bad_escape, twice,   scattered,
        shrinking, set_counter, beyond,     too_many};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            /* The message of assert() would mix with the test's own output. */
            if (!freopen("/dev/null", "w", stderr))
                _exit(0);
            signal(SIGABRT, SIG_DFL);
            cases[i](fresh());
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("case %zu: status %d", i, status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_text),
        cmocka_unit_test(test_metrics_negative_seconds),
        cmocka_unit_test(test_metrics_label_is_escaped),
        cmocka_unit_test(test_metrics_process),
        cmocka_unit_test(test_metrics_children_count_too),
        cmocka_unit_test(test_metrics_none),
        cmocka_unit_test(test_metrics_child_may_not_register),
        cmocka_unit_test(test_metrics_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

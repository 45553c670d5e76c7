/* jsonw and log: what they write, byte for byte. */
#include "tests/unit/test.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/log.h"

static void test_jsonw_compact_and_pretty(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 1000);
    for (int pretty = 0; pretty <= 1; pretty++) {
        struct jsonw w;
        buf_reset(&b);
        jsonw_init(&w, &b, pretty);
        jsonw_object(&w);
        jsonw_kv(&w, "a", "x");
        jsonw_key(&w, "b");
        jsonw_array(&w);
        jsonw_int(&w, -1);
        jsonw_null(&w);
        jsonw_array_end(&w);
        jsonw_key(&w, "c");
        jsonw_object(&w);
        jsonw_object_end(&w);
        jsonw_object_end(&w);
        assert_string_equal(b.data, pretty ? "{\n  \"a\": \"x\",\n  \"b\": [\n    -1,\n    null\n  "
                                             "],\n  \"c\": {}\n}"
                                           : "{\"a\":\"x\",\"b\":[-1,null],\"c\":{}}");
    }
}

static void test_jsonw_escapes_only_what_must_be(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 1000);
    const char *text = "<&>\"\\\n\x01\x7f é \xFF";
    jsonw_quote(&b, text, strlen(text));
    assert_string_equal(b.data, "\"<&>\\\"\\\\\\n\\u0001\x7f é \xEF\xBF\xBD\"");
}

static void test_jsonw_doubles_read_back_the_same(void **state) {
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {{0.1, "0.1"}, {1e21, "1e+21"}, {1, "1"}, {NAN, "\"NaN\""}, {-INFINITY, "\"-Infinity\""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_auto struct buf b;
        buf_init(&b, 100);
        struct jsonw w;
        jsonw_init(&w, &b, false);
        jsonw_double(&w, cases[i].v);
        assert_string_equal(b.data, cases[i].text);
    }
}

struct tape {
    char text[4096];
};

static void record(const char *line, size_t n, void *payload) {
    struct tape *t = payload;
    size_t used = strlen(t->text);
    assert_true(used + n < sizeof t->text);
    memcpy(t->text + used, line, n);
    t->text[used + n] = '\0';
}

/* A log that writes nowhere but to the tape. */
static struct log *quiet_log(enum log_level level, enum log_format format, struct tape *t) {
    struct log *log = log_new(level, format);
    assert_true(log_open_path(log, "/dev/null", NULL));
    log_set_tap(log, record, t);
    *t = (struct tape){0};
    return log;
}

static void test_log_json_line_has_the_sdk_order(void **state) {
    (void)state;
    struct tape t;
    struct log *log = quiet_log(LOG_INFO, LOG_JSON, &t);
    clock_set_for_test(1795326287837840000);
    log_write(log, LOG_INFO, "../src/sync/engine.c", 7, "Synced resource types",
              (const struct log_field[]){LOG_INT("count", 2), LOG_MS("d", 1500), {.kind = LOG_K_END}});
    log_debug(log, "not shown");
    clock_set_for_test(0);
    log_free(log);
    assert_string_equal(t.text, "{\"level\":\"info\",\"ts\":1795326287.83784,\"caller\":\"sync/"
                                "engine.c:7\",\"msg\":\"Synced resource types\",\"count\":2,\"d\":1."
                                "5}\n");
}

static void test_log_console_line_is_tab_separated(void **state) {
    (void)state;
    struct tape t;
    struct log *log = quiet_log(LOG_INFO, LOG_CONSOLE, &t);
    clock_set_for_test(1795326288048000000);
    log_write(log, LOG_WARN, "src/a.c", 1, "m",
              (const struct log_field[]){LOG_STR("s", "x\ty"), LOG_BOOL("b", true), {.kind = LOG_K_END}});
    clock_set_for_test(0);
    log_free(log);
    assert_string_equal(
        t.text, "2026-11-22T05:44:48.048Z\tWARN\ta.c:1\tm\t{\"s\": \"x\\ty\", \"b\": true}\n");
}

static void test_log_hides_registered_secrets(void **state) {
    (void)state;
    struct tape t;
    struct log *log = quiet_log(LOG_DEBUG, LOG_JSON, &t);
    secret_auto struct secret s = SECRET_INIT;
    secret_set(&s, "feedfacefeedface", 16);
    log_hide(log, &s);
    log_error(log, "refused", LOG_STR("error", "key feedfacefeedface is bad"));
    log_free(log);
    assert_null(strstr(t.text, "feedface"));
    assert_non_null(strstr(t.text, "key **************** is bad"));
}

static void test_log_hides_secrets_that_json_escapes(void **state) {
    (void)state;
    struct tape t;
    struct log *log = quiet_log(LOG_DEBUG, LOG_JSON, &t);
    secret_auto struct secret s = SECRET_INIT;
    secret_set(&s, "abc\"defgh", 9);
    log_hide(log, &s);
    log_error(log, "refused", LOG_STR("error", "key abc\"defgh is bad"));
    char text[] = "key abc\"defgh is bad";
    log_mask(log, text);
    log_free(log);
    assert_null(strstr(t.text, "defgh"));
    assert_string_equal(text, "key ********* is bad");
}

static void test_log_level_from_reads_zap_names(void **state) {
    (void)state;
    assert_int_equal(log_level_from("DEBUG"), LOG_DEBUG);
    assert_int_equal(log_level_from("warn"), LOG_WARN);
    assert_int_equal(log_level_from("nonsense"), LOG_INFO);
}

static void test_log_open_path_says_why_it_cannot(void **state) {
    (void)state;
    struct log *log = log_new(LOG_INFO, LOG_JSON);
    struct err e = ERR_INIT;
    assert_false(log_open_path(log, "/nonexistent/x.log", &e));
    assert_string_equal(e.msg, "open sink \"/nonexistent/x.log\": open /nonexistent/x.log: No such "
                               "file or directory");
    log_free(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonw_compact_and_pretty),
        cmocka_unit_test(test_jsonw_escapes_only_what_must_be),
        cmocka_unit_test(test_jsonw_doubles_read_back_the_same),
        cmocka_unit_test(test_log_json_line_has_the_sdk_order),
        cmocka_unit_test(test_log_console_line_is_tab_separated),
        cmocka_unit_test(test_log_hides_registered_secrets),
        cmocka_unit_test(test_log_hides_secrets_that_json_escapes),
        cmocka_unit_test(test_log_level_from_reads_zap_names),
        cmocka_unit_test(test_log_open_path_says_why_it_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* fault: orders, their two forms, which request they hit, what they do to an answer. */
#include "tests/unit/test.h"

#include <jansson.h>
#include <string.h>

#include "sandbox/edge.h"
#include "sandbox/fault.h"
#include "sandbox/fault_kind.h"

static struct faults faults;
static struct answer answer;

static int make_faults(void **state) {
    (void)state;
    faults_init(&faults);
    answer_init(&answer);
    return 0;
}

static int drop_faults(void **state) {
    (void)state;
    faults_done(&faults);
    answer_done(&answer);
    return 0;
}

static void add(const char *spec) {
    struct err err = ERR_INIT;
    json_auto_t *order = fault_parse_spec(spec, &err);
    assert_non_null(order);
    assert_true(faults_add(&faults, order, NULL, &err));
}

/* The id of the fault that a GET of the list meets, 0 for none. */
static unsigned pick(void) {
    const struct fault *f = faults_pick(&faults, "GET", "website/operators/list",
                                        "/v1/website/1/operators/list");
    return f ? f->id : 0;
}

/* Applies the only fault to this normal answer. */
static void apply_to(const char *normal) {
    const struct fault *f = faults_pick(&faults, "GET", "website", "/v1/website/1");
    assert_non_null(f);
    answer_done(&answer);
    if (fault_changes_answer(f))
        answer_text(&answer, 200, ANSWER_JSON, normal);
    fault_apply(f, &answer, 0);
}

static void test_fault_parse_spec_makes_the_json_form(void **state) {
    (void)state;
    static const struct {
        const char *spec, *json;
    } cases[] = {
        {"website:slow", "{\"path\":\"website\",\"kind\":\"slow\"}"},
        {"a/b:429:retry-after=2:count=1",
         "{\"path\":\"a/b\",\"kind\":\"429\",\"retry_after\":2,\"count\":1}"},
        {"*:redirect:location=http://h:1/x?a=b:close=1",
         "{\"path\":\"*\",\"kind\":\"redirect\",\"location\":\"http://h:1/x?a=b\",\"close\":true}"},
        {"*:none:header=A: b:c:header=D:e",
         "{\"path\":\"*\",\"kind\":\"none\",\"headers\":{\"A\":\"b:c\",\"D\":\"e\"}}"},
        {"*:200:body=", "{\"path\":\"*\",\"kind\":\"200\",\"body\":\"\"}"},
        {"*:503:retry-after=soon", "{\"path\":\"*\",\"kind\":\"503\",\"retry_after\":\"soon\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_auto_t *got = fault_parse_spec(cases[i].spec, NULL);
        json_auto_t *expected = json_loads(cases[i].json, 0, NULL);
        assert_true(json_equal(got, expected));
    }
}

static void test_fault_parse_spec_explains_what_it_refuses(void **state) {
    (void)state;
    static const char *const bad[] = {"", ":", "website", "website:", ":429", "website:429:",
                                      "website:429:x", "website:none:header=x",
                                      "website:none:header=:x", "\xff:429", "*:none:body=\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = ERR_INIT;
        json_auto_t *order = fault_parse_spec(bad[i], &err);
        struct err ignored = ERR_INIT;
        /* "website:" parses and then has no such kind. */
        if (order)
            assert_false(faults_add(&faults, order, NULL, &ignored));
        else
            assert_true(strlen(err.msg) > 10);
    }
    assert_int_equal(faults.count, 0);
}

static void test_fault_skip_count_and_order(void **state) {
    (void)state;
    add("operators/list:503:skip=1:count=2");
    add("website:500");
    add("operators/list:429:count=1");
    static const unsigned expected[] = {3, 1, 1, 0, 0};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(pick(), expected[i]);
    assert_true(faults_remove(&faults, 2));
    assert_false(faults_remove(&faults, 2));
    assert_int_equal(faults.count, 2);
}

static void test_fault_method(void **state) {
    (void)state;
    add("*:500:method=POST");
    assert_int_equal(pick(), 0);
    assert_non_null(faults_pick(&faults, "POST", "", "/"));
}

static void test_faults_have_a_limit(void **state) {
    (void)state;
    struct err err = ERR_INIT;
    json_auto_t *order = fault_parse_spec("*:500", NULL);
    for (int i = 0; i < FAULTS_MAX; i++)
        assert_true(faults_add(&faults, order, NULL, NULL));
    assert_false(faults_add(&faults, order, NULL, &err));
    assert_int_equal(err.code, ERR_RESOURCE_EXHAUSTED);
}

static void test_fault_kinds_all_have_a_text_and_survive_any_answer(void **state) {
    (void)state;
    static const char *const bodies[] = {"", "x", "[]", "null", "{}", "{\"data\":[]}",
                                         "{\"data\":{\"website_id\":7,\"name\":\"\"}}", edge_list};
    const struct fault_kind *kind;
    for (size_t i = 0; (kind = fault_kind_at(i)); i++) {
        assert_true(strlen(kind->text) > 5);
        assert_ptr_equal(fault_kind_find(kind->name), kind);
        for (size_t b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
            char spec[200];
            snprintf(spec, sizeof spec, "*:%s:bytes=10:elements=3:depth=3:delay-ms=5", kind->name);
            faults_clear(&faults);
            add(spec);
            apply_to(bodies[b]);
            assert_in_range(answer.status, 200, 599);
            assert_int_equal(answer.fault_id, faults.last_id);
            assert_int_equal(answer.delivery.delay_ms, 5);
        }
    }
    assert_null(fault_kind_find("nothing"));
}

static void test_fault_delivery(void **state) {
    (void)state;
    add("*:cut:after=7:chunked=1");
    apply_to("0123456789");
    assert_int_equal(answer.delivery.end, END_CUT);
    assert_int_equal(answer.delivery.end_after, 7);
    assert_true(answer.delivery.chunked);
    faults_clear(&faults);
    add("*:reset");
    apply_to("0123456789");
    assert_true(answer.delivery.silent);
    assert_int_equal(answer.delivery.end, END_RESET);
}

static void test_fault_success_status_keeps_the_body_and_failure_replaces_it(void **state) {
    (void)state;
    add("*:206");
    apply_to("{\"a\":1}");
    assert_int_equal(answer.status, 206);
    assert_string_equal(answer.body->data, "{\"a\":1}");
    faults_clear(&faults);
    add("*:420");
    apply_to("{\"a\":1}");
    assert_int_equal(answer.status, 420);
    assert_string_equal(answer.body->data,
                        "{\"error\":true,\"reason\":\"rate_limited\",\"data\":{}}");
}

static void test_fault_retry_after_as_a_date(void **state) {
    (void)state;
    add("*:429:retry-after-date=90061");
    apply_to("");
    assert_string_equal(answer_get_header(&answer, "retry-after"), "Fri, 02 Jan 1970 01:01:01 GMT");
}

static void test_edge_list_is_json(void **state) {
    (void)state;
    json_auto_t *value = json_loads(edge_list, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(value, "data")), 12);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_faults, drop_faults)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_fault_parse_spec_makes_the_json_form),
        CASE(test_fault_parse_spec_explains_what_it_refuses),
        CASE(test_fault_skip_count_and_order),
        CASE(test_fault_method),
        CASE(test_faults_have_a_limit),
        CASE(test_fault_kinds_all_have_a_text_and_survive_any_answer),
        CASE(test_fault_delivery),
        CASE(test_fault_success_status_keeps_the_body_and_failure_replaces_it),
        CASE(test_fault_retry_after_as_a_date),
        cmocka_unit_test(test_edge_list_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

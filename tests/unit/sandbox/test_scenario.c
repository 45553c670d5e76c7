/* scenario and website: a state written as JSON, and what a website shows of it. */
#include "tests/unit/test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/scenario.h"

static struct sandbox *sandbox;

static int make_sandbox(void **state) {
    (void)state;
    sandbox = sandbox_new(&(struct sandbox_options){.quota = -1}, NULL);
    return sandbox ? 0 : -1;
}

static int drop_sandbox(void **state) {
    (void)state;
    sandbox_free(sandbox);
    return 0;
}

static bool apply(const char *text, struct err *err) {
    json_auto_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return scenario_apply(sandbox, value, err);
}

static const struct website *site(void) {
    return &sandbox->websites[WEBSITE_MAIN];
}

static void check_json(json_t *got, const char *expected) {
    json_auto_t *value = json_loads(expected, JSON_DECODE_ANY, NULL);
    assert_true(json_equal(got, value));
}

static void test_scenario_merges_into_the_website(void **state) {
    (void)state;
    assert_true(apply("{\"website\":{\"name\":null,\"domain\":\"d\",\"extra\":[1],\"unset\":[\"logo\","
                      "\"verified\",\"institutional\",\"nothing\"]}}",
                      NULL));
    check_json(site()->profile, "{\"website_id\":\"5f0c1a2b-1111-4222-8333-abcdef000001\","
                                "\"name\":null,\"domain\":\"d\",\"extra\":[1]}");
}

static void test_scenario_replaces_lists(void **state) {
    (void)state;
    assert_true(apply("{\"operators\":[{\"email\":\"a\"},{\"details\":7}],\"invites\":2}", NULL));
    assert_int_equal(site()->roster.operators, 2);
    assert_int_equal(site()->roster.count, 4);
    assert_true(apply("{\"operators\":70,\"invites\":0}", NULL));
    assert_int_equal(site()->roster.count, 70);
    assert_string_equal(sandbox->user_id, site()->roster.entries[0].user_id);
}

static void test_scenario_tokens_session_cache_clock(void **state) {
    (void)state;
    int64_t before = sandbox_now_ms(sandbox);
    assert_true(apply("{\"tokens\":{\"plugin\":{\"key\":\"k\",\"quota\":5,\"used\":4,"
                      "\"scopes\":[\"website:settings\",\"plan:subscription:read\"]}},"
                      "\"session\":{\"user_id\":\"u\"},\"cache\":{\"enabled\":true,\"ttl_ms\":9},"
                      "\"clock\":{\"advance_ms\":1000000}}",
                      NULL));
    const struct token *t = &sandbox->tokens[TIER_PLUGIN];
    assert_string_equal(t->key, "k");
    assert_int_equal(t->quota, 5);
    assert_int_equal(t->used, 4);
    assert_int_equal(t->scopes, SCOPE_SETTINGS_READ | SCOPE_SETTINGS_WRITE | SCOPE_PLAN_READ);
    assert_string_equal(sandbox->user_id, "u");
    assert_true(sandbox->cache.enabled);
    assert_int_equal(sandbox->cache.ttl_ms, 9);
    assert_in_range(sandbox_now_ms(sandbox) - before, 1000000, 1060000);
    assert_true(apply("{\"tokens\":{\"plugin\":{\"quota\":null}}}", NULL));
    assert_true(t->quota < 0);
}

static void test_scenario_explains_what_does_not_fit(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[]", "object"},
        {"{\"x\":1}", "\"x\""},
        {"{\"website\":[]}", "website"},
        {"{\"website\":{\"settings\":7}}", "settings"},
        {"{\"website\":{\"inboxes\":{}}}", "inboxes"},
        {"{\"website\":{\"plugin_settings\":null}}", "plugin_settings"},
        {"{\"website\":{\"unset\":[7]}}", "unset"},
        {"{\"websites\":7}", "websites"},
        {"{\"operators\":[{\"email\":\"a\"},[]]}", "operator 1"},
        {"{\"tokens\":{\"plugin\":{\"secret\":\"x\"}}}", "secret"},
        {"{\"clock\":{\"advance_ms\":9000000000000000000}}", "century"},
        {"{\"faults\":[\"*:500\",\"*:nonsense\"]}", "fault 1"},
        {"{\"answers\":[{\"path\":\"x\",\"status\":1}]}", "status"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = ERR_INIT;
        assert_false(apply(cases[i].text, &err));
        assert_non_null(strstr(err.msg, cases[i].says));
    }
}

static void test_scenario_change_operator_keeps_what_was_not_named(void **state) {
    (void)state;
    struct website *w = &sandbox->websites[WEBSITE_MAIN];
    json_auto_t *changes = json_loads("{\"role\":\"owner\",\"unset\":[\"avatar\"],"
                                      "\"last_active_ms\":5}", 0, NULL);
    assert_true(scenario_change_operator(w, 1, changes, NULL));
    json_auto_t *entry = roster_get(&w->roster, 1);
    json_t *details = json_object_get(entry, "details");
    assert_int_equal(json_object_size(details), 8);
    check_json(json_object_get(details, "role"), "\"owner\"");
    check_json(json_object_get(details, "first_name"), "\"Ben\"");
    assert_null(json_object_get(details, "avatar"));
    assert_int_equal(w->roster.entries[1].last_active_ms, 5);
}

static void test_scenario_load_names_file_and_line(void **state) {
    (void)state;
    char path[] = "/tmp/test_scenario_XXXXXX";
    struct err err = ERR_INIT;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\n\n]", 4), 4);
    close(fd);
    assert_false(scenario_load(sandbox, path, &err));
    unlink(path);
    assert_non_null(strstr(err.msg, path));
    assert_non_null(strstr(err.msg, "line 3"));
}

static void test_website_settings_repeat_the_profile(void **state) {
    (void)state;
    struct website *w = &sandbox->websites[WEBSITE_MAIN];
    json_auto_t *changes = json_loads("{\"name\":\"N\",\"website_id\":\"x\",\"inbox\":{\"a\":1},"
                                      "\"emails\":7}", 0, NULL);
    website_update_settings(w, changes);
    json_auto_t *settings = website_settings(w);
    check_json(json_object_get(settings, "name"), "\"N\"");
    check_json(json_object_get(settings, "website_id"), "\"" WEBSITE_MAIN_ID "\"");
    check_json(json_object_get(settings, "emails"), "7");
    check_json(json_object_get(settings, "inbox"), "{\"lock_removal\":true,"
               "\"force_operator_token\":false,\"locale\":\"en\",\"a\":1}");
    check_json(json_object_get(w->profile, "name"), "\"N\"");
}

static void test_website_plan_names_the_first_owner(void **state) {
    (void)state;
    struct website *w = &sandbox->websites[WEBSITE_MAIN];
    roster_remove(&w->roster, 0);
    json_auto_t *plan = website_plan(w);
    check_json(json_object_get(json_object_get(plan, "owner"), "first_name"), "\"Dario\"");
    roster_clear(&w->roster);
    json_auto_t *nobody = website_plan(w);
    check_json(json_object_get(nobody, "owner"), "{}");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_sandbox, drop_sandbox)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_scenario_merges_into_the_website),
        CASE(test_scenario_replaces_lists),
        CASE(test_scenario_tokens_session_cache_clock),
        CASE(test_scenario_explains_what_does_not_fit),
        CASE(test_scenario_change_operator_keeps_what_was_not_named),
        CASE(test_scenario_load_names_file_and_line),
        CASE(test_website_settings_repeat_the_profile),
        CASE(test_website_plan_names_the_first_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

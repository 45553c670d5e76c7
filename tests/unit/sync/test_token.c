#include "tests/unit/test.h"

#include "base/buf.h"
#include "sync/token.h"

/* The real values of c1z.md 4.3. */
static const char after_init[] =
    "{\"actions_map\":{\"0000000001\":{\"id\":\"0000000001\",\"operation\":\"grant-expansion\"},"
    "\"0000000002\":{\"id\":\"0000000002\",\"operation\":\"list-grants\"},"
    "\"0000000003\":{\"id\":\"0000000003\",\"operation\":\"list-entitlements\"},"
    "\"0000000004\":{\"id\":\"0000000004\",\"operation\":\"list-static-entitlements\"},"
    "\"0000000005\":{\"id\":\"0000000005\",\"operation\":\"list-resources\"},"
    "\"0000000006\":{\"id\":\"0000000006\",\"operation\":\"list-resource-types\"}},"
    "\"action_order\":[\"0000000001\",\"0000000002\",\"0000000003\",\"0000000004\",\"0000000005\","
    "\"0000000006\"],\"current_action_id\":7,\"completed_actions_count\":1,\"ingest_quality\":{},"
    "\"version\":1}";
static const char finished[] =
    "{\"current_action_id\":13,\"completed_actions_count\":13,\"ingest_quality\":{\"source_cache_"
    "replay_blocked\":true,\"reason_flags\":32},\"version\":1}";
static const char resources_only[] =
    "{\"current_action_id\":5,\"should_skip_entitlements_and_grants\":true,\"completed_actions_"
    "count\":5,\"ingest_quality\":{},\"version\":1}";

static void test_token_running_equals_the_sdk_after_init(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 4096);
    sync_token_running(&(struct sync_token){.actions_done = 1}, SYNC_RESOURCE_TYPES, &b);
    assert_string_equal(b.data, after_init);
}

static void test_token_running_keeps_only_the_phases_to_come(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 4096);
    sync_token_running(&(struct sync_token){.actions_done = 9}, SYNC_GRANTS, &b);
    assert_string_equal(
        b.data,
        "{\"actions_map\":{\"0000000001\":{\"id\":\"0000000001\",\"operation\":\"grant-expansion\"},"
        "\"0000000002\":{\"id\":\"0000000002\",\"operation\":\"list-grants\"}},\"action_order\":["
        "\"0000000001\",\"0000000002\"],\"current_action_id\":11,\"completed_actions_count\":9,"
        "\"ingest_quality\":{},\"version\":1}");
}

static void test_token_finished_equals_the_sdk(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 4096);
    struct sync_token t = {.actions_done = 13, .reason_flags = SYNC_CHECKS_NOT_EVALUATED};
    sync_token_finished(&t, &b);
    assert_string_equal(b.data, finished);
    t = (struct sync_token){.actions_done = 5, .resources_only = true};
    sync_token_finished(&t, &b);
    assert_string_equal(b.data, resources_only);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_running_equals_the_sdk_after_init),
        cmocka_unit_test(test_token_running_keeps_only_the_phases_to_come),
        cmocka_unit_test(test_token_finished_equals_the_sdk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

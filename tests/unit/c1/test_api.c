/* The messages of baton_api.proto against the bytes of service-mode.md 4.3, 5.6 and 8. */
#include "tests/unit/test.h"

#include <string.h>

#include "baton_api.pb-c.h"
#include "pb/any.h"
#include "pb/pack.h"
#include "tests/unit/pb/hex.h"

#define TASK "2EkNWZFDMw8Cm1Yp0cXcvjSTq1x"
#define TASK_HEX "32456b4e575a46444d773843 6d3159703063586376 6a5354713178"

static char host_a[] = "host-a", vm[] = "vm", task[] = TASK;

static void expect_bytes(const ProtobufCMessage *m, const char *hex) {
    struct arena arena;
    size_t n, expected_n;
    arena_init(&arena);
    uint8_t *bytes = pb_pack(m, &arena, &n), *expected = hex_decode(hex, &arena, &expected_n);
    assert_int_equal(n, expected_n);
    assert_memory_equal(bytes, expected, n);
    arena_done(&arena);
}

static void test_api_polls(void **state) {
    (void)state;
    Api__BatonServiceGetTaskRequest get;
    Api__BatonServiceHeartbeatRequest beat;
    api__baton_service_get_task_request__init(&get);
    api__baton_service_heartbeat_request__init(&beat);
    get.host_id = beat.host_id = host_a;
    beat.task_id = task;
    expect_bytes(&get.base, "0a06 686f73742d61");
    expect_bytes(&beat.base, "0a06 686f73742d61 121b " TASK_HEX);
}

static void test_api_finishes_tasks(void **state) {
    (void)state;
    Api__BatonServiceFinishTaskRequest finish;
    Api__BatonServiceFinishTaskRequest__Success success;
    Api__BatonServiceFinishTaskRequest__Error error;
    Rpc__Status status;
    char text[] = "unsupported task type";
    api__baton_service_finish_task_request__init(&finish);
    api__baton_service_finish_task_request__success__init(&success);
    api__baton_service_finish_task_request__error__init(&error);
    rpc__status__init(&status);
    finish.host_id = vm;
    finish.task_id = task;
    finish.final_state_case = API__BATON_SERVICE_FINISH_TASK_REQUEST__FINAL_STATE_SUCCESS;
    finish.success = &success;
    expect_bytes(&finish.base, "0a02766d 121b " TASK_HEX " aa0600");

    finish.final_state_case = API__BATON_SERVICE_FINISH_TASK_REQUEST__FINAL_STATE_ERROR;
    finish.error = &error;
    finish.status = &status;
    status.code = 2;
    status.message = text;
    expect_bytes(&finish.base, "0a02766d 121b " TASK_HEX " 1a19 0802 1215"
                               "756e737570706f72746564207461736b2074797065 a20600");
}

/* The capabilities of the worked Hello. */
static void test_api_says_what_a_connector_can(void **state) {
    (void)state;
    C1__ResourceType user, website;
    C1__ResourceTypeCapability of_user, of_website, *all[] = {&of_user, &of_website};
    C1__CapabilityPermissions permissions;
    C1__CredentialDetails details;
    C1__ConnectorCapabilities capabilities;
    C1__ConnectorMetadata metadata;
    char names[][8] = {"user", "User", "website", "Website"}, title[] = "Svc Demo", words[] = "tiny";
    C1__ResourceType__Trait trait = C1__RESOURCE_TYPE__TRAIT__TRAIT_USER;
    C1__Capability sync_provision[] = {C1__CAPABILITY__CAPABILITY_SYNC,
                                       C1__CAPABILITY__CAPABILITY_PROVISION};
    C1__Capability provision_sync[] = {sync_provision[1], sync_provision[0]};
    c1__resource_type__init(&user);
    c1__resource_type__init(&website);
    c1__resource_type_capability__init(&of_user);
    c1__resource_type_capability__init(&of_website);
    c1__capability_permissions__init(&permissions);
    c1__credential_details__init(&details);
    c1__connector_capabilities__init(&capabilities);
    c1__connector_metadata__init(&metadata);
    user.id = names[0];
    user.display_name = names[1];
    user.traits = &trait;
    user.n_traits = 1;
    website.id = names[2];
    website.display_name = names[3];
    of_user.resource_type = &user;
    of_user.capabilities = sync_provision;
    of_user.n_capabilities = 1;
    of_website.resource_type = &website;
    of_website.capabilities = sync_provision;
    of_website.n_capabilities = 2;
    of_user.permissions = of_website.permissions = &permissions;
    capabilities.resource_type_capabilities = all;
    capabilities.n_resource_type_capabilities = 2;
    capabilities.connector_capabilities = provision_sync;
    capabilities.n_connector_capabilities = 2;
    capabilities.credential_details = &details;
    metadata.display_name = title;
    metadata.description = words;
    metadata.capabilities = &capabilities;
    expect_bytes(&metadata.base,
                 "0a08 5376632044656d6f 3a04 74696e79 423a"
                 "0a16 0a0f 0a0475736572 120455736572 1a0101 120102 1a00"
                 "0a1a 0a12 0a0777656273697465 120757656273697465 12020201 1a00"
                 "12020102 1a00");
}

static Api__BatonServiceGetTaskResponse *unpack(const char *hex, struct arena *arena) {
    size_t n;
    uint8_t *bytes = hex_decode(hex, arena, &n);
    struct err err = ERR_INIT;
    ProtobufCMessage *m =
        pb_unpack(&api__baton_service_get_task_response__descriptor, bytes, n, arena, &err);
    if (!m)
        fail_msg("%s", err.msg);
    return (void *)m;
}

static void test_api_reads_tasks(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    /* id, sync_full { skip_expand_grants, two type ids, storage_engine }, debug; next_poll 1.5 s */
    Api__BatonServiceGetTaskResponse *r =
        unpack("0a35 0a1b " TASK_HEX " 1801 b20613 1001 2a0475736572 2a0177 3a06706562626c65"
               "1208 0801 1080cab5ee01",
               &arena);
    assert_string_equal(r->task->id, TASK);
    assert_true(r->task->debug);
    assert_int_equal(r->task->task_type_case, API__TASK__TASK_TYPE_SYNC_FULL);
    assert_true(r->task->sync_full->skip_expand_grants);
    assert_int_equal(r->task->sync_full->n_sync_resource_type_ids, 2);
    assert_string_equal(r->task->sync_full->sync_resource_type_ids[0], "user");
    assert_string_equal(r->task->sync_full->storage_engine, "pebble");
    assert_int_equal(r->next_poll->seconds, 1);
    assert_int_equal(r->next_poll->nanos, 500000000);
    arena_done(&arena);
}

/* A part that is there but empty is there; what stands in one that nobody reads goes out again. */
static void test_api_keeps_what_it_does_not_read(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    Api__BatonServiceGetTaskResponse *r = unpack("0a09 ba0606 0a00 1202 0a00", &arena);
    assert_int_equal(r->task->task_type_case, API__TASK__TASK_TYPE_GRANT);
    assert_non_null(r->task->grant->entitlement);
    assert_non_null(r->task->grant->principal);
    expect_bytes(&r->base, "0a09 ba0606 0a00 1202 0a00");
    r = unpack("0a03 ba0600", &arena);
    assert_null(r->task->grant->entitlement);
    arena_done(&arena);
}

static void test_api_sees_no_task_in_an_unknown_one(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    /* A task of a later time: field 200. */
    Api__BatonServiceGetTaskResponse *r = unpack("0a06 0a0161 c20c00", &arena);
    assert_string_equal(r->task->id, "a");
    assert_int_equal(r->task->task_type_case, API__TASK__TASK_TYPE__NOT_SET);
    r = unpack("", &arena);
    assert_null(r->task);
    assert_null(r->next_poll);
    arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_polls),
        cmocka_unit_test(test_api_finishes_tasks),
        cmocka_unit_test(test_api_says_what_a_connector_can),
        cmocka_unit_test(test_api_reads_tasks),
        cmocka_unit_test(test_api_keeps_what_it_does_not_read),
        cmocka_unit_test(test_api_sees_no_task_in_an_unknown_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

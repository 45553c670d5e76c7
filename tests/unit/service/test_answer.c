#include "tests/unit/test.h"

#include <string.h>

#include "connector.pb-c.h"
#include "pb/pack.h"
#include "service/answer.h"

/* A task whose body of this type is empty. */
static Api__Task *empty_task(struct arena *arena, unsigned number) {
    const uint8_t bytes[] = {(uint8_t)(0x82 | ((number << 3 | 2) & 0x7f)),
                             (uint8_t)((number << 3 | 2) >> 7), 0};
    Api__Task *task = (Api__Task *)pb_unpack(&api__task__descriptor, bytes, sizeof bytes, arena, NULL);
    assert_non_null(task);
    assert_int_equal(task->task_type_case, number);
    return task;
}

static void test_answer_for_empty_tasks(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    static const struct {
        unsigned number;
        enum err_code code;
        bool is_non_retryable;
        const char *text; /* NULL: an empty response */
    } rows[] = {
        {103, ERR_UNKNOWN, true, "malformed grant task"},
        {104, ERR_UNKNOWN, true, "invalid task type"},
        {105, ERR_UNKNOWN, true, "malformed create account task"},
        {106, ERR_UNKNOWN, true, "malformed create resource task"},
        {107, ERR_UNKNOWN, true, "malformed delete resource task"},
        {108, ERR_UNKNOWN, true, "malformed rotate credentials task"},
        {109, ERR_UNKNOWN, false, "unsupported task type"},
        {110, ERR_UNKNOWN, true, "malformed create ticket task"},
        {111, ERR_UNIMPLEMENTED, true,
         "rpc error: code = Unimplemented desc = ticket manager not implemented"},
        {112, ERR_UNKNOWN, true, "malformed get ticket task"},
        {113, ERR_UNKNOWN, true, "malformed bulk create ticket task"},
        {114, ERR_UNKNOWN, true, "malformed bulk get tickets task"},
        {115, ERR_OK, false, NULL},
        {116, ERR_UNKNOWN, false, "action name required"},
        {117, ERR_UNKNOWN, false, "action name required"},
        {118, ERR_UNKNOWN, false, "action id required"},
        {119, ERR_UNKNOWN, false, "unsupported task type"},
        {120, ERR_UNKNOWN, false, "unsupported task type"},
        {121, ERR_OK, false, NULL},
        {122, ERR_NOT_FOUND, true,
         "rpc error: code = NotFound desc = error: event feed id baton_feed_event not found"},
        {123, ERR_UNKNOWN, true, "malformed issue credential task"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a;
        assert_true(answer_for(empty_task(&arena, rows[i].number), true, &a));
        assert_int_equal(a.err.code, rows[i].code);
        assert_int_equal(a.is_non_retryable, rows[i].is_non_retryable);
        if (!rows[i].text) {
            assert_non_null(a.response_type);
            continue;
        }
        assert_memory_equal(a.err.msg, rows[i].text, strlen(rows[i].text));
        assert_string_equal(a.err.msg + strlen(rows[i].text),
                            a.is_non_retryable ? "\ntask failed and is non-retryable" : "");
    }
}

static void test_answer_for_leaves_work_alone(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    for (unsigned number = 100; number <= 102; number++) {
        struct answer a = {.is_non_retryable = true};
        assert_false(answer_for(empty_task(&arena, number), false, &a));
        assert_true(a.is_non_retryable); /* untouched */
    }
}

static void test_answer_for_a_task_without_type(void **state) {
    (void)state;
    Api__Task task;
    api__task__init(&task);
    struct answer a;
    assert_true(answer_for(&task, false, &a));
    assert_string_equal(a.err.msg, "unsupported task type");
    assert_string_equal(answer_type_name(&task), "unknown");
}

static void set_unread(Api__Unread *unread, const ProtobufCMessage *message, struct arena *arena) {
    size_t n;
    const uint8_t *bytes = pb_pack(message, arena, &n);
    Api__Unread *read = (Api__Unread *)pb_unpack(&api__unread__descriptor, bytes, n, arena, NULL);
    assert_non_null(read);
    *unread = *read;
}

static void test_answer_for_a_grant(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    C1__ResourceId id;
    c1__resource_id__init(&id);
    char type[] = "website", name[] = "w1";
    id.resource_type = type;
    id.resource = name;
    C1__Resource resource;
    c1__resource__init(&resource);
    resource.id = &id;
    C1__Entitlement entitlement;
    c1__entitlement__init(&entitlement);
    entitlement.resource = &resource;
    Api__Unread about = API__UNREAD__INIT, who = API__UNREAD__INIT;
    set_unread(&about, &entitlement.base, &arena);
    set_unread(&who, &resource.base, &arena);
    Api__Task__GrantTask grant = API__TASK__GRANT_TASK__INIT;
    grant.entitlement = &about;
    grant.principal = &who;
    Api__Task task;
    api__task__init(&task);
    task.task_type_case = API__TASK__TASK_TYPE_GRANT;
    task.grant = &grant;
    struct answer a;
    assert_true(answer_for(&task, false, &a));
    assert_int_equal(a.err.code, ERR_FAILED_PRECONDITION);
    assert_string_equal(a.err.msg,
                        "rpc error: code = FailedPrecondition desc = provisioning is not enabled\n"
                        "task failed and is non-retryable");
    assert_true(a.is_non_retryable);
    assert_true(answer_for(&task, true, &a));
    assert_int_equal(a.err.code, ERR_UNIMPLEMENTED);
    assert_string_equal(a.err.msg,
                        "rpc error: code = Unimplemented desc = resource type website does not have "
                        "provisioner configured\ntask failed and is non-retryable");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_for_empty_tasks),
        cmocka_unit_test(test_answer_for_leaves_work_alone),
        cmocka_unit_test(test_answer_for_a_task_without_type),
        cmocka_unit_test(test_answer_for_a_grant),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}

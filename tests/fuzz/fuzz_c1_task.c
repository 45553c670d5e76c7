/* The first byte chooses an answer of C1, the rest is unpacked as one. What unpacks goes through
 * packing again, and every task in it can be looked at. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "baton_api.pb-c.h"
#include "pb/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const Api__Task *task) {
    assert(task->id && strlen(task->id) <= PB_MESSAGE_MAX);
    if (task->task_type_case == API__TASK__TASK_TYPE_SYNC_FULL) {
        const Api__Task__SyncFullTask *sync = task->sync_full;
        for (size_t i = 0; i < sync->n_sync_resource_type_ids; i++)
            assert(sync->sync_resource_type_ids[i]);
        for (size_t i = 0; i < sync->n_targeted_sync_resources; i++)
            assert(sync->targeted_sync_resources[i]->display_name);
    }
    if (task->task_type_case == API__TASK__TASK_TYPE_DELETE_RESOURCE)
        assert(!task->delete_resource->resource_id ||
               task->delete_resource->resource_id->resource_type);
}

static void look_into(const ProtobufCMessage *m) {
    if (m->descriptor == &api__baton_service_get_task_response__descriptor) {
        const Api__BatonServiceGetTaskResponse *one = (const void *)m;
        if (one->task)
            look(one->task);
    }
    if (m->descriptor == &api__baton_service_get_tasks_response__descriptor) {
        const Api__BatonServiceGetTasksResponse *many = (const void *)m;
        for (size_t i = 0; i < many->n_tasks; i++)
            look(many->tasks[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const ProtobufCMessageDescriptor *const types[] = {
        &api__baton_service_get_task_response__descriptor,
        &api__baton_service_get_tasks_response__descriptor,
        &api__baton_service_heartbeat_response__descriptor,
        &api__baton_service_hello_response__descriptor,
        &rpc__status__descriptor,
    };
    if (size == 0)
        return 0;
    const ProtobufCMessageDescriptor *type = types[data[0] % (sizeof types / sizeof *types)];
    struct arena arena;
    struct err err = ERR_INIT;
    arena_init(&arena);
    ProtobufCMessage *m = pb_unpack(type, data + 1, size - 1, &arena, &err);
    assert(m || err.code == ERR_DATA_LOSS);
    if (m) {
        size_t n;
        look_into(m);
        uint8_t *bytes = pb_pack(m, &arena, &n);
        assert(pb_unpack(type, bytes, n, &arena, NULL));
    }
    arena_done(&arena);
    return 0;
}

#include "c1/client.h"

#include <assert.h>
#include <stdlib.h>

#include "baton_api.pb-c.h"
#include "base/mem.h"
#include "c1/link.h"
#include "pb/pack.h"

struct method {
    const char *name, *path;
    const ProtobufCMessageDescriptor *request, *answer;
};

#define METHOD(title, type)                                                                        \
    {                                                                                              \
        title, C1_SERVICE title, &api__baton_service_##type##_request__descriptor,                 \
            &api__baton_service_##type##_response__descriptor                                      \
    }

static const struct method methods[] = {
    [C1_HELLO] = METHOD("Hello", hello),
    [C1_GET_TASK] = METHOD("GetTask", get_task),
    [C1_GET_TASKS] = METHOD("GetTasks", get_tasks),
    [C1_HEARTBEAT] = METHOD("Heartbeat", heartbeat),
    [C1_FINISH_TASK] = METHOD("FinishTask", finish_task),
};

/* -- client ---------------------------------------------------------------------------------------- */

/* The SDK's form with our own tail. */
static char *make_user_agent(const char *client_name) {
    return mem_printf("%s%sbaton-sdk/v0.25.0 grpc-c-baton/" BATON_CRISP_VERSION, client_name,
                      *client_name ? " " : "");
}

struct c1_client *c1_client_new(const struct c1_client_options *options) {
    const struct c1_credential *credential = options->credential;
    struct c1_client *client = mem_zalloc(sizeof *client);
    mem_auto char *user_agent = make_user_agent(credential->client_name);
    client->link.base = options->base;
    client->stall_ms = options->stall_ms ? options->stall_ms : C1_STALL_MS;
    client->verdict_ms = options->stall_ms ? options->stall_ms : C1_VERDICT_MS;
    client->link.token = c1_token_new(&(struct c1_token_fetch_options){
        .base = options->base,
        .trust = options->trust,
        .credential = credential,
        .timeout_ms = options->http_timeout_ms,
    });
    client->link.channel = grpc_channel_new(&(struct grpc_channel_options){
        .base = options->base,
        .trust = options->trust,
        .host = credential->host,
        .port = credential->port,
        .user_agent = user_agent,
    });
    return client;
}

void c1_client_free(struct c1_client *client) {
    if (!client)
        return;
    assert(client->running == 0);
    grpc_channel_free(client->link.channel);
    c1_token_free(client->link.token);
    free(client);
}

void c1_client_warm_up(struct c1_client *client) {
    grpc_channel_warm_up(client->link.channel);
    c1_token_warm_up(client->link.token);
}

/* -- calls ----------------------------------------------------------------------------------------- */

struct c1_call {
    struct c1_client *client;
    const struct method *method;
    struct c1_exchange *exchange;
    uint8_t *request;
    c1_call_done *done;
    void *payload;
};

static void free_call(struct c1_call *call) {
    call->client->running--;
    free(call->request);
    free(call);
}

void c1_call_cancel(struct c1_call *call) {
    if (!call)
        return;
    c1_exchange_cancel(call->exchange);
    free_call(call);
}

/* NULL, with err, if the bytes are no such message. */
static ProtobufCMessage *read_answer(const struct method *method,
                                     const struct grpc_outcome *outcome, struct arena *arena,
                                     struct err *err) {
    /* A task may carry what a person typed; if that stopped the answer, it would stop every task. */
    ProtobufCMessage *answer =
        pb_unpack_cut(method->answer, outcome->answer, outcome->answer_len, arena, err);
    if (answer)
        return answer;
    err->code = ERR_INTERNAL;
    err_wrap(err, "cannot read the server's answer to %s", method->name);
    return NULL;
}

static void on_outcome(const struct grpc_outcome *outcome, void *payload) {
    struct c1_call *call = payload;
    const struct method *method = call->method;
    c1_call_done *done = call->done;
    void *done_payload = call->payload;
    free_call(call);
    if (outcome->err.code != ERR_OK) {
        done(&outcome->err, outcome->is_from_server, NULL, done_payload);
        return;
    }
    arena_auto struct arena arena;
    struct err err = ERR_INIT;
    arena_init(&arena);
    ProtobufCMessage *answer = read_answer(method, outcome, &arena, &err);
    done(answer ? NULL : &err, false, answer, done_payload);
}

struct c1_call *c1_call_start(struct c1_client *client, enum c1_method method,
                              const ProtobufCMessage *request, int deadline_ms,
                              c1_call_done *done, void *payload) {
    struct c1_call *call = mem_alloc(sizeof *call);
    size_t n = protobuf_c_message_get_packed_size(request);
    assert(request->descriptor == methods[method].request);
    *call = (struct c1_call){.client = client,
                             .method = &methods[method],
                             .request = mem_alloc(n + 1), /* never NULL, for an empty message too */
                             .done = done,
                             .payload = payload};
    protobuf_c_message_pack(request, call->request);
    client->running++;
    call->exchange = c1_exchange_start(&(struct c1_exchange_options){
        .link = &client->link,
        .path = call->method->path,
        .deadline_ms = deadline_ms,
        .message = call->request,
        .message_len = n,
        .done = on_outcome,
        .payload = call,
    });
    return call;
}

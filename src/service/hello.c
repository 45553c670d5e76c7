#include "service/hello.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "service/schedule.h"

/* --- the message --- */

static void add_capability(struct arena *arena, C1__Capability **list, size_t *count) {
    *list = arena_alloc(arena, sizeof **list);
    **list = C1__CAPABILITY__CAPABILITY_SYNC;
    *count = 1;
}

static int by_type_id(const void *a, const void *b) {
    const C1__ResourceTypeCapability *const *x = a, *const *y = b;
    return strcmp((*x)->resource_type->id, (*y)->resource_type->id);
}

static C1__ResourceTypeCapability *type_capability(const struct sync_resource_type *type,
                                                   struct arena *arena) {
    C1__ResourceTypeCapability *c = arena_alloc(arena, sizeof *c);
    c1__resource_type_capability__init(c);
    c->resource_type = sync_resource_type_message(type, arena);
    add_capability(arena, &c->capabilities, &c->n_capabilities);
    c->permissions = arena_alloc(arena, sizeof *c->permissions); /* always there, even if empty */
    c1__capability_permissions__init(c->permissions);
    return c;
}

static C1__ConnectorCapabilities *capabilities(const struct baton_connector *connector,
                                               struct arena *arena) {
    C1__ConnectorCapabilities *c = arena_alloc(arena, sizeof *c);
    c1__connector_capabilities__init(c);
    size_t n = connector->resource_type_count;
    c->n_resource_type_capabilities = n;
    c->resource_type_capabilities = arena_alloc(arena, n * sizeof *c->resource_type_capabilities);
    for (size_t i = 0; i < n; i++)
        c->resource_type_capabilities[i] = type_capability(&connector->resource_types[i], arena);
    qsort(c->resource_type_capabilities, n, sizeof *c->resource_type_capabilities, by_type_id);
    add_capability(arena, &c->connector_capabilities, &c->n_connector_capabilities);
    c->credential_details = arena_alloc(arena, sizeof *c->credential_details);
    c1__credential_details__init(c->credential_details);
    return c;
}

static C1__ConnectorMetadata *metadata(const struct baton_connector *connector, struct arena *arena) {
    C1__ConnectorMetadata *m = arena_alloc(arena, sizeof *m);
    c1__connector_metadata__init(m);
    m->display_name = arena_strdup(arena, connector->display_name);
    m->description = arena_strdup(arena, connector->description);
    /* C1 takes complete addresses only. */
    if (connector->help_url && strncmp(connector->help_url, "https://", 8) == 0)
        m->help_url = arena_strdup(arena, connector->help_url);
    m->capabilities = capabilities(connector, arena);
    return m;
}

static Api__BatonServiceHelloRequest__BuildInfo *build_info(const struct baton_connector *connector,
                                                            struct arena *arena) {
    Api__BatonServiceHelloRequest__BuildInfo *b = arena_alloc(arena, sizeof *b);
    api__baton_service_hello_request__build_info__init(b);
    b->lang_version = arena_join(arena, "c17 ", __VERSION__, NULL);
    b->package = arena_strdup(arena, connector->name);
    b->package_version = arena_join(arena, "v", connector->version, NULL);
    return b;
}

static Api__BatonServiceHelloRequest__OSInfo *os_info(const struct hostinfo *h, struct arena *arena) {
    Api__BatonServiceHelloRequest__OSInfo *o = arena_alloc(arena, sizeof *o);
    api__baton_service_hello_request__osinfo__init(o);
    o->hostname = arena_strdup(arena, h->hostname);
    o->os = arena_strdup(arena, h->os);
    o->platform = arena_strdup(arena, h->platform);
    o->platform_version = arena_strdup(arena, h->platform_version);
    o->platform_family = arena_strdup(arena, h->platform_family);
    o->kernel_version = arena_strdup(arena, h->kernel_version);
    o->kernel_arch = arena_strdup(arena, h->kernel_arch);
    o->virtualization_system = arena_strdup(arena, h->virtualization);
    return o;
}

struct c1_call *hello_call(const struct runtime *rt, const char *task_id, c1_call_done *done,
                           void *payload) {
    arena_auto struct arena arena;
    arena_init(&arena);
    Api__BatonServiceHelloRequest request;
    api__baton_service_hello_request__init(&request);
    request.host_id = arena_strdup(&arena, rt->host.host_id);
    request.task_id = arena_strdup(&arena, task_id);
    request.build_info = build_info(rt->connector, &arena);
    request.os_info = os_info(&rt->host, &arena);
    request.connector_metadata = metadata(rt->connector, &arena);
    return c1_call_start(rt->client, C1_HELLO, &request.base, SCHEDULE_CALL_DEADLINE_MS, done, payload);
}

/* --- at the start --- */

struct hello {
    const struct runtime *rt;
    hello_waiting *waiting;
    hello_done *done;
    void *payload;
    struct c1_call *call;
    struct event *timer;
    int attempts;
};

static bool is_final(enum err_code code) {
    switch (code) {
    case ERR_UNAUTHENTICATED:
    case ERR_PERMISSION_DENIED:
    case ERR_INVALID_ARGUMENT:
    case ERR_UNIMPLEMENTED:
    case ERR_FAILED_PRECONDITION:
    case ERR_NOT_FOUND:
        return true;
    default:
        return false;
    }
}

static void attempt(struct hello *h);

static void on_timer(evutil_socket_t fd, short what, void *payload) {
    (void)fd, (void)what;
    attempt(payload);
}

static void on_answer(const struct err *err, bool is_from_server, const ProtobufCMessage *message,
                      void *payload) {
    (void)is_from_server, (void)message;
    struct hello *h = payload;
    struct err outcome = runtime_outcome(err);
    h->call = NULL;
    if (outcome.code != ERR_OK && !is_final(outcome.code)) {
        int64_t wait = schedule_hello_retry(h->attempts);
        log_warn(h->rt->log, "c1_api_task_manager: startup Hello failed; will retry",
                 LOG_ERROR_FIELD(&outcome), LOG_INT("attempt", h->attempts), LOG_MS("next_backoff", wait));
        runtime_after(h->rt, &h->timer, wait, on_timer, h);
        h->waiting(&outcome, h->payload);
        return;
    }
    if (outcome.code == ERR_OK)
        log_info(h->rt->log, "c1_api_task_manager: startup Hello succeeded.",
                 LOG_INT("attempts", h->attempts));
    h->done(&outcome, h->payload);
}

static void attempt(struct hello *h) {
    h->attempts++;
    h->call = hello_call(h->rt, "", on_answer, h);
}

struct hello *hello_start(const struct runtime *rt, hello_waiting *waiting, hello_done *done,
                          void *payload) {
    struct hello *h = mem_zalloc(sizeof *h);
    *h = (struct hello){.rt = rt, .waiting = waiting, .done = done, .payload = payload};
    attempt(h);
    return h;
}

void hello_abandon(struct hello *h) {
    if (!h)
        return;
    c1_call_cancel(h->call);
    runtime_timer_free(&h->timer);
    free(h);
}

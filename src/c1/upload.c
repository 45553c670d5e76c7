/* The upload of client.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "c1/asset.h"
#include "c1/client.h"
#include "c1/link.h"

struct c1_upload {
    struct c1_client *client;
    struct c1_exchange *exchange;
    struct c1_asset asset;
    struct event *watch; /* runs while there is a call, and something to send */
    bool is_waiting;     /* for the file to grow */
    c1_upload_done *done;
    void *payload;
};

static void free_upload(struct c1_upload *u) {
    u->client->running--;
    c1_asset_done(&u->asset);
    event_free(u->watch);
    free(u);
}

void c1_upload_cancel(struct c1_upload *upload) {
    if (!upload)
        return;
    c1_exchange_cancel(upload->exchange);
    free_upload(upload);
}

static void finish(struct c1_upload *u, const struct err *err, bool is_from_server) {
    c1_upload_done *done = u->done;
    void *payload = u->payload;
    free_upload(u);
    done(err, is_from_server, payload);
}

static void on_outcome(const struct grpc_outcome *outcome, void *payload) {
    struct c1_upload *u = payload;
    struct err err = outcome->err;
    bool is_from_server = err.code != ERR_OK && outcome->is_from_server;
    if (err.code == ERR_OK && u->asset.step != C1_ASSET_COMPLETE)
        err_set(&err, ERR_INTERNAL, "the server said that all is well before it had the whole file");
    finish(u, err.code == ERR_OK ? NULL : &err, is_from_server);
}

/* Nothing has moved for too long. */
static void on_stall(evutil_socket_t fd, short what, void *payload) {
    struct c1_upload *u = payload;
    struct err err = ERR_INIT;
    (void)fd;
    (void)what;
    if (u->asset.step == C1_ASSET_COMPLETE)
        err_set(&err, ERR_UNAVAILABLE, "the upload stalled: all was sent, but no answer in %d ms",
                u->client->verdict_ms);
    else if (u->asset.step == C1_ASSET_METADATA)
        err_set(&err, ERR_UNAVAILABLE,
                "the upload stalled: the server has not let it begin for %d ms", u->client->stall_ms);
    else
        err_set(&err, ERR_UNAVAILABLE,
                "the upload stalled: the server has taken nothing for %d ms, after %lld of %lld "
                "bytes", u->client->stall_ms, (long long)u->asset.offset, (long long)u->asset.size);
    c1_exchange_cancel(u->exchange);
    finish(u, &err, false);
}

static void watch(struct c1_upload *u, int ms) {
    event_add(u->watch, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
}

static void on_restart(void *payload) {
    struct c1_upload *u = payload;
    c1_asset_rewind(&u->asset);
    u->is_waiting = false;
    watch(u, u->client->stall_ms);
}

/* The channel asks for a message when it has room for one: that is the progress that is watched. */
static enum grpc_next on_next(void *payload, struct buf *message, struct err *err) {
    struct c1_upload *u = payload;
    bool is_last;
    u->is_waiting = !c1_asset_is_ready(&u->asset);
    if (u->is_waiting) {
        event_del(u->watch);
        return GRPC_NEXT_LATER;
    }
    if (!c1_asset_next(&u->asset, message, &is_last, err))
        return GRPC_NEXT_FAILED;
    watch(u, is_last ? u->client->verdict_ms : u->client->stall_ms);
    return is_last ? GRPC_NEXT_LAST : GRPC_NEXT_MESSAGE;
}

static void go_on(struct c1_upload *u) {
    if (!u->is_waiting || !c1_asset_is_ready(&u->asset))
        return;
    u->is_waiting = false;
    watch(u, u->client->stall_ms);
    c1_exchange_wake(u->exchange);
}

void c1_upload_grow(struct c1_upload *upload, int64_t size) {
    c1_asset_grow(&upload->asset, size);
    go_on(upload);
}

void c1_upload_complete(struct c1_upload *upload, int64_t size) {
    c1_asset_complete(&upload->asset, size);
    go_on(upload);
}

struct c1_upload *c1_upload_start(struct c1_client *client, const char *host_id,
                                  const char *task_id, int fd, bool is_growing,
                                  c1_upload_done *done, void *payload) {
    struct c1_upload *u = mem_zalloc(sizeof *u);
    u->client = client;
    u->done = done;
    u->payload = payload;
    u->watch = evtimer_new(client->link.base, on_stall, u);
    if (!u->watch)
        mem_die();
    c1_asset_init(&u->asset, host_id, task_id, fd);
    if (is_growing)
        c1_asset_grow(&u->asset, 0);
    client->running++;
    u->exchange = c1_exchange_start(&(struct c1_exchange_options){
        .link = &client->link,
        .path = C1_SERVICE "UploadAsset",
        .next = on_next,
        .restart = on_restart,
        .done = on_outcome,
        .payload = u,
    });
    return u;
}

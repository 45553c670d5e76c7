#include "sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/admin.h"
#include "sandbox/api.h"
#include "sandbox/scenario.h"

/* Generated people of the website nobody has credentials for. */
enum { OTHER_TEAM = 3, SECOND_TEAM = 2 };

/* ---- life ---- */

static void clear(struct sandbox *s) {
    for (size_t i = 0; i < WEBSITE_SEEDS; i++)
        website_done(&s->websites[i]);
    for (size_t i = 0; i < TIER_COUNT; i++)
        token_done(&s->tokens[i]);
    free(s->user_id);
    s->user_id = NULL;
    faults_clear(&s->faults);
    canned_clear(&s->canned);
    cache_clear(&s->cache);
    journal_clear(&s->journal);
    s->clock_offset_ms = 0;
    s->made = 0;
}

static void populate(struct sandbox *s) {
    const struct sandbox_options *o = &s->options;
    size_t invites = o->has_invites ? o->invites : o->operators == 0;
    struct website *second = &s->websites[WEBSITE_SECOND];
    website_populate(&s->websites[WEBSITE_MAIN], o->operators, o->owners, invites);
    website_populate(second, 0, 0, 0);
    while (second->roster.count > SECOND_TEAM)
        roster_remove(&second->roster, second->roster.count - 1);
    website_populate(&s->websites[WEBSITE_NO_PLUGIN], OTHER_TEAM, 0, 0);
    s->user_id = mem_strdup(s->websites[WEBSITE_MAIN].roster.entries[0].user_id);
}

static bool add_faults(struct sandbox *s, struct err *err) {
    for (size_t i = 0; i < s->options.fault_count; i++) {
        json_auto_t *order = fault_parse_spec(s->options.faults[i], err);
        if (!order || !faults_add(&s->faults, order, NULL, err))
            return err_wrap(err, "--fault %s", s->options.faults[i]);
    }
    return true;
}

static bool start(struct sandbox *s, struct err *err) {
    const struct sandbox_options *o = &s->options;
    struct website *main_site = &s->websites[WEBSITE_MAIN];
    for (int i = 0; i < WEBSITE_SEEDS; i++)
        website_init(&s->websites[i], (enum website_seed)i);
    for (int i = 0; i < TIER_COUNT; i++) {
        token_init(&s->tokens[i], (enum tier)i);
        if (i != TIER_USER)
            s->tokens[i].quota = o->quota;
    }
    s->cache.enabled = o->cache;
    s->cache.ttl_ms = o->cache_ttl_ms ? o->cache_ttl_ms : CACHE_TTL_DEFAULT_MS;
    populate(s);
    if (o->website_id && !website_set_id(main_site, o->website_id, err))
        return err_wrap(err, "--website-id");
    if (o->website_name)
        json_object_set_new(main_site->profile, "name", json_string(o->website_name));
    if (o->scopes && !scopes_parse(o->scopes, &s->tokens[TIER_PLUGIN].scopes, err))
        return err_wrap(err, "--scopes");
    if (o->scenario && !scenario_load(s, o->scenario, err))
        return false;
    return add_faults(s, err);
}

struct sandbox *sandbox_new(const struct sandbox_options *options, struct err *err) {
    struct sandbox *s = mem_zalloc(sizeof *s);
    s->options = *options;
    faults_init(&s->faults);
    canned_init(&s->canned);
    cache_init(&s->cache);
    journal_init(&s->journal);
    if (start(s, err))
        return s;
    sandbox_free(s);
    return NULL;
}

void sandbox_free(struct sandbox *s) {
    if (!s)
        return;
    clear(s);
    faults_done(&s->faults);
    canned_done(&s->canned);
    cache_done(&s->cache);
    journal_done(&s->journal);
    free(s);
}

bool sandbox_reset(struct sandbox *s, struct err *err) {
    clear(s);
    return start(s, err);
}

/* ---- small questions ---- */

int64_t sandbox_now_ms(const struct sandbox *s) {
    return clock_now_ns() / CLOCK_NS_PER_MS + s->clock_offset_ms;
}

struct website *sandbox_website(struct sandbox *s, const char *id) {
    for (size_t i = 0; i < WEBSITE_SEEDS; i++) {
        if (strcasecmp(s->websites[i].id, id) == 0)
            return &s->websites[i];
    }
    return NULL;
}

void sandbox_make_invite(struct sandbox *s, struct team_invite *ret) {
    team_invite(++s->made + TEAM_MAX, ret);
}

void sandbox_make_uuid(struct sandbox *s, char out[37]) {
    team_uuid(++s->made + UINT64_C(0x0b0000000000), out);
}

/* ---- one request ---- */

static bool is_known_method(const char *method) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], method) == 0)
            return true;
    }
    return false;
}

/* Behind the cache: a fault, else an answer ordered by a test, else the API. */
static void make_answer(struct api_call *call, const char *route) {
    struct sandbox *s = call->sandbox;
    const char *method = call->request->method, *path = call->target->path;
    const struct fault *fault = faults_pick(&s->faults, method, route, path);
    if ((!fault || fault_changes_answer(fault)) &&
        !canned_find(&s->canned, method, route, path, call->answer))
        api_serve(call);
    if (fault)
        fault_apply(fault, call->answer, sandbox_now_ms(s));
}

static int64_t handle_api(struct sandbox *s, const struct request *req, struct answer *a) {
    struct target target;
    char route[API_NAME_MAX] = "";
    int64_t now_ms = sandbox_now_ms(s);
    struct api_call call = {.sandbox = s, .request = req, .target = &target, .answer = a};
    if (!is_known_method(req->method)) {
        /* The cache refuses these itself, with an empty body (bloom src/proxy/serve.rs). */
        a->status = 405;
        answer_header(a, "Bloom-Status", "REJECT");
    } else if (!target_parse(req->target, &target)) {
        answer_refuse(a, 404, "not_found", "error", "the route does not exist");
        answer_header(a, "Bloom-Status", "DIRECT");
    } else {
        api_route(&call);
        api_route_name(&call, route);
        if (!cache_serve(&s->cache, req, now_ms, a)) {
            make_answer(&call, route);
            cache_store(&s->cache, req, now_ms, a);
        }
        target_done(&target);
    }
    return journal_add(&s->journal, req, route, a, now_ms);
}

int64_t sandbox_handle(struct sandbox *s, const struct request *req, struct answer *ret_answer) {
    static const char prefix[] = REQUEST_ADMIN_PREFIX;
    size_t n = sizeof prefix - 1;
    answer_init(ret_answer);
    if (strncmp(req->target, prefix, n) == 0 &&
        (req->target[n] == '/' || req->target[n] == '\0' || req->target[n] == '?')) {
        admin_serve(s, req, ret_answer);
        return 0;
    }
    return handle_api(s, req, ret_answer);
}

#include "sandbox/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* Whose website it must be. */
enum site {
    SITE_NONE,   /* no website in the path */
    SITE_BOUND,  /* the plugin is installed on it, the token is bound to it, the user works there */
};

struct api_route {
    const char *method, *path; /* "{}" stands for an id */
    unsigned tiers;
    enum scope scope;
    enum site site;
    bool owners_only; /* of users */
    bool has_body;
    void (*serve)(struct api_call *call);
};

#define UPW (TIER_U | TIER_P | TIER_W)
#define UP (TIER_U | TIER_P)

/* Tiers: crisp-api.md 1.4. Scopes: 1.3; where none is known to be needed there is none. */
static const struct api_route routes[] = {
    {"GET", "website/{}", UPW, SCOPE_NONE, SITE_BOUND, 0, 0, api_website_get},
    {"GET", "website/{}/settings", UPW, SCOPE_SETTINGS_READ, SITE_BOUND, 0, 0, api_settings_get},
    {"PATCH", "website/{}/settings", UP, SCOPE_SETTINGS_WRITE, SITE_BOUND, 1, 1,
     api_settings_update},
    {"GET", "website/{}/connect/endpoints", TIER_W, SCOPE_NONE, SITE_BOUND, 0, 0,
     api_website_endpoints},

    {"GET", "website/{}/operators/list", UPW, SCOPE_OPERATORS_READ, SITE_BOUND, 0, 0,
     api_operators_list},
    {"GET", "website/{}/operators/active", UPW, SCOPE_OPERATORS_READ, SITE_BOUND, 0, 0,
     api_operators_active},
    {"DELETE", "website/{}/operators/active", TIER_U, SCOPE_OPERATORS_WRITE, SITE_BOUND, 1, 0,
     api_operators_flush},
    {"POST", "website/{}/operators/email", UPW, SCOPE_OPERATORS_WRITE, SITE_BOUND, 0, 1,
     api_operators_email},
    {"POST", "website/{}/operator", TIER_U, SCOPE_OPERATORS_WRITE, SITE_BOUND, 1, 1,
     api_operator_invite},
    {"GET", "website/{}/operator/{}", UPW, SCOPE_OPERATORS_READ, SITE_BOUND, 0, 0,
     api_operator_get},
    {"PATCH", "website/{}/operator/{}", TIER_U, SCOPE_OPERATORS_WRITE, SITE_BOUND, 1, 1,
     api_operator_change},
    {"DELETE", "website/{}/operator/{}", TIER_U, SCOPE_OPERATORS_WRITE, SITE_BOUND, 1, 0,
     api_operator_unlink},

    {"GET", "website/{}/availability/status", UPW, SCOPE_AVAILABILITY_READ, SITE_BOUND, 0, 0,
     api_availability_status},
    {"GET", "website/{}/availability/operators", UPW, SCOPE_AVAILABILITY_READ, SITE_BOUND, 0, 0,
     api_operators_availability},
    {"GET", "website/{}/inboxes/list/{}", UP, SCOPE_NONE, SITE_BOUND, 0, 0, api_inboxes_list},
    {"GET", "website/{}/inbox/{}", UP, SCOPE_NONE, SITE_BOUND, 0, 0, api_inbox_get},

    {"HEAD", "plugin/connect/session", TIER_P, SCOPE_NONE, SITE_NONE, 0, 0, api_plugin_session},
    {"GET", "plugin/connect/account", TIER_P, SCOPE_NONE, SITE_NONE, 0, 0, api_plugin_account},
    {"GET", "plugin/connect/websites/all/{}", TIER_P, SCOPE_NONE, SITE_NONE, 0, 0,
     api_plugin_websites_all},
    {"GET", "plugin/connect/websites/since", TIER_P, SCOPE_NONE, SITE_NONE, 0, 0,
     api_plugin_websites_since},
    {"GET", "plugin/connect/endpoints", TIER_P, SCOPE_NONE, SITE_NONE, 0, 0, api_plugin_endpoints},
    {"GET", "plugins/subscription/{}/{}/settings", TIER_P, SCOPE_NONE, SITE_BOUND, 0, 0,
     api_plugin_settings},
    {"GET", "plans/subscription/{}", UP, SCOPE_PLAN_READ, SITE_BOUND, 0, 0, api_plan_get},
};

/* ---- finding the route ---- */

/* Compares "v1/<path>" segment by segment; collects what stands at "{}". */
static bool route_fits(const struct api_route *route, struct api_call *call) {
    const struct target *t = call->target;
    size_t n = 1;
    call->param_count = 0;
    if (t->count < 1 || strcmp(t->segment[0], "v1") != 0)
        return false;
    for (const char *at = route->path; *at; n++) {
        size_t len = strcspn(at, "/");
        if (n >= t->count || t->segment[n][0] == '\0')
            return false;
        if (len == 2 && at[0] == '{')
            call->params[call->param_count++] = t->segment[n];
        else if (strlen(t->segment[n]) != len || memcmp(t->segment[n], at, len) != 0)
            return false;
        at += len;
        at += *at == '/';
    }
    return n == t->count;
}

void api_route(struct api_call *call) {
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].method, call->request->method) == 0 &&
            route_fits(&routes[i], call)) {
            call->route = &routes[i];
            return;
        }
    }
    call->route = NULL;
    call->param_count = 0;
}

void api_route_name(const struct api_call *call, char out[API_NAME_MAX]) {
    size_t len = 0;
    for (const char *at = call->route ? call->route->path : ""; *at && len + 1 < API_NAME_MAX;) {
        if (strncmp(at, "/{}", 3) == 0)
            at += 3;
        else
            out[len++] = *at++;
    }
    out[len] = '\0';
}

/* ---- the checks ---- */

void api_invalid(struct api_call *call, const char *space, const char *message) {
    answer_refuse(call->answer, 400, "invalid_data", space, message);
}

/* An owner of the website, or any operator of it where that is enough. */
static bool user_may(const struct api_call *call, bool *ret_is_owner) {
    const struct roster *r = &call->website->roster;
    size_t index = roster_find(r, call->sandbox->user_id);
    if (index == SIZE_MAX)
        return false;
    json_auto_t *entry = roster_get(r, index);
    json_t *role = json_object_get(json_object_get(entry, "details"), "role");
    *ret_is_owner = json_is_string(role) && strcmp(json_string_value(role), "owner") == 0;
    return true;
}

/* Is the token's reach this website? */
static bool check_reach(struct api_call *call) {
    struct sandbox *s = call->sandbox;
    enum tier tier = call->token->tier;
    bool is_owner = false;
    if (!target_is_uuid(call->params[0])) {
        api_invalid(call, "params", "website_id should be a valid UUID");
        return false;
    }
    call->website = sandbox_website(s, call->params[0]);
    if (tier == TIER_PLUGIN && (!call->website || !call->website->plugin_installed)) {
        answer_error(call->answer, 404, "not_subscribed");
        return false;
    }
    if (tier == TIER_WEBSITE && call->website != &s->websites[WEBSITE_MAIN]) {
        answer_error(call->answer, 403, "not_allowed");
        return false;
    }
    if (!call->website) {
        answer_error(call->answer, 404, "website_not_found");
        return false;
    }
    if (tier == TIER_USER &&
        (!user_may(call, &is_owner) || (call->route->owners_only && !is_owner))) {
        answer_error(call->answer, 403, "not_allowed");
        return false;
    }
    return true;
}

static bool check_scope(struct api_call *call) {
    unsigned scope = (unsigned)call->route->scope;
    if (call->token->tier != TIER_PLUGIN || (call->token->scopes & scope) == scope)
        return true;
    answer_error(call->answer, 403, "not_allowed");
    return false;
}

bool api_charge(struct api_call *call) {
    if (call->charged)
        return true;
    call->charged = token_spend(call->token, sandbox_now_ms(call->sandbox) / DAY_MS);
    if (!call->charged)
        answer_error(call->answer, 429, "quota_limit_exceeded");
    return call->charged;
}

static void check_and_serve(struct api_call *call) {
    const struct request *req = call->request;
    call->token = token_find(call->sandbox->tokens, TIER_COUNT,
                             request_header(req, "Authorization"),
                             request_header(req, "X-Crisp-Tier"));
    if (!call->token) {
        answer_error(call->answer, 401, "invalid_session");
        return;
    }
    call->answer->tier = tier_name(call->token->tier);
    if (!(call->route->tiers & 1u << call->token->tier)) {
        answer_error(call->answer, 403, "restricted_route_tier");
        return;
    }
    if (call->route->site == SITE_BOUND && !check_reach(call))
        return;
    if (!check_scope(call))
        return;
    if (call->route->has_body)
        call->body = json_loadb(req->body, req->body_len, JSON_REJECT_DUPLICATES, NULL);
    call->route->serve(call);
    json_decref(call->body);
    call->body = NULL;
    if (call->answer->status < 300)
        api_charge(call);
}

void api_serve(struct api_call *call) {
    if (!call->route) {
        answer_refuse(call->answer, 404, "not_found", "error", "the route does not exist");
        return;
    }
    check_and_serve(call);
    if (strcmp(call->request->method, "HEAD") == 0) {
        answer_drop_headers(call->answer);
        answer_body(call->answer, NULL);
    }
}

/* ---- paging ---- */

size_t api_page(struct api_call *call, const char *text) {
    char *end;
    unsigned long page = strtoul(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '\0' || page > 1000000) {
        api_invalid(call, "params", "page_number should be a number from 1");
        return 0;
    }
    return page;
}

json_t *api_page_of(json_t *all, size_t page) {
    json_t *part = json_array();
    size_t start = (page - 1) * API_PAGE_SIZE;
    for (size_t i = start; i < start + API_PAGE_SIZE && i < json_array_size(all); i++)
        json_array_append(part, json_array_get(all, i));
    return part;
}

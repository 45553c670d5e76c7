#include "sandbox/website.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sandbox/target.h"

enum { MEMBER_TEXT_MAX = 4096 };

static const struct {
    const char *id, *name, *domain, *logo;
    bool verified;
    bool plugin_installed, has_plan;
    int64_t plugin_changed_ms;
    const char *plugin_token, *plugin_settings;
} seeds[WEBSITE_SEEDS] = {
    [WEBSITE_MAIN] = {WEBSITE_MAIN_ID, WEBSITE_MAIN_NAME, "widgets.example.com",
                      "https://storage.example.com/website/logo.png", true, true, true,
                      INT64_C(1768467600000), /* 2026-01-15T09:00:00Z */
                      "7d000000-0000-4000-8000-000000000001", "{}"},
    [WEBSITE_SECOND] = {"5f0c1a2b-1111-4222-8333-abcdef000002", "Fictive Gadgets (test)",
                        "gadgets.example.com", NULL, false, true, false,
                        INT64_C(1794312000000), /* 2026-11-10T12:00:00Z */
                        "7d000000-0000-4000-8000-000000000002", "{\"any\":\"value\"}"},
    [WEBSITE_NO_PLUGIN] = {"5f0c1a2b-1111-4222-8333-abcdef000003", "Fictive Sprockets (test)",
                           "sprockets.example.com", NULL, false, false, false, 0,
                           "7d000000-0000-4000-8000-000000000003", "{}"},
};

static const char settings_text[] =
    "{\"audit\":{\"log\":true},"
    "\"contact\":{\"email\":\"contact@widgets.example.com\",\"phone\":null,\"messenger\":null,"
    "\"telegram\":null,\"twitter\":null,\"whatsapp\":null,\"instagram\":null},"
    "\"inbox\":{\"lock_removal\":true,\"force_operator_token\":false,\"locale\":\"en\"},"
    "\"emails\":{\"rating\":true,\"transcript\":true,\"enrich\":false,\"junk_filter\":true},"
    "\"chatbox\":{\"tile\":\"default\",\"operator_privacy\":false,\"check_domain\":true,"
    "\"locale\":\"en\",\"allowed_pages\":[],\"blocked_pages\":[]}}";

static const char inboxes_text[] =
    "[{\"inbox_id\":\"8e000000-0000-4000-8000-000000000001\",\"name\":\"Billing\","
    "\"emoji\":\"💳\",\"order\":1,\"operators\":[\"0a000000-0000-4000-8000-000000000001\","
    "\"0a000000-0000-4000-8000-000000000002\"],\"operator\":\"and\",\"conditions\":[],"
    "\"created_at\":1763012400000,\"updated_at\":1763703600000}]";

static const char plan_text[] =
    "{\"id\":\"6a000000-0000-4000-8000-000000000001\",\"name\":\"plus\",\"price\":295,"
    "\"since\":\"2026-01-15T09:00:00Z\",\"trialing\":false,\"trial_end\":null,"
    "\"trial_end_date\":null,\"bill_period\":\"monthly\","
    "\"bill_valid_until\":\"2026-12-15T09:00:00Z\",\"active\":true,\"sandbox\":false,"
    "\"coupon_redeemed\":false,\"card_id\":null}";

static const char *const shared_keys[] = {"website_id", "name", "domain", "logo"};
enum { SHARED_KEYS = sizeof shared_keys / sizeof shared_keys[0] };

static json_t *load(const char *text) {
    json_t *value = json_loads(text, 0, NULL);
    if (!value) /* the texts above are right, so memory is exhausted */
        mem_die();
    return value;
}

void website_init(struct website *w, enum website_seed seed) {
    *w = (struct website){
        .id = mem_strdup(seeds[seed].id),
        .settings = load(settings_text),
        .inboxes = load(seed == WEBSITE_MAIN ? inboxes_text : "[]"),
        .plan = seeds[seed].has_plan ? load(plan_text) : NULL,
        .plugin_installed = seeds[seed].plugin_installed,
        .plugin_changed_ms = seeds[seed].plugin_changed_ms,
        .plugin_token = mem_strdup(seeds[seed].plugin_token),
        .plugin_settings = load(seeds[seed].plugin_settings),
    };
    w->profile = json_pack("{s:s, s:s, s:s, s:s?, s:b, s:b}", "website_id", w->id, "name",
                           seeds[seed].name, "domain", seeds[seed].domain, "logo",
                           seeds[seed].logo, "verified", seeds[seed].verified, "institutional", 0);
    roster_init(&w->roster);
}

void website_done(struct website *w) {
    if (!w)
        return;
    free(w->id);
    free(w->plugin_token);
    json_decref(w->profile);
    json_decref(w->settings);
    json_decref(w->inboxes);
    json_decref(w->plan);
    json_decref(w->plugin_settings);
    roster_done(&w->roster);
    *w = (struct website){0};
}

bool website_set_id(struct website *w, const char *id, struct err *err) {
    if (!target_is_uuid(id))
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "a website id is a UUID like %s; got something else", WEBSITE_MAIN_ID);
    free(w->id);
    w->id = mem_strdup(id);
    json_object_set_new(w->profile, "website_id", json_string(id));
    return true;
}

void website_populate(struct website *w, size_t operators, size_t owners, size_t invites) {
    struct buf buf_auto text;
    buf_init(&text, MEMBER_TEXT_MAX);
    roster_clear(&w->roster);
    for (size_t i = 0; i < (operators ? operators : TEAM_SEED_COUNT); i++) {
        struct team_member member = {0};
        buf_reset(&text);
        if (operators)
            team_generate(i, owners ? i < owners : team_is_owner(i), &text, &member);
        else
            team_seed(i, &text, &member);
        roster_add_member(&w->roster, text.data, text.len, &member);
    }
    for (size_t i = 0; i < invites; i++) {
        struct team_invite invite;
        team_invite(i, &invite);
        roster_add_invite(&w->roster, &invite);
    }
}

json_t *website_settings(const struct website *w) {
    json_t *all = json_object();
    for (size_t i = 0; i < SHARED_KEYS; i++) {
        json_t *value = json_object_get(w->profile, shared_keys[i]);
        if (value)
            json_object_set(all, shared_keys[i], value);
    }
    json_object_update(all, w->settings);
    return all;
}

/* The payer: the first operator who is an owner. */
static json_t *payer(const struct website *w) {
    static const char *const keys[] = {"user_id", "email", "first_name", "last_name"};
    json_t *owner = json_object();
    for (size_t i = 0; i < w->roster.count; i++) {
        json_auto_t *entry = roster_get(&w->roster, i);
        json_t *details = json_object_get(entry, "details");
        const char *role = json_string_value(json_object_get(details, "role"));
        if (w->roster.entries[i].is_invite || !role || strcmp(role, "owner") != 0)
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            json_t *value = json_object_get(details, keys[k]);
            json_object_set(owner, keys[k], value ? value : json_null());
        }
        break;
    }
    return owner;
}

json_t *website_plan(const struct website *w) {
    json_t *plan = json_copy(w->plan), *site = json_object();
    json_object_set_new(site, "id", json_string(w->id));
    for (size_t i = 1; i < SHARED_KEYS; i++) {
        json_t *value = json_object_get(w->profile, shared_keys[i]);
        json_object_set(site, shared_keys[i], value ? value : json_null());
    }
    json_object_set_new(plan, "website", site);
    json_object_set_new(plan, "owner", payer(w));
    return plan;
}

json_t *website_plan_short(const struct website *w) {
    static const char *const keys[] = {"id", "name", "trialing"};
    json_t *plan = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_object_set(plan, keys[i], json_object_get(w->plan, keys[i]));
    return plan;
}

static bool is_shared(const char *key) {
    for (size_t i = 0; i < SHARED_KEYS; i++) {
        if (strcmp(key, shared_keys[i]) == 0)
            return true;
    }
    return false;
}

void website_update_settings(struct website *w, json_t *changes) {
    const char *key;
    json_t *value;
    json_object_foreach(changes, key, value) {
        if (strcmp(key, "website_id") == 0)
            continue;
        json_t *there = json_object_get(w->settings, key);
        if (is_shared(key))
            json_object_set(w->profile, key, value);
        else if (json_is_object(there) && json_is_object(value))
            json_object_update_recursive(there, value);
        else
            json_object_set(w->settings, key, value);
    }
}

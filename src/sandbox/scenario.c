#include "sandbox/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/target.h"

static bool must_be(struct err *err, const char *what, const char *kind) {
    return err_set(err, ERR_INVALID_ARGUMENT, "\"%s\" must be %s", what, kind);
}

/* ---- people ---- */

static void set_default(json_t *object, const char *key, json_t *value) {
    if (json_object_get(object, key))
        json_decref(value);
    else
        json_object_set_new(object, key, value);
}

/* Details as a new operator has them, for what was not said. */
static void complete_details(struct sandbox *s, json_t *details) {
    char user_id[37];
    sandbox_make_uuid(s, user_id);
    set_default(details, "user_id", json_string(user_id));
    mem_auto char *email = mem_printf("operator.%.8s@example.com", user_id);
    set_default(details, "email", json_string(email));
    set_default(details, "avatar", json_null());
    set_default(details, "first_name", json_string("New"));
    set_default(details, "last_name", json_string("Operator"));
    set_default(details, "role", json_string("member"));
    set_default(details, "title", json_null());
    set_default(details, "availability", json_string("offline"));
    set_default(details, "has_token", json_false());
}

/* Takes "last_active_ms" out of the object it was put into. */
static int64_t take_last_active(json_t *object, int64_t otherwise) {
    json_t *value = json_object_get(object, "last_active_ms");
    if (json_is_integer(value))
        otherwise = json_integer_value(value);
    json_object_del(object, "last_active_ms");
    return otherwise;
}

bool scenario_add_operator(struct sandbox *s, struct website *w, json_t *operator,
                           size_t *ret_index, struct err *err) {
    if (!json_is_object(operator))
        return must_be(err, "operator", "an object");
    json_auto_t *copy = json_deep_copy(operator);
    int64_t last_active_ms = take_last_active(copy, 0);
    bool is_entry = json_object_get(copy, "details") != NULL;
    if (!is_entry)
        complete_details(s, copy);
    const char *user_id = json_string_value(json_object_get(copy, "user_id"));
    if (user_id && roster_find(&w->roster, user_id) != SIZE_MAX)
        return err_set(err, ERR_ALREADY_EXISTS,
                       "operator %s is there already; to have it twice, send the whole entry "
                       "{\"type\":\"operator\",\"details\":{...}}",
                       user_id);
    json_auto_t *entry = is_entry ? json_incref(copy)
                                  : json_pack("{s:s, s:O}", "type", "operator", "details", copy);
    if (!roster_add(&w->roster, entry, last_active_ms, err))
        return false;
    if (ret_index)
        *ret_index = w->roster.count - 1;
    return true;
}

static bool unset_members(json_t *object, json_t *names, struct err *err) {
    json_t *name;
    size_t i;
    if (names && !json_is_array(names))
        return must_be(err, "unset", "an array of names");
    json_array_foreach(names, i, name) {
        if (!json_is_string(name))
            return must_be(err, "unset", "an array of names");
        json_object_del(object, json_string_value(name));
    }
    return true;
}

bool scenario_change_operator(struct website *w, size_t index, json_t *changes, struct err *err) {
    if (!json_is_object(changes))
        return must_be(err, "operator", "an object");
    json_auto_t *copy = json_copy(changes);
    json_auto_t *entry = roster_get(&w->roster, index);
    json_auto_t *unset = json_incref(json_object_get(copy, "unset"));
    int64_t last_active_ms = take_last_active(copy, w->roster.entries[index].last_active_ms);
    json_object_del(copy, "unset");
    if (!json_is_object(json_object_get(entry, "details")))
        json_object_set_new(entry, "details", json_object());
    json_t *details = json_object_get(entry, "details");
    json_object_update(details, copy);
    return unset_members(details, unset, err) &&
           roster_replace(&w->roster, index, entry, last_active_ms, err);
}

bool scenario_add_invite(struct sandbox *s, struct website *w, json_t *invite, size_t *ret_index,
                         struct err *err) {
    if (!json_is_string(json_object_get(invite, "email")))
        return must_be(err, "email", "a string: whom to invite");
    struct team_invite made;
    sandbox_make_invite(s, &made);
    json_auto_t *details = json_copy(invite);
    set_default(details, "role", json_string("member"));
    set_default(details, "identifier", json_string(made.identifier));
    set_default(details, "key", json_string(made.key));
    json_auto_t *entry = json_pack("{s:s, s:O}", "type", "invite", "details", details);
    if (!roster_add(&w->roster, entry, 0, err))
        return false;
    if (ret_index)
        *ret_index = w->roster.count - 1;
    return true;
}

/* Drops all invitations, or all others. */
static void drop_entries(struct roster *r, bool invites) {
    for (size_t i = r->count; i-- > 0;) {
        if (r->entries[i].is_invite == invites)
            roster_remove(r, i);
    }
}

static bool apply_operators(struct sandbox *s, json_t *value, struct err *err) {
    struct website *w = &s->websites[WEBSITE_MAIN];
    json_t *item;
    size_t i;
    if (json_is_integer(value)) {
        json_int_t n = json_integer_value(value);
        if (n < 1 || n > TEAM_MAX)
            return err_set(err, ERR_OUT_OF_RANGE, "\"operators\" must be from 1 to %d", TEAM_MAX);
        website_populate(w, (size_t)n, 0, 0);
        token_set(&s->user_id, w->roster.entries[0].user_id);
        return true;
    }
    if (!json_is_array(value))
        return must_be(err, "operators", "a number or an array");
    drop_entries(&w->roster, false);
    json_array_foreach(value, i, item) {
        if (!scenario_add_operator(s, w, item, NULL, err))
            return err_wrap(err, "operator %zu", i);
    }
    return true;
}

static bool apply_invites(struct sandbox *s, json_t *value, struct err *err) {
    struct website *w = &s->websites[WEBSITE_MAIN];
    json_t *item;
    size_t i;
    bool counts = json_is_integer(value) && json_integer_value(value) >= 0 &&
                  json_integer_value(value) <= TEAM_MAX / 2;
    if (!counts && !json_is_array(value))
        return must_be(err, "invites", "a number or an array");
    drop_entries(&w->roster, true);
    for (size_t n = 0; counts && n < (size_t)json_integer_value(value); n++) {
        struct team_invite made;
        team_invite(n, &made);
        roster_add_invite(&w->roster, &made);
    }
    json_array_foreach(value, i, item) {
        if (!scenario_add_invite(s, w, item, NULL, err))
            return err_wrap(err, "invite %zu", i);
    }
    return true;
}

/* ---- websites ---- */

/* Replaces *field by value if it is of the type (objects and null for the plan). */
static bool set_json(json_t **field, const char *name, json_t *value, bool fits, const char *kind,
                     struct err *err) {
    if (!fits)
        return must_be(err, name, kind);
    json_decref(*field);
    *field = json_is_null(value) ? NULL : json_deep_copy(value);
    return true;
}

static bool apply_website_member(struct sandbox *s, struct website *w, const char *key,
                                 json_t *value, struct err *err) {
    bool object = json_is_object(value);
    if (strcmp(key, "plugin_installed") == 0) {
        if (!json_is_boolean(value))
            return must_be(err, key, "true or false");
        w->plugin_installed = json_is_true(value);
        w->plugin_changed_ms = sandbox_now_ms(s);
        return true;
    }
    if (strcmp(key, "website_id") == 0)
        return json_is_string(value) ? website_set_id(w, json_string_value(value), err)
                                     : must_be(err, key, "a string");
    if (strcmp(key, "settings") == 0) {
        if (!object)
            return must_be(err, key, "an object");
        website_update_settings(w, value);
        return true;
    }
    if (strcmp(key, "plan") == 0)
        return set_json(&w->plan, key, value, object || json_is_null(value), "an object or null",
                        err);
    if (strcmp(key, "plugin_settings") == 0)
        return set_json(&w->plugin_settings, key, value, object, "an object", err);
    if (strcmp(key, "inboxes") == 0)
        return set_json(&w->inboxes, key, value, json_is_array(value), "an array", err);
    if (strcmp(key, "unset") == 0)
        return unset_members(w->profile, value, err);
    json_object_set(w->profile, key, value);
    return true;
}

static bool apply_one_website(struct sandbox *s, struct website *w, json_t *value,
                              struct err *err) {
    const char *key;
    json_t *member;
    if (!json_is_object(value))
        return must_be(err, "website", "an object");
    json_object_foreach(value, key, member) {
        if (!apply_website_member(s, w, key, member, err))
            return false;
    }
    return true;
}

static bool apply_website(struct sandbox *s, json_t *value, struct err *err) {
    return apply_one_website(s, &s->websites[WEBSITE_MAIN], value, err);
}

static bool apply_websites(struct sandbox *s, json_t *value, struct err *err) {
    const char *id;
    json_t *member;
    if (!json_is_object(value))
        return must_be(err, "websites", "an object by website id");
    json_object_foreach(value, id, member) {
        struct website *w = sandbox_website(s, id);
        if (!w)
            return err_set(err, ERR_NOT_FOUND, "there is no website %.60s", id);
        if (!apply_one_website(s, w, member, err))
            return false;
    }
    return true;
}

/* ---- tokens, session, cache, clock ---- */

static bool apply_scopes(struct token *t, json_t *value, struct err *err) {
    json_t *name;
    size_t i;
    unsigned all = 0;
    if (json_is_string(value))
        return scopes_parse(json_string_value(value), &t->scopes, err);
    if (!json_is_array(value))
        return must_be(err, "scopes", "a string or an array of strings");
    json_array_foreach(value, i, name) {
        unsigned one;
        if (!json_is_string(name))
            return must_be(err, "scopes", "a string or an array of strings");
        if (!scopes_parse(json_string_value(name), &one, err))
            return false;
        all |= one;
    }
    t->scopes = all;
    return true;
}

static bool apply_token_member(struct token *t, const char *key, json_t *value, struct err *err) {
    bool is_pair = strcmp(key, "identifier") == 0 || strcmp(key, "key") == 0;
    if (is_pair && json_is_string(value)) {
        token_set(key[0] == 'i' ? &t->identifier : &t->key, json_string_value(value));
        return true;
    }
    if (strcmp(key, "scopes") == 0)
        return apply_scopes(t, value, err);
    if (strcmp(key, "quota") == 0 && (json_is_integer(value) || json_is_null(value))) {
        t->quota = json_is_null(value) ? -1 : json_integer_value(value);
        return true;
    }
    if (strcmp(key, "used") == 0 && json_is_integer(value)) {
        t->used = json_integer_value(value);
        return true;
    }
    return err_set(err, ERR_INVALID_ARGUMENT,
                   "a token has \"identifier\" and \"key\" (strings), \"scopes\", \"quota\" (a "
                   "number or null) and \"used\" (a number), not \"%.40s\"",
                   key);
}

static bool apply_tokens(struct sandbox *s, json_t *value, struct err *err) {
    const char *name, *key;
    json_t *token, *member;
    enum tier tier;
    if (!json_is_object(value))
        return must_be(err, "tokens", "an object by tier");
    json_object_foreach(value, name, token) {
        if (!tier_parse(name, &tier) || !json_is_object(token))
            return must_be(err, "tokens", "an object with members plugin, website, user");
        json_object_foreach(token, key, member) {
            if (!apply_token_member(&s->tokens[tier], key, member, err))
                return false;
        }
    }
    return true;
}

static bool apply_session(struct sandbox *s, json_t *value, struct err *err) {
    const char *user_id = json_string_value(json_object_get(value, "user_id"));
    if (!user_id)
        return must_be(err, "session", "an object with \"user_id\"");
    token_set(&s->user_id, user_id);
    return true;
}

static bool apply_cache(struct sandbox *s, json_t *value, struct err *err) {
    json_t *enabled = json_object_get(value, "enabled"), *ttl = json_object_get(value, "ttl_ms");
    if (!json_is_object(value) || (enabled && !json_is_boolean(enabled)) ||
        (ttl && !json_is_integer(ttl)))
        return must_be(err, "cache", "an object with \"enabled\" (boolean), \"ttl_ms\" (number)");
    if (enabled)
        s->cache.enabled = json_is_true(enabled);
    if (ttl)
        s->cache.ttl_ms = json_integer_value(ttl);
    return true;
}

static bool apply_clock(struct sandbox *s, json_t *value, struct err *err) {
    json_t *advance = json_object_get(value, "advance_ms");
    json_int_t ms = json_integer_value(advance);
    const json_int_t century_ms = (json_int_t)100 * 366 * 24 * 3600 * 1000;
    if (!json_is_integer(advance) || ms < 0 || ms > century_ms - s->clock_offset_ms)
        return must_be(err, "clock", "an object with \"advance_ms\", at most a century ahead");
    s->clock_offset_ms += ms;
    return true;
}

/* ---- faults and answers ---- */

bool scenario_add_fault(struct sandbox *s, json_t *order, unsigned *ret_id, struct err *err) {
    json_t *spec = json_is_string(order) ? order : json_object_get(order, "spec");
    if (!json_is_string(spec))
        return faults_add(&s->faults, order, ret_id, err);
    json_auto_t *parsed = fault_parse_spec(json_string_value(spec), err);
    return parsed && faults_add(&s->faults, parsed, ret_id, err);
}

static bool apply_faults(struct sandbox *s, json_t *value, struct err *err) {
    json_t *order;
    size_t i;
    if (!json_is_array(value))
        return must_be(err, "faults", "an array");
    faults_clear(&s->faults);
    json_array_foreach(value, i, order) {
        if (!scenario_add_fault(s, order, NULL, err))
            return err_wrap(err, "fault %zu", i);
    }
    return true;
}

bool scenario_add_answer(struct sandbox *s, json_t *value, struct err *err) {
    const char *path = json_string_value(json_object_get(value, "path")), *name;
    const char *method = json_string_value(json_object_get(value, "method"));
    json_t *status = json_object_get(value, "status"), *body = json_object_get(value, "body");
    json_t *header;
    struct answer a;
    if (!path)
        return must_be(err, "path", "a string: which requests the answer is for");
    if (status && (!json_is_integer(status) || json_integer_value(status) < 200 ||
                   json_integer_value(status) > 599))
        return must_be(err, "status", "a number from 200 to 599");
    answer_init(&a);
    int code = status ? (int)json_integer_value(status) : 200;
    if (json_is_string(body))
        answer_text(&a, code, ANSWER_JSON, json_string_value(body));
    else
        answer_json(&a, code, body ? json_incref(body) : json_object());
    json_object_foreach(json_object_get(value, "headers"), name, header) {
        if (json_is_string(header))
            answer_header(&a, name, json_string_value(header));
    }
    return canned_put(&s->canned, path, method, &a, err);
}

static bool apply_answers(struct sandbox *s, json_t *value, struct err *err) {
    json_t *item;
    size_t i;
    if (!json_is_array(value))
        return must_be(err, "answers", "an array");
    canned_clear(&s->canned);
    json_array_foreach(value, i, item) {
        if (!scenario_add_answer(s, item, err))
            return err_wrap(err, "answer %zu", i);
    }
    return true;
}

/* ---- the whole ---- */

static const struct {
    const char *name;
    bool (*apply)(struct sandbox *s, json_t *value, struct err *err);
} members[] = {
    {"website", apply_website},     {"websites", apply_websites}, {"operators", apply_operators},
    {"invites", apply_invites},     {"tokens", apply_tokens},     {"session", apply_session},
    {"cache", apply_cache},         {"clock", apply_clock},       {"faults", apply_faults},
    {"answers", apply_answers},
};
enum { MEMBERS = sizeof members / sizeof members[0] };

static bool check_names(json_t *scenario, struct err *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(scenario))
        return err_set(err, ERR_INVALID_ARGUMENT, "a scenario must be a JSON object");
    json_object_foreach(scenario, key, value) {
        size_t i = 0;
        while (i < MEMBERS && strcmp(members[i].name, key) != 0)
            i++;
        if (i == MEMBERS)
            return err_set(err, ERR_INVALID_ARGUMENT, "unknown member \"%.40s\"", key);
    }
    return true;
}

bool scenario_apply(struct sandbox *s, json_t *scenario, struct err *err) {
    if (!check_names(scenario, err))
        return false;
    for (size_t i = 0; i < MEMBERS; i++) {
        json_t *value = json_object_get(scenario, members[i].name);
        if (value && !members[i].apply(s, value, err))
            return false;
    }
    return true;
}

bool scenario_load(struct sandbox *s, const char *path, struct err *err) {
    json_error_t where;
    json_auto_t *scenario = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!scenario)
        return err_set(err, ERR_INVALID_ARGUMENT, "scenario %s, line %d: %s", path, where.line,
                       where.text);
    return scenario_apply(s, scenario, err) || err_wrap(err, "scenario %s", path);
}

static json_t *describe_website(const struct website *w) {
    json_t *d = json_copy(w->profile);
    size_t invites = w->roster.count - w->roster.operators;
    json_object_set_new(d, "website_id", json_string(w->id));
    json_object_set_new(d, "operators", json_integer((json_int_t)w->roster.operators));
    json_object_set_new(d, "invites", json_integer((json_int_t)invites));
    json_object_set_new(d, "plugin_installed", json_boolean(w->plugin_installed));
    return d;
}

static json_t *describe_token(const struct token *t) {
    json_t *scopes = json_array();
    const char *name;
    for (size_t i = 0; (name = scope_name(t->scopes, i)); i++)
        json_array_append_new(scopes, json_string(name));
    return json_pack("{s:s, s:s, s:o, s:o, s:I}", "identifier", t->identifier, "key", t->key,
                     "scopes", scopes, "quota", t->quota < 0 ? json_null() : json_integer(t->quota),
                     "used", (json_int_t)t->used);
}

json_t *scenario_describe(const struct sandbox *s) {
    json_t *websites = json_array(), *tokens = json_object();
    for (size_t i = 0; i < WEBSITE_SEEDS; i++)
        json_array_append_new(websites, describe_website(&s->websites[i]));
    for (int i = 0; i < TIER_COUNT; i++)
        json_object_set_new(tokens, tier_name((enum tier)i), describe_token(&s->tokens[i]));
    return json_pack("{s:s, s:I, s:o, s:o, s:{s:s}, s:{s:b, s:I, s:I}, s:I, s:I, s:I}", "version",
                     BATON_CRISP_VERSION, "now_ms", (json_int_t)sandbox_now_ms(s), "websites",
                     websites, "tokens", tokens, "session", "user_id", s->user_id, "cache",
                     "enabled", s->cache.enabled, "ttl_ms", (json_int_t)s->cache.ttl_ms, "entries",
                     (json_int_t)s->cache.count, "faults", (json_int_t)s->faults.count, "answers",
                     (json_int_t)s->canned.count, "requests",
                     (json_int_t)(s->journal.next - s->journal.cleared));
}

#include "crisp/team.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One entry while it is read; slices of its text. */
struct entry {
    struct jsonr_string type;
    struct jsonr_string user_id, email, first_name, last_name, role, title;
    enum crisp_fact has_token;
    bool is_invited; /* carries an invitation's secret */
};

/* The texts we keep of `details`. */
#define TEXT(name) {#name, sizeof #name - 1, offsetof(struct entry, name)}
static const struct {
    const char *key;
    size_t key_len, offset;
} texts[] = {
    TEXT(user_id), TEXT(email), TEXT(first_name), TEXT(last_name), TEXT(role), TEXT(title),
};
#undef TEXT

static void take_text(struct jsonr *r, struct jsonr_string *ret_text) {
    *ret_text = (struct jsonr_string){0};
    if (jsonr_peek(r) == JSONR_STRING)
        jsonr_string(r, ret_text);
    else
        jsonr_skip(r);
}

static void take_has_token(struct jsonr *r, struct entry *e) {
    bool value;
    e->has_token = CRISP_UNKNOWN;
    if (jsonr_peek(r) != JSONR_BOOL)
        jsonr_skip(r);
    else if (jsonr_bool(r, &value))
        e->has_token = value ? CRISP_YES : CRISP_NO;
}

/* Notices the secret without a copy of it. Null or empty: there is none. */
static void notice_secret(struct jsonr *r, struct entry *e) {
    struct jsonr_string secret;
    enum jsonr_kind kind = jsonr_peek(r);
    if (kind != JSONR_STRING)
        jsonr_skip(r);
    else if (jsonr_string(r, &secret) && secret.len > 0)
        e->is_invited = true;
}

static void take_detail(struct jsonr *r, const struct jsonr_string *key, struct entry *e) {
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (jsonr_equals_n(key, texts[i].key, texts[i].key_len)) {
            take_text(r, (struct jsonr_string *)(void *)((char *)e + texts[i].offset));
            return;
        }
    if (jsonr_equals(key, "has_token"))
        take_has_token(r, e);
    else if (jsonr_equals(key, "identifier") || jsonr_equals(key, "key"))
        notice_secret(r, e);
    else
        jsonr_skip(r);
}

static void take_details(struct jsonr *r, struct entry *e) {
    struct jsonr_string key;
    *e = (struct entry){.type = e->type}; /* of two `details` the last counts */
    if (jsonr_peek(r) != JSONR_OBJECT) {
        jsonr_skip(r);
        return;
    }
    jsonr_enter_object(r);
    while (jsonr_next_member(r, &key))
        take_detail(r, &key, e);
}

static void read_entry(struct jsonr *r, struct entry *e) {
    struct jsonr_string key;
    if (jsonr_peek(r) != JSONR_OBJECT) {
        jsonr_skip(r);
        return;
    }
    jsonr_enter_object(r);
    while (jsonr_next_member(r, &key)) {
        if (jsonr_equals(&key, "type"))
            take_text(r, &e->type);
        else if (jsonr_equals(&key, "details"))
            take_details(r, e);
        else
            jsonr_skip(r);
    }
}

static bool add_operator(struct crisp_team_decoder *d, const struct entry *e, struct err *err) {
    struct crisp_team *team = &d->team;
    if (team->count == CRISP_OPERATORS_MAX)
        return err_set(err, ERR_INTERNAL, "more than %d operators", CRISP_OPERATORS_MAX);
    if (team->count == d->capacity) {
        d->capacity = d->capacity ? d->capacity * 2 : 64;
        team->operators = mem_realloc_array(team->operators, d->capacity, sizeof *team->operators);
    }
    team->operators[team->count++] = (struct crisp_operator){
        .type = textpool_intern(&d->texts, &e->type),
        .user_id = textpool_add(&d->texts, &e->user_id),
        .email = textpool_add(&d->texts, &e->email),
        .first_name = textpool_add(&d->texts, &e->first_name),
        .last_name = textpool_add(&d->texts, &e->last_name),
        .role = textpool_intern(&d->texts, &e->role),
        .title = textpool_add(&d->texts, &e->title),
        .has_token = e->has_token,
    };
    return true;
}

/* The table of team.h. */
static bool sort_entry(struct crisp_team_decoder *d, const struct entry *e, struct err *err) {
    bool has_id = e->user_id.len > 0, is_operator = jsonr_equals(&e->type, "operator");
    if (has_id && (is_operator || !e->is_invited))
        return add_operator(d, e, err);
    if (e->is_invited || (e->type.len > 0 && !is_operator))
        d->team.invitations++;
    else
        d->team.without_id++;
    return true;
}

static bool on_element(void *payload, const char *text, size_t n, struct err *err) {
    struct entry e = {0};
    struct jsonr r;
    jsonr_init(&r, text, n);
    read_entry(&r, &e);
    if (!jsonr_is_complete(&r))
        return err_set(err, ERR_INTERNAL, "not JSON: %s",
                       r.problem ? r.problem : "something behind a value");
    return sort_entry(payload, &e, err);
}

static bool on_member(void *payload, const struct jsonr_string *key, const char *text, size_t n,
                      struct err *err) {
    struct crisp_team_decoder *d = payload;
    return crisp_envelope_member(&d->envelope, key, text, n, err);
}

void crisp_team_decoder_init(struct crisp_team_decoder *d) {
    *d = (struct crisp_team_decoder){0};
}

void crisp_team_decoder_done(struct crisp_team_decoder *d) {
    if (!d)
        return;
    jsonlist_free(d->splitter);
    textpool_done(&d->texts);
    free(d->team.operators);
    crisp_team_decoder_init(d);
}

void crisp_team_begin(void *decoder) {
    struct crisp_team_decoder *d = decoder;
    crisp_team_decoder_done(d);
    d->splitter = jsonlist_new("data", CRISP_ELEMENT_MAX,
                               &(struct jsonlist_handler){
                                   .element = on_element, .member = on_member, .payload = d});
}

bool crisp_team_body(void *decoder, const char *bytes, size_t n, struct err *err) {
    struct crisp_team_decoder *d = decoder;
    return jsonlist_feed(d->splitter, bytes, n, err);
}

bool crisp_team_end(void *decoder, struct err *err) {
    struct crisp_team_decoder *d = decoder;
    return jsonlist_end(d->splitter, err) && crisp_envelope_check(&d->envelope, err);
}

struct crisp_team crisp_team_take(struct crisp_team_decoder *d, struct arena *arena) {
    struct crisp_team team = d->team;
    if (team.operators)
        arena_adopt(arena, team.operators);
    textpool_give(&d->texts, arena);
    d->team.operators = NULL;
    crisp_team_decoder_done(d);
    return team;
}

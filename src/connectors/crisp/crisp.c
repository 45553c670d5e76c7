#include "connectors/crisp/crisp.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "connectors/crisp/fields.h"
#include "connectors/crisp/meters.h"
#include "connectors/crisp/model.h"
#include "connectors/crisp/roster.h"
#include "crisp/client.h"

struct crisp_state {
    struct crisp_client *client;
    struct log *log;
    const struct meter *meter;
    char *website_id; /* as configured */
    struct arena arena; /* of the snapshot */
    struct crisp_snapshot snapshot;
    struct roster roster;
};

static void crisp_close(void *state) {
    struct crisp_state *s = state;
    if (!s)
        return;
    crisp_client_free(s->client);
    arena_done(&s->arena);
    free(s->website_id);
    free(s);
}

static void count_answer(int status, int try, void *payload) {
    const struct crisp_state *s = payload;
    meters_add_answer(s->meter, status, try);
}

static bool crisp_open(const struct baton_env *env, void **ret_state, struct err *err) {
    const struct options *o = env->options;
    const char *tier = options_str(o, "crisp-api-tier");
    const char *base_url = options_str(o, "crisp-base-url");
    struct crisp_state *s = mem_zalloc(sizeof *s);
    struct crisp_config config = {
        .base_url = *base_url ? base_url : "https://api.crisp.chat/v1",
        .website_id = options_str(o, "crisp-website-id"),
        .tier = *tier ? tier : "plugin",
        .identifier = options_str(o, "crisp-api-identifier"),
        .key = options_secret(o, "crisp-api-key"),
        .user_agent = env->user_agent,
        .timeout_s = (int)options_int(o, "http-timeout-seconds"),
        .want_last_active = options_bool(o, "crisp-sync-last-active"),
        .log = env->log,
        .cancel = env->cancel,
        .on_answer = count_answer,
        .on_answer_payload = s,
    };
    struct crisp_client *client = crisp_client_new(&config, err);
    if (!client) {
        /* A wrong setting ends with 2 here as everywhere (connector-cli.md 5). */
        if (err)
            err->code = ERR_UNKNOWN;
        free(s);
        return false;
    }
    s->client = client;
    s->log = env->log;
    s->meter = env->meter;
    s->website_id = mem_strdup(config.website_id);
    arena_init(&s->arena);
    *ret_state = s;
    return true;
}

/* The two GETs of a sync. That the website answered is what validation asks; trouble with the list
 * alone is reported when the list is due, as a failed list call. */
static bool crisp_validate(void *state, struct err *err) {
    struct crisp_state *s = state;
    arena_done(&s->arena);
    arena_init(&s->arena);
    s->snapshot = (struct crisp_snapshot){0};
    if (!crisp_fetch(s->client, &s->arena, &s->snapshot, err))
        return false;
    if (s->snapshot.team_err.code != ERR_OK)
        return true;
    roster_init(&s->roster, &s->snapshot.team, &s->arena);
    if (s->roster.count == 0)
        return err_set(err, ERR_INTERNAL,
                       "Crisp listed no operator of website %s, which cannot be: a website always "
                       "keeps one owner. Try again, and if it stays so, ask Crisp support",
                       s->website_id);
    roster_report(&s->roster, s->log);
    meters_set_roster(s->meter, &s->roster);
    return true;
}

static bool has_team(const struct crisp_state *s, struct err *err) {
    if (s->snapshot.team_err.code == ERR_OK)
        return true;
    if (err)
        *err = s->snapshot.team_err;
    return false;
}

static bool crisp_resources(void *state, const struct sync_resource_type *type,
                            struct sync_emitter *e, struct err *err) {
    const struct crisp_state *s = state;
    struct arena *arena = sync_emitter_arena(e);
    if (type == &model_types[MODEL_WEBSITE])
        return sync_emit_resource(e, model_website(&s->snapshot.website, arena), err);
    if (!has_team(s, err))
        return false;
    for (size_t i = 0; i < s->roster.count; i++) {
        if (!sync_emit_resource(e, model_operator(&s->roster.entries[i], arena), err))
            return false;
    }
    return true;
}

static bool crisp_entitlements(void *state, const C1__Resource *resource, struct sync_emitter *e,
                               struct err *err) {
    (void)state;
    C1__Resource website = *resource;
    struct arena *arena = sync_emitter_arena(e);
    return sync_emit_entitlement(e, model_entitlement(&website, ROSTER_OWNER, arena), err) &&
           sync_emit_entitlement(e, model_entitlement(&website, ROSTER_MEMBER, arena), err);
}

static bool crisp_grants(void *state, const C1__Resource *resource, struct sync_emitter *e,
                         struct err *err) {
    const struct crisp_state *s = state;
    if (!has_team(s, err))
        return false;
    arena_auto struct arena arena;
    arena_init(&arena);
    C1__Resource *website = model_packed_website(resource, &arena);
    for (size_t i = 0; i < s->roster.count; i++) {
        const struct roster_entry *entry = &s->roster.entries[i];
        if (entry->role == ROSTER_NO_ROLE)
            continue;
        if (!sync_emit_grant(e, model_grant(website, entry, sync_emitter_arena(e)), err))
            return false;
    }
    return true;
}

const struct baton_connector crisp_connector = {
    .name = "baton-crisp",
    .version = BATON_CRISP_VERSION,
    .display_name = "Crisp",
    .description = "Syncs the operators of a Crisp website and their roles",
    .help_url = "/docs/baton/crisp",
    .icon_url = "/static/app-icons/crisp.svg",
    .example = "baton-crisp --crisp-website-id ID --crisp-api-identifier ID "
               "--crisp-api-key-file key.txt",
    .fields = crisp_fields,
    .field_count = CRISP_FIELD_COUNT,
    .resource_types = model_types,
    .resource_type_count = MODEL_TYPE_COUNT,
    .meters = meters_rows,
    .meter_count = METERS_COUNT,
    .prepare = crisp_prepare,
    .open = crisp_open,
    .source = {.validate = crisp_validate,
               .resources = crisp_resources,
               .entitlements = crisp_entitlements,
               .grants = crisp_grants},
    .close = crisp_close,
};

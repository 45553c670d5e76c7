/* website: one Crisp website (workspace) of the sandbox with everything that belongs to it.
 *
 * What clients only read is kept as JSON in the shape of the wire, so that a test may put any value
 * there. The website owns all of it.
 */
#ifndef SANDBOX_WEBSITE_H
#define SANDBOX_WEBSITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sandbox/roster.h"

#define WEBSITE_MAIN_ID "5f0c1a2b-1111-4222-8333-abcdef000001"
#define WEBSITE_MAIN_NAME "Fictive Widgets (test)"

/* The seeded websites. */
enum website_seed {
    WEBSITE_MAIN,      /* has the plugin, a plan, the team; the website token is bound to it */
    WEBSITE_SECOND,    /* has the plugin */
    WEBSITE_NO_PLUGIN, /* the plugin is not installed; nobody we have credentials of is there */
    WEBSITE_SEEDS,
};

struct website {
    char *id;
    json_t *profile;   /* data of Get A Website; settings and plan repeat parts of it */
    json_t *settings;  /* data of Get Website Settings without those parts */
    json_t *inboxes;   /* array */
    json_t *plan;      /* data of Get Plan Subscription without website and owner; NULL: no plan */
    bool plugin_installed;
    int64_t plugin_changed_ms; /* when it was installed or removed */
    char *plugin_token;
    json_t *plugin_settings;
    struct roster roster;
};

/* The people are not part of it. */
void website_init(struct website *w, enum website_seed seed);
void website_done(struct website *w);

/* Sets id (a UUID) and profile.website_id. */
bool website_set_id(struct website *w, const char *id, struct err *err);

/* The seeded team with `invites` invitations, or `operators` generated people (0: the seeded team)
 * of whom the first `owners` are owners (0: team_is_owner()). */
void website_populate(struct website *w, size_t operators, size_t owners, size_t invites);

/* New references, for answers. */
json_t *website_settings(const struct website *w);
json_t *website_plan(const struct website *w);
json_t *website_plan_short(const struct website *w);

/* Merges into the settings what a client sends: objects member by member, the rest replaced; the
 * keys that belong to the profile go there. */
void website_update_settings(struct website *w, json_t *changes);

#endif

#include "connectors/crisp/model.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "pb/any.h"
#include "pb/pack.h"
#include "pb/structs.h"
#include "pb/wire.h"

/* Limits of the messages, in bytes (c1z.md 3.1). */
enum { NAME_MAX_BYTES = 1024, DESCRIPTION_MAX_BYTES = 2048, EMAIL_MAX_BYTES = 254 };

static const C1__ResourceType__Trait user_trait[] = {C1__RESOURCE_TYPE__TRAIT__TRAIT_USER};

const struct sync_resource_type model_types[MODEL_TYPE_COUNT] = {
    [MODEL_OPERATOR] = {.id = "operator",
                        .display_name = "Operator",
                        .description = "A member of the Crisp website team",
                        .traits = user_trait,
                        .trait_count = 1},
    [MODEL_WEBSITE] = {.id = "website",
                       .display_name = "Website",
                       .description = "A Crisp website",
                       .has_entitlements_and_grants = true},
};

/* --- text --- */

static char *clipped(struct arena *arena, const char *text, size_t max) {
    size_t n = strlen(text);
    return arena_strndup(arena, text, utf8_clip(text, n, max));
}

static char *trimmed(struct arena *arena, const char *text) {
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return arena_strndup(arena, text, n);
}

static const char *first_non_empty(const char *a, const char *b, const char *c) {
    return *a ? a : *b ? b : c;
}

static bool is_label_char(char c) {
    return isalnum((unsigned char)c) || c == '-';
}

/* Host name: labels of letters, digits and inner hyphens, at least one dot not required. */
static bool is_domain(const char *text) {
    size_t in_label = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '.') {
            if (in_label == 0 || p[-1] == '-')
                return false;
            in_label = 0;
        } else if (!is_label_char(*p) || (in_label == 0 && *p == '-') || ++in_label > 63) {
            return false;
        }
    }
    return in_label > 0 && text[strlen(text) - 1] != '-';
}

static bool is_local_part(const char *text, size_t n) {
    if (n == 0 || n > 64 || text[0] == '.' || text[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_atom = isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~", c);
        bool is_inner_dot = c == '.' && text[i + 1] != '.';
        if (!is_atom && !is_inner_dot)
            return false;
    }
    return true;
}

bool model_is_email(const char *text) {
    const char *at = strrchr(text, '@');
    return at && strlen(text) <= EMAIL_MAX_BYTES && is_local_part(text, (size_t)(at - text)) &&
           is_domain(at + 1);
}

/* --- parts --- */

static C1__ResourceId *resource_id(const char *type, const char *id, struct arena *arena) {
    C1__ResourceId *m = arena_alloc(arena, sizeof *m);
    c1__resource_id__init(m);
    m->resource_type = arena_strdup(arena, type);
    m->resource = arena_strdup(arena, id);
    return m;
}

static C1__Resource *resource(const char *type, const char *id, struct arena *arena) {
    C1__Resource *m = arena_alloc(arena, sizeof *m);
    c1__resource__init(m);
    m->id = resource_id(type, id, arena);
    return m;
}

static void annotate(C1__Resource *m, const ProtobufCMessage *annotation, struct arena *arena) {
    m->n_annotations = 1;
    m->annotations = arena_array(arena, 1, sizeof m->annotations[0]);
    m->annotations[0] = pb_any_new(annotation, arena);
}

static void add_if_any(Pb__Struct *profile, struct arena *arena, const char *key,
                       const char *value) {
    if (*value)
        pb_struct_add_string(profile, arena, key, value);
}

/* --- website --- */

C1__Resource *model_website(const struct crisp_website *website, struct arena *arena) {
    C1__Resource *m = resource("website", website->website_id, arena);
    const char *name = first_non_empty(trimmed(arena, website->name),
                                       trimmed(arena, website->domain), website->website_id);
    m->display_name = clipped(arena, name, NAME_MAX_BYTES);
    C1__ExternalLink link;
    c1__external_link__init(&link);
    link.url = arena_join(arena, "https://app.crisp.chat/website/", website->website_id, "/", NULL);
    annotate(m, &link.base, arena);
    m->profile = pb_struct_new(arena);
    add_if_any(m->profile, arena, "website_id", website->website_id);
    add_if_any(m->profile, arena, "name", website->name);
    add_if_any(m->profile, arena, "domain", website->domain);
    add_if_any(m->profile, arena, "logo", website->logo);
    return m;
}

/* --- operator --- */

static char *operator_name(const struct crisp_operator *o, struct arena *arena) {
    const char *first = trimmed(arena, o->first_name), *last = trimmed(arena, o->last_name);
    const char *both = arena_join(arena, first, *first && *last ? " " : "", last, NULL);
    return clipped(arena, first_non_empty(both, o->email, o->user_id), NAME_MAX_BYTES);
}

static Pb__Struct *operator_profile(const struct roster_entry *entry, struct arena *arena) {
    const struct crisp_operator *o = entry->operator;
    const char *role = roster_role_name(entry->role);
    Pb__Struct *profile = pb_struct_new(arena);
    add_if_any(profile, arena, "user_id", o->user_id);
    add_if_any(profile, arena, "email", o->email);
    add_if_any(profile, arena, "first_name", o->first_name);
    add_if_any(profile, arena, "last_name", o->last_name);
    add_if_any(profile, arena, "role", role ? role : o->role);
    add_if_any(profile, arena, "title", o->title);
    if (o->last_active_ms > 0) {
        char when[CLOCK_TEXT_MAX];
        clock_format_rfc3339(o->last_active_ms * CLOCK_NS_PER_MS, when);
        pb_struct_add_string(profile, arena, "last_active_at", when);
    }
    return profile;
}

static void add_email(C1__UserTrait *trait, const char *address, struct arena *arena) {
    if (!model_is_email(address))
        return;
    C1__UserTrait__Email *email = arena_alloc(arena, sizeof *email);
    c1__user_trait__email__init(email);
    email->address = arena_strdup(arena, address);
    email->is_primary = true;
    trait->n_emails = 1;
    trait->emails = arena_array(arena, 1, sizeof trait->emails[0]);
    trait->emails[0] = email;
}

static void add_two_factor(C1__UserTrait *trait, enum crisp_fact has_token, struct arena *arena) {
    if (has_token == CRISP_UNKNOWN)
        return;
    trait->mfa_status = arena_alloc(arena, sizeof *trait->mfa_status);
    c1__user_trait__mfastatus__init(trait->mfa_status);
    trait->mfa_status->mfa_enabled = has_token == CRISP_YES;
}

static void add_status(C1__Resource *m, C1__UserTrait *trait, struct arena *arena) {
    /* Crisp knows no disabled operator: losing access means leaving the list. */
    trait->status = arena_alloc(arena, sizeof *trait->status);
    c1__user_trait__status__init(trait->status);
    trait->status->status = C1__USER_TRAIT__STATUS__STATUS__STATUS_ENABLED;
    m->status = arena_alloc(arena, sizeof *m->status);
    c1__status__init(m->status);
    m->status->status = C1__STATUS__RESOURCE_STATUS__RESOURCE_STATUS_ENABLED;
}

C1__Resource *model_operator(const struct roster_entry *entry, struct arena *arena) {
    const struct crisp_operator *o = entry->operator;
    C1__Resource *m = resource("operator", o->user_id, arena);
    m->display_name = operator_name(o, arena);
    C1__UserTrait trait;
    c1__user_trait__init(&trait);
    add_email(&trait, o->email, arena);
    add_status(m, &trait, arena);
    /* The same facts in the trait and on the resource: readers before v0.25 know only the trait,
     * later ones prefer the resource (c1z.md 3.3). */
    trait.profile = m->profile = operator_profile(entry, arena);
    trait.account_type = C1__USER_TRAIT__ACCOUNT_TYPE__ACCOUNT_TYPE_HUMAN;
    trait.login = arena_strdup(arena, o->email);
    add_two_factor(&trait, o->has_token, arena);
    annotate(m, &trait.base, arena);
    return m;
}

/* --- entitlements and grants --- */

static char *entitlement_id(const C1__Resource *website, enum roster_role role,
                            struct arena *arena) {
    return arena_join(arena, website->id->resource_type, ":", website->id->resource, ":",
                      roster_role_name(role), NULL);
}

C1__Entitlement *model_entitlement(C1__Resource *website, enum roster_role role,
                                   struct arena *arena) {
    const char *title = role == ROSTER_OWNER ? "Owner" : "Member";
    const char *site = website->display_name;
    C1__Entitlement *m = arena_alloc(arena, sizeof *m);
    c1__entitlement__init(m);
    m->resource = website;
    m->id = entitlement_id(website, role, arena);
    m->slug = arena_strdup(arena, roster_role_name(role));
    m->display_name =
        clipped(arena, arena_join(arena, site, " Website ", title, NULL), NAME_MAX_BYTES);
    const char *description =
        arena_join(arena, title, " of the ", site, " website in Crisp", NULL);
    m->description = clipped(arena, description, DESCRIPTION_MAX_BYTES);
    m->purpose = C1__ENTITLEMENT__PURPOSE_VALUE__PURPOSE_VALUE_PERMISSION;
    m->n_grantable_to = 1;
    m->grantable_to = arena_array(arena, 1, sizeof m->grantable_to[0]);
    m->grantable_to[0] = sync_resource_type_message(&model_types[MODEL_OPERATOR], arena);
    return m;
}

C1__Resource *model_packed_website(const C1__Resource *website, struct arena *arena) {
    C1__Resource id_only, *m = arena_alloc(arena, sizeof *m);
    c1__resource__init(&id_only);
    c1__resource__init(m);
    m->id = id_only.id = website->id;
    size_t n, id_len;
    const uint8_t *bytes = pb_pack(&website->base, arena, &n);
    pb_pack(&id_only.base, arena, &id_len); /* its field has the lowest number, so it comes first */
    struct pb_wire rest = {bytes + id_len, bytes + n};
    uint64_t tag;
    if (!pb_wire_varint(&rest, &tag))
        return m;
    /* Unknown fields are written last, as they are: one may stand for all that follow as well. */
    ProtobufCMessageUnknownField *field = arena_alloc(arena, sizeof *field);
    field->tag = (uint32_t)(tag >> 3);
    field->wire_type = (ProtobufCWireType)(tag & 7);
    field->len = (size_t)(rest.end - rest.p);
    field->data = arena_alloc(arena, field->len);
    memcpy(field->data, rest.p, field->len);
    m->base.unknown_fields = field;
    m->base.n_unknown_fields = 1;
    return m;
}

C1__Grant *model_grant(C1__Resource *website, const struct roster_entry *entry,
                       struct arena *arena) {
    C1__Grant *m = arena_alloc(arena, sizeof *m);
    c1__grant__init(m);
    m->entitlement = arena_alloc(arena, sizeof *m->entitlement);
    c1__entitlement__init(m->entitlement);
    m->entitlement->resource = website;
    m->entitlement->id = entitlement_id(website, entry->role, arena);
    m->principal = resource("operator", entry->operator->user_id, arena);
    m->id = arena_join(arena, m->entitlement->id, ":operator:", entry->operator->user_id, NULL);
    return m;
}

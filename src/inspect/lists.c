/* The list commands: which rows, by the flags. */
#include "inspect/commands.h"
#include "inspect/items.h"

static struct c1z_filter filter_of(const struct session *s) {
    return (struct c1z_filter){
        .resource_type_id = s->args->values[FLAG_RESOURCE_TYPE],
        .resource_id = s->args->values[FLAG_RESOURCE],
        .entitlement_id = s->args->values[FLAG_ENTITLEMENT],
    };
}

static bool show(struct session *s, const struct items_kind *kind, struct err *err) {
    struct items_query query = {.kind = kind, .filter = filter_of(s)};
    return items_show(s, &query, err);
}

bool cmd_resource_types(struct session *s, struct err *err) {
    return show(s, &items_resource_types, err);
}

bool cmd_resources(struct session *s, struct err *err) {
    return show(s, &items_resources, err);
}

bool cmd_entitlements(struct session *s, struct err *err) {
    return show(s, &items_entitlements, err);
}

bool cmd_grants(struct session *s, struct err *err) {
    return show(s, &items_grants, err);
}

bool cmd_principals(struct session *s, struct err *err) {
    return show(s, &items_principals, err);
}

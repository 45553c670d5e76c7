#include "pb/any.h"

#include <string.h>

#include "annotations.pb-c.h"
#include "connector.pb-c.h"
#include "pb/pack.h"

#define URL_PREFIX "type.googleapis.com/"

/* Every message that may stand in an Any; frequent ones first, the list is searched in order. */
static const ProtobufCMessageDescriptor *const known_types[] = {
    &c1__user_trait__descriptor,
    &c1__external_link__descriptor,
    &c1__skip_entitlements_and_grants__descriptor,
    &c1__skip_grants__descriptor,
    &c1__skip_entitlements__descriptor,
    &c1__child_resource_type__descriptor,
    &c1__v1_identifier__descriptor,
    &c1__raw_id__descriptor,
    &c1__group_trait__descriptor,
    &c1__role_trait__descriptor,
    &c1__entitlement_immutable__descriptor,
    &c1__grant_immutable__descriptor,
    &c1__grant_metadata__descriptor,
    &c1__grant_expandable__descriptor,
    &c1__app_trait__descriptor,
    &c1__secret_trait__descriptor,
    &c1__agent_trait__descriptor,
    &c1__scope_binding_trait__descriptor,
    &c1__license_profile_trait__descriptor,
    &c1__non_human_identity_trait__descriptor,
    &c1__aliases__descriptor,
    &c1__entitlement_exclusion_group__descriptor,
    &c1__external_resource_match__descriptor,
    &c1__external_resource_match_all__descriptor,
    &c1__external_resource_match_id__descriptor,
    &c1__baton_id__descriptor,
    &c1__insert_resource_grants__descriptor,
    &c1__type_scoped_grants__descriptor,
    &c1__type_scoped_entitlements__descriptor,
    &c1__opt_in_required__descriptor,
    &c1__resource_type__descriptor,
    &c1__resource_id__descriptor,
    &c1__resource__descriptor,
    &c1__entitlement__descriptor,
    &c1__grant__descriptor,
    &pb__any__descriptor,
    &pb__timestamp__descriptor,
    &pb__struct__descriptor,
    &pb__value__descriptor,
    &pb__list_value__descriptor,
};

/* As Go's registry does: what follows the last slash is the name, whatever stands before it. */
const ProtobufCMessageDescriptor *pb_any_type_of_url(const char *url, size_t n) {
    const char *slash = n ? memrchr(url, '/', n) : NULL;
    const char *name = slash ? slash + 1 : url;
    size_t name_len = slash ? n - (size_t)(name - url) : n;
    for (size_t i = 0; i < sizeof known_types / sizeof *known_types; i++) {
        const char *known = known_types[i]->name;
        if (strlen(known) == name_len && memcmp(known, name, name_len) == 0)
            return known_types[i];
    }
    return NULL;
}

Pb__Any *pb_any_new(const ProtobufCMessage *m, struct arena *arena) {
    Pb__Any *any = arena_alloc(arena, sizeof *any);
    pb__any__init(any);
    const char *name = m->descriptor->name;
    size_t prefix_len = strlen(URL_PREFIX), name_len = strlen(name);
    any->type_url = arena_alloc(arena, prefix_len + name_len + 1);
    memcpy(any->type_url, URL_PREFIX, prefix_len);
    memcpy(any->type_url + prefix_len, name, name_len);
    any->value.data = pb_pack(m, arena, &any->value.len);
    return any;
}

const ProtobufCMessageDescriptor *pb_any_type(const Pb__Any *any) {
    return pb_any_type_of_url(any->type_url, strlen(any->type_url));
}

bool pb_any_is(const Pb__Any *any, const ProtobufCMessageDescriptor *type) {
    const char *slash = strrchr(any->type_url, '/');
    return strcmp(slash ? slash + 1 : any->type_url, type->name) == 0;
}

ProtobufCMessage *pb_any_unpack(const Pb__Any *any, struct arena *arena, struct err *err) {
    const ProtobufCMessageDescriptor *type = pb_any_type(any);
    if (!type) {
        err_set(err, ERR_NOT_FOUND, "unknown message type \"%s\"", any->type_url);
        return NULL;
    }
    return pb_unpack(type, any->value.data, any->value.len, arena, err);
}

ProtobufCMessage *pb_any_find(Pb__Any *const *annotations, size_t count,
                              const ProtobufCMessageDescriptor *type, struct arena *arena) {
    for (size_t i = 0; i < count; i++) {
        const ProtobufCBinaryData *value = &annotations[i]->value;
        if (pb_any_is(annotations[i], type))
            return pb_unpack(type, value->data, value->len, arena, NULL);
    }
    return NULL;
}

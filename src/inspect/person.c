#include "inspect/person.h"

#include <string.h>

#include "pb/any.h"

bool person_is_user_type(const C1__ResourceType *type) {
    for (size_t i = 0; i < type->n_traits; i++) {
        if (type->traits[i] == C1__RESOURCE_TYPE__TRAIT__TRAIT_USER)
            return true;
    }
    return false;
}

C1__UserTrait *person_trait(const C1__Resource *resource, struct arena *arena) {
    return (C1__UserTrait *)pb_any_find(resource->annotations, resource->n_annotations,
                                        &c1__user_trait__descriptor, arena);
}

const char *person_primary_mail(const C1__UserTrait *trait) {
    for (size_t i = 0; trait && i < trait->n_emails; i++) {
        if (trait->emails[i]->is_primary)
            return trait->emails[i]->address;
    }
    return "";
}

const char *person_mail(const C1__UserTrait *trait) {
    const char *primary = person_primary_mail(trait);
    if (!*primary && trait && trait->n_emails > 0)
        return trait->emails[0]->address;
    return primary;
}

const char *person_profile(const C1__Resource *resource, const C1__UserTrait *trait,
                           const char *key) {
    const Pb__Struct *profile = resource->profile;
    if (!profile && trait)
        profile = trait->profile;
    for (size_t i = 0; profile && i < profile->n_fields; i++) {
        const Pb__Struct__FieldsEntry *entry = profile->fields[i];
        if (strcmp(entry->key, key) == 0 && entry->value &&
            entry->value->kind_case == PB__VALUE__KIND_STRING_VALUE)
            return entry->value->string_value;
    }
    return "";
}

const char *person_status(const C1__Resource *resource, const C1__UserTrait *trait) {
    /* Both enumerations have the same numbers; the trait's is the older place. */
    static const char *const names[] = {"unknown", "enabled", "disabled", "deleted"};
    int status;
    if (resource->status)
        status = (int)resource->status->status;
    else if (trait && trait->status)
        status = (int)trait->status->status;
    else
        return "enabled";
    return status >= 0 && status <= 3 ? names[status] : names[0];
}

const char *person_two_factor(const C1__UserTrait *trait) {
    if (!trait || !trait->mfa_status)
        return "unknown";
    return trait->mfa_status->mfa_enabled ? "on" : "off";
}

#include "c1z/expandable.h"

#include <string.h>

#include "pb/any.h"
#include "pb/pack.h"

bool expandable_is(const C1__Grant *grant) {
    for (size_t i = 0; i < grant->n_annotations; i++) {
        if (pb_any_is(grant->annotations[i], &c1__grant_expandable__descriptor))
            return true;
    }
    return false;
}

static bool is_blank(const char *s) {
    return s[strspn(s, " \t\n\v\f\r")] == '\0';
}

static bool names_entitlement(const C1__GrantExpandable *e) {
    for (size_t i = 0; i < e->n_entitlement_ids; i++) {
        if (!is_blank(e->entitlement_ids[i]))
            return true;
    }
    return false;
}

bool expandable_split(const C1__Grant *grant, struct arena *arena, struct expandable *ret,
                      struct err *err) {
    struct expandable split = {.grant = *grant};
    split.grant.annotations = arena_array(arena, grant->n_annotations, sizeof *grant->annotations);
    split.grant.n_annotations = 0;
    const Pb__Any *found = NULL;
    for (size_t i = 0; i < grant->n_annotations; i++) {
        if (!pb_any_is(grant->annotations[i], &c1__grant_expandable__descriptor))
            split.grant.annotations[split.grant.n_annotations++] = grant->annotations[i];
        else if (!found)
            found = grant->annotations[i];
    }
    if (found) {
        ProtobufCMessage *m = pb_any_unpack(found, arena, err);
        if (!m)
            return false;
        if (names_entitlement((const C1__GrantExpandable *)m))
            split.bytes = pb_pack(m, arena, &split.len);
    }
    *ret = split;
    return true;
}

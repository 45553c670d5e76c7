#include <string.h>

#include "base/mem.h"
#include "pb/any.h"
#include "sync/source.h"

C1__ResourceType *sync_resource_type_message(const struct sync_resource_type *type,
                                             struct arena *arena) {
    C1__ResourceType *m = arena_alloc(arena, sizeof *m);
    c1__resource_type__init(m);
    m->id = arena_strdup(arena, type->id);
    m->display_name = arena_strdup(arena, type->display_name);
    m->description = arena_strdup(arena, type->description);
    m->n_traits = type->trait_count;
    m->traits = arena_array(arena, type->trait_count, sizeof m->traits[0]);
    for (size_t i = 0; i < type->trait_count; i++)
        m->traits[i] = type->traits[i];
    if (!type->has_entitlements_and_grants) {
        C1__SkipEntitlementsAndGrants skip;
        c1__skip_entitlements_and_grants__init(&skip);
        m->n_annotations = 1;
        m->annotations = arena_array(arena, 1, sizeof m->annotations[0]);
        m->annotations[0] = pb_any_new(&skip.base, arena);
    }
    return m;
}

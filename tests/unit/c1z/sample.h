/* sample: small messages for the tests of the c1z layer. Everything lives in the arena. */
#ifndef TESTS_UNIT_C1Z_SAMPLE_H
#define TESTS_UNIT_C1Z_SAMPLE_H

#include "base/arena.h"
#include "connector.pb-c.h"

static inline C1__ResourceId *sample_id(struct arena *a, const char *type, const char *id) {
    C1__ResourceId *m = arena_alloc(a, sizeof *m);
    c1__resource_id__init(m);
    m->resource_type = arena_strdup(a, type);
    m->resource = arena_strdup(a, id);
    return m;
}

static inline C1__ResourceType *sample_type(struct arena *a, const char *id) {
    C1__ResourceType *m = arena_alloc(a, sizeof *m);
    c1__resource_type__init(m);
    m->id = arena_strdup(a, id);
    return m;
}

static inline C1__Resource *sample_resource(struct arena *a, const char *type, const char *id,
                                            const char *name) {
    C1__Resource *m = arena_alloc(a, sizeof *m);
    c1__resource__init(m);
    m->id = sample_id(a, type, id);
    m->display_name = arena_strdup(a, name);
    return m;
}

/* "type:id:slug" */
static inline C1__Entitlement *sample_entitlement(struct arena *a, const char *type, const char *id,
                                                  const char *slug) {
    C1__Entitlement *m = arena_alloc(a, sizeof *m);
    c1__entitlement__init(m);
    m->resource = sample_resource(a, type, id, "");
    m->id = arena_printf(a, "%s:%s:%s", type, id, slug);
    m->slug = arena_strdup(a, slug);
    return m;
}

static inline C1__Grant *sample_grant(struct arena *a, C1__Entitlement *e, const char *type,
                                      const char *id) {
    C1__Grant *m = arena_alloc(a, sizeof *m);
    c1__grant__init(m);
    m->entitlement = e;
    m->principal = sample_resource(a, type, id, "");
    m->id = arena_printf(a, "%s:%s:%s", e->id, type, id);
    return m;
}

#endif

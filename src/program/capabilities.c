#include "program/capabilities.h"

#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "pb/json.h"

static int by_id(const void *a, const void *b) {
    const struct sync_resource_type *const *x = a, *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

static void capability_list(struct jsonw *w, const char *key) {
    jsonw_key(w, key);
    jsonw_array(w);
    jsonw_string(w, "CAPABILITY_SYNC");
    jsonw_array_end(w);
}

static void empty_object(struct jsonw *w, const char *key) {
    jsonw_key(w, key);
    jsonw_object(w);
    jsonw_object_end(w);
}

static bool type_capabilities(struct jsonw *w, const struct sync_resource_type *type,
                              struct err *err) {
    arena_auto struct arena arena;
    arena_init(&arena);
    C1__ResourceType *m = sync_resource_type_message(type, &arena);
    m->description = arena_strdup(&arena, "");
    jsonw_object(w);
    jsonw_key(w, "resourceType");
    if (!pb_json_write(w, &m->base, err))
        return false;
    capability_list(w, "capabilities");
    empty_object(w, "permissions");
    jsonw_object_end(w);
    return true;
}

bool capabilities_print(const struct baton_connector *connector, struct buf *out, struct err *err) {
    size_t n = connector->resource_type_count;
    mem_auto const struct sync_resource_type **types = mem_realloc_array(NULL, n, sizeof *types);
    for (size_t i = 0; i < n; i++)
        types[i] = &connector->resource_types[i];
    qsort(types, n, sizeof *types, by_id);

    struct jsonw w;
    jsonw_init(&w, out, true);
    jsonw_object(&w);
    jsonw_kv(&w, "@type", "type.googleapis.com/c1.connector.v2.ConnectorCapabilities");
    jsonw_key(&w, "resourceTypeCapabilities");
    jsonw_array(&w);
    for (size_t i = 0; i < n; i++) {
        if (!type_capabilities(&w, types[i], err))
            return false;
    }
    jsonw_array_end(&w);
    capability_list(&w, "connectorCapabilities");
    empty_object(&w, "credentialDetails");
    jsonw_object_end(&w);
    return true;
}

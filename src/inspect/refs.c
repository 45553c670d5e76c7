#include "inspect/refs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/map.h"
#include "inspect/person.h"
#include "inspect/plain.h"
#include "pb/json.h"
#include "pb/pack.h"

enum {
    WARNINGS_MAX = 100, /* lines on stderr; a file may lack every principal */
    JSON_MAX = 256 * 1024 * 1024,
};

struct kept {
    char *json; /* NULL: not asked for yet */
    size_t json_len;
    bool has_names;
    struct refs_names names;
};

struct refs {
    struct view *view;
    struct map *kept[C1Z_TABLE_COUNT]; /* to struct kept */
    struct map *warned;
    struct arena arena;     /* what is kept */
    struct arena scratch;   /* one message */
    struct buf placeholder; /* the last one, packed */
    struct buf json;        /* one rendering */
};

static const struct {
    const ProtobufCMessageDescriptor *type;
    const char *noun, *missing;
} tables[C1Z_TABLE_COUNT] = {
    [C1Z_RESOURCE_TYPES] = {&c1__resource_type__descriptor, "resource type", "RESOURCE TYPE"},
    [C1Z_RESOURCES] = {&c1__resource__descriptor, "resource", "RESOURCE"},
    [C1Z_ENTITLEMENTS] = {&c1__entitlement__descriptor, "entitlement", "ENTITLEMENT"},
    [C1Z_GRANTS] = {&c1__grant__descriptor, "grant", "GRANT"},
};

struct refs *refs_new(struct view *view) {
    struct refs *refs = mem_zalloc(sizeof *refs);
    refs->view = view;
    for (size_t i = 0; i < C1Z_TABLE_COUNT; i++)
        refs->kept[i] = map_new();
    refs->warned = map_new();
    arena_init(&refs->arena);
    arena_init(&refs->scratch);
    buf_init(&refs->placeholder, PB_MESSAGE_MAX);
    buf_init(&refs->json, JSON_MAX);
    return refs;
}

void refs_free(struct refs *refs) {
    if (!refs)
        return;
    for (size_t i = 0; i < C1Z_TABLE_COUNT; i++)
        map_free(refs->kept[i]);
    map_free(refs->warned);
    arena_done(&refs->arena);
    arena_done(&refs->scratch);
    buf_done(&refs->placeholder);
    buf_done(&refs->json);
    free(refs);
}

char *refs_resource_id(struct arena *arena, const char *type_id, const char *resource_id) {
    return arena_printf(arena, "%s:%s", type_id, resource_id);
}

static void warn_once(struct refs *refs, enum c1z_table table, const char *id) {
    char *key = arena_printf(&refs->scratch, "%d:%s", (int)table, id);
    if (map_count(refs->warned) > WARNINGS_MAX || !map_see(refs->warned, key))
        return;
    if (map_count(refs->warned) > WARNINGS_MAX) {
        fprintf(stderr, "baton-inspect: more is missing; only the first %d are named\n",
                WARNINGS_MAX);
        return;
    }
    buf_auto struct buf line;
    buf_init(&line, 64 * 1024);
    plain_adds(&line, id);
    fprintf(stderr, "baton-inspect: %s %s is named but not in this sync\n", tables[table].noun,
            line.data);
}

/* Packs what stands in for a message that is not there. */
static void make_placeholder(struct refs *refs, enum c1z_table table, const char *id) {
    struct arena *arena = &refs->scratch;
    char *text = arena_strdup(arena, id);
    char *name = arena_printf(arena, "MISSING %s (%s)", tables[table].missing, id);
    C1__Resource resource;
    C1__ResourceId resource_id;
    C1__ResourceType type;
    C1__Entitlement entitlement;
    if (table == C1Z_RESOURCES) {
        char *colon = strchr(text, ':');
        c1__resource_id__init(&resource_id);
        resource_id.resource = colon ? colon + 1 : text;
        if (colon) {
            *colon = '\0';
            resource_id.resource_type = text;
        }
        c1__resource__init(&resource);
        resource.id = &resource_id;
        resource.display_name = name;
        pb_pack_buf(&resource.base, &refs->placeholder);
    } else if (table == C1Z_RESOURCE_TYPES) {
        c1__resource_type__init(&type);
        type.id = text;
        type.display_name = name;
        pb_pack_buf(&type.base, &refs->placeholder);
    } else {
        c1__entitlement__init(&entitlement);
        entitlement.id = text;
        entitlement.display_name = name;
        pb_pack_buf(&entitlement.base, &refs->placeholder);
    }
}

bool refs_get(struct refs *refs, enum c1z_table table, const char *id, struct refs_bytes *ret,
              struct err *err) {
    struct err why = ERR_INIT;
    struct c1z_row row;
    if (view_get(refs->view, table, id, &row, &why)) {
        *ret = (struct refs_bytes){row.data, row.data_len};
        return true;
    }
    if (why.code != ERR_NOT_FOUND)
        return err_set(err, why.code, "%s", why.msg);
    arena_reset(&refs->scratch);
    warn_once(refs, table, id);
    make_placeholder(refs, table, id);
    *ret = (struct refs_bytes){(const uint8_t *)refs->placeholder.data, refs->placeholder.len};
    return true;
}

/* NULL if there is no room left to keep more. */
static struct kept *kept_of(struct refs *refs, enum c1z_table table, const char *id) {
    struct kept *kept = map_get(refs->kept[table], id);
    if (kept || refs->arena.total >= REFS_CACHE_MAX)
        return kept;
    kept = arena_alloc(&refs->arena, sizeof *kept);
    map_add(refs->kept[table], id, kept);
    return kept;
}

static bool render(struct refs *refs, enum c1z_table table, const char *id, struct jsonw *w,
                   struct err *err) {
    struct refs_bytes bytes;
    return refs_get(refs, table, id, &bytes, err) &&
           (pb_json_write_bytes(w, tables[table].type, bytes.data, bytes.len, err) ||
            err_wrap(err, "%s %s", tables[table].noun, id));
}

bool refs_write_json(struct refs *refs, enum c1z_table table, const char *id, enum refs_keep keep,
                     struct jsonw *w, struct err *err) {
    struct kept *kept = keep == REFS_KEEP ? kept_of(refs, table, id) : NULL;
    if (!kept)
        return render(refs, table, id, w, err);
    if (!kept->json) {
        struct jsonw one;
        buf_reset(&refs->json);
        jsonw_init(&one, &refs->json, false);
        if (!render(refs, table, id, &one, err))
            return false;
        if (refs->json.len + refs->arena.total > REFS_CACHE_MAX) {
            jsonw_raw(w, refs->json.data, refs->json.len);
            return true;
        }
        kept->json_len = refs->json.len;
        kept->json = arena_strndup(&refs->arena, refs->json.data, refs->json.len);
    }
    jsonw_raw(w, kept->json, kept->json_len);
    return true;
}

static struct refs_names names_of(const ProtobufCMessage *m, enum c1z_table table,
                                  struct arena *arena) {
    struct refs_names names = {"", "", ""};
    if (table == C1Z_RESOURCES) {
        const C1__Resource *resource = (const C1__Resource *)m;
        names.name = resource->display_name;
        names.mail = person_mail(person_trait(resource, arena));
    } else if (table == C1Z_RESOURCE_TYPES) {
        names.name = ((const C1__ResourceType *)m)->display_name;
    } else if (table == C1Z_ENTITLEMENTS) {
        names.name = ((const C1__Entitlement *)m)->display_name;
        names.slug = ((const C1__Entitlement *)m)->slug;
    }
    return names;
}

bool refs_names(struct refs *refs, enum c1z_table table, const char *id, enum refs_keep keep,
                struct arena *arena, struct refs_names *ret, struct err *err) {
    struct kept *kept = keep == REFS_KEEP ? kept_of(refs, table, id) : NULL;
    if (kept && kept->has_names) {
        *ret = kept->names;
        return true;
    }
    struct refs_bytes bytes;
    struct arena *home = kept ? &refs->arena : arena;
    if (!refs_get(refs, table, id, &bytes, err))
        return false;
    arena_reset(&refs->scratch);
    ProtobufCMessage *m =
        pb_unpack(tables[table].type, bytes.data, bytes.len, &refs->scratch, err);
    if (!m)
        return err_wrap(err, "%s %s", tables[table].noun, id);
    struct refs_names found = names_of(m, table, &refs->scratch);
    struct refs_names copy = {arena_strdup(home, found.name), arena_strdup(home, found.slug),
                              arena_strdup(home, found.mail)};
    if (kept) {
        kept->names = copy;
        kept->has_names = true;
    }
    *ret = copy;
    return true;
}

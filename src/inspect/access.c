/* access: what one principal may do, by resource. */
#include <string.h>

#include "inspect/commands.h"
#include "inspect/map.h"
#include "inspect/plain.h"

/* The entitlements of one principal are few enough to hold. */
struct held {
    struct held *next;
    const char *id; /* of the entitlement */
};

struct place {
    struct place *next;
    const char *resource_id, *type_id;
    struct held *first, **end;
};

struct access {
    struct session *s;
    struct arena arena;
    struct map *by_resource; /* to struct place */
    struct place *first, **end;
};

static struct place *place_of(struct access *a, const struct c1z_row *row) {
    const char *id = refs_resource_id(&a->arena, row->resource_type_id, row->resource_id);
    struct place *place = map_get(a->by_resource, id);
    if (place)
        return place;
    place = arena_alloc(&a->arena, sizeof *place);
    place->resource_id = id;
    place->type_id = arena_strdup(&a->arena, row->resource_type_id);
    place->end = &place->first;
    map_add(a->by_resource, id, place);
    *a->end = place;
    a->end = &place->next;
    return place;
}

static bool collect(struct access *a, struct err *err) {
    struct c1z_filter filter = {
        .principal_type_id = a->s->args->values[FLAG_RESOURCE_TYPE],
        .principal_id = a->s->args->values[FLAG_RESOURCE],
    };
    struct c1z_iter *iter = view_list(a->s->view, C1Z_GRANTS, filter, err);
    if (!iter)
        return false;
    struct err why = ERR_INIT;
    for (struct c1z_row row; c1z_next(iter, &row, &why);) {
        struct place *place = place_of(a, &row);
        struct held *held = arena_alloc(&a->arena, sizeof *held);
        held->id = arena_strdup(&a->arena, row.entitlement_id);
        *place->end = held;
        place->end = &held->next;
    }
    c1z_iter_free(iter);
    return why.code == ERR_OK || err_set(err, why.code, "%s", why.msg);
}

static bool write_place(struct access *a, const struct place *place, struct jsonw *w,
                        struct err *err) {
    struct refs *refs = a->s->refs;
    jsonw_object(w);
    jsonw_key(w, "resourceType");
    if (!refs_write_json(refs, C1Z_RESOURCE_TYPES, place->type_id, REFS_KEEP, w, err))
        return false;
    jsonw_key(w, "resource");
    if (!refs_write_json(refs, C1Z_RESOURCES, place->resource_id, REFS_ONCE, w, err))
        return false;
    jsonw_key(w, "entitlements");
    jsonw_array(w);
    for (const struct held *held = place->first; held; held = held->next) {
        if (!refs_write_json(refs, C1Z_ENTITLEMENTS, held->id, REFS_ONCE, w, err))
            return false;
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    out_flush_some(a->s->out);
    return true;
}

static bool write_access(struct access *a, const char *principal, struct err *err) {
    struct jsonw w;
    jsonw_init(&w, &a->s->out->buf, false);
    jsonw_object(&w);
    jsonw_key(&w, "principal");
    if (!refs_write_json(a->s->refs, C1Z_RESOURCES, principal, REFS_ONCE, &w, err))
        return false;
    for (const struct place *place = a->first; place; place = place->next) {
        if (place == a->first) {
            jsonw_key(&w, "access");
            jsonw_array(&w);
        }
        if (!write_place(a, place, &w, err))
            return false;
    }
    if (a->first)
        jsonw_array_end(&w);
    jsonw_object_end(&w);
    return true;
}

static bool names_of(struct access *a, enum c1z_table table, const char *id,
                     struct refs_names *ret, struct err *err) {
    return refs_names(a->s->refs, table, id, REFS_ONCE, &a->arena, ret, err);
}

static bool print_place(struct access *a, const struct place *place, struct err *err) {
    struct buf *out = &a->s->out->buf;
    struct refs_names resource, type, entitlement;
    if (!names_of(a, C1Z_RESOURCES, place->resource_id, &resource, err) ||
        !names_of(a, C1Z_RESOURCE_TYPES, place->type_id, &type, err))
        return false;
    buf_adds(out, place->next ? "├─ " : "└─ ");
    plain_adds(out, resource.name);
    buf_adds(out, " (");
    plain_adds(out, type.name);
    buf_adds(out, ")\n");
    for (const struct held *held = place->first; held; held = held->next) {
        if (!names_of(a, C1Z_ENTITLEMENTS, held->id, &entitlement, err))
            return false;
        buf_addf(out, "%s%s ", place->next ? "│  " : "   ", held->next ? "├─" : "└─");
        plain_adds(out, *entitlement.slug ? entitlement.slug : entitlement.name);
        buf_addc(out, '\n');
        out_flush_some(a->s->out);
    }
    return true;
}

static bool print_access(struct access *a, const char *principal, struct err *err) {
    struct buf *out = &a->s->out->buf;
    struct refs_names names;
    if (!names_of(a, C1Z_RESOURCES, principal, &names, err))
        return false;
    buf_adds(out, "Effective Access for ");
    plain_adds(out, names.name);
    buf_adds(out, " (");
    plain_adds(out, a->s->args->values[FLAG_RESOURCE_TYPE]);
    buf_adds(out, ")\n");
    for (const struct place *place = a->first; place; place = place->next) {
        if (!print_place(a, place, err))
            return false;
    }
    return true;
}

bool cmd_access(struct session *s, struct err *err) {
    struct access a = {.s = s, .by_resource = map_new()};
    arena_init(&a.arena);
    a.end = &a.first;
    const char *principal = refs_resource_id(&a.arena, s->args->values[FLAG_RESOURCE_TYPE],
                                             s->args->values[FLAG_RESOURCE]);
    bool ok = collect(&a, err) && (s->args->want_json ? write_access(&a, principal, err)
                                                      : print_access(&a, principal, err));
    map_free(a.by_resource);
    arena_done(&a.arena);
    return ok;
}

#include "inspect/items.h"

#include <string.h>

#include "connector.pb-c.h"
#include "inspect/map.h"
#include "inspect/table.h"
#include "pb/json.h"
#include "pb/pack.h"
#include "pb/wire.h"

enum { COLUMNS_MAX = 5 };

/* A row, copied where looking up what it names would take it away. */
struct item {
    struct session *s;
    const struct c1z_row *row;
    struct arena *arena; /* of this row */
};

struct items_kind {
    const char *key; /* of the list in JSON */
    enum c1z_table table;
    bool is_distinct; /* each principal once */
    bool (*json)(const struct item *item, struct jsonw *w, struct err *err);
    bool (*cells)(const struct item *item, const char **cells, struct err *err);
    struct table_column columns[COLUMNS_MAX];
    size_t column_count;
};

/* --- JSON --- */

/* The member of an outer message: its bytes as JSON. */
static bool write_message(struct jsonw *w, const char *key, const ProtobufCMessageDescriptor *type,
                          const uint8_t *bytes, size_t n, struct err *err) {
    jsonw_key(w, key);
    return pb_json_write_bytes(w, type, bytes, n, err);
}

static bool write_ref(const struct item *item, struct jsonw *w, const char *key,
                      enum c1z_table table, const char *id, struct err *err) {
    jsonw_key(w, key);
    return refs_write_json(item->s->refs, table, id, REFS_KEEP, w, err);
}

static bool resource_type_json(const struct item *item, struct jsonw *w, struct err *err) {
    return write_message(w, "resourceType", &c1__resource_type__descriptor, item->row->data,
                         item->row->data_len, err);
}

/* The external id of a resource's parent; NULL if it has none or is damaged (which shows when it is
 * printed). */
static const char *parent_of(const uint8_t *bytes, size_t n, struct arena *arena) {
    struct pb_wire wire = {bytes, bytes + n};
    struct pb_field field;
    const char *parent = NULL;
    while (pb_wire_next(&wire, &field) == PB_WIRE_FIELD) {
        if (field.id != 2 || field.wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            continue;
        C1__ResourceId *id = (C1__ResourceId *)pb_unpack(&c1__resource_id__descriptor, field.bytes,
                                                         field.len, arena, NULL);
        parent = id ? refs_resource_id(arena, id->resource_type, id->resource) : NULL;
    }
    return parent;
}

/* The members of a ResourceOutput. The bytes may be gone once something is looked up. */
static bool write_resource(const struct item *item, const char *type_id, const uint8_t *bytes,
                           size_t n, struct jsonw *w, struct err *err) {
    const char *parent = parent_of(bytes, n, item->arena);
    return write_message(w, "resource", &c1__resource__descriptor, bytes, n, err) &&
           write_ref(item, w, "resourceType", C1Z_RESOURCE_TYPES, type_id, err) &&
           (!parent || write_ref(item, w, "parent", C1Z_RESOURCES, parent, err));
}

static bool resource_json(const struct item *item, struct jsonw *w, struct err *err) {
    const char *type_id = arena_strdup(item->arena, item->row->resource_type_id);
    return write_resource(item, type_id, item->row->data, item->row->data_len, w, err);
}

static const char *principal_of(const struct item *item) {
    return refs_resource_id(item->arena, item->row->principal_type_id, item->row->principal_id);
}

static bool principal_json(const struct item *item, struct jsonw *w, struct err *err) {
    const char *id = principal_of(item);
    const char *type_id = arena_strdup(item->arena, item->row->principal_type_id);
    struct refs_bytes bytes;
    return refs_get(item->s->refs, C1Z_RESOURCES, id, &bytes, err) &&
           write_resource(item, type_id, bytes.data, bytes.len, w, err);
}

static bool entitlement_json(const struct item *item, struct jsonw *w, struct err *err) {
    const struct c1z_row *row = item->row;
    const char *type_id = arena_strdup(item->arena, row->resource_type_id);
    const char *resource = refs_resource_id(item->arena, type_id, row->resource_id);
    return write_message(w, "entitlement", &c1__entitlement__descriptor, row->data, row->data_len,
                         err) &&
           write_ref(item, w, "resource", C1Z_RESOURCES, resource, err) &&
           write_ref(item, w, "resourceType", C1Z_RESOURCE_TYPES, type_id, err);
}

/* A resource of which only the id is known. */
static C1__Resource *new_resource(struct arena *arena, const char *type_id,
                                  const char *resource_id) {
    C1__Resource *resource = arena_alloc(arena, sizeof *resource);
    c1__resource__init(resource);
    resource->id = arena_alloc(arena, sizeof *resource->id);
    c1__resource_id__init(resource->id);
    resource->id->resource_type = arena_strdup(arena, type_id);
    resource->id->resource = arena_strdup(arena, resource_id);
    return resource;
}

/* What a "slim" grant was stored without, packed: its entitlement, its principal or both, rebuilt
 * from the columns (c1z.md 7). */
static uint8_t *missing_half(const struct item *item, bool has_entitlement, bool has_principal,
                             size_t *ret_n) {
    const struct c1z_row *row = item->row;
    C1__Entitlement entitlement;
    C1__Grant grant;
    c1__grant__init(&grant);
    c1__entitlement__init(&entitlement);
    entitlement.id = arena_strdup(item->arena, row->entitlement_id);
    entitlement.resource = new_resource(item->arena, row->resource_type_id, row->resource_id);
    if (!has_entitlement)
        grant.entitlement = &entitlement;
    if (!has_principal)
        grant.principal = new_resource(item->arena, row->principal_type_id, row->principal_id);
    return pb_pack(&grant.base, item->arena, ret_n);
}

static bool write_grant(const struct item *item, struct jsonw *w, struct err *err) {
    const struct c1z_row *row = item->row;
    bool has_entitlement = false, has_principal = false;
    struct pb_wire wire = {row->data, row->data + row->data_len};
    for (struct pb_field field; pb_wire_next(&wire, &field) == PB_WIRE_FIELD;) {
        has_entitlement |= field.id == 1;
        has_principal |= field.id == 2;
    }
    if ((has_entitlement && has_principal) || row->data_len > PB_MESSAGE_MAX)
        return write_message(w, "grant", &c1__grant__descriptor, row->data, row->data_len, err);
    /* Two messages one after the other are one message, the merge of both. */
    size_t n;
    uint8_t *half = missing_half(item, has_entitlement, has_principal, &n);
    uint8_t *whole = arena_alloc(item->arena, row->data_len + n);
    if (row->data_len)
        memcpy(whole, row->data, row->data_len);
    memcpy(whole + row->data_len, half, n);
    return write_message(w, "grant", &c1__grant__descriptor, whole, row->data_len + n, err);
}

static bool grant_json(const struct item *item, struct jsonw *w, struct err *err) {
    const struct c1z_row *row = item->row;
    struct arena *arena = item->arena;
    const char *principal = principal_of(item);
    const char *entitlement = arena_strdup(arena, row->entitlement_id);
    const char *type_id = arena_strdup(arena, row->resource_type_id);
    const char *resource = refs_resource_id(arena, type_id, row->resource_id);
    if (!write_grant(item, w, err) ||
        !write_ref(item, w, "entitlement", C1Z_ENTITLEMENTS, entitlement, err) ||
        !write_ref(item, w, "resource", C1Z_RESOURCES, resource, err) ||
        !write_ref(item, w, "resourceType", C1Z_RESOURCE_TYPES, type_id, err))
        return false;
    jsonw_key(w, "principal");
    return refs_write_json(item->s->refs, C1Z_RESOURCES, principal, REFS_ONCE, w, err);
}

/* --- tables --- */

static bool names_of(const struct item *item, enum c1z_table table, const char *id,
                     enum refs_keep keep, struct refs_names *ret, struct err *err) {
    return refs_names(item->s->refs, table, id, keep, item->arena, ret, err);
}

static ProtobufCMessage *unpack(const struct item *item, const ProtobufCMessageDescriptor *type,
                                struct err *err) {
    return pb_unpack(type, item->row->data, item->row->data_len, item->arena, err);
}

static const char *trait_names(const C1__ResourceType *type, struct arena *arena) {
    const char *text = "";
    for (size_t i = 0; i < type->n_traits; i++) {
        const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(
            &c1__resource_type__trait__descriptor, (int)type->traits[i]);
        const char *name = known ? known->name : arena_printf(arena, "%d", (int)type->traits[i]);
        text = i ? arena_printf(arena, "%s, %s", text, name) : name;
    }
    return text;
}

static bool resource_type_cells(const struct item *item, const char **cells, struct err *err) {
    C1__ResourceType *type =
        (C1__ResourceType *)unpack(item, &c1__resource_type__descriptor, err);
    if (!type)
        return false;
    cells[0] = type->id;
    cells[1] = type->display_name;
    cells[2] = trait_names(type, item->arena);
    return true;
}

static bool fill_resource(const struct item *item, const uint8_t *bytes, size_t n,
                          const char **cells, struct err *err) {
    struct arena *arena = item->arena;
    C1__Resource *resource =
        (C1__Resource *)pb_unpack(&c1__resource__descriptor, bytes, n, arena, err);
    if (!resource)
        return false;
    const char *type_id = resource->id ? resource->id->resource_type : "";
    struct refs_names type, parent;
    if (!names_of(item, C1Z_RESOURCE_TYPES, type_id, REFS_KEEP, &type, err))
        return false;
    cells[0] = resource->id ? resource->id->resource : "";
    cells[1] = resource->display_name;
    cells[2] = type.name;
    cells[3] = "-";
    const C1__ResourceId *parent_id = resource->parent_resource_id;
    if (!parent_id)
        return true;
    const char *id = refs_resource_id(arena, parent_id->resource_type, parent_id->resource);
    if (!names_of(item, C1Z_RESOURCES, id, REFS_KEEP, &parent, err))
        return false;
    cells[3] = arena_printf(arena, "%s (%s)", parent.name, parent_id->resource_type);
    return true;
}

static bool resource_cells(const struct item *item, const char **cells, struct err *err) {
    return fill_resource(item, item->row->data, item->row->data_len, cells, err);
}

static bool principal_cells(const struct item *item, const char **cells, struct err *err) {
    struct refs_bytes bytes;
    return refs_get(item->s->refs, C1Z_RESOURCES, principal_of(item), &bytes, err) &&
           fill_resource(item, bytes.data, bytes.len, cells, err);
}

static bool entitlement_cells(const struct item *item, const char **cells, struct err *err) {
    const char *type_id = arena_strdup(item->arena, item->row->resource_type_id);
    const char *resource_id = refs_resource_id(item->arena, type_id, item->row->resource_id);
    C1__Entitlement *e = (C1__Entitlement *)unpack(item, &c1__entitlement__descriptor, err);
    struct refs_names type, resource;
    if (!e || !names_of(item, C1Z_RESOURCE_TYPES, type_id, REFS_KEEP, &type, err) ||
        !names_of(item, C1Z_RESOURCES, resource_id, REFS_KEEP, &resource, err))
        return false;
    cells[0] = e->id;
    cells[1] = e->display_name;
    cells[2] = type.name;
    cells[3] = resource.name;
    cells[4] = e->slug;
    return true;
}

static bool grant_cells(const struct item *item, const char **cells, struct err *err) {
    const struct c1z_row *row = item->row;
    struct arena *arena = item->arena;
    const char *id = arena_strdup(arena, row->external_id);
    const char *type_id = arena_strdup(arena, row->resource_type_id);
    const char *resource_id = refs_resource_id(arena, type_id, row->resource_id);
    const char *entitlement_id = arena_strdup(arena, row->entitlement_id);
    const char *principal_id = principal_of(item);
    struct refs_names type, resource, entitlement, principal;
    if (!names_of(item, C1Z_RESOURCE_TYPES, type_id, REFS_KEEP, &type, err) ||
        !names_of(item, C1Z_RESOURCES, resource_id, REFS_KEEP, &resource, err) ||
        !names_of(item, C1Z_ENTITLEMENTS, entitlement_id, REFS_KEEP, &entitlement, err) ||
        !names_of(item, C1Z_RESOURCES, principal_id, REFS_ONCE, &principal, err))
        return false;
    bool has_mail = *principal.mail && strcmp(principal.mail, principal.name) != 0;
    cells[0] = id;
    cells[1] = type.name;
    cells[2] = resource.name;
    cells[3] = entitlement.name;
    cells[4] = has_mail ? arena_printf(arena, "%s <%s>", principal.name, principal.mail)
                        : principal.name;
    return true;
}

/* --- kinds --- */

const struct items_kind items_resource_types = {
    .key = "resourceTypes", .table = C1Z_RESOURCE_TYPES,
    .json = resource_type_json, .cells = resource_type_cells,
    .columns = {{"ID", false}, {"Display Name", false}, {"Traits", false}}, .column_count = 3,
};

const struct items_kind items_resources = {
    .key = "resources", .table = C1Z_RESOURCES,
    .json = resource_json, .cells = resource_cells,
    .columns = {{"ID", false}, {"Display Name", false}, {"Resource Type", false},
                {"Parent Resource", false}},
    .column_count = 4,
};

const struct items_kind items_principals = {
    .key = "resources", .table = C1Z_GRANTS, .is_distinct = true,
    .json = principal_json, .cells = principal_cells,
    .columns = {{"ID", false}, {"Display Name", false}, {"Resource Type", false},
                {"Parent Resource", false}},
    .column_count = 4,
};

const struct items_kind items_entitlements = {
    .key = "entitlements", .table = C1Z_ENTITLEMENTS,
    .json = entitlement_json, .cells = entitlement_cells,
    .columns = {{"ID", false}, {"Display Name", false}, {"Resource Type", false},
                {"Resource", false}, {"Permission", false}},
    .column_count = 5,
};

const struct items_kind items_grants = {
    .key = "grants", .table = C1Z_GRANTS,
    .json = grant_json, .cells = grant_cells,
    .columns = {{"ID", false}, {"Resource Type", false}, {"Resource", false},
                {"Entitlement", false}, {"Principal", false}},
    .column_count = 5,
};

/* --- walking --- */

typedef bool visit_fn(const struct item *item, void *payload, struct err *err);

static bool is_wanted(const struct items_query *query, const struct c1z_row *row, struct map *seen,
                      struct arena *arena) {
    if (query->kind->is_distinct &&
        !map_see(seen, refs_resource_id(arena, row->principal_type_id, row->principal_id)))
        return false;
    return !query->pick || query->pick(row, query->payload);
}

static bool walk(struct session *s, const struct items_query *query, struct c1z_iter *iter,
                 struct map *seen, visit_fn *visit, void *payload, struct err *err) {
    arena_auto struct arena arena;
    arena_init(&arena);
    struct err why = ERR_INIT;
    struct c1z_row row;
    while (c1z_next(iter, &row, &why)) {
        arena_reset(&arena);
        struct item item = {s, &row, &arena};
        long long number = row.rowid;
        if (is_wanted(query, &row, seen, &arena) && !visit(&item, payload, err))
            return err_wrap(err, "row %lld of %s", number, query->kind->key);
    }
    return why.code == ERR_OK || err_set(err, why.code, "%s", why.msg);
}

static bool each(struct session *s, const struct items_query *query, visit_fn *visit, void *payload,
                 struct err *err) {
    struct c1z_iter *iter = view_list(s->view, query->kind->table, query->filter, err);
    if (!iter)
        return false;
    struct map *seen = map_new();
    bool ok = walk(s, query, iter, seen, visit, payload, err);
    map_free(seen);
    c1z_iter_free(iter);
    return ok;
}

struct json_list {
    const struct items_kind *kind;
    const char *key;
    struct jsonw *w;
    bool is_open;
};

static bool visit_json(const struct item *item, void *payload, struct err *err) {
    struct json_list *list = payload;
    if (!list->is_open) {
        jsonw_key(list->w, list->key);
        jsonw_array(list->w);
        list->is_open = true;
    }
    jsonw_object(list->w);
    if (!list->kind->json(item, list->w, err))
        return false;
    jsonw_object_end(list->w);
    out_flush_some(item->s->out);
    return true;
}

bool items_write_json(struct session *s, const struct items_query *query, const char *key,
                      struct jsonw *w, struct err *err) {
    struct json_list list = {.kind = query->kind, .key = key, .w = w};
    if (!each(s, query, visit_json, &list, err))
        return false;
    if (list.is_open)
        jsonw_array_end(w);
    return true;
}

struct table_rows {
    struct session *s;
    const struct items_query *query;
    struct table *table;
};

static bool visit_row(const struct item *item, void *payload, struct err *err) {
    struct table_rows *rows = payload;
    const char *cells[COLUMNS_MAX] = {NULL};
    if (!rows->query->kind->cells(item, cells, err))
        return false;
    table_row(rows->table, cells);
    return true;
}

static bool make_rows(struct table *t, void *payload, struct err *err) {
    struct table_rows *rows = payload;
    rows->table = t;
    return each(rows->s, rows->query, visit_row, rows, err);
}

bool items_print_table(struct session *s, const struct items_query *query, struct err *err) {
    struct table_rows rows = {.s = s, .query = query};
    return table_print(s->out, query->kind->columns, query->kind->column_count, make_rows, &rows,
                       err);
}

bool items_show(struct session *s, const struct items_query *query, struct err *err) {
    if (!s->args->want_json)
        return items_print_table(s, query, err);
    struct jsonw w;
    jsonw_init(&w, &s->out->buf, false);
    jsonw_object(&w);
    if (!items_write_json(s, query, query->kind->key, &w, err))
        return false;
    jsonw_object_end(&w);
    return true;
}

/* principals compare: who has one entitlement and not another, perhaps in another file.
 *
 * Two principals are the same if they have the same id, or are both users with an address in
 * common, or are both users (or both none) of the same name: the rules of the real CLI
 * (cmd/baton/principals_compare.go), without its chance: it lets a principal match one other only,
 * in random order. Empty addresses and names match nothing. */
#include <string.h>

#include "connector.pb-c.h"
#include "inspect/commands.h"
#include "inspect/items.h"
#include "inspect/map.h"
#include "inspect/person.h"
#include "pb/pack.h"

struct side {
    struct session s;
    const char *entitlement;
    struct map *keys;    /* what the principals of this side can be known by */
    struct map *matched; /* ids of those that the other side has too */
};

typedef void principal_fn(const C1__Resource *resource, const char *id, void *payload,
                          struct arena *arena);

static bool walk_principals(struct side *side, struct c1z_iter *iter, principal_fn *fn,
                            void *payload, struct err *err) {
    arena_auto struct arena arena;
    arena_init(&arena);
    struct err why = ERR_INIT;
    struct c1z_row row;
    while (c1z_next(iter, &row, &why)) {
        arena_reset(&arena);
        const char *id = refs_resource_id(&arena, row.principal_type_id, row.principal_id);
        struct refs_bytes bytes;
        if (!refs_get(side->s.refs, C1Z_RESOURCES, id, &bytes, err))
            return false;
        C1__Resource *resource = (C1__Resource *)pb_unpack(&c1__resource__descriptor, bytes.data,
                                                           bytes.len, &arena, err);
        if (!resource)
            return err_wrap(err, "resource %s", id);
        fn(resource, id, payload, &arena);
    }
    return why.code == ERR_OK || err_set(err, why.code, "%s", why.msg);
}

static bool each_principal(struct side *side, principal_fn *fn, void *payload, struct err *err) {
    struct c1z_filter filter = {.entitlement_id = side->entitlement};
    struct c1z_iter *iter = view_list(side->s.view, C1Z_GRANTS, filter, err);
    bool ok = iter && walk_principals(side, iter, fn, payload, err);
    c1z_iter_free(iter);
    return ok;
}

/* Calls `use` with every key; stops when it says so. */
static bool each_key(const C1__Resource *resource, const char *id, struct arena *arena,
                     bool (*use)(const char *key, void *payload), void *payload) {
    if (use(arena_printf(arena, "id %s", id), payload))
        return true;
    const C1__UserTrait *trait = person_trait(resource, arena);
    for (size_t i = 0; trait && i < trait->n_emails; i++) {
        const char *address = trait->emails[i]->address;
        if (*address && use(arena_printf(arena, "mail %s", address), payload))
            return true;
    }
    const char *name = resource->display_name;
    return *name && use(arena_printf(arena, "%s %s", trait ? "user" : "other", name), payload);
}

static bool add_key(const char *key, void *payload) {
    map_see(payload, key);
    return false;
}

static void collect_keys(const C1__Resource *resource, const char *id, void *payload,
                         struct arena *arena) {
    each_key(resource, id, arena, add_key, payload);
}

static bool has_key(const char *key, void *payload) {
    return map_get(payload, key) != NULL;
}

struct matching {
    struct side *side, *other;
};

static void match(const C1__Resource *resource, const char *id, void *payload,
                  struct arena *arena) {
    struct matching *m = payload;
    if (each_key(resource, id, arena, has_key, m->other->keys))
        map_see(m->side->matched, id);
}

/* A row of grants whose principal the other side lacks. */
static bool is_unmatched(const struct c1z_row *row, void *payload) {
    const struct side *side = payload;
    arena_auto struct arena arena;
    arena_init(&arena);
    return !map_get(side->matched,
                    refs_resource_id(&arena, row->principal_type_id, row->principal_id));
}

static struct items_query query_of(struct side *side, bool is_difference) {
    return (struct items_query){
        .kind = &items_principals,
        .filter = {.entitlement_id = side->entitlement},
        .pick = is_difference ? is_unmatched : NULL,
        .payload = side,
    };
}

static bool write_lists(struct side *base, struct side *compared, struct err *err) {
    struct jsonw w;
    jsonw_init(&w, &base->s.out->buf, false);
    jsonw_object(&w);
    const struct {
        const char *key;
        struct side *side;
        bool is_difference;
    } lists[] = {
        {"missing", base, true},
        {"extra", compared, true},
        {"base", base, false},
        {"compared", compared, false},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct items_query query = query_of(lists[i].side, lists[i].is_difference);
        if (!items_write_json(&lists[i].side->s, &query, lists[i].key, &w, err))
            return false;
    }
    jsonw_object_end(&w);
    return true;
}

struct tally {
    const struct side *side;
    size_t unmatched;
};

static void count_unmatched(const C1__Resource *resource, const char *id, void *payload,
                            struct arena *arena) {
    (void)resource, (void)arena;
    struct tally *tally = payload;
    tally->unmatched += !map_get(tally->side->matched, id);
}

static bool print_difference(struct side *side, const char *title, bool *ret_is_any,
                             struct err *err) {
    struct tally tally = {.side = side};
    if (!each_principal(side, count_unmatched, &tally, err))
        return false;
    if (tally.unmatched == 0)
        return true;
    buf_addf(&side->s.out->buf, "%s%s\n", *ret_is_any ? "\n" : "", title);
    *ret_is_any = true;
    struct items_query query = query_of(side, true);
    return items_print_table(&side->s, &query, err);
}

static bool print_lists(struct side *base, struct side *compared, struct err *err) {
    bool is_any = false;
    if (!print_difference(base, "Missing Principals", &is_any, err) ||
        !print_difference(compared, "Extra Principals", &is_any, err))
        return false;
    if (!is_any)
        buf_adds(&base->s.out->buf,
                 "The principals between these entitlements appear to match!\n");
    return true;
}

static bool compare(struct side *base, struct side *compared, struct err *err) {
    struct matching forth = {base, compared}, back = {compared, base};
    if (!each_principal(base, collect_keys, base->keys, err) ||
        !each_principal(compared, collect_keys, compared->keys, err) ||
        !each_principal(base, match, &forth, err) || !each_principal(compared, match, &back, err))
        return false;
    return base->s.args->want_json ? write_lists(base, compared, err)
                                   : print_lists(base, compared, err);
}

bool cmd_compare(struct session *s, struct err *err) {
    const char *const *values = s->args->values;
    const char *file = values[FLAG_COMPARE_FILE] ? values[FLAG_COMPARE_FILE] : "sync.c1z";
    struct view *view = view_open(file, "--compare-file", NULL, err);
    if (!view)
        return false;
    struct side sides[2] = {
        {.s = *s, .entitlement = values[FLAG_ENTITLEMENT]},
        {.s = *s, .entitlement = values[FLAG_COMPARE_ENTITLEMENT]},
    };
    sides[1].s.view = view;
    sides[1].s.refs = refs_new(view);
    for (size_t i = 0; i < 2; i++) {
        sides[i].keys = map_new();
        sides[i].matched = map_new();
    }
    bool ok = compare(&sides[0], &sides[1], err);
    for (size_t i = 0; i < 2; i++) {
        map_free(sides[i].keys);
        map_free(sides[i].matched);
    }
    refs_free(sides[1].s.refs);
    view_close(view);
    return ok;
}

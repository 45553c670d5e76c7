/* who: one line a person. Who can get in, with which role, with or without a second factor.
 *
 * Our own command, for the question that a team asks first; everything in it stands in other lists
 * too. A sync that did not read operators and grants has no answer: that is an error, never
 * "nobody". Rows are held, because owners come first and names are sorted: some 250 bytes a
 * person. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "connector.pb-c.h"
#include "inspect/commands.h"
#include "inspect/map.h"
#include "inspect/person.h"
#include "inspect/plain.h"
#include "inspect/table.h"
#include "pb/pack.h"

enum { OWNERS_NAMED = 5 };

struct place { /* a resource that people have roles on */
    const char *type_id, *resource_id, *name;
};

struct role {
    struct role *next;
    const char *entitlement_id, *text;
    const struct place *place;
};

struct person {
    const char *type_id, *resource_id;
    const char *name, *mail, *status, *two_factor;
    struct role *first, **end;
    bool is_owner;
};

struct who {
    struct session *s;
    struct arena arena, row; /* `row` is of one row */
    struct map *user_types, *people_by_id, *places_by_id;
    struct person **people;
    size_t count, capacity;
    const struct place *place; /* the last new one */
};

/* --- reading --- */

typedef bool row_fn(struct who *who, const struct c1z_row *row, struct err *err);

static bool each_row(struct who *who, enum c1z_table table, struct c1z_filter filter, row_fn *fn,
                     struct err *err) {
    struct c1z_iter *iter = view_list(who->s->view, table, filter, err);
    if (!iter)
        return false;
    struct err why = ERR_INIT;
    bool ok = true;
    for (struct c1z_row row; ok && c1z_next(iter, &row, &why);) {
        arena_reset(&who->row);
        ok = fn(who, &row, err);
    }
    c1z_iter_free(iter);
    return ok && (why.code == ERR_OK || err_set(err, why.code, "%s", why.msg));
}

static bool read_type(struct who *who, const struct c1z_row *row, struct err *err) {
    const C1__ResourceType *type = (const C1__ResourceType *)pb_unpack(
        &c1__resource_type__descriptor, row->data, row->data_len, &who->row, err);
    if (!type)
        return false;
    if (person_is_user_type(type))
        map_see(who->user_types, type->id);
    return true;
}

static struct person *add_person(struct who *who, const char *type_id, const char *resource_id) {
    struct person *p = arena_alloc(&who->arena, sizeof *p);
    p->type_id = arena_strdup(&who->arena, type_id);
    p->resource_id = arena_strdup(&who->arena, resource_id);
    p->name = p->mail = "";
    p->status = p->two_factor = "unknown";
    p->end = &p->first;
    if (who->count == who->capacity) {
        who->capacity = who->capacity ? who->capacity * 2 : 64;
        who->people = mem_realloc_array(who->people, who->capacity, sizeof *who->people);
    }
    who->people[who->count++] = p;
    map_add(who->people_by_id, refs_resource_id(&who->row, type_id, resource_id), p);
    return p;
}

static bool read_person(struct who *who, const struct c1z_row *row, struct err *err) {
    if (!map_get(who->user_types, row->resource_type_id))
        return true;
    const C1__Resource *resource = (const C1__Resource *)pb_unpack(
        &c1__resource__descriptor, row->data, row->data_len, &who->row, err);
    if (!resource)
        return false;
    const char *id = resource->id ? resource->id->resource : "";
    if (map_get(who->people_by_id, refs_resource_id(&who->row, row->resource_type_id, id)))
        return true; /* a file without its unique index: the first counts */
    const C1__UserTrait *trait = person_trait(resource, &who->row);
    struct person *p = add_person(who, row->resource_type_id, id);
    p->name = arena_strdup(&who->arena, resource->display_name);
    p->mail = arena_strdup(&who->arena, person_mail(trait));
    p->status = person_status(resource, trait);
    p->two_factor = person_two_factor(trait);
    return true;
}

static bool place_of(struct who *who, const char *type_id, const char *resource_id,
                     const struct place **ret, struct err *err) {
    const char *id = refs_resource_id(&who->row, type_id, resource_id);
    struct place *place = map_get(who->places_by_id, id);
    if (!place) {
        struct refs_names names;
        if (!refs_names(who->s->refs, C1Z_RESOURCES, id, REFS_ONCE, &who->arena, &names, err))
            return false;
        place = arena_alloc(&who->arena, sizeof *place);
        place->type_id = arena_strdup(&who->arena, type_id);
        place->resource_id = arena_strdup(&who->arena, resource_id);
        place->name = names.name;
        map_add(who->places_by_id, id, place);
        who->place = place;
    }
    *ret = place;
    return true;
}

static void add_role(struct who *who, struct person *p, const char *entitlement_id,
                     const struct refs_names *entitlement, const struct place *place) {
    struct role *role = arena_alloc(&who->arena, sizeof *role);
    bool has_slug = *entitlement->slug;
    role->text = has_slug ? entitlement->slug : entitlement->name;
    role->entitlement_id = arena_strdup(&who->arena, entitlement_id);
    role->place = place;
    p->is_owner |= strcasecmp(role->text, "owner") == 0;
    *p->end = role;
    p->end = &role->next;
}

static bool read_grant(struct who *who, const struct c1z_row *row, struct err *err) {
    if (!map_get(who->user_types, row->principal_type_id))
        return true;
    struct arena *scratch = &who->row;
    const char *person_id = refs_resource_id(scratch, row->principal_type_id, row->principal_id);
    const char *person_type = arena_strdup(scratch, row->principal_type_id);
    const char *person_resource = arena_strdup(scratch, row->principal_id);
    const char *entitlement_id = arena_strdup(scratch, row->entitlement_id);
    const char *type_id = arena_strdup(scratch, row->resource_type_id);
    const char *resource_id = arena_strdup(scratch, row->resource_id);
    struct refs_names entitlement;
    const struct place *place;
    if (!place_of(who, type_id, resource_id, &place, err) ||
        !refs_names(who->s->refs, C1Z_ENTITLEMENTS, entitlement_id, REFS_KEEP, &who->arena,
                    &entitlement, err))
        return false;
    struct person *p = map_get(who->people_by_id, person_id);
    if (!p) {
        struct refs_names missing;
        if (!refs_names(who->s->refs, C1Z_RESOURCES, person_id, REFS_ONCE, &who->arena, &missing,
                        err))
            return false;
        p = add_person(who, person_type, person_resource);
        p->name = missing.name;
    }
    for (const struct role *role = p->first; role; role = role->next) {
        if (strcmp(role->entitlement_id, entitlement_id) == 0)
            return true;
    }
    add_role(who, p, entitlement_id, &entitlement, place);
    return true;
}

/* --- does the sync hold an answer --- */

/* What is missing and what to do; "" where rows decide. */
static const char *lack_of_run(const struct session *s) {
    const struct view *view = s->view;
    const struct c1z_run *run = view->run;
    if (view->run_count == 0)
        return "no sync in this file: run baton-crisp first";
    if (!run || (!run->ended_at_ns && !s->args->values[FLAG_SYNC_ID]))
        return "no finished sync in this file: the last one ended early; run baton-crisp again";
    if (strcmp(run->type, "resources_only") == 0)
        return "this sync did not read grants: run baton-crisp without "
               "--skip-entitlements-and-grants";
    if (strcmp(run->type, "full") != 0)
        return "this sync is not a full one, so people may be missing in it: run baton-crisp, or "
               "name a full one with --sync-id";
    return "";
}

static bool check_run(const struct session *s, struct err *err) {
    const char *lack = lack_of_run(s);
    return !*lack || err_set(err, ERR_UNKNOWN, "%s", lack);
}

static bool check_types(struct who *who, struct err *err) {
    if (map_count(who->user_types) > 0)
        return true;
    if (!who->s->view->run->ended_at_ns)
        return err_set(err, ERR_UNKNOWN,
                       "this sync ended early, before it read operators: run baton-crisp again");
    return err_set(err, ERR_UNKNOWN,
                   "this sync did not read operators: run baton-crisp without "
                   "--sync-resource-types");
}

/* Any grant of the sync counts, whatever -t and -r ask for. */
static bool check_grants(struct who *who, struct err *err) {
    struct c1z_iter *iter = view_list(who->s->view, C1Z_GRANTS, (struct c1z_filter){0}, err);
    if (!iter)
        return false;
    struct err why = ERR_INIT;
    struct c1z_row row;
    bool is_any = c1z_next(iter, &row, &why);
    c1z_iter_free(iter);
    if (is_any)
        return true;
    if (why.code != ERR_OK)
        return err_set(err, why.code, "%s", why.msg);
    if (!who->s->view->run->ended_at_ns)
        return err_set(err, ERR_UNKNOWN,
                       "this sync ended early, before it read grants: run baton-crisp again");
    return err_set(err, ERR_UNKNOWN,
                   "this sync did not read grants, or there were none: run baton-crisp without "
                   "--skip-entitlements-and-grants and --sync-resource-types");
}

/* --- order --- */

/* Owners, then those with a role, then those without; by name. */
static int compare_people(const void *a, const void *b) {
    const struct person *x = *(struct person *const *)a, *y = *(struct person *const *)b;
    if (x->is_owner != y->is_owner)
        return x->is_owner ? -1 : 1;
    if (!x->first != !y->first)
        return x->first ? -1 : 1;
    int order = strcasecmp(x->name, y->name);
    return order ? order : strcmp(x->resource_id, y->resource_id);
}

static void sort_people(struct who *who) {
    const char *const *values = who->s->args->values;
    bool only_with_role = values[FLAG_RESOURCE_TYPE] != NULL;
    size_t kept = 0;
    for (size_t i = 0; i < who->count; i++) {
        if (who->people[i]->first || !only_with_role)
            who->people[kept++] = who->people[i];
    }
    who->count = kept;
    if (kept)
        qsort(who->people, kept, sizeof *who->people, compare_people);
}

static bool read_all(struct who *who, struct err *err) {
    const char *const *values = who->s->args->values;
    struct c1z_filter all = {0}, on = {.resource_type_id = values[FLAG_RESOURCE_TYPE],
                                       .resource_id = values[FLAG_RESOURCE]};
    if (!check_run(who->s, err) || !each_row(who, C1Z_RESOURCE_TYPES, all, read_type, err) ||
        !check_types(who, err) || !check_grants(who, err) ||
        !each_row(who, C1Z_RESOURCES, all, read_person, err) ||
        !each_row(who, C1Z_GRANTS, on, read_grant, err))
        return false;
    sort_people(who);
    return true;
}

/* --- JSON --- */

static void write_person(struct jsonw *w, const struct person *p) {
    jsonw_object(w);
    jsonw_kv(w, "name", p->name);
    jsonw_kv(w, "email", p->mail);
    jsonw_key(w, "roles");
    jsonw_array(w);
    for (const struct role *role = p->first; role; role = role->next) {
        jsonw_object(w);
        jsonw_kv(w, "role", role->text);
        jsonw_kv(w, "on", role->place->name);
        jsonw_kv(w, "resourceType", role->place->type_id);
        jsonw_kv(w, "resource", role->place->resource_id);
        jsonw_kv(w, "entitlement", role->entitlement_id);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_kv(w, "twoFactor", p->two_factor);
    jsonw_kv(w, "status", p->status);
    jsonw_kv(w, "resourceType", p->type_id);
    jsonw_kv(w, "id", p->resource_id);
    jsonw_object_end(w);
}

static void write_counts(struct jsonw *w, const struct who *who) {
    int64_t with_role = 0;
    for (size_t i = 0; i < who->count; i++)
        with_role += who->people[i]->first != NULL;
    jsonw_key(w, "counts");
    jsonw_object(w);
    jsonw_kv_int(w, "people", (int64_t)who->count);
    jsonw_kv_int(w, "withRole", with_role);
    jsonw_kv_int(w, "withoutRole", (int64_t)who->count - with_role);
    jsonw_object_end(w);
}

static void write_json(struct who *who) {
    const struct c1z_run *run = who->s->view->run;
    char ended_at[CLOCK_TEXT_MAX] = "";
    struct jsonw w;
    jsonw_init(&w, &who->s->out->buf, false);
    jsonw_object(&w);
    if (run->ended_at_ns)
        clock_format_rfc3339(run->ended_at_ns, ended_at);
    jsonw_kv(&w, "syncId", run->id);
    jsonw_kv(&w, "syncEndedAt", ended_at);
    jsonw_key(&w, "people");
    jsonw_array(&w);
    for (size_t i = 0; i < who->count; i++) {
        write_person(&w, who->people[i]);
        out_flush_some(who->s->out);
    }
    jsonw_array_end(&w);
    write_counts(&w, who);
    jsonw_object_end(&w);
}

/* --- for people --- */

static bool is_locked_out(const struct person *p) {
    return strcmp(p->status, "disabled") == 0 || strcmp(p->status, "deleted") == 0;
}

/* "owner", "owner, billing"; with the resource where there are several: "owner of Acme". */
static const char *roles_text(struct who *who, const struct person *p) {
    bool is_one_place = map_count(who->places_by_id) == 1;
    const char *text = p->first ? "" : "-";
    for (const struct role *role = p->first; role; role = role->next) {
        const char *comma = role == p->first ? "" : ", ";
        text = is_one_place ? arena_printf(&who->row, "%s%s%s", text, comma, role->text)
                            : arena_printf(&who->row, "%s%s%s of %s", text, comma, role->text,
                                           role->place->name);
    }
    return is_locked_out(p) ? arena_printf(&who->row, "%s (%s)", text, p->status) : text;
}

static bool person_rows(struct table *t, void *payload, struct err *err) {
    (void)err;
    struct who *who = payload;
    for (size_t i = 0; i < who->count; i++) {
        arena_reset(&who->row);
        const struct person *p = who->people[i];
        const char *const cells[] = {p->name, p->mail, roles_text(who, p), p->two_factor};
        table_row(t, cells);
    }
    return true;
}

struct tally {
    size_t inside, owners, on, off, unknown; /* people with a role */
    size_t without_role, operators_without;  /* the second is part of the first */
};

static struct tally count(const struct who *who) {
    struct tally tally = {0};
    for (size_t i = 0; i < who->count; i++) {
        const struct person *p = who->people[i];
        if (is_locked_out(p))
            continue;
        if (!p->first) {
            tally.without_role++;
            tally.operators_without += strcmp(p->type_id, "operator") == 0;
            continue;
        }
        tally.inside++;
        tally.owners += p->is_owner;
        bool is_on = strcmp(p->two_factor, "on") == 0, is_off = strcmp(p->two_factor, "off") == 0;
        tally.on += is_on;
        tally.off += is_off;
        tally.unknown += !is_on && !is_off;
    }
    return tally;
}

static void print_owners(const struct who *who, const struct tally *tally) {
    struct buf *out = &who->s->out->buf;
    size_t named = 0;
    for (size_t i = 0; i < who->count && named < OWNERS_NAMED; i++) {
        if (!who->people[i]->is_owner)
            break;
        if (is_locked_out(who->people[i]))
            continue;
        buf_adds(out, named++ ? ", " : ": ");
        plain_adds(out, who->people[i]->name);
    }
    if (tally->owners > named)
        buf_addf(out, " and %zu more", tally->owners - named);
}

/* Every operator of a Crisp website reads its conversations, whatever the role. */
static const char *access_text(const struct who *who, size_t people) {
    if (map_count(who->places_by_id) == 1 && strcmp(who->place->type_id, "website") == 0)
        return "can read the customer conversations of";
    return people == 1 ? "has access to" : "have access to";
}

/* " 2 more are operators with no role this program knows." */
static void print_without_role(const struct who *who, const struct tally *tally) {
    struct buf *out = &who->s->out->buf;
    size_t n = tally->without_role;
    const char *more = tally->inside ? " more" : "";
    if (n == 0)
        return;
    if (tally->operators_without == n)
        buf_addf(out, " %zu%s %s with no role this program knows.", n, more,
                 n == 1 ? "is an operator" : "are operators");
    else
        buf_addf(out, " %zu%s %s no role.", n, more, n == 1 ? "has" : "have");
}

/* "3 people can read the customer conversations of Acme Support; 1 owns it: Ada." */
static void print_access(const struct who *who, const struct tally *tally) {
    struct buf *out = &who->s->out->buf;
    size_t places = map_count(who->places_by_id);
    if (tally->inside == 0) {
        buf_adds(out, "Nobody has access: there is no grant to a person in this sync.");
        print_without_role(who, tally);
        buf_addc(out, '\n');
        return;
    }
    buf_addf(out, "%zu %s %s ", tally->inside, tally->inside == 1 ? "person" : "people",
             access_text(who, tally->inside));
    if (places == 1)
        plain_adds(out, who->place->name);
    else
        buf_addf(out, "%zu resources", places);
    if (tally->owners > 0) {
        const char *what = places == 1 ? "it" : "one or more";
        buf_addf(out, "; %zu %s %s", tally->owners, tally->owners == 1 ? "owns" : "own", what);
        print_owners(who, tally);
    }
    buf_addc(out, '.');
    print_without_role(who, tally);
    buf_addc(out, '\n');
}

/* "Two-factor authentication: 2 on, 1 unknown." */
static void print_two_factor(const struct who *who, const struct tally *tally) {
    struct buf *out = &who->s->out->buf;
    const struct {
        size_t count;
        const char *text;
    } parts[] = {{tally->on, "on"}, {tally->off, "off"}, {tally->unknown, "unknown"}};
    const char *before = "Two-factor authentication: ";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count == 0)
            continue;
        buf_addf(out, "%s%zu %s", before, parts[i].count, parts[i].text);
        before = ", ";
    }
    if (tally->inside)
        buf_adds(out, ".\n");
}

static void print_age(const struct who *who) {
    struct buf *out = &who->s->out->buf;
    const struct c1z_run *run = who->s->view->run;
    char text[CLOCK_TEXT_MAX];
    int64_t ns = run->ended_at_ns ? run->ended_at_ns : run->started_at_ns;
    clock_format_rfc3339(ns - ns % CLOCK_NS_PER_S, text);
    if (run->ended_at_ns)
        buf_addf(out, "As of %s (sync %s).\n", text, run->id);
    else
        buf_addf(out, "From a sync begun at %s that did not finish: it may be incomplete.\n", text);
}

static bool print_people(struct who *who, struct err *err) {
    static const struct table_column columns[] = {
        {"Name", false}, {"E-mail", false}, {"Role", false}, {"2FA", false}};
    if (!table_print(who->s->out, columns, 4, person_rows, who, err))
        return false;
    struct buf *out = &who->s->out->buf;
    struct tally tally = count(who);
    buf_addc(out, '\n');
    print_access(who, &tally);
    print_two_factor(who, &tally);
    print_age(who);
    return true;
}

bool cmd_who(struct session *s, struct err *err) {
    if (!s->args->values[FLAG_SYNC_ID])
        view_prefer(s->view, "full"); /* a newer one without grants must not hide it */
    struct who who = {.s = s,
                      .user_types = map_new(),
                      .people_by_id = map_new(),
                      .places_by_id = map_new()};
    arena_init(&who.arena);
    arena_init(&who.row);
    bool ok = read_all(&who, err);
    if (ok && s->args->want_json)
        write_json(&who);
    else if (ok)
        ok = print_people(&who, err);
    map_free(who.user_types);
    map_free(who.people_by_id);
    map_free(who.places_by_id);
    arena_done(&who.arena);
    arena_done(&who.row);
    free(who.people);
    return ok;
}

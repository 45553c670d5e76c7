/* writer: a full sync of N made-up people into a .c1z, with nothing but the c1z layer below it.
 *
 * usage: writer [-d DIR] [-r] FILE N
 *   -d DIR  directory of the private copy
 *   -r      leave the run unfinished
 *
 * The tests kill it, starve it of memory and disk, and time it. Exit code: 0 or the error's code; the
 * error goes to stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "c1z/store.h"
#include "pb/any.h"
#include "pb/structs.h"

#define SITE "11111111-2222-4333-8444-555555555555"

static const char token[] = "{\"current_action_id\":13,\"completed_actions_count\":13,"
                            "\"ingest_quality\":{\"reason_flags\":32},\"version\":1}";

struct writer {
    struct c1z_store *store;
    struct arena arena;
    C1__Resource website;
};

static C1__ResourceId *id_new(struct arena *a, const char *type, const char *id) {
    C1__ResourceId *m = arena_alloc(a, sizeof *m);
    c1__resource_id__init(m);
    m->resource_type = arena_strdup(a, type);
    m->resource = arena_strdup(a, id);
    return m;
}

static char *person_id(struct arena *a, int i) {
    /* Spread, so that indexes do not fill up in order. */
    return arena_printf(a, "%08x-0000-4000-8000-%012d", (unsigned)i * 2654435761u, i);
}

static bool put_types(struct writer *w, struct err *err) {
    C1__ResourceType__Trait trait = C1__RESOURCE_TYPE__TRAIT__TRAIT_USER;
    C1__SkipEntitlementsAndGrants skip;
    c1__skip_entitlements_and_grants__init(&skip);
    Pb__Any *annotation = pb_any_new(&skip.base, &w->arena);
    C1__ResourceType person, site;
    c1__resource_type__init(&person);
    c1__resource_type__init(&site);
    person.id = site.id = (char *)(uintptr_t)"operator";
    person.display_name = (char *)(uintptr_t)"Operator";
    person.traits = &trait;
    person.n_traits = 1;
    person.annotations = &annotation;
    person.n_annotations = 1;
    site.id = (char *)(uintptr_t)"website";
    site.display_name = (char *)(uintptr_t)"Website";
    return c1z_put_resource_type(w->store, &site, err) &&
           c1z_put_resource_type(w->store, &person, err);
}

static bool put_website(struct writer *w, struct err *err) {
    c1__resource__init(&w->website);
    w->website.id = id_new(&w->arena, "website", SITE);
    w->website.display_name = arena_strdup(&w->arena, "Acme Support");
    return c1z_put_resource(w->store, &w->website, err);
}

static bool put_person(struct writer *w, struct arena *a, int i, struct err *err) {
    char *id = person_id(a, i), *email = arena_printf(a, "person%d@acme.example", i);
    Pb__Struct *profile = pb_struct_new(a);
    pb_struct_add_string(profile, a, "user_id", id);
    pb_struct_add_string(profile, a, "email", email);
    pb_struct_add_string(profile, a, "first_name", arena_printf(a, "First%d", i));
    pb_struct_add_string(profile, a, "last_name", arena_printf(a, "Last%d", i));
    C1__UserTrait__Email address, *addresses = &address;
    c1__user_trait__email__init(&address);
    address.address = email;
    address.is_primary = true;
    C1__UserTrait user;
    c1__user_trait__init(&user);
    user.emails = &addresses;
    user.n_emails = 1;
    user.login = email;
    user.account_type = C1__USER_TRAIT__ACCOUNT_TYPE__ACCOUNT_TYPE_HUMAN;
    user.profile = profile;
    Pb__Any *annotation = pb_any_new(&user.base, a);
    C1__Status status;
    c1__status__init(&status);
    status.status = C1__STATUS__RESOURCE_STATUS__RESOURCE_STATUS_ENABLED;
    C1__Resource person;
    c1__resource__init(&person);
    person.id = id_new(a, "operator", id);
    person.display_name = arena_printf(a, "Person %d", i);
    person.annotations = &annotation;
    person.n_annotations = 1;
    person.profile = profile;
    person.status = &status;
    return c1z_put_resource(w->store, &person, err);
}

static bool put_entitlement(struct writer *w, const char *slug, struct err *err) {
    C1__Entitlement e;
    c1__entitlement__init(&e);
    e.resource = &w->website;
    e.id = arena_printf(&w->arena, "website:%s:%s", SITE, slug);
    e.display_name = arena_printf(&w->arena, "Acme Support %s", slug);
    e.purpose = C1__ENTITLEMENT__PURPOSE_VALUE__PURPOSE_VALUE_ASSIGNMENT;
    e.slug = arena_strdup(&w->arena, slug);
    return c1z_put_entitlement(w->store, &e, err);
}

static bool put_grant(struct writer *w, struct arena *a, int i, struct err *err) {
    C1__Entitlement e;
    c1__entitlement__init(&e);
    e.resource = &w->website;
    e.id = arena_printf(a, "website:%s:%s", SITE, i % 50 ? "member" : "owner");
    C1__Resource principal;
    c1__resource__init(&principal);
    principal.id = id_new(a, "operator", person_id(a, i));
    C1__Grant grant;
    c1__grant__init(&grant);
    grant.entitlement = &e;
    grant.principal = &principal;
    grant.id = arena_printf(a, "%s:operator:%s", e.id, principal.id->resource);
    return c1z_put_grant(w->store, &grant, err);
}

typedef bool (*put_one)(struct writer *w, struct arena *a, int i, struct err *err);

static bool put_many(struct writer *w, put_one put, int count, struct err *err) {
    arena_auto struct arena a;
    arena_init(&a);
    for (int i = 0; i < count; i++) {
        if (!put(w, &a, i, err))
            return false;
        arena_reset(&a);
    }
    return true;
}

static bool write_all(struct writer *w, int count, bool unfinished, struct err *err) {
    struct c1z_run run;
    bool resumed;
    if (!c1z_begin_run(w->store, "full", &w->arena, &run, &resumed, err) || !put_types(w, err) ||
        !put_website(w, err) || !put_many(w, put_person, count, err) ||
        !put_entitlement(w, "owner", err) || !put_entitlement(w, "member", err) ||
        !put_many(w, put_grant, count, err))
        return false;
    struct c1z_saved saved;
    if (!unfinished && !c1z_end_run(w->store, token, err))
        return false;
    if (!c1z_save(w->store, &saved, err))
        return false;
    printf("%s %s %llu %llu\n", resumed ? "resumed" : "new", run.id,
           (unsigned long long)saved.decompressed_bytes, (unsigned long long)saved.compressed_bytes);
    return true;
}

int main(int argc, char **argv) {
    struct c1z_options options = {.mode = C1Z_WRITE};
    bool unfinished = false;
    int flag;
    while ((flag = getopt(argc, argv, "d:r")) != -1) {
        if (flag == 'd')
            options.temp_dir = optarg;
        else if (flag == 'r')
            unfinished = true;
        else
            return 64;
    }
    if (argc - optind != 2)
        return 64;
    struct err err = ERR_INIT;
    struct cancel *cancel = cancel_new(&err);
    cancel_on_signals(cancel);
    options.cancel = cancel;
    struct writer w = {.store = cancel ? c1z_open(argv[optind], &options, &err) : NULL};
    arena_init(&w.arena);
    bool ok = w.store && write_all(&w, (int)strtol(argv[optind + 1], NULL, 10), unfinished, &err);
    c1z_close(w.store);
    arena_done(&w.arena);
    cancel_on_signals(NULL);
    cancel_free(cancel);
    if (!ok)
        fprintf(stderr, "writer: %s: %s\n", err_code_name(err.code), err.msg);
    return ok ? 0 : (int)err.code;
}

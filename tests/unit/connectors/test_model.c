#include "tests/unit/test.h"

#include <string.h>

#include "connectors/crisp/model.h"
#include "pb/any.h"
#include "pb/pack.h"

static const struct crisp_website acme = {
    .website_id = "w-1", .name = "  Acme  ", .domain = "acme.example", .logo = ""};

static struct crisp_operator ada(void) {
    return (struct crisp_operator){.type = "operator", .user_id = "u-1", .email = "ada@example.com",
                                   .first_name = " Ada ", .last_name = "Fictive", .role = "owner",
                                   .title = "", .has_token = CRISP_YES};
}

static C1__UserTrait *trait_of(const C1__Resource *r, struct arena *arena) {
    return (C1__UserTrait *)pb_any_find(r->annotations, r->n_annotations,
                                        &c1__user_trait__descriptor, arena);
}

static const char *profile_value(const Pb__Struct *profile, const char *key) {
    for (size_t i = 0; i < profile->n_fields; i++) {
        if (strcmp(profile->fields[i]->key, key) == 0)
            return profile->fields[i]->value->string_value;
    }
    return NULL;
}

static void test_model_operator_has_the_whole_trait(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator o = ada();
    C1__Resource *r = model_operator(&(struct roster_entry){&o, ROSTER_OWNER}, &arena);
    assert_string_equal(r->id->resource_type, "operator");
    assert_string_equal(r->id->resource, "u-1");
    assert_string_equal(r->display_name, "Ada Fictive");
    assert_int_equal(r->status->status, C1__STATUS__RESOURCE_STATUS__RESOURCE_STATUS_ENABLED);
    C1__UserTrait *t = trait_of(r, &arena);
    assert_non_null(t);
    assert_int_equal(t->n_emails, 1);
    assert_string_equal(t->emails[0]->address, "ada@example.com");
    assert_true(t->emails[0]->is_primary);
    assert_string_equal(t->login, "ada@example.com");
    assert_int_equal(t->account_type, C1__USER_TRAIT__ACCOUNT_TYPE__ACCOUNT_TYPE_HUMAN);
    assert_true(t->mfa_status->mfa_enabled);
    assert_string_equal(profile_value(r->profile, "role"), "owner");
    assert_null(profile_value(r->profile, "title"));
}

static void test_model_operator_display_name_falls_back(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator o = ada();
    o.first_name = o.last_name = " ";
    struct roster_entry e = {&o, ROSTER_MEMBER};
    assert_string_equal(model_operator(&e, &arena)->display_name, "ada@example.com");
    o.email = "";
    assert_string_equal(model_operator(&e, &arena)->display_name, "u-1");
}

static void test_model_two_factor_is_set_only_when_known(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator o = ada();
    struct roster_entry e = {&o, ROSTER_MEMBER};
    o.has_token = CRISP_NO;
    assert_false(trait_of(model_operator(&e, &arena), &arena)->mfa_status->mfa_enabled);
    o.has_token = CRISP_UNKNOWN;
    assert_null(trait_of(model_operator(&e, &arena), &arena)->mfa_status);
}

static void test_model_a_bad_address_is_no_email_but_stays_the_login(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator o = ada();
    o.email = "not an address";
    C1__Resource *r = model_operator(&(struct roster_entry){&o, ROSTER_MEMBER}, &arena);
    assert_int_equal(trait_of(r, &arena)->n_emails, 0);
    assert_string_equal(trait_of(r, &arena)->login, "not an address");
}

static void test_model_is_email(void **state) {
    (void)state;
    static const char *const good[] = {"a@b", "ada.f+x@example.com", "Upper.Case@Example.com"};
    static const char *const bad[] = {"",      "@",       "a@",       "@b",       "a b@c", "a@-b.c",
                                      "a@b..c", ".a@b.c", "a..b@c.d", "a@b.c.",   "a@b c", "a"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(model_is_email(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(model_is_email(bad[i]));
}

static void test_model_last_active_is_a_time_in_the_profile(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator o = ada();
    o.last_active_ms = 1763789940000;
    C1__Resource *r = model_operator(&(struct roster_entry){&o, ROSTER_OWNER}, &arena);
    assert_string_equal(profile_value(r->profile, "last_active_at"), "2025-11-22T05:39:00Z");
}

static void test_model_website_name_falls_back_to_domain_then_id(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_website w = acme;
    assert_string_equal(model_website(&w, &arena)->display_name, "Acme");
    w.name = " ";
    assert_string_equal(model_website(&w, &arena)->display_name, "acme.example");
    w.domain = "";
    assert_string_equal(model_website(&w, &arena)->display_name, "w-1");
}

static void test_model_long_names_are_clipped(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    char name[3001];
    memset(name, 'x', 3000);
    name[3000] = '\0';
    struct crisp_website w = acme;
    w.name = name;
    C1__Resource *r = model_website(&w, &arena);
    assert_int_equal(strlen(r->display_name), 1024);
    C1__Entitlement *e = model_entitlement(r, ROSTER_OWNER, &arena);
    assert_int_equal(strlen(e->display_name), 1024);
    assert_in_range(strlen(e->description), 1024, 2048);
}

static void test_model_entitlement_and_grant_ids(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator o = ada();
    C1__Resource *w = model_website(&acme, &arena);
    C1__Entitlement *e = model_entitlement(w, ROSTER_MEMBER, &arena);
    assert_string_equal(e->id, "website:w-1:member");
    assert_string_equal(e->slug, "member");
    assert_string_equal(e->display_name, "Acme Website Member");
    assert_string_equal(e->description, "Member of the Acme website in Crisp");
    assert_string_equal(e->grantable_to[0]->id, "operator");
    C1__Grant *g = model_grant(w, &(struct roster_entry){&o, ROSTER_OWNER}, &arena);
    assert_string_equal(g->id, "website:w-1:owner:operator:u-1");
    assert_string_equal(g->entitlement->id, "website:w-1:owner");
    assert_string_equal(g->principal->id->resource, "u-1");
}

static void test_model_packed_website_packs_to_the_same_bytes(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_operator o = ada();
    struct roster_entry entry = {&o, ROSTER_OWNER};
    C1__Resource *full = model_website(&acme, &arena), bare;
    c1__resource__init(&bare);
    bare.id = full->id;
    C1__Resource *websites[] = {full, &bare};
    for (size_t i = 0; i < 2; i++) {
        C1__Resource *packed = model_packed_website(websites[i], &arena);
        assert_string_equal(packed->id->resource, "w-1");
        size_t n, want_n;
        uint8_t *want = pb_pack(&model_grant(websites[i], &entry, &arena)->base, &arena, &want_n);
        uint8_t *got = pb_pack(&model_grant(packed, &entry, &arena)->base, &arena, &n);
        assert_int_equal(n, want_n);
        assert_memory_equal(got, want, n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_operator_has_the_whole_trait),
        cmocka_unit_test(test_model_operator_display_name_falls_back),
        cmocka_unit_test(test_model_two_factor_is_set_only_when_known),
        cmocka_unit_test(test_model_a_bad_address_is_no_email_but_stays_the_login),
        cmocka_unit_test(test_model_is_email),
        cmocka_unit_test(test_model_last_active_is_a_time_in_the_profile),
        cmocka_unit_test(test_model_website_name_falls_back_to_domain_then_id),
        cmocka_unit_test(test_model_long_names_are_clipped),
        cmocka_unit_test(test_model_entitlement_and_grant_ids),
        cmocka_unit_test(test_model_packed_website_packs_to_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* person: addresses, profile, status, second factor, with all that may be absent. */
#include "tests/unit/test.h"

#include "inspect/person.h"
#include "pb/any.h"
#include "pb/structs.h"

static int set_up(void **state) {
    static struct arena arena;
    arena_init(&arena);
    *state = &arena;
    return 0;
}

static int tear_down(void **state) {
    arena_done(*state);
    return 0;
}

static void test_person_mail_is_the_primary_or_the_first(void **state) {
    (void)state;
    C1__UserTrait__Email a, b;
    c1__user_trait__email__init(&a);
    c1__user_trait__email__init(&b);
    a.address = "a@acme.example";
    b.address = "b@acme.example";
    C1__UserTrait__Email *both[] = {&a, &b};
    C1__UserTrait trait;
    c1__user_trait__init(&trait);
    assert_string_equal(person_mail(NULL), "");
    assert_string_equal(person_mail(&trait), "");
    trait.emails = both;
    trait.n_emails = 2;
    assert_string_equal(person_mail(&trait), "a@acme.example");
    assert_string_equal(person_primary_mail(&trait), "");
    b.is_primary = true;
    assert_string_equal(person_mail(&trait), "b@acme.example");
    assert_string_equal(person_primary_mail(&trait), "b@acme.example");
}

static void test_person_trait_is_found(void **state) {
    C1__UserTrait trait;
    C1__SkipGrants skip;
    C1__Resource resource;
    c1__user_trait__init(&trait);
    c1__skip_grants__init(&skip);
    c1__resource__init(&resource);
    assert_null(person_trait(&resource, *state));
    trait.login = "me";
    Pb__Any *annotations[] = {pb_any_new(&skip.base, *state), pb_any_new(&trait.base, *state)};
    resource.annotations = annotations;
    resource.n_annotations = 2;
    assert_string_equal(person_trait(&resource, *state)->login, "me");
}

static void test_person_profile_prefers_the_resource(void **state) {
    C1__UserTrait trait;
    C1__Resource resource;
    c1__user_trait__init(&trait);
    c1__resource__init(&resource);
    assert_string_equal(person_profile(&resource, NULL, "title"), "");
    trait.profile = pb_struct_new(*state);
    pb_struct_add_string(trait.profile, *state, "title", "old");
    pb_struct_add_number(trait.profile, *state, "age", 7);
    assert_string_equal(person_profile(&resource, &trait, "title"), "old");
    assert_string_equal(person_profile(&resource, &trait, "age"), "");
    resource.profile = pb_struct_new(*state);
    pb_struct_add_string(resource.profile, *state, "title", "new");
    assert_string_equal(person_profile(&resource, &trait, "title"), "new");
}

static void test_person_status_of_either_place(void **state) {
    (void)state;
    C1__UserTrait trait;
    C1__UserTrait__Status old_status;
    C1__Resource resource;
    C1__Status status;
    c1__user_trait__init(&trait);
    c1__user_trait__status__init(&old_status);
    c1__resource__init(&resource);
    c1__status__init(&status);
    assert_string_equal(person_status(&resource, NULL), "enabled");
    assert_string_equal(person_status(&resource, &trait), "enabled");
    trait.status = &old_status;
    assert_string_equal(person_status(&resource, &trait), "unknown");
    old_status.status = C1__USER_TRAIT__STATUS__STATUS__STATUS_DISABLED;
    assert_string_equal(person_status(&resource, &trait), "disabled");
    resource.status = &status;
    status.status = C1__STATUS__RESOURCE_STATUS__RESOURCE_STATUS_DELETED;
    assert_string_equal(person_status(&resource, &trait), "deleted");
    status.status = (C1__Status__ResourceStatus)77;
    assert_string_equal(person_status(&resource, &trait), "unknown");
}

static void test_person_two_factor(void **state) {
    (void)state;
    C1__UserTrait trait;
    C1__UserTrait__MFAStatus mfa;
    c1__user_trait__init(&trait);
    c1__user_trait__mfastatus__init(&mfa);
    assert_string_equal(person_two_factor(NULL), "unknown");
    assert_string_equal(person_two_factor(&trait), "unknown");
    trait.mfa_status = &mfa;
    assert_string_equal(person_two_factor(&trait), "off");
    mfa.mfa_enabled = true;
    assert_string_equal(person_two_factor(&trait), "on");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_person_mail_is_the_primary_or_the_first),
        cmocka_unit_test(test_person_trait_is_found),
        cmocka_unit_test(test_person_profile_prefers_the_resource),
        cmocka_unit_test(test_person_status_of_either_place),
        cmocka_unit_test(test_person_two_factor),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

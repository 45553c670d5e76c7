/* field, sdk_fields: the tables themselves. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "baton/sdk_fields.h"
#include "tests/unit/baton/probe.h"

static void test_field_tables_have_no_fault(void **state) {
    (void)state;
    field_set_auto struct field_set set;
    field_set_init(&set, probe_fields, PROBE_FIELD_COUNT);
    const char *fault = field_set_fault(&set);
    if (fault)
        fail_msg("%s", fault);
}

static const struct field bad[] = {
    PROBE_FIELD(STRING, "file", .min = 0),
    PROBE_FIELD(BOOL, "new", .is_required = true),
    PROBE_FIELD(STRING, "Upper", .min = 0),
    PROBE_FIELD(STRING, "help", .min = 0),
    PROBE_FIELD(STRING, "new", .letter = 'f'),
    PROBE_FIELD(STRING, "new", .letter = 'v'),
    PROBE_FIELD(LIST, "new", .is_secret = true),
    PROBE_FIELD(INT, "new", .default_value = "abc"),
    PROBE_FIELD(INT, "new", .default_value = "1", .has_min = true, .min = 2),
    PROBE_FIELD(STRING, "new", .default_value = "c", .one_of = PROBE_NAMES("a", "b")),
    PROBE_FIELD(STRING, "new", .aliases = PROBE_NAMES("log-level")),
    PROBE_FIELD(STRING, "client-secret-file", .min = 0),
    PROBE_FIELD(STRING, "new", .effect = FIELD_REFUSED),
};

static void test_field_fault_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        field_set_auto struct field_set set;
        field_set_init(&set, &bad[i], 1);
        if (!field_set_fault(&set))
            fail_msg("row %zu passed", i);
    }
}

static void test_field_is_found_by_all_its_names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool fold_case;
        const char *field; /* NULL: not found */
        bool is_file, is_alias;
    } cases[] = {
        {"file", false, "file", false, false},
        {"client-secret-file", false, "client-secret", true, false},
        {"key", false, "key", false, false},
        {"key-file", false, "key", true, false},
        {"old-key-file", false, "key", true, true},
        {"ident", false, "identifier", false, true},
        {"identifier-file", false, NULL, false, false},
        {"Key", false, NULL, false, false},
        {"KEY-File", true, "key", true, false},
        {"ke", false, NULL, false, false},
        {"", false, NULL, false, false},
        {"-file", false, NULL, false, false},
    };
    field_set_auto struct field_set set;
    field_set_init(&set, probe_fields, PROBE_FIELD_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct field_ref ref;
        bool found =
            field_set_find(&set, cases[i].name, strlen(cases[i].name), cases[i].fold_case, &ref);
        assert_int_equal(found, cases[i].field != NULL);
        if (!found)
            continue;
        assert_string_equal(set.items[ref.index]->name, cases[i].field);
        assert_int_equal(ref.is_file, cases[i].is_file);
        assert_int_equal(ref.is_alias, cases[i].is_alias);
    }
}

static void test_field_env_name(void **state) {
    (void)state;
    buf_auto struct buf b;
    buf_init(&b, 100);
    field_add_env_name(&b, "crisp-api-key", "-file");
    assert_string_equal(b.data, "BATON_CRISP_API_KEY_FILE");
}

/* connector-cli.md 6.1 gives the order, which is that of the exported rows. */
static void test_sdk_fields_export_the_ops_fields_in_order(void **state) {
    (void)state;
    static const char *const want[] = {"log-level",
                                       "log-level-debug-expires-at",
                                       "session-store-maximum-size",
                                       "otel-collector-endpoint",
                                       "otel-collector-endpoint-tls-cert-path",
                                       "otel-collector-endpoint-tls-cert",
                                       "otel-collector-endpoint-tls-insecure",
                                       "otel-tracing-disabled",
                                       "otel-logging-disabled",
                                       "health-check",
                                       "health-check-port",
                                       "health-check-bind-address",
                                       "http-timeout-seconds"};
    size_t n = 0;
    for (size_t i = 0; i < sdk_field_count; i++) {
        assert_int_not_equal(sdk_fields[i].export_to, FIELD_EXPORT_GUI);
        if (sdk_fields[i].export_to == FIELD_EXPORT_OPS) {
            assert_true(n < 13);
            assert_string_equal(sdk_fields[i].name, want[n++]);
        }
    }
    assert_int_equal(n, 13);
}

/* cobra sorts the groups by their joined text, within each kind. */
static void test_sdk_relations_stand_in_the_order_of_cobra(void **state) {
    (void)state;
    char before[512] = "";
    enum field_relation_kind kind = FIELD_TOGETHER;
    field_set_auto struct field_set set;
    field_set_init(&set, NULL, 0);
    for (size_t i = 0; i < sdk_relation_count; i++) {
        char text[512] = "";
        size_t n = 0;
        for (const char *const *name = sdk_relations[i].names; *name; name++) {
            n += (size_t)snprintf(text + n, sizeof text - n, " %s", *name);
            assert_true(field_set_index(&set, *name) < sdk_field_count);
        }
        if (sdk_relations[i].kind != kind)
            before[0] = '\0';
        kind = sdk_relations[i].kind;
        assert_true(strcmp(before, text) < 0);
        memcpy(before, text, sizeof before);
    }
    assert_int_equal(sdk_relation_count, 9);
}

static void test_sdk_one_shots_cover_every_field_that_is_one(void **state) {
    (void)state;
    for (size_t i = 0; i < sdk_field_count; i++) {
        bool found = false;
        for (size_t j = 0; j < sdk_one_shot_count; j++)
            found = found || strcmp(sdk_one_shots[j].field, sdk_fields[i].name) == 0;
        assert_int_equal(found, sdk_fields[i].effect == FIELD_UNIMPLEMENTED);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_tables_have_no_fault),
        cmocka_unit_test(test_field_fault_is_found),
        cmocka_unit_test(test_field_is_found_by_all_its_names),
        cmocka_unit_test(test_field_env_name),
        cmocka_unit_test(test_sdk_fields_export_the_ops_fields_in_order),
        cmocka_unit_test(test_sdk_relations_stand_in_the_order_of_cobra),
        cmocka_unit_test(test_sdk_one_shots_cover_every_field_that_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

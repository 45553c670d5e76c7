/* schema: the JSON of `config`, compared with what protojson wrote for the same table in Go. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/baton/probe.h"

/* From the end of the SDK's part on; `baton-probe config` of a connector on the Go SDK v0.25.0. */
static const char want_end[] =
    "    {\n"
    "      \"name\": \"http-timeout-seconds\",\n"
    "      \"description\": \"Limit of one request, 1 to 1800\",\n"
    "      \"isOps\": true,\n"
    "      \"intField\": {\n"
    "        \"defaultValue\": \"300\",\n"
    "        \"rules\": {\n"
    "          \"lte\": \"1800\",\n"
    "          \"gte\": \"1\"\n"
    "        }\n"
    "      }\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"website-id\",\n"
    "      \"displayName\": \"Website\",\n"
    "      \"placeholder\": \"ph\",\n"
    "      \"isRequired\": true,\n"
    "      \"stringField\": {\n"
    "        \"rules\": {\n"
    "          \"isRequired\": true\n"
    "        }\n"
    "      }\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"identifier\",\n"
    "      \"isRequired\": true,\n"
    "      \"stringField\": {\n"
    "        \"rules\": {\n"
    "          \"isRequired\": true\n"
    "        }\n"
    "      }\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"key\",\n"
    "      \"isRequired\": true,\n"
    "      \"isSecret\": true,\n"
    "      \"stringField\": {\n"
    "        \"rules\": {\n"
    "          \"isRequired\": true\n"
    "        }\n"
    "      }\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"tier\",\n"
    "      \"description\": \"a \\u003cb\\u003e \\u0026 \\\"c\\\" \xC3\xA9\",\n"
    "      \"stringField\": {\n"
    "        \"defaultValue\": \"plugin\",\n"
    "        \"rules\": {\n"
    "          \"in\": [\n"
    "            \"plugin\",\n"
    "            \"website\",\n"
    "            \"user\"\n"
    "          ]\n"
    "        }\n"
    "      }\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"page-size\",\n"
    "      \"intField\": {\n"
    "        \"defaultValue\": \"50\",\n"
    "        \"rules\": {\n"
    "          \"lte\": \"100\",\n"
    "          \"gte\": \"2\"\n"
    "        }\n"
    "      }\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"skip-bots\",\n"
    "      \"boolField\": {\n"
    "        \"defaultValue\": true\n"
    "      }\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"tags\",\n"
    "      \"stringSliceField\": {}\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"aa\",\n"
    "      \"stringField\": {}\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"bb\",\n"
    "      \"stringField\": {}\n"
    "    },\n"
    "    {\n"
    "      \"name\": \"count\",\n"
    "      \"intField\": {}\n"
    "    }\n"
    "  ],\n"
    "  \"displayName\": \"Probe\",\n"
    "  \"helpUrl\": \"/h\"\n"
    "}";

static void test_schema_is_what_go_prints(void **state) {
    struct probe *p = *state;
    probe_run(p, "config");
    char *text = probe_answer(p);
    assert_true(p->ok);
    assert_int_equal(
        strncmp(text, "{\n  \"fields\": [\n    {\n      \"name\": \"log-level\",\n", 47), 0);
    const char *end = strstr(text, "    {\n      \"name\": \"http-timeout-seconds\"");
    assert_non_null(end);
    assert_string_equal(end, want_end);
    free(text);
}

static void test_schema_leaves_out_what_is_not_exported(void **state) {
    struct probe *p = *state;
    probe_run(p, "config");
    char *text = probe_answer(p);
    static const char *const absent[] = {"base-url", "key-file", "client-secret",
                                         "\"file\"", "old-key",  "constraints"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_null(strstr(text, absent[i]));
    /* Hidden is not the same as not exported. */
    assert_non_null(strstr(text, "\"health-check-bind-address\""));
    free(text);
}

static const struct field_relation relations[] = {
    {FIELD_DEPENDS_ON, PROBE_NAMES("aa"), PROBE_NAMES("bb")},
    {FIELD_TOGETHER, PROBE_NAMES("aa", "base-url"), NULL}, /* dropped: one is not exported */
    {FIELD_EXCLUSIVE, PROBE_NAMES("aa", "count"), NULL},
};

static void test_schema_constraints(void **state) {
    struct probe *p = *state;
    struct baton_connector connector = probe_connector;
    connector.relations = relations;
    connector.relation_count = sizeof relations / sizeof relations[0];
    p->connector = &connector;
    probe_run(p, "config");
    char *text = probe_answer(p);
    const char *found = strstr(text, "  \"constraints\"");
    assert_non_null(found);
    assert_string_equal(found, "  \"constraints\": [\n"
                               "    {\n"
                               "      \"kind\": \"CONSTRAINT_KIND_DEPENDENT_ON\",\n"
                               "      \"fieldNames\": [\n"
                               "        \"aa\"\n"
                               "      ],\n"
                               "      \"secondaryFieldNames\": [\n"
                               "        \"bb\"\n"
                               "      ]\n"
                               "    },\n"
                               "    {\n"
                               "      \"kind\": \"CONSTRAINT_KIND_MUTUALLY_EXCLUSIVE\",\n"
                               "      \"fieldNames\": [\n"
                               "        \"aa\",\n"
                               "        \"count\"\n"
                               "      ]\n"
                               "    }\n"
                               "  ],\n"
                               "  \"displayName\": \"Probe\",\n"
                               "  \"helpUrl\": \"/h\"\n"
                               "}");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        probe_test(test_schema_is_what_go_prints),
        probe_test(test_schema_leaves_out_what_is_not_exported),
        probe_test(test_schema_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* cli, option_checks: the command line, its rules and its texts. Texts were taken from a connector
 * on the Go SDK v0.25.0 (cobra v1.10.2, pflag v1.0.10) unless the test says that we differ. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "baton/cli_words.h"
#include "baton/near.h"
#include "tests/unit/baton/probe.h"

/* One line of arguments, split at spaces; '' stands for an empty one. */
static void run_line(struct probe *p, const char *line) {
    char copy[512];
    const char *args[PROBE_ARGS_MAX + 1];
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL;) {
        if (*word)
            args[n++] = strcmp(word, "''") == 0 ? "" : word;
    }
    args[n] = NULL;
    probe_parse(p, args);
}

#define OK_ARGS "--website-id w --identifier i --key k "
#define MISSING "required flag(s) \"identifier\", \"key\", \"website-id\" not set"

static const struct {
    const char *line, *text;
} syntax_errors[] = {
    {"", MISSING},
    {"--", MISSING},
    {"-- config", MISSING},
    {"''", MISSING},
    {"--key k", "required flag(s) \"identifier\", \"website-id\" not set"},
    {"-x", "unknown shorthand flag: 'x' in -x"},
    {"-pz", "unknown shorthand flag: 'z' in -z"},
    {"-p=", "unknown shorthand flag: '=' in -="},
    {"--=x", "bad flag syntax: --=x"},
    {"---", "bad flag syntax: ---"},
    {"-f", "flag needs an argument: 'f' in -f"},
    {"-pf", "flag needs an argument: 'f' in -f"},
    {"--file", "flag needs an argument: --file"},
    {"--nope", "unknown flag: --nope"},
    {"--nope=secret", "unknown flag: --nope"},
    {"--nope --help", "unknown flag: --nope"},
    {"--workers=", "invalid argument \"\" for \"--workers\" flag: strconv.ParseInt: parsing \"\": "
                   "invalid syntax"},
    {"--workers abc", "invalid argument \"abc\" for \"--workers\" flag: strconv.ParseInt: parsing "
                      "\"abc\": invalid syntax"},
    {"--skip-full-sync=maybe", "invalid argument \"maybe\" for \"--skip-full-sync\" flag: "
                               "strconv.ParseBool: parsing \"maybe\": invalid syntax"},
    {"-p=maybe", "invalid argument \"maybe\" for \"-p, --provisioning\" flag: strconv.ParseBool: "
                 "parsing \"maybe\": invalid syntax"},
    {"--tags a\"b",
     "invalid argument \"a\\\"b\" for \"--tags\" flag: parse error on line 1, column "
     "2: bare \" in non-quoted-field"},
    {"health-check --timeout x", "invalid argument \"x\" for \"--timeout\" flag: strconv.ParseInt: "
                                 "parsing \"x\": invalid syntax"},
    {"--help=maybe",
     "invalid argument \"maybe\" for \"-h, --help\" flag: strconv.ParseBool: parsing "
     "\"maybe\": invalid syntax"},
    {"version", "unknown command \"version\" for \"baton-probe\""},
    {"_connector-service", "unknown command \"_connector-service\" for \"baton-probe\""},
    {"lambda", "unknown command \"lambda\" for \"baton-probe\""},
    {"__complete", "unknown command \"__complete\" for \"baton-probe\""},
    {"foo --help", "unknown command \"foo\" for \"baton-probe\""},
    {"--skip-bots false", "unknown command \"false\" for \"baton-probe\""},
    {"-pf out.c1z", "unknown command \"out.c1z\" for \"baton-probe\""}, /* as in cobra */
    {"-f x foo bar", "unknown command \"foo\" for \"baton-probe\""},
    {"--endpoint ready foo", "unknown command \"foo\" for \"baton-probe\""},
    {"completion bash extra", "unknown command \"extra\" for \"baton-probe completion bash\""},
    {"config --website-id x", "unknown flag: --website-id"},
    {"--website-id x config", "unknown flag: --website-id"},
    {"config -v", "unknown shorthand flag: 'v' in -v"},
    {"config --endpoint x", "unknown flag: --endpoint"},
    {"confi", "unknown command \"confi\" for \"baton-probe\"\n\nDid you mean this?\n\tconfig\n"},
    {"comletion", "unknown command \"comletion\" for \"baton-probe\"\n\nDid you mean this?\n"
                  "\tcompletion\n"},
    /* For flags we suggest too; the SDK does not. */
    {"--websiteid x", "unknown flag: --websiteid\n\nDid you mean this?\n\t--website-id\n"},
};

static void test_cli_syntax_errors(void **state) {
    struct probe *p = *state;
    for (size_t i = 0; i < sizeof syntax_errors / sizeof syntax_errors[0]; i++) {
        run_line(p, syntax_errors[i].line);
        if (p->ok)
            fail_msg("%s passed", syntax_errors[i].line);
        assert_fails(p, ERR_UNKNOWN, syntax_errors[i].text);
        assert_null(p->request.options);
    }
}

#define UNIMPLEMENTED "runner: error processing task: rpc error: code = Unimplemented desc = "
#define NOT_FOUND "runner: error processing task: rpc error: code = NotFound desc = "
#define NO_TICKETS UNIMPLEMENTED "ticket manager not implemented"

static const struct {
    const char *line;
    enum err_code code;
    const char *text;
} rule_errors[] = {
    {"--client-id x", ERR_UNKNOWN, MISSING},
    {OK_ARGS "--client-id x", ERR_UNKNOWN,
     "if any flags in the group [client-id client-secret] are set they must all be set; missing "
     "[client-secret]"},
    {OK_ARGS "--diff-syncs", ERR_UNKNOWN,
     "if any flags in the group [diff-syncs base-sync-id applied-sync-id] are set they must all be "
     "set; missing [applied-sync-id base-sync-id]"},
    {OK_ARGS "--grant-entitlement a --grant-principal b --revoke-grant c", ERR_UNKNOWN,
     "if any flags in the group [grant-entitlement revoke-grant create-account-email "
     "delete-resource-type rotate-credentials-type event-feed diff-syncs compact-syncs "
     "list-ticket-schemas] are set none of the others can be; [grant-entitlement revoke-grant] "
     "were "
     "all set"},
    {OK_ARGS "--create-account-login a --delete-resource b", ERR_UNKNOWN,
     "if any flags in the group [grant-entitlement revoke-grant create-account-login "
     "delete-resource rotate-credentials event-feed create-ticket get-ticket list-ticket-schemas "
     "bulk-create-ticket] are set none of the others can be; [create-account-login "
     "delete-resource] "
     "were all set"},
    {OK_ARGS "--website-id '' --key ''", ERR_UNKNOWN,
     "errors found:\n"
     "field website-id of type string is marked as required but it has a zero-value\n"
     "field key of type string is marked as required but it has a zero-value"},
    {OK_ARGS "--page-size 101 --tier bogus", ERR_UNKNOWN,
     "errors found:\n"
     "field tier: value must be one of [plugin website user] but got 'bogus'\n"
     "field page-size: value must be less than or equal to 100 but got 101"},
    {OK_ARGS "--page-size 1", ERR_UNKNOWN,
     "errors found:\nfield page-size: value must be greater than or equal to 2 but got 1"},
    {OK_ARGS "--tier Plugin", ERR_UNKNOWN,
     "errors found:\nfield tier: value must be one of [plugin website user] but got 'Plugin'"},
    {OK_ARGS "--http-timeout-seconds 0", ERR_UNKNOWN,
     "field http-timeout-seconds: value must be greater than or equal to 1 but got 0"},
    {OK_ARGS "--http-timeout-seconds 1801 --storage-engine foo", ERR_UNKNOWN,
     "field http-timeout-seconds: value must be less than or equal to 1800 but got 1801"},
    {OK_ARGS "--storage-engine foo", ERR_UNKNOWN,
     "field storage-engine: value must be one of [ sqlite pebble] but got 'foo'"},
    {OK_ARGS "--task-concurrency 101", ERR_UNKNOWN,
     "field task-concurrency: value must be less than or equal to 100 but got 101"},
    /* The SDK accepts this and hangs. */
    {OK_ARGS "--task-concurrency 0", ERR_UNKNOWN,
     "field task-concurrency: value must be greater than or equal to 1 but got 0"},
    {OK_ARGS "--skip-grants --sync-resources bid:r:website/w1", ERR_UNKNOWN,
     "--sync-resources is not supported: a sync reads the source whole; narrow it with "
     "--sync-resource-types"},
    {OK_ARGS "--skip-grants", ERR_UNKNOWN, "skip-grants can only be set within a targeted sync"},
    {OK_ARGS "--grant-entitlement website:w1:owner --grant-principal p", ERR_UNIMPLEMENTED,
     UNIMPLEMENTED "resource type website does not have provisioner configured"},
    {OK_ARGS "--revoke-grant website:w1:owner:operator:u1", ERR_UNIMPLEMENTED,
     UNIMPLEMENTED "resource type website does not have provisioner configured"},
    {OK_ARGS "--create-account-login foo", ERR_UNIMPLEMENTED,
     UNIMPLEMENTED "connector does not have account manager configured"},
    {OK_ARGS "--delete-resource u1 --delete-resource-type operator", ERR_UNIMPLEMENTED,
     UNIMPLEMENTED "resource type operator does not have resource Delete() configured"},
    {OK_ARGS "--rotate-credentials u1", ERR_UNIMPLEMENTED,
     UNIMPLEMENTED "resource type does not have credential manager configured"},
    {OK_ARGS "--list-ticket-schemas", ERR_UNIMPLEMENTED, NO_TICKETS},
    {OK_ARGS "--get-ticket --ticket-id x", ERR_UNIMPLEMENTED, NO_TICKETS},
    {OK_ARGS "--create-ticket --ticket-template-path x", ERR_UNIMPLEMENTED, NO_TICKETS},
    {OK_ARGS "--bulk-create-ticket --bulk-ticket-template-path x", ERR_UNIMPLEMENTED, NO_TICKETS},
    {OK_ARGS "--invoke-action foo", ERR_NOT_FOUND,
     NOT_FOUND
     "error: invoking action failed: rpc error: code = NotFound desc = handler for action "
     "foo not found"},
    {OK_ARGS "--event-feed true", ERR_NOT_FOUND,
     NOT_FOUND "error: event feed id baton_feed_event not found"},
    {OK_ARGS "--event-feed 1 --event-feed-id mine", ERR_NOT_FOUND,
     NOT_FOUND "error: event feed id mine not found"},
    {OK_ARGS "--external-resource-traits user", ERR_UNKNOWN,
     "--external-resource-traits is not supported: this connector reads one source; match its "
     "users "
     "with other directories in ConductorOne"},
    {OK_ARGS "--diff-syncs --base-sync-id a --applied-sync-id b", ERR_UNKNOWN,
     "--diff-syncs is not supported: compare syncs with the baton CLI, `baton diff`"},
};

static void test_cli_rules(void **state) {
    struct probe *p = *state;
    for (size_t i = 0; i < sizeof rule_errors / sizeof rule_errors[0]; i++) {
        run_line(p, rule_errors[i].line);
        if (p->ok)
            fail_msg("%s passed", rule_errors[i].line);
        assert_fails(p, rule_errors[i].code, rule_errors[i].text);
    }
}

static const char *const accepted[] = {
    "--workers -1",
    "--parallel-sync",
    "-p",
    "--ticketing",
    "--otel-collector-endpoint http://127.0.0.1:1",
    "--otel-tracing-disabled --otel-collector-endpoint-tls-cert x",
    "--event-feed-start-at 2026-01-01T00:00:00Z --event-feed-cursor x",
    "--event-feed x",
    "--event-feed ''",
    "--auth-method foo",
    "--session-store-maximum-size 1",
    "--keep-previous-sync-c1z",
    "--log-level-debug-expires-at x",
    "--list-resource-actions x --invoke-resource-action y",
    "--health-check-port 9000",
    "--tier ''",
    "--page-size 0",
    "--external-resource-c1z ''",
    "--diff-syncs=false --base-sync-id a --applied-sync-id b",
    /* in service mode nothing looks at one-shots */
    "--client-id a@b/c --client-secret s --revoke-grant x --skip-grants",
    "-fout.c1z -- foo bar",
    "-pf=out.c1z",
    "-",
};

static void test_cli_accepts(void **state) {
    struct probe *p = *state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        char line[512];
        snprintf(line, sizeof line, OK_ARGS "%s", accepted[i]);
        run_line(p, line);
        assert_runs(p);
        assert_int_equal(p->request.warnings.count, 0);
    }
}

static void test_cli_group_may_be_set_from_elsewhere(void **state) {
    struct probe *p = *state;
    setenv("BATON_CLIENT_ID", "x", 1);
    probe_run_ok(p);
    assert_fails(p, ERR_UNKNOWN,
                 "if any flags in the group [client-id client-secret] are set they "
                 "must all be set; missing [client-secret]");
    probe_write("secret", "s\n");
    setenv("BATON_CLIENT_SECRET_FILE", "secret", 1);
    probe_run_ok(p);
    assert_runs(p);
    assert_string_equal(secret_reveal(options_secret(p->request.options, "client-secret")), "s");
}

static void test_cli_letters(void **state) {
    struct probe *p = *state;
    static const char *const forms[] = {"-f o",         "-fo",      "-f=o",     "-pfo",
                                        "-p=true -f o", "--file o", "--file=o", "--file x -fo"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, OK_ARGS "%s", forms[i]);
        run_line(p, line);
        assert_runs(p);
        assert_string_equal(options_str(p->request.options, "file"), "o");
    }
}

/* --- command words --- */

static const struct {
    const char *line;
    enum cli_command command;
    const char *topic; /* path of the word for CLI_HELP, shell for CLI_COMPLETION */
} words[] = {
    {"capabilities", CLI_CAPABILITIES, NULL},
    {"config", CLI_CONFIG, NULL},
    {"config foo bar", CLI_CONFIG, NULL},
    {"--log-level debug config", CLI_CONFIG, NULL},
    {"-f config config", CLI_CONFIG, NULL},
    {"-p config", CLI_CONFIG, NULL},
    {"health-check foo", CLI_HEALTH_CHECK, NULL},
    {"--endpoint ready health-check", CLI_HEALTH_CHECK, NULL},
    {"--version", CLI_VERSION, NULL},
    {"-v", CLI_VERSION, NULL},
    {"-hv", CLI_HELP, ""},
    {"--version --help", CLI_HELP, ""},
    {"--help", CLI_HELP, ""},
    {"-h", CLI_HELP, ""},
    {"--help-all", CLI_HELP, ""},
    {"config --help", CLI_HELP, "config"},
    {"config -h", CLI_HELP, "config"},
    {"completion", CLI_HELP, "completion"},
    {"completion foo", CLI_HELP, "completion"},
    {"completion zsh -h", CLI_HELP, "completion zsh"},
    {"completion zsh", CLI_COMPLETION, "zsh"},
    {"completion fish --no-descriptions", CLI_COMPLETION, "fish"},
    {"help", CLI_HELP, ""},
    {"help config", CLI_HELP, "config"},
    {"help config extra", CLI_HELP, "config"},
    {"help completion bash", CLI_HELP, "completion bash"},
    {"help completion nope", CLI_HELP, "completion"},
    {"help help", CLI_HELP, "help"},
    {"help -h", CLI_HELP, "help"},
    {"help nope", CLI_HELP, ""},
};

static void test_cli_words(void **state) {
    struct probe *p = *state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        run_line(p, words[i].line);
        if (!p->ok)
            fail_msg("%s: %s", words[i].line, p->err.msg);
        assert_int_equal(p->request.command, words[i].command);
        if (words[i].command == CLI_HELP)
            assert_string_equal(p->request.topic->path, words[i].topic);
        else if (words[i].command == CLI_COMPLETION)
            assert_string_equal(p->request.shell, words[i].topic);
    }
}

static void test_cli_health_check_flags(void **state) {
    struct probe *p = *state;
    setenv("BATON_HEALTH_CHECK_PORT", "9091", 1);
    setenv("BATON_CLIENT_ID", "x", 1); /* no rule is checked for a command that needs no settings */
    setenv("BATON_PAGE_SIZE", "abc", 1);
    run_line(p, "health-check --endpoint=live --timeout 7");
    assert_true(p->ok);
    assert_string_equal(p->request.endpoint, "live");
    assert_int_equal(p->request.timeout_s, 7);
    assert_int_equal(options_int(p->request.options, "health-check-port"), 9091);
    assert_string_equal(options_str(p->request.options, "health-check-bind-address"), "127.0.0.1");
    run_line(p, "health-check");
    assert_string_equal(p->request.endpoint, "health");
    assert_int_equal(p->request.timeout_s, 5);
}

static void test_cli_version_text(void **state) {
    struct probe *p = *state;
    run_line(p, "-v");
    char *text = probe_answer(p);
    assert_true(p->ok);
    assert_string_equal(text, "baton-probe version dev\n");
    free(text);
}

static void test_cli_unknown_help_topic(void **state) {
    struct probe *p = *state;
    run_line(p, "help nope extra");
    char *text = probe_answer(p);
    assert_true(p->ok);
    assert_non_null(strstr(text, "Unknown help topic [`nope` `extra`]\nbaton-probe\n\nUsage:\n"));
    free(text);
}

/* --- secrets in argv --- */

static void test_cli_overwrites_secrets_in_argv(void **state) {
    struct probe *p = *state;
    probe_run(p, "--website-id", "w", "--identifier", "i", "--key=first", "--old-key", "second",
              "--client-id", "id", "--client-secret=third");
    assert_runs(p);
    assert_string_equal(secret_reveal(options_secret(p->request.options, "key")), "second");
    assert_string_equal(secret_reveal(options_secret(p->request.options, "client-secret")),
                        "third");
    for (int i = 0; i < p->argc; i++) {
        assert_null(strstr(p->argv[i], "first"));
        assert_null(strstr(p->argv[i], "second"));
        assert_null(strstr(p->argv[i], "third"));
    }
    assert_string_equal(p->argv[5], "--key=*****");
    assert_string_equal(p->argv[7], "******");
    assert_string_equal(p->argv[2], "w");
}

static void test_cli_keeps_the_path_of_a_secret_in_argv(void **state) {
    struct probe *p = *state;
    probe_write("f", "hidden\n");
    probe_run(p, "--website-id", "w", "--identifier", "i", "--key-file", "f");
    assert_runs(p);
    assert_string_equal(p->argv[6], "f");
}

/* --- relations of a connector --- */

static const struct field_relation relations[] = {
    {FIELD_TOGETHER, PROBE_NAMES("aa", "count"), NULL},
    {FIELD_DEPENDS_ON, PROBE_NAMES("bb"), PROBE_NAMES("tags", "base-url")},
    {FIELD_AT_LEAST_ONE, PROBE_NAMES("aa", "bb", "tags"), NULL},
    {FIELD_EXCLUSIVE, PROBE_NAMES("bb", "skip-bots", "page-size"), NULL},
};

static const struct {
    const char *line, *text;
} relation_errors[] = {
    {"", "at least one of the flags in the group [aa bb tags] is required"},
    {"--aa x",
     "if any flags in the group [aa count] are set they must all be set; missing [count]"},
    {"--bb x --page-size 3", "if any flags in the group [bb skip-bots page-size] are set none of "
                             "the others can be; [bb page-size] were all set"},
    /* set, but to nothing: the second layer sees it */
    {"--aa x --count 0", "fields marked as needed together are missing: ('count')"},
    {"--tags ''", "at least one field was expected, any of: ('aa', 'bb', and 'tags')"},
    {"--bb x", "set fields ('bb') are dependent on ('tags' and 'base-url') being set"},
    {"--tags x", "fields marked as mutually exclusive were set: ('skip-bots' and 'page-size')"},
};

static void test_cli_relations_of_the_connector(void **state) {
    struct probe *p = *state;
    static struct baton_connector connector;
    connector = probe_connector;
    connector.relations = relations;
    connector.relation_count = sizeof relations / sizeof relations[0];
    p->connector = &connector;
    for (size_t i = 0; i < sizeof relation_errors / sizeof relation_errors[0]; i++) {
        char line[256];
        snprintf(line, sizeof line, OK_ARGS "%s", relation_errors[i].line);
        run_line(p, line);
        assert_fails(p, ERR_UNKNOWN, relation_errors[i].text);
    }
}

static void test_near_distance(void **state) {
    (void)state;
    assert_int_equal(near_distance("config", "config"), 0);
    assert_int_equal(near_distance("Confg", "config"), 1);
    assert_int_equal(near_distance("", "abc"), 3);
    assert_int_equal(near_distance("kitten", "sitting"), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        probe_test(test_cli_syntax_errors),
        probe_test(test_cli_rules),
        probe_test(test_cli_accepts),
        probe_test(test_cli_group_may_be_set_from_elsewhere),
        probe_test(test_cli_letters),
        probe_test(test_cli_words),
        probe_test(test_cli_health_check_flags),
        probe_test(test_cli_version_text),
        probe_test(test_cli_unknown_help_topic),
        probe_test(test_cli_overwrites_secrets_in_argv),
        probe_test(test_cli_keeps_the_path_of_a_secret_in_argv),
        probe_test(test_cli_relations_of_the_connector),
        cmocka_unit_test(test_near_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

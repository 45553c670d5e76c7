/* options: where values come from, and which one wins. Expected values were taken from a connector
 * on the Go SDK v0.25.0 unless the test says that we differ. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "baton/options.h"
#include "tests/unit/baton/probe.h"

static const char *str(const struct probe *p, const char *name) {
    return options_str(p->request.options, name);
}

static const char *key(const struct probe *p) {
    return secret_reveal(options_secret(p->request.options, "key"));
}

/* The items of a list joined by '|'. */
static void assert_list(const struct probe *p, const char *name, const char *want) {
    const char *const *items;
    size_t n = options_list(p->request.options, name, &items), used = 0;
    char text[256] = "";
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "|" : "", items[i]);
    assert_string_equal(text, want);
}

static void test_options_default(void **state) {
    struct probe *p = *state;
    probe_run_ok(p);
    assert_runs(p);
    assert_string_equal(str(p, "tier"), "plugin");
    assert_string_equal(str(p, "file"), "sync.c1z");
    assert_string_equal(str(p, "aa"), "");
    assert_int_equal(options_int(p->request.options, "page-size"), 50);
    assert_int_equal(options_int(p->request.options, "health-check-port"), 8081);
    assert_true(options_bool(p->request.options, "skip-bots"));
    assert_list(p, "tags", "");
    assert_false(options_is_set(p->request.options, "tier"));
    assert_true(options_is_set(p->request.options, "key"));
    assert_int_equal(p->request.warnings.count, 0);
}

static void test_options_flag_over_environment_over_file(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yaml", "tier: user\nfile: from-file.c1z\n");
    probe_run_ok(p);
    assert_string_equal(str(p, "tier"), "user");
    assert_int_equal(options_source(p->request.options, "tier"), OPTION_CONFIG);
    setenv("BATON_TIER", "website", 1);
    probe_run_ok(p);
    assert_string_equal(str(p, "tier"), "website");
    assert_string_equal(str(p, "file"), "from-file.c1z");
    probe_run_ok(p, "--tier", "plugin");
    assert_string_equal(str(p, "tier"), "plugin");
    assert_int_equal(options_source(p->request.options, "tier"), OPTION_FLAG);
}

static void test_options_empty_variable_counts_as_unset(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yaml", "tier: user\n");
    setenv("BATON_TIER", "", 1);
    setenv("baton_aa", "x", 1);
    setenv("BATON_bb", "x", 1);
    probe_run_ok(p);
    assert_string_equal(str(p, "tier"), "user");
    assert_string_equal(str(p, "aa"), "");
    assert_string_equal(str(p, "bb"), "");
}

static void test_options_last_flag_wins(void **state) {
    struct probe *p = *state;
    probe_run_ok(p, "-f", "w1", "--file=w2", "--skip-bots=false", "--skip-bots=T");
    assert_string_equal(str(p, "file"), "w2");
    assert_true(options_bool(p->request.options, "skip-bots"));
}

static void test_options_empty_flag_is_a_value(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yaml", "tier: user\n");
    probe_run_ok(p, "--tier", "");
    assert_runs(p);
    assert_string_equal(str(p, "tier"), "");
}

static void test_options_lists(void **state) {
    struct probe *p = *state;
    setenv("BATON_TAGS", "x,y z", 1);
    probe_write(".baton.yaml", "tags: [a, \"b,c\"]\n");
    probe_run_ok(p);
    assert_list(p, "tags", "x|y z");
    probe_run_ok(p, "--tags", "q");
    assert_list(p, "tags", "x|y z|q");
    unsetenv("BATON_TAGS");
    probe_run_ok(p, "--tags", "q", "--tags", "r,s");
    assert_list(p, "tags", "a|b,c|q|r|s");
    probe_write(".baton.yaml", "tags: a,b c\n");
    probe_run_ok(p);
    assert_list(p, "tags", "a|b c");
    probe_write(".baton.yaml", "");
    probe_run_ok(p, "--tags", "a", "--tags", "", "--tags", ",");
    assert_list(p, "tags", "a||");
}

static void test_options_list_that_is_no_csv(void **state) {
    struct probe *p = *state;
    setenv("BATON_TAGS", "a\"b c", 1);
    probe_run_ok(p);
    assert_runs(p);
    assert_list(p, "tags", "a\"b|c");
    assert_true(probe_warns(p, "BATON_TAGS is not a list separated by commas"));
}

static void test_options_numbers(void **state) {
    struct probe *p = *state;
    setenv("BATON_PAGE_SIZE", "0x10", 1);
    setenv("BATON_SKIP_BOTS", "FALSE", 1);
    probe_run_ok(p, "--count", "-010");
    assert_int_equal(options_int(p->request.options, "page-size"), 16);
    assert_int_equal(options_int(p->request.options, "count"), -8);
    assert_false(options_bool(p->request.options, "skip-bots"));
}

static void test_options_bad_values_of_the_connector_fail(void **state) {
    struct probe *p = *state;
    setenv("BATON_SKIP_BOTS", "notabool", 1);
    setenv("BATON_PAGE_SIZE", "abc", 1);
    probe_write(".baton.yaml", "count: x\n");
    probe_run_ok(p);
    assert_fails(p, ERR_UNKNOWN,
                 "failed to make configuration: failed to unmarshal config: 3 error(s) decoding:\n"
                 "\n"
                 "* cannot parse 'count' as int: strconv.ParseInt: parsing \"x\": invalid syntax\n"
                 "* cannot parse 'page-size' as int: strconv.ParseInt: parsing \"abc\": invalid "
                 "syntax\n"
                 "* cannot parse 'skip-bots' as bool: strconv.ParseBool: parsing \"notabool\": "
                 "invalid syntax");
}

/* The SDK ignores them without a word; we say something. */
static void test_options_bad_values_of_the_sdk_warn(void **state) {
    struct probe *p = *state;
    setenv("BATON_WORKERS", "abc", 1);
    setenv("BATON_SKIP_FULL_SYNC", "yes", 1);
    probe_run_ok(p);
    assert_runs(p);
    assert_int_equal(options_int(p->request.options, "workers"), 0);
    assert_false(options_bool(p->request.options, "skip-full-sync"));
    assert_true(probe_warns(p, "BATON_WORKERS: strconv.ParseInt: parsing \"abc\": invalid syntax; "
                               "taken as 0"));
    assert_true(probe_warns(p, "BATON_SKIP_FULL_SYNC: "));
    setenv("BATON_HTTP_TIMEOUT_SECONDS", "abc", 1);
    probe_run_ok(p);
    assert_fails(p, ERR_UNKNOWN,
                 "field http-timeout-seconds: value must be greater than or equal to 1 but got 0");
}

static void test_options_aliases(void **state) {
    struct probe *p = *state;
    probe_run(p, "--website-id", "w", "--ident", "i", "--old-key", "k");
    assert_runs(p);
    assert_string_equal(str(p, "identifier"), "i");
    assert_string_equal(key(p), "k");
    /* The primary name is stronger, whatever the order. */
    setenv("BATON_ID", "second", 1);
    setenv("BATON_IDENTIFIER", "first", 1);
    setenv("BATON_IDENT", "third", 1);
    probe_run(p, "--website-id", "w", "--key", "k");
    assert_runs(p);
    assert_string_equal(str(p, "identifier"), "first");
    /* Between flags the last one wins, whichever name it uses. */
    probe_run(p, "--website-id", "w", "--key", "k", "--identifier", "1", "--ident", "2");
    assert_string_equal(str(p, "identifier"), "2");
}

/* --- config file --- */

static void test_options_config_file_forms(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yaml", "Website-ID: 0123\nidentifier: 1e3\nkey: true\ncount: 12\n"
                               "skip-bots: false\nlog-level: debug\n");
    probe_run(p);
    assert_runs(p);
    assert_string_equal(str(p, "website-id"), "0123");
    assert_string_equal(str(p, "identifier"), "1e3");
    assert_string_equal(key(p), "true");
    assert_int_equal(options_int(p->request.options, "count"), 12);
    assert_false(options_bool(p->request.options, "skip-bots"));
    assert_string_equal(str(p, "log-level"), "debug");
}

static void test_options_config_path(void **state) {
    struct probe *p = *state;
    probe_write("c.yml", "tier: user\n");
    probe_write(".baton.yaml", "tier: website\n");
    setenv("BATON_CONFIG_PATH", "c.yml", 1);
    probe_run_ok(p);
    assert_string_equal(str(p, "tier"), "user");
    setenv("BATON_CONFIG_PATH", "c.yaml", 1); /* the other ending will do, as in the SDK */
    probe_run_ok(p);
    assert_string_equal(str(p, "tier"), "user");
    setenv("BATON_CONFIG_PATH", "nope.yaml", 1);
    probe_run_ok(p);
    assert_runs(p);
    assert_string_equal(str(p, "tier"), "plugin");
    assert_true(probe_warns(p, "BATON_CONFIG_PATH names nope.yaml, which does not exist"));
}

static void test_options_config_path_needs_an_ending(void **state) {
    struct probe *p = *state;
    static const char *const paths[] = {"x.json", "x", "yaml", "x.YAML", "x.yaml.txt"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        setenv("BATON_CONFIG_PATH", paths[i], 1);
        probe_run(p, "--help");
        assert_fails(p, ERR_UNKNOWN, "expected config file to have .yaml or .yml extension");
    }
}

static void test_options_yml_in_the_current_directory(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yml", "tier: user\n");
    probe_run_ok(p);
    assert_string_equal(str(p, "tier"), "user");
}

static void test_options_malformed_config_only_warns(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yaml", "website-id: w\n  identifier: i\n");
    probe_run(p);
    assert_fails(p, ERR_UNKNOWN,
                 "required flag(s) \"identifier\", \"key\", \"website-id\" not set");
    assert_true(probe_warns(p, "the config file .baton.yaml was not used: line 2: "));
}

static void test_options_config_warnings(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yaml", "website_id: w\npagesize: 3\nother-programs-key: x\n"
                               "tier: [a, b]\nkey: k\n");
    assert_int_equal(chmod(".baton.yaml", 0644), 0);
    probe_run_ok(p);
    assert_runs(p);
    assert_int_equal(p->request.warnings.count, 4);
    assert_true(probe_warns(p, ".baton.yaml line 1: there is no setting website_id; did you mean "
                               "website-id?"));
    assert_true(probe_warns(p, "did you mean page-size?"));
    assert_true(probe_warns(p, ".baton.yaml line 4: tier takes one value"));
    assert_true(probe_warns(p, ".baton.yaml holds a secret and can be read by every user"));
    for (size_t i = 0; i < p->request.warnings.count; i++)
        assert_null(strstr(p->request.warnings.items[i], "s3cret"));
}

/* --- secrets from files --- */

static void test_options_secret_sources_in_order(void **state) {
    struct probe *p = *state;
    assert_int_equal(mkdir("cred", 0700), 0);
    probe_write("cred/key", "credential\n");
    probe_write("f1", "flag-file\n");
    probe_write("f2", "env-file\n");
    probe_write("f3", "config-file\n");
#define WITHOUT "--website-id", "w", "--identifier", "i"
    setenv("CREDENTIALS_DIRECTORY", "cred", 1);
    probe_run(p, WITHOUT);
    assert_runs(p);
    assert_string_equal(key(p), "credential");
    probe_write(".baton.yaml", "key-file: f3\n");
    probe_run(p, WITHOUT);
    assert_string_equal(key(p), "config-file");
    probe_write(".baton.yaml", "key-file: f3\nkey: config\n");
    probe_run(p, WITHOUT);
    assert_string_equal(key(p), "config");
    setenv("BATON_KEY_FILE", "f2", 1);
    probe_run(p, WITHOUT);
    assert_string_equal(key(p), "env-file");
    setenv("BATON_KEY", "env", 1);
    probe_run(p, WITHOUT);
    assert_string_equal(key(p), "env");
    probe_run(p, WITHOUT, "--key-file", "f1");
    assert_string_equal(key(p), "flag-file");
    probe_run(p, WITHOUT, "--key", "flag", "--key-file=f1");
    assert_string_equal(key(p), "flag");
    assert_int_equal(p->request.warnings.count, 0);
}

static void test_options_secret_file_drops_one_line_end(void **state) {
    struct probe *p = *state;
    probe_write("f", "unix\n");
    probe_run(p, WITHOUT, "--old-key-file", "f");
    assert_runs(p);
    assert_string_equal(key(p), "unix");
    probe_write("f", "windows\r\n");
    probe_run(p, WITHOUT, "--key-file", "f");
    assert_runs(p);
    assert_string_equal(key(p), "windows");
    assert_int_equal(p->request.warnings.count, 0);
    probe_write("f", "none");
    assert_int_equal(chmod("f", 0604), 0);
    probe_run(p, WITHOUT, "--key-file", "f");
    assert_string_equal(key(p), "none");
    assert_true(probe_warns(p, "f holds key and can be read by every user of this machine"));
}

static void test_options_secret_faults(void **state) {
    struct probe *p = *state;
    static const struct {
        const char *value, *fault;
    } rows[] = {
        {"\xEF\xBB\xBFhunter2",
         "begins with a byte order mark: save the file as UTF-8 without one"},
        {" hunter2", "begins with a blank: take it away"},
        {"\thunter2", "begins with a blank: take it away"},
        {"hunter2 ", "ends with a blank: take it away"},
        {"hunter2\r", "ends with a carriage return: was the file made on Windows?"},
        {"hunter2\n\n", "ends with a line feed: give one line and nothing behind it"},
        {"hun\nter2", "holds a control character: it must be one line of plain text"},
        {"hunter2\x7F", "holds a control character: it must be one line of plain text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mem_auto char *of_flag = mem_printf("the value of key (from the command line) %s",
                                            rows[i].fault);
        probe_run(p, WITHOUT, "--key", rows[i].value);
        assert_fails(p, ERR_UNKNOWN, of_flag);
        mem_auto char *of_file = mem_printf("the value of key (in the file f) %s", rows[i].fault);
        probe_write("f", rows[i].value);
        probe_run(p, WITHOUT, "--key-file", "f");
        assert_fails(p, ERR_UNKNOWN, of_file);
    }
}

static void test_options_secret_faults_name_their_place(void **state) {
    struct probe *p = *state;
    probe_write(".baton.yaml", "key: \"hunter2 \"\n");
    probe_run(p, WITHOUT);
    assert_fails(p, ERR_UNKNOWN,
                 "the value of key (from .baton.yaml line 1) ends with a blank: take it away");
    setenv("BATON_KEY", "hunter2\r", 1);
    probe_run(p, WITHOUT);
    assert_fails(p, ERR_UNKNOWN,
                 "the value of key (from BATON_KEY) ends with a carriage return: was the file made "
                 "on Windows?");
}

static void test_options_secret_in_place_of_a_path(void **state) {
    struct probe *p = *state;
    static const char value[] = "0123456789abcdef0123456789abcdef0";
    probe_run(p, WITHOUT, "--key-file", value);
    assert_fails(p, ERR_UNKNOWN, "field key: the file named by --key-file: does not exist");
    probe_run(p, WITHOUT, "--key-file", value, value);
    assert_fails(p, ERR_UNKNOWN, "unknown command \"***\" for \"baton-probe\"");
    setenv("BATON_KEY_FILE", value, 1);
    probe_run(p, WITHOUT);
    assert_fails(p, ERR_UNKNOWN, "field key: the file named by BATON_KEY_FILE: does not exist");
}

static void test_options_secret_file_errors(void **state) {
    struct probe *p = *state;
    probe_run(p, WITHOUT, "--key-file", "nope");
    assert_fails(p, ERR_UNKNOWN,
                 "field key: the file nope (named by the command line): does not exist");
    setenv("BATON_KEY_FILE", ".", 1);
    probe_run(p, WITHOUT);
    assert_fails(p, ERR_UNKNOWN,
                 "field key: the file . (named by BATON_KEY_FILE): is a directory: "
                 "name a file in it");
    probe_write("f", "\n");
    probe_run(p, WITHOUT, "--key-file", "f");
    assert_fails(p, ERR_UNKNOWN,
                 "field key: the file f (named by the command line): is empty: "
                 "write the secret into it");
    probe_run(p, WITHOUT, "--key-file", "");
    assert_fails(p, ERR_UNKNOWN,
                 "field key: the file \"\" (named by the command line): has no "
                 "name: give the path of a file");
    probe_run(p, WITHOUT, "--key-file", "/dev/zero");
    assert_fails(p, ERR_UNKNOWN,
                 "field key: the file /dev/zero (named by the command line): is "
                 "larger than 65536 bytes");
    FILE *nul = fopen("f", "w");
    assert_non_null(nul);
    assert_int_equal(fwrite("a\0b", 1, 3, nul), 3);
    assert_int_equal(fclose(nul), 0);
    probe_run(p, WITHOUT, "--key-file", "f");
    assert_fails(p, ERR_UNKNOWN,
                 "field key: the file f (named by the command line): holds a NUL "
                 "character: it must be plain text");
}

static void test_options_secret_file_may_be_a_pipe(void **state) {
    struct probe *p = *state;
    int fds[2];
    char path[32];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "piped\n", 6), 6);
    close(fds[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
    probe_run(p, WITHOUT, "--key-file", path);
    close(fds[0]);
    assert_runs(p);
    assert_string_equal(key(p), "piped");
}

static void test_options_unused_secret_file_is_not_opened(void **state) {
    struct probe *p = *state;
    setenv("BATON_KEY_FILE", "nope", 1);
    probe_run_ok(p);
    assert_runs(p);
    assert_string_equal(key(p), "s3cret");
    probe_run(p, "config");
    assert_true(p->ok);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        probe_test(test_options_default),
        probe_test(test_options_flag_over_environment_over_file),
        probe_test(test_options_empty_variable_counts_as_unset),
        probe_test(test_options_last_flag_wins),
        probe_test(test_options_empty_flag_is_a_value),
        probe_test(test_options_lists),
        probe_test(test_options_list_that_is_no_csv),
        probe_test(test_options_numbers),
        probe_test(test_options_bad_values_of_the_connector_fail),
        probe_test(test_options_bad_values_of_the_sdk_warn),
        probe_test(test_options_aliases),
        probe_test(test_options_config_file_forms),
        probe_test(test_options_config_path),
        probe_test(test_options_config_path_needs_an_ending),
        probe_test(test_options_yml_in_the_current_directory),
        probe_test(test_options_malformed_config_only_warns),
        probe_test(test_options_config_warnings),
        probe_test(test_options_secret_sources_in_order),
        probe_test(test_options_secret_file_drops_one_line_end),
        probe_test(test_options_secret_faults),
        probe_test(test_options_secret_faults_name_their_place),
        probe_test(test_options_secret_in_place_of_a_path),
        probe_test(test_options_secret_file_errors),
        probe_test(test_options_secret_file_may_be_a_pipe),
        probe_test(test_options_unused_secret_file_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

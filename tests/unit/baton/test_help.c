/* help: layout, what is shown and what is not. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/baton/probe.h"

enum { SCREEN_LINES = 34 };

static char *help_of(struct probe *p, const char *a, const char *b) {
    const char *const args[] = {a, b, NULL};
    probe_parse(p, args);
    if (!p->ok)
        fail_msg("%s", p->err.msg);
    return probe_answer(p);
}

static __attribute__((noinline)) void assert_has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("not found: %s\nin: %s", part, text);
}

static __attribute__((noinline)) void assert_lacks(const char *text, const char *part) {
    if (strstr(text, part))
        fail_msg("found: %s\nin: %s", part, text);
}

static void test_help_has_the_layout_of_cobra(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help", NULL);
    assert_int_equal(
        strncmp(text,
                "baton-probe\n\nUsage:\n  baton-probe [flags]\n  baton-probe [command]\n"
                "\nAvailable Commands:\n  capabilities   ",
                91),
        0);
    static const char *const order[] = {
        "Available Commands:",
        "\n  capabilities ",
        "\n  completion ",
        "\n  config ",
        "\n  health-check ",
        "\n  help ",
        "\nFlags:\n",
        "\nExample:\n",
        "Use \"baton-probe [command] --help\" for more information about a command.\n",
    };
    const char *at = text;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    free(text);
}

static void test_help_fits_on_a_screen(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help", NULL);
    int lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    /* The probe has four settings more than a usual connector. */
    assert_true(lines <= SCREEN_LINES + 4);
    free(text);
}

static void test_help_shows_settings_with_their_variables(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help", NULL);
    assert_has(text, "\n      --website-id string   required: ($BATON_WEBSITE_ID)\n");
    assert_has(text,
               "\n      --key-file string     Or the file that holds it ($BATON_KEY_FILE)\n");
    assert_has(text, " a <b> & \"c\" \xC3\xA9 ($BATON_TIER) (default \"plugin\")\n");
    assert_has(text, "\n      --page-size int       ($BATON_PAGE_SIZE) (default 50)\n");
    assert_has(text, "\n      --skip-bots           ($BATON_SKIP_BOTS) (default true)\n");
    assert_has(text, "\n      --tags strings        ($BATON_TAGS)\n");
    assert_has(text, "\n  -f, --file string  ");
    assert_has(text, "\n  -v, --version  ");
    free(text);
}

/* Required settings first: that is what a first call needs. */
static void test_help_puts_required_settings_first(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help", NULL);
    const char *last_required = strstr(text, "--key string");
    const char *tier = strstr(text, "--tier string"), *file = strstr(text, "--file string");
    assert_non_null(last_required);
    assert_true(last_required < tier && tier < file);
    free(text);
}

static void test_help_leaves_out_hidden_and_rare_flags(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help", NULL);
    static const char *const absent[] = {"--base-url",          "--old-key",
                                         "--workers",           "--c1z-temp-dir",
                                         "--health-check-port", "--client-secret-file",
                                         "--task-concurrency"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_lacks(text, absent[i]);
    free(text);
}

static void test_help_all_shows_every_visible_flag(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help-all", NULL);
    const struct field_set *set = options_fields(p->request.options);
    for (size_t i = 0; i < set->count; i++) {
        mem_auto char *flag = mem_printf("--%s ", set->items[i]->name);
        if (set->items[i]->is_hidden)
            assert_lacks(text, flag);
        else
            assert_has(text, flag);
    }
    assert_has(text, "--client-secret-file ");
    assert_has(text, "\n  Service mode\n");
    free(text);
}

/* Every line of a setting ends with its variable, but for the default behind it. */
static void test_help_lines_name_their_variables(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help-all", NULL);
    int seen = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        const char *flag = strstr(line, "--");
        if (!flag || flag != line + 6 || strstr(line, "--help") || strstr(line, "--version"))
            continue;
        buf_auto struct buf want;
        buf_init(&want, 256);
        mem_auto char *name = mem_strndup(flag + 2, strcspn(flag + 2, " "));
        buf_adds(&want, "($");
        field_add_env_name(&want, name, "");
        buf_addc(&want, ')');
        const char *found = strstr(line, want.data);
        assert_non_null(found);
        const char *end = found + want.len;
        assert_true(!*end || strncmp(end, " (default ", 10) == 0);
        seen++;
    }
    assert_true(seen > 30);
    free(text);
}

/* But for the longest name, whose variable is as long. */
static void test_help_lines_of_the_sdk_are_short(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "config", "--help-all");
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (strlen(line) > 122 && !strstr(line, "--external-resource-entitlement-id-filter"))
            fail_msg("too long: %s", line);
    }
    free(text);
}

static void test_help_of_a_command(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "health-check", "--help");
    assert_has(text, "Usage:\n  baton-probe health-check [flags]\n");
    assert_has(text, "--endpoint string");
    assert_has(text, "(default \"health\")\n");
    assert_has(text, "\nGlobal Flags:\n");
    assert_has(text, "--health-check-port int");
    assert_lacks(text, "--website-id");
    assert_lacks(text, "--version");
    free(text);
    text = help_of(p, "completion", "--help");
    assert_has(text, "Usage:\n  baton-probe completion [command]\n");
    assert_has(text, "\n  powershell ");
    free(text);
    text = help_of(p, "help", "completion");
    assert_has(text, "Usage:\n  baton-probe completion [command]\n");
    free(text);
}

static void test_help_in_a_pipe_has_no_escapes(void **state) {
    struct probe *p = *state;
    char *text = help_of(p, "--help-all", NULL);
    assert_lacks(text, "\033");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        probe_test(test_help_has_the_layout_of_cobra),
        probe_test(test_help_fits_on_a_screen),
        probe_test(test_help_shows_settings_with_their_variables),
        probe_test(test_help_puts_required_settings_first),
        probe_test(test_help_leaves_out_hidden_and_rare_flags),
        probe_test(test_help_all_shows_every_visible_flag),
        probe_test(test_help_lines_name_their_variables),
        probe_test(test_help_lines_of_the_sdk_are_short),
        probe_test(test_help_of_a_command),
        probe_test(test_help_in_a_pipe_has_no_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* args: the command line; the texts of errors are in tests/system/test_inspect.py. */
#include "tests/unit/test.h"

#include <string.h>

#include "inspect/args.h"

static bool nothing(struct session *s, struct err *err) {
    (void)s, (void)err;
    return true;
}

static const struct command commands[] = {
    {"list", "a list", FLAG_BIT(FLAG_RESOURCE_TYPE) | FLAG_BIT(FLAG_RESOURCE), 0, "list", NULL, nothing},
    {"list more", "a longer list", FLAG_BIT(FLAG_ENTITLEMENT), FLAG_BIT(FLAG_ENTITLEMENT),
     "list more", "More of it.", nothing},
};

enum { WORDS_MAX = 12 };

/* Splits at spaces; no quotes. */
static bool parse(const char *line, struct args *args, struct err *err) {
    static char copy[256];
    char *argv[WORDS_MAX] = {"baton-inspect"}, *rest = copy;
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        assert_true(argc < WORDS_MAX);
        if (*word)
            argv[argc++] = strcmp(word, "''") == 0 ? "" : word;
    }
    return args_parse(argc, argv, commands, 2, args, err);
}

static struct args parsed(const char *line) {
    struct args args;
    struct err err = ERR_INIT;
    bool ok = parse(line, &args, &err);
    assert_string_equal(err.msg, "");
    assert_true(ok);
    return args;
}

static void test_args_take_flags_in_every_form(void **state) {
    (void)state;
    static const char *const lines[] = {
        "list -t site -o json",   "-t site list -o json",       "-tsite -ojson list",
        "list -t=site -o=json",   "list --resource-type site --output-format json",
        "--resource-type=site --output-format=json list",       "-t site -o json -- list",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct args args = parsed(lines[i]);
        assert_ptr_equal(args.command, &commands[0]);
        assert_string_equal(args.values[FLAG_RESOURCE_TYPE], "site");
        assert_true(args.want_json);
        assert_null(args.values[FLAG_FILE]);
    }
}

static void test_args_prefer_the_command_of_two_words(void **state) {
    (void)state;
    assert_ptr_equal(parsed("list").command, &commands[0]);
    assert_ptr_equal(parsed("list more -e x").command, &commands[1]);
    assert_ptr_equal(parsed("list -e x more").command, &commands[1]);
}

static void test_args_empty_value_is_not_given(void **state) {
    (void)state;
    assert_null(parsed("list -t ''").values[FLAG_RESOURCE_TYPE]);
    assert_null(parsed("list --resource-type=").values[FLAG_RESOURCE_TYPE]);
}

static void test_args_last_value_counts(void **state) {
    (void)state;
    assert_string_equal(parsed("list -f a -f b").values[FLAG_FILE], "b");
}

static void test_args_help_and_version_need_nothing_else(void **state) {
    (void)state;
    assert_true(parsed("-h").want_help);
    assert_true(parsed("list more --help").want_help);
    assert_true(parsed("-v").want_version);
    struct args both = parsed("-hv");
    assert_true(both.want_help && both.want_version);
    assert_null(parsed("").command);
}

static void test_args_refuse_and_leave_the_output_alone(void **state) {
    (void)state;
    static const char *const lines[] = {
        "frob", "list extra", "list more",    "list -e x",      "list -x",    "list --nope",
        "list -t", "list -r x", "list -o xml", "list --help=no", "a b c d",    "list --resource-typ x",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct args args = {.want_json = true};
        struct err err = ERR_INIT;
        assert_false(parse(lines[i], &args, &err));
        assert_int_equal(err.code, ERR_UNKNOWN);
        assert_true(args.want_json);
        assert_null(args.command);
    }
}

static void test_args_help_names_commands_and_flags(void **state) {
    (void)state;
    buf_auto struct buf out;
    buf_init(&out, 64 * 1024);
    args_help(commands, 2, NULL, &out);
    assert_non_null(strstr(out.data, "  list more            a longer list\n"));
    assert_non_null(strstr(out.data, "  -t, --resource-type TYPE"));
    buf_reset(&out);
    args_help(commands, 2, &commands[1], &out);
    assert_non_null(strstr(out.data, "More of it."));
    assert_non_null(strstr(out.data, "Example:\n  baton-inspect list more\n"));
    assert_null(strstr(out.data, "--resource-type"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_args_take_flags_in_every_form),
        cmocka_unit_test(test_args_prefer_the_command_of_two_words),
        cmocka_unit_test(test_args_empty_value_is_not_given),
        cmocka_unit_test(test_args_last_value_counts),
        cmocka_unit_test(test_args_help_and_version_need_nothing_else),
        cmocka_unit_test(test_args_refuse_and_leave_the_output_alone),
        cmocka_unit_test(test_args_help_names_commands_and_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* completion: the bash script is sourced by a real bash, zsh and fish are asked to read theirs (and
 * fish to complete) where they are installed. The PowerShell script is only looked at. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/baton/probe.h"

/* Writes the script to ./script. */
static void print_script(struct probe *p, const char *shell, const char *flag) {
    const char *const args[] = {"completion", shell, flag, NULL};
    probe_parse(p, args);
    if (!p->ok)
        fail_msg("%s", p->err.msg);
    char *text = probe_answer(p);
    probe_write("script", text);
    free(text);
}

/* What the command prints; NULL if it fails. */
static char *output_of(const char *command) {
    FILE *f = popen(command, "r");
    assert_non_null(f);
    char *text = mem_zalloc(64 * 1024);
    size_t n = fread(text, 1, 64 * 1024 - 1, f);
    text[n] = '\0';
    if (pclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

static bool is_installed(const char *shell) {
    mem_auto char *command = mem_printf("command -v %s > /dev/null", shell);
    return system(command) == 0;
}

/* --- bash --- */

/* Splits as readline does, where `=` is a word of its own, and asks the function. */
static const char driver[] = "set -u\n"
                             ". ./script\n"
                             "line=$1\n"
                             "spaced=${line//=/ = }\n"
                             "read -ra COMP_WORDS <<< \"$spaced\"\n"
                             "[[ $line == *' ' ]] && COMP_WORDS+=(\"\")\n"
                             "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                             "_baton_probe\n"
                             "printf '%s|' \"${COMPREPLY[@]+\"${COMPREPLY[@]}\"}\"\n";

static const struct {
    const char *line, *want; /* each answer with a '|' behind it; no answer is one '|' */
} bash_cases[] = {
    {"baton-probe ", "capabilities|completion|config|health-check|help|"},
    {"baton-probe c", "capabilities|completion|config|"},
    {"baton-probe --w", "--website-id|"},
    {"baton-probe --key", "--key|--key-file|"},
    {"baton-probe --tier ", "plugin|website|user|"},
    {"baton-probe --tier=", "plugin|website|user|"},
    {"baton-probe --tier=w", "website|"},
    {"baton-probe --log-level d", "debug|"},
    {"baton-probe --website-id ", "|"},
    {"baton-probe --key-file a ", "capabilities|completion|config|health-check|help|"},
    {"baton-probe --key-file a", "a b.txt|"},
    {"baton-probe -f a", "a b.txt|"},
    {"baton-probe --aa=a", "a b.txt|"},
    {"baton-probe --bb ", "dir|"},
    {"baton-probe completion ", "bash|fish|powershell|zsh|"},
    {"baton-probe -f x --skip-bots completion b", "bash|"},
    {"baton-probe --file=x completion z", "zsh|"},
    {"baton-probe config --w", "|"},
    {"baton-probe config --file", "--file|"},
    {"baton-probe health-check --en", "--endpoint|"},
    {"baton-probe health-check --endpoint ", "health|ready|live|"},
    {"baton-probe --end", "|"},
    {"baton-probe completion bash --no", "--no-descriptions|"},
    {"baton-probe help conf", "config|"},
    {"baton-probe --base", "|"},
    {"baton-probe --work", "|"},
};

static void test_completion_in_bash(void **state) {
    struct probe *p = *state;
    if (!is_installed("bash"))
        skip();
    print_script(p, "bash", NULL);
    probe_write("driver", driver);
    probe_write("a b.txt", "");
    assert_int_equal(mkdir("dir", 0700), 0);
    for (size_t i = 0; i < sizeof bash_cases / sizeof bash_cases[0]; i++) {
        mem_auto char *command = mem_printf("bash ./driver '%s' 2>&1", bash_cases[i].line);
        char *got = output_of(command);
        if (!got || strcmp(got, bash_cases[i].want) != 0)
            fail_msg("[%s] gave %s", bash_cases[i].line, got ? got : "an error");
        free(got);
    }
}

/* Bash has no place for descriptions: the flag is accepted and changes nothing. */
static void test_completion_without_descriptions(void **state) {
    struct probe *p = *state;
    static const char *const shells[] = {"zsh", "fish", "powershell"};
    for (size_t i = 0; i < 3; i++) {
        print_script(p, shells[i], NULL);
        assert_int_equal(system("grep -q 'The c1z file to write' script"), 0);
        print_script(p, shells[i], "--no-descriptions");
        assert_int_not_equal(system("grep -q 'The c1z file to write' script"), 0);
        assert_int_equal(system("grep -q 'file' script"), 0);
    }
    print_script(p, "bash", "--no-descriptions");
    assert_int_equal(system("grep -q 'website-id' script"), 0);
}

/* --- fish --- */

static void assert_fish(const char *line, const char *want) {
    mem_auto char *command =
        mem_printf("fish --no-config -c 'source ./script; complete -C \"%s\"' 2>&1", line);
    char *got = output_of(command);
    assert_non_null(got);
    if (!strstr(got, want))
        fail_msg("[%s] gave %s", line, got);
    free(got);
}

static void test_completion_in_fish(void **state) {
    struct probe *p = *state;
    if (!is_installed("fish"))
        skip();
    print_script(p, "fish", NULL);
    assert_fish("baton-probe ", "health-check\tAsk a connector");
    assert_fish("baton-probe --ti", "--tier\ta <b> & ");
    assert_fish("baton-probe --tier=w", "--tier=website");
    assert_fish("baton-probe completion ", "powershell");
    assert_fish("baton-probe health-check --endpoint r", "ready");
    assert_fish("baton-probe help conf", "config");
}

/* --- zsh --- */

static void test_completion_in_zsh_is_well_formed(void **state) {
    struct probe *p = *state;
    if (!is_installed("zsh"))
        skip();
    print_script(p, "zsh", NULL);
    assert_int_equal(system("zsh -f -n ./script"), 0);
    /* With stand-ins for the completion system the function must build its tables without a word. */
    probe_write("driver", "compdef() { : }\n"
                          "_arguments() { print -r -- ${#@}; state=command }\n"
                          "_describe() { print -r -- ${#commands} }\n"
                          "source ./script\n"
                          "words=(baton-probe --file x completion '') CURRENT=5\n"
                          "_baton_probe\n");
    char *got = output_of("zsh -f ./driver 2>&1");
    assert_non_null(got);
    int arguments = 0;
    char *end;
    arguments = (int)strtol(got, &end, 10);
    assert_true(arguments > 15);
    assert_string_equal(end, "\n4\n");
    free(got);
}

/* --- PowerShell --- */

static void test_completion_for_powershell_is_balanced(void **state) {
    struct probe *p = *state;
    const char *const args[] = {"completion", "powershell", NULL};
    probe_parse(p, args);
    char *text = probe_answer(p);
    assert_true(p->ok);
    int braces = 0, parens = 0, quotes = 0;
    for (const char *c = text; *c; c++) {
        quotes += *c == '\'';
        if (quotes % 2)
            continue;
        braces += *c == '{' ? 1 : *c == '}' ? -1 : 0;
        parens += *c == '(' ? 1 : *c == ')' ? -1 : 0;
        assert_true(braces >= 0 && parens >= 0);
    }
    assert_int_equal(braces, 0);
    assert_int_equal(parens, 0);
    assert_int_equal(quotes % 2, 0);
    assert_non_null(strstr(text, "-CommandName 'baton-probe'"));
    assert_non_null(strstr(text, "Under = ''; Name = '--tier'"));
    assert_non_null(strstr(text, "Values = 'plugin website user'"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        probe_test(test_completion_in_bash),
        probe_test(test_completion_without_descriptions),
        probe_test(test_completion_in_fish),
        probe_test(test_completion_in_zsh_is_well_formed),
        probe_test(test_completion_for_powershell_is_balanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

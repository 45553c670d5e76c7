#include "inspect/args.h"

#include <string.h>

static const struct {
    char letter;
    const char *name;
    const char *value; /* what the help calls it; NULL: takes none */
    const char *help;
} flags[FLAG_COUNT] = {
    [FLAG_FILE] = {'f', "file", "FILE", "the .c1z file (default sync.c1z)"},
    [FLAG_FORMAT] = {'o', "output-format", "FORMAT", "console (default) or json"},
    [FLAG_SYNC_ID] = {0, "sync-id", "ID", "look at this sync (default: the newest finished one)"},
    [FLAG_RESOURCE_TYPE] = {'t', "resource-type", "TYPE", "only this resource type, e.g. website"},
    [FLAG_RESOURCE] = {'r', "resource", "ID", "only this resource (needs -t)"},
    [FLAG_ENTITLEMENT] = {'e', "entitlement", "ID", "only this entitlement"},
    [FLAG_COMPARE_FILE] = {0, "compare-file", "FILE", "the other file (default sync.c1z)"},
    [FLAG_COMPARE_ENTITLEMENT] = {0, "compare-entitlement", "ID", "the other entitlement"},
    [FLAG_OUT] = {0, "out", "FILE", "where to write, - for standard output (default sync.csv)"},
    [FLAG_HELP] = {'h', "help", NULL, "this help; with a command, its help"},
    [FLAG_VERSION] = {'v', "version", NULL, "the version"},
};

static const unsigned always = FLAG_BIT(FLAG_FILE) | FLAG_BIT(FLAG_FORMAT) | FLAG_BIT(FLAG_HELP) |
                               FLAG_BIT(FLAG_VERSION);

enum { WORDS_MAX = 3 };

struct reader {
    int argc, next;
    char **argv;
    struct args *args;
    const char *words[WORDS_MAX]; /* what is no flag */
    size_t word_count;
    struct err *err;
};

/* "try" is where every usage error ends. */
#define SEE_HELP "; see `baton-inspect --help`"

static bool set_flag(struct reader *r, size_t flag, const char *value) {
    if (!flags[flag].value) {
        *(flag == FLAG_HELP ? &r->args->want_help : &r->args->want_version) = true;
        return true;
    }
    if (!value && r->next == r->argc)
        return err_set(r->err, ERR_UNKNOWN, "--%s needs a value" SEE_HELP, flags[flag].name);
    if (!value)
        value = r->argv[r->next++];
    r->args->values[flag] = *value ? value : NULL;
    return true;
}

static bool read_long(struct reader *r, const char *text) {
    size_t len = strcspn(text, "=");
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (strlen(flags[i].name) != len || memcmp(flags[i].name, text, len) != 0)
            continue;
        if (text[len] && !flags[i].value)
            return err_set(r->err, ERR_UNKNOWN, "--%s takes no value" SEE_HELP, flags[i].name);
        return set_flag(r, i, text[len] ? text + len + 1 : NULL);
    }
    return err_set(r->err, ERR_UNKNOWN, "unknown flag: --%.*s" SEE_HELP, (int)len, text);
}

/* "-fX", "-f=X", "-f X", and flags without value in one word: "-hv". */
static bool read_short(struct reader *r, const char *text) {
    for (; *text; text++) {
        size_t i = 0;
        while (i < FLAG_COUNT && flags[i].letter != *text)
            i++;
        if (i == FLAG_COUNT)
            return err_set(r->err, ERR_UNKNOWN, "unknown flag: -%c" SEE_HELP, *text);
        if (flags[i].value) {
            const char *rest = text[1] == '=' ? text + 2 : text + 1;
            return set_flag(r, i, text[1] ? rest : NULL);
        }
        set_flag(r, i, NULL);
    }
    return true;
}

static bool add_word(struct reader *r, const char *word) {
    if (r->word_count == WORDS_MAX)
        return err_set(r->err, ERR_UNKNOWN, "unexpected argument: %s" SEE_HELP, word);
    r->words[r->word_count++] = word;
    return true;
}

static bool read_words(struct reader *r) {
    bool is_end_of_flags = false;
    while (r->next < r->argc) {
        const char *text = r->argv[r->next++];
        bool ok;
        if (is_end_of_flags || text[0] != '-' || text[1] == '\0')
            ok = add_word(r, text);
        else if (strcmp(text, "--") == 0)
            ok = is_end_of_flags = true;
        else
            ok = text[1] == '-' ? read_long(r, text + 2) : read_short(r, text + 1);
        if (!ok)
            return false;
    }
    return true;
}

/* How many of the words are the command's name; 0 if it is another one. */
static size_t matches(const struct command *command, const struct reader *r) {
    const char *space = strchr(command->name, ' ');
    size_t len = space ? (size_t)(space - command->name) : strlen(command->name);
    if (strlen(r->words[0]) != len || memcmp(r->words[0], command->name, len) != 0)
        return 0;
    if (!space)
        return 1;
    return r->word_count > 1 && strcmp(r->words[1], space + 1) == 0 ? 2 : 0;
}

static bool find_command(struct reader *r, const struct command *commands, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count && r->word_count > 0; i++) {
        size_t n = matches(&commands[i], r);
        if (n > used) {
            used = n;
            r->args->command = &commands[i];
        }
    }
    if (used < r->word_count && used == 0)
        return err_set(r->err, ERR_UNKNOWN, "unknown command: %s" SEE_HELP, r->words[0]);
    if (used < r->word_count)
        return err_set(r->err, ERR_UNKNOWN, "unexpected argument: %s" SEE_HELP, r->words[used]);
    return true;
}

static bool check_flags(const struct args *args, struct err *err) {
    const struct command *command = args->command;
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        bool is_given = args->values[i] != NULL;
        if (is_given && !((command->flags | always) & FLAG_BIT(i)))
            return err_set(err, ERR_UNKNOWN,
                           "%s does not take --%s; see `baton-inspect %s --help`", command->name,
                           flags[i].name, command->name);
        if (!is_given && command->required & FLAG_BIT(i))
            return err_set(err, ERR_UNKNOWN, "%s needs --%s; see `baton-inspect %s --help`",
                           command->name, flags[i].name, command->name);
    }
    if (args->values[FLAG_RESOURCE] && !args->values[FLAG_RESOURCE_TYPE])
        return err_set(err, ERR_UNKNOWN, "--resource needs --resource-type beside it");
    if (args->values[FLAG_RESOURCE] && args->values[FLAG_ENTITLEMENT])
        return err_set(err, ERR_UNKNOWN, "--resource and --entitlement cannot stand together");
    return true;
}

static bool read_format(struct args *args, struct err *err) {
    const char *format = args->values[FLAG_FORMAT];
    args->want_json = format && strcmp(format, "json") == 0;
    if (format && !args->want_json && strcmp(format, "console") != 0)
        return err_set(err, ERR_UNKNOWN, "unknown output format: %s; it is console or json",
                       format);
    return true;
}

bool args_parse(int argc, char **argv, const struct command *commands, size_t count,
                struct args *ret_args, struct err *err) {
    struct args args = {.command = NULL};
    struct reader r = {.argc = argc, .next = 1, .argv = argv, .args = &args, .err = err};
    if (!read_words(&r) || !find_command(&r, commands, count) || !read_format(&args, err))
        return false;
    bool is_to_run = args.command && !args.want_help && !args.want_version;
    if (is_to_run && !check_flags(&args, err))
        return false;
    *ret_args = args;
    return true;
}

static void help_flags(unsigned which, struct buf *out) {
    buf_adds(out, "\nFlags:\n");
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!(which & FLAG_BIT(i)))
            continue;
        char name[64], letter[8] = "    ";
        if (flags[i].letter)
            snprintf(letter, sizeof letter, "-%c, ", flags[i].letter);
        snprintf(name, sizeof name, "--%s %s", flags[i].name, flags[i].value ? flags[i].value : "");
        buf_addf(out, "  %s%-26s %s\n", letter, name, flags[i].help);
    }
}

static void help_program(const struct command *commands, size_t count, struct buf *out) {
    buf_adds(out, "baton-inspect shows what is in a .c1z file: who has access to what.\n\n"
                  "Usage: baton-inspect COMMAND [flags]\n\nCommands:\n");
    unsigned shown = always;
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "  %-20s %s\n", commands[i].name, commands[i].summary);
        if (!strchr(commands[i].name, ' '))
            shown |= commands[i].flags;
    }
    help_flags(shown, out);
    buf_adds(out, "\nExamples:\n"
                  "  baton-inspect who -f sync.c1z\n"
                  "  baton-inspect grants -f sync.c1z -o json | "
                  "jq '.grants[].principal.displayName'\n");
}

void args_help(const struct command *commands, size_t count, const struct command *command,
               struct buf *out) {
    if (!command) {
        help_program(commands, count, out);
        return;
    }
    buf_addf(out, "%s: %s\n\nUsage: baton-inspect %s [flags]\n", command->name, command->summary,
             command->name);
    if (command->more)
        buf_addf(out, "\n%s\n", command->more);
    help_flags(command->flags | always, out);
    buf_addf(out, "\nExample:\n  baton-inspect %s\n", command->example);
}

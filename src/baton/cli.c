#include "baton/cli.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "baton/cli_words.h"
#include "baton/completion.h"
#include "baton/gotext.h"
#include "baton/health_check.h"
#include "baton/help.h"
#include "baton/near.h"
#include "baton/option_checks.h"
#include "baton/option_sources.h"
#include "baton/schema.h"

enum { NAME_MAX_SHOWN = 128, SUGGESTIONS_MAX = 5 };

struct parser {
    const struct baton_connector *connector;
    struct cli_request *request;
    const struct cli_word *word;
    char **args; /* what is left of argv; the strings are argv's own */
    size_t count;
    bool wants_help, wants_version;
    struct strlist positional;
};

/* What a name on the command line stands for: a setting or a flag of the command. */
struct target {
    const struct field *row;
    const struct cli_flag *own; /* NULL: a setting */
    struct field_ref ref;
};

/* --- names --- */

static bool accepts_field(const struct cli_word *word, const struct field_set *set, size_t index) {
    return word == &cli_words[0] || field_set_is_sdk(set, index);
}

/* cobra adds its own flags (help, version) after it has looked for the command word. */
enum stage { STAGE_WORD, STAGE_FLAGS };

static bool is_own_flag(const struct cli_flag *f, const struct cli_word *word, enum stage stage) {
    bool is_late = f->target == CLI_FLAG_HELP || f->target == CLI_FLAG_HELP_ALL ||
                   f->target == CLI_FLAG_VERSION;
    return cli_word_has_flag(word, f) && (stage == STAGE_FLAGS || !is_late);
}

static bool find_long(const struct parser *p, const char *name, size_t len, enum stage stage,
                      struct target *ret) {
    for (size_t i = 0; i < cli_flag_count; i++) {
        const struct cli_flag *f = &cli_flags[i];
        if (strncmp(f->row.name, name, len) == 0 && !f->row.name[len] &&
            is_own_flag(f, p->word, stage)) {
            *ret = (struct target){.row = &f->row, .own = f};
            return true;
        }
    }
    const struct field_set *set = options_fields(p->request->options);
    struct field_ref ref;
    if (!field_set_find(set, name, len, false, &ref) || !accepts_field(p->word, set, ref.index))
        return false;
    *ret = (struct target){.row = set->items[ref.index], .ref = ref};
    return true;
}

static bool find_letter(const struct parser *p, char letter, enum stage stage, struct target *ret) {
    for (size_t i = 0; i < cli_flag_count; i++) {
        const struct cli_flag *f = &cli_flags[i];
        if (letter && f->row.letter == letter && is_own_flag(f, p->word, stage)) {
            *ret = (struct target){.row = &f->row, .own = f};
            return true;
        }
    }
    const struct field_set *set = options_fields(p->request->options);
    for (size_t i = 0; i < set->count; i++) {
        if (letter && set->items[i]->letter == letter && accepts_field(p->word, set, i)) {
            *ret = (struct target){.row = set->items[i], .ref = {.index = i}};
            return true;
        }
    }
    return false;
}

/* A bare bool is whole; everything else takes the next argument along. */
static bool is_bare(const struct target *t) {
    return t->row->kind == FIELD_BOOL;
}

/* --- "did you mean" --- */

static void suggest(struct strlist *found, const char *typed, const char *name) {
    bool is_prefix = strncmp(name, typed, strlen(typed)) == 0 && strlen(typed) > 0;
    if (found->count < SUGGESTIONS_MAX && (is_prefix || near_distance(typed, name) <= NEAR_MAX))
        strlist_add(found, name);
}

static bool fail_with_suggestions(const struct strlist *found, const char *dashes,
                                  struct err *err) {
    if (found->count)
        err_append(err, "\n\nDid you mean this?\n");
    for (size_t i = 0; i < found->count; i++)
        err_append(err, "\t%s%s\n", dashes, found->items[i]);
    return false;
}

static bool fail_word(const struct parser *p, const char *typed, struct err *err) {
    strlist_auto struct strlist near = {0};
    for (size_t i = 1; p->word == &cli_words[0] && i < cli_word_count; i++) {
        if (!*cli_words[i].parent)
            suggest(&near, typed, cli_words[i].name);
    }
    buf_auto struct buf quoted;
    buf_init(&quoted, NAME_MAX_SHOWN);
    gotext_quote(&quoted, typed);
    err_set(err, ERR_UNKNOWN, "unknown command %s for \"%s%s%s\"", quoted.data, p->connector->name,
            *p->word->path ? " " : "", p->word->path);
    return fail_with_suggestions(&near, "", err);
}

static bool fail_flag(const struct parser *p, const char *name, size_t len, struct err *err) {
    strlist_auto struct strlist near = {0};
    mem_auto char *typed = mem_strndup(name, len);
    const struct field_set *set = options_fields(p->request->options);
    for (size_t i = 0; len > 2 && i < set->count; i++) {
        if (!set->items[i]->is_hidden && accepts_field(p->word, set, i))
            suggest(&near, typed, set->items[i]->name);
    }
    err_set(err, ERR_UNKNOWN, "unknown flag: --%s", typed);
    return fail_with_suggestions(&near, "--", err);
}

/* --- the command word --- */

/* Index of the first argument that is neither flag nor value of a flag; `count` if there is none.
 */
static size_t first_word(const struct parser *p) {
    for (size_t i = 0; i < p->count; i++) {
        const char *s = p->args[i];
        if (strcmp(s, "--") == 0)
            break;
        if (s[0] != '-') {
            if (*s)
                return i;
            continue;
        }
        struct target t;
        bool takes_value = false;
        if (s[1] == '-' && !strchr(s, '='))
            takes_value = !find_long(p, s + 2, strlen(s + 2), STAGE_WORD, &t) || !is_bare(&t);
        else if (s[1] && !s[2] && s[1] != '=')
            takes_value = !find_letter(p, s[1], STAGE_WORD, &t) || !is_bare(&t);
        /* cobra looks no further when nothing can follow the value */
        if (takes_value && p->count - i <= 2)
            break;
        i += takes_value;
    }
    return p->count;
}

static bool find_word(struct parser *p, struct err *err) {
    for (;;) {
        size_t i = first_word(p);
        const struct cli_word *next = i < p->count ? cli_word_child(p->word, p->args[i]) : NULL;
        if (!next)
            return i == p->count || p->word != &cli_words[0] || fail_word(p, p->args[i], err);
        p->word = next;
        p->count--;
        memmove(&p->args[i], &p->args[i + 1], (p->count - i) * sizeof *p->args);
    }
}

/* --- flags --- */

static bool take_own(struct parser *p, const struct cli_flag *flag, const char *text,
                     struct err *err) {
    struct cli_request *r = p->request;
    bool on = false;
    struct err why = ERR_INIT;
    if ((flag->row.kind == FIELD_BOOL && !gotext_bool(text, &on, &why)) ||
        (flag->row.kind == FIELD_INT && !gotext_int(text, &r->timeout_s, &why)))
        return field_fail_argument(&flag->row, text, why.msg, err);
    switch (flag->target) {
    case CLI_FLAG_HELP:
        p->wants_help = on;
        break;
    case CLI_FLAG_HELP_ALL:
        r->want_all = on;
        break;
    case CLI_FLAG_VERSION:
        p->wants_version = on;
        break;
    case CLI_FLAG_NO_DESCRIPTIONS:
        r->no_descriptions = on;
        break;
    case CLI_FLAG_ENDPOINT:
        r->endpoint = text;
        break;
    case CLI_FLAG_TIMEOUT:
        break;
    }
    return true;
}

/* `text` may lie in argv: a secret is wiped there once it is copied. */
static bool take(struct parser *p, const struct target *t, char *text, struct err *err) {
    if (t->own)
        return take_own(p, t->own, text, err);
    if (!options_take_flag(p->request->options, &t->ref, text, err))
        return false;
    if (t->row->is_secret && !t->ref.is_file)
        memset(text, '*', strlen(text));
    return true;
}

/* The argument behind position *i, which moves on to it. */
static char *next_argument(const struct parser *p, size_t *i) {
    return *i + 1 < p->count ? p->args[++*i] : NULL;
}

static char bare_value[] = "true";

static bool parse_long(struct parser *p, size_t *i, struct err *err) {
    char *s = p->args[*i], *name = s + 2;
    if (*name == '-' || *name == '=')
        return err_set(err, ERR_UNKNOWN, "bad flag syntax: %s", s);
    size_t len = strcspn(name, "=");
    struct target t;
    if (!find_long(p, name, len, STAGE_FLAGS, &t))
        return fail_flag(p, name, len, err);
    if (name[len] == '=')
        return take(p, &t, name + len + 1, err);
    if (is_bare(&t))
        return take(p, &t, bare_value, err);
    char *value = next_argument(p, i);
    if (!value)
        return err_set(err, ERR_UNKNOWN, "flag needs an argument: %s", s);
    return take(p, &t, value, err);
}

/* "-pf out.c1z", "-fout.c1z", "-f=out.c1z" */
static bool parse_letters(struct parser *p, size_t *i, struct err *err) {
    for (char *s = p->args[*i] + 1; *s; s++) {
        struct target t;
        if (!find_letter(p, *s, STAGE_FLAGS, &t))
            return err_set(err, ERR_UNKNOWN, "unknown shorthand flag: '%c' in -%s",
                           *s > ' ' && *s < 0x7F ? *s : '?', s);
        if (s[1] == '=' && s[2])
            return take(p, &t, s + 2, err);
        if (is_bare(&t)) {
            if (!take(p, &t, bare_value, err))
                return false;
            continue;
        }
        char *value = s[1] ? s + 1 : next_argument(p, i);
        if (!value)
            return err_set(err, ERR_UNKNOWN, "flag needs an argument: '%c' in -%s", *s, s);
        return take(p, &t, value, err);
    }
    return true;
}

static bool parse_flags(struct parser *p, struct err *err) {
    for (size_t i = 0; i < p->count; i++) {
        const char *s = p->args[i];
        if (strcmp(s, "--") == 0) {
            for (i++; i < p->count; i++)
                strlist_add(&p->positional, p->args[i]);
            break;
        }
        if (s[0] != '-' || !s[1])
            strlist_add(&p->positional, s);
        else if (!(s[1] == '-' ? parse_long : parse_letters)(p, &i, err))
            return false;
    }
    return true;
}

/* --- what to do --- */

/* `help completion bash`: the words say what about. */
static void choose_topic(struct parser *p) {
    const struct cli_word *topic = &cli_words[0];
    size_t known = 0;
    for (; known < p->positional.count; known++) {
        const struct cli_word *next = cli_word_child(topic, p->positional.items[known]);
        if (!next)
            break;
        topic = next;
    }
    p->request->topic = topic;
    if (known == p->positional.count || topic != &cli_words[0])
        return;
    buf_auto struct buf text;
    buf_init(&text, ERR_MSG_MAX);
    for (size_t i = 0; i < p->positional.count; i++)
        buf_addf(&text, "%s`%s`", i ? " " : "", p->positional.items[i]);
    p->request->unknown_topic = mem_strdup(text.data);
}

static bool choose_command(struct parser *p, struct err *err) {
    struct cli_request *r = p->request;
    r->command = p->word->command;
    r->topic = p->word;
    if (p->wants_help || r->want_all || p->word->is_group)
        r->command = CLI_HELP;
    else if (p->wants_version)
        r->command = CLI_VERSION;
    else if (p->word->takes_no_words && p->positional.count)
        return fail_word(p, p->positional.items[0], err);
    else if (p->word->command == CLI_HELP)
        choose_topic(p);
    else if (p->word->command == CLI_COMPLETION)
        r->shell = p->word->name;
    return true;
}

/* Reads the settings that the command needs, and checks them if they are to be used. */
static bool settle(struct parser *p, struct err *err) {
    struct options *o = p->request->options;
    switch (p->request->command) {
    case CLI_RUN:
        return option_checks_presence(o, p->connector, err) && options_settle(o, false, err) &&
               option_checks_values(o, p->connector, err);
    case CLI_HEALTH_CHECK:
        return options_settle(o, true, err);
    default:
        return true;
    }
}

static bool parse(struct parser *p, struct err *err) {
    const char *config_path;
    if (!option_sources_config_path(&config_path, err))
        return false;
    /* First of all, so that no message shows a secret that is known. */
    option_sources_read(p->request->options, config_path);
    return find_word(p, err) && parse_flags(p, err) && choose_command(p, err) && settle(p, err);
}

/* A message about one argument may come before a secret in another is taken. */
static void hide_arguments(const struct parser *p) {
    struct options *o = p->request->options;
    for (size_t i = 0; i < p->count; i++) {
        const char *s = p->args[i];
        if (s[0] != '-' || s[1] != '-')
            continue;
        size_t len = strcspn(s + 2, "=");
        struct field_ref ref;
        const char *value = s[2 + len] ? s + 2 + len + 1 : i + 1 < p->count ? p->args[i + 1] : NULL;
        if (value && field_set_find(options_fields(o), s + 2, len, false, &ref))
            options_hide(o, &ref, value);
    }
}

/* The one place where what was written by the user, and is shown to him, loses its secrets. */
static void mask(struct cli_request *r, struct err *err) {
    options_mask_warnings(r->options);
    if (r->unknown_topic)
        options_mask(r->options, r->unknown_topic);
    if (err)
        options_mask(r->options, err->msg);
}

static void keep_warnings(struct cli_request *r) {
    const char *const *items;
    size_t n = options_warnings(r->options, &items);
    for (size_t i = 0; i < n; i++)
        strlist_add(&r->warnings, items[i]);
}

bool cli_parse(int argc, char **argv, const struct baton_connector *connector,
               struct cli_request *ret_request, struct err *err) {
    struct cli_request *r = ret_request;
    *r = (struct cli_request){.endpoint = "health", .timeout_s = 5};
    r->options = options_new(connector->fields, connector->field_count);
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    mem_auto char **args = mem_realloc_array(NULL, count, sizeof *args);
    for (size_t i = 0; i < count; i++)
        args[i] = argv[i + 1];
    struct parser p = {
        .connector = connector, .request = r, .word = &cli_words[0], .args = args, .count = count};
    hide_arguments(&p);
    bool ok = parse(&p, err);
    strlist_done(&p.positional);
    mask(r, err);
    keep_warnings(r);
    if (!ok) {
        struct strlist warnings = r->warnings;
        r->warnings = (struct strlist){0};
        cli_request_done(r);
        r->warnings = warnings;
    }
    return ok;
}

void cli_request_done(struct cli_request *r) {
    if (!r)
        return;
    options_free(r->options);
    strlist_done(&r->warnings);
    free(r->unknown_topic);
    *r = (struct cli_request){0};
}

static bool answer(const struct cli_request *r, const struct baton_connector *connector,
                   const char *version, FILE *out, FILE *out_err, struct err *err) {
    const struct field_set *fields = options_fields(r->options);
    struct help_request help = {
        .connector = connector, .fields = fields, .topic = r->topic, .want_all = r->want_all};
    switch (r->command) {
    case CLI_VERSION:
        fprintf(out, "%s version %s\n", connector->name, version);
        return true;
    case CLI_HELP:
        if (r->unknown_topic)
            fprintf(out_err, "Unknown help topic [%s]\n", r->unknown_topic);
        help_print(&help, r->unknown_topic ? out_err : out);
        return true;
    case CLI_CONFIG:
        schema_print(connector, fields, out);
        return true;
    case CLI_COMPLETION:
        completion_print(connector->name, fields, r->shell, !r->no_descriptions, out);
        return true;
    case CLI_HEALTH_CHECK:
        return health_check(options_str(r->options, "health-check-bind-address"),
                            options_int(r->options, "health-check-port"), r->endpoint, r->timeout_s,
                            err);
    case CLI_RUN:
    case CLI_CAPABILITIES:
        break;
    }
    assert(false && "not a command of cli_answer()");
    return false;
}

bool cli_answer(const struct cli_request *r, const struct baton_connector *connector,
                const char *version, FILE *out, FILE *out_err, struct err *err) {
    if (!answer(r, connector, version, out, out_err, err)) {
        if (err)
            options_mask(r->options, err->msg);
        return false;
    }
    /* A full disk behind `config > file` must not look like success. */
    if (fflush(out) != 0 || ferror(out))
        return err_set(err, ERR_UNKNOWN, "cannot write to standard output");
    return true;
}

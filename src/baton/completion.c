#include "baton/completion.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "baton/cli_words.h"

/* One flag as the scripts see it. */
struct entry {
    const struct field *row;
    const struct cli_flag *own; /* NULL: a setting */
    bool is_file;               /* the -file companion of a secret */
    bool is_root_only;          /* a connector's setting */
};

struct script {
    FILE *out;
    const char *program;
    char *function; /* "_baton_crisp" */
    bool with_descriptions;
    struct entry *entries;
    size_t count;
};

static void add_entry(struct script *s, struct entry e) {
    if (s->count % 64 == 0)
        s->entries = mem_realloc_array(s->entries, s->count + 64, sizeof *s->entries);
    s->entries[s->count++] = e;
}

static void collect(struct script *s, const struct field_set *fields) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *f = fields->items[i];
        struct entry e = {.row = f, .is_root_only = !field_set_is_sdk(fields, i)};
        if (f->is_hidden || f->effect != FIELD_NORMAL)
            continue; /* nobody should be led to flags that do nothing */
        add_entry(s, e);
        e.is_file = true;
        if (f->is_secret)
            add_entry(s, e);
    }
    for (size_t i = 0; i < cli_flag_count; i++)
        add_entry(s, (struct entry){.row = &cli_flags[i].row, .own = &cli_flags[i]});
}

static bool applies(const struct entry *e, const struct cli_word *word) {
    if (e->own)
        return cli_word_has_flag(word, e->own);
    return !e->is_root_only || word == &cli_words[0];
}

/* What a command has beyond the flags of every command; with NULL, the latter. */
static bool belongs(const struct entry *e, const struct cli_word *only) {
    bool is_everywhere = applies(e, &cli_words[0]) && applies(e, &cli_words[1]);
    return only ? !is_everywhere && applies(e, only) : is_everywhere;
}

static const char *suffix(const struct entry *e) {
    return e->is_file ? "-file" : "";
}

static bool takes_value(const struct entry *e) {
    return e->row->kind != FIELD_BOOL;
}

static enum field_hint hint_of(const struct entry *e) {
    return e->is_file ? FIELD_HINT_FILE : e->row->hint;
}

/* The words to choose from, or NULL. */
static const char *const *choice_of(const struct entry *e) {
    if (e->is_file)
        return NULL;
    return e->row->one_of ? e->row->one_of : e->row->offers;
}

static void put_choice(const struct script *s, const struct entry *e) {
    const char *between = "";
    for (const char *const *w = choice_of(e); *w; w++) {
        if (!**w)
            continue;
        fprintf(s->out, "%s%s", between, *w);
        between = " ";
    }
}

/* The description inside single quotes: a backslash before each of the characters in `special`, and
 * whatever the shell wants before a quote. */
static void put_description(const struct script *s, const struct entry *e, const char *special,
                            const char *before_quote) {
    mem_auto char *of_file = mem_printf("File that holds --%s", e->row->name);
    for (const char *p = e->is_file ? of_file : e->row->description; *p; p++) {
        if (*p == '\'')
            fputs(before_quote, s->out);
        else if (strchr(special, *p))
            fputc('\\', s->out);
        fputc(*p, s->out);
    }
}

static void put_words_of(const struct script *s, const struct cli_word *parent) {
    const char *between = "";
    for (size_t i = 1; i < cli_word_count; i++) {
        if (strcmp(cli_words[i].parent, parent->name) == 0) {
            fprintf(s->out, "%s%s", between, cli_words[i].name);
            between = " ";
        }
    }
}

/* --- bash --- */

/* "--a|-x|--b" for the flags that `wanted` chooses; false if there is none. */
static bool bash_patterns(const struct script *s, bool (*wanted)(const struct entry *)) {
    static const char first[] = "        ", later[] = " | ";
    const char *between = first;
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = &s->entries[i];
        if (!wanted(e))
            continue;
        if (e->row->letter && !e->is_file) {
            fprintf(s->out, "%s-%c", between, e->row->letter);
            between = later;
        }
        fprintf(s->out, "%s--%s%s", between, e->row->name, suffix(e));
        between = later;
    }
    return between == later;
}

static bool wants_file(const struct entry *e) {
    return hint_of(e) == FIELD_HINT_FILE;
}

static bool wants_dir(const struct entry *e) {
    return hint_of(e) == FIELD_HINT_DIR;
}

static bool wants_choice(const struct entry *e) {
    return choice_of(e) != NULL;
}

static bool wants_free_text(const struct entry *e) {
    return takes_value(e) && !wants_file(e) && !wants_dir(e) && !wants_choice(e);
}

static void bash_values(const struct script *s) {
    fputs("    case $prev in\n", s->out);
    for (size_t i = 0; i < s->count; i++) {
        if (!wants_choice(&s->entries[i]))
            continue;
        fprintf(s->out, "        --%s) %s_add -W '", s->entries[i].row->name, s->function);
        put_choice(s, &s->entries[i]);
        fputs("' -- \"$cur\"; return ;;\n", s->out);
    }
    if (bash_patterns(s, wants_file))
        fprintf(s->out,
                ")\n            compopt -o filenames 2> /dev/null\n"
                "            %s_add -f -- \"$cur\"; return ;;\n",
                s->function);
    if (bash_patterns(s, wants_dir))
        fprintf(s->out,
                ")\n            compopt -o filenames 2> /dev/null\n"
                "            %s_add -d -- \"$cur\"; return ;;\n",
                s->function);
    if (bash_patterns(s, wants_free_text))
        fputs(") return ;;\n", s->out);
    fputs("    esac\n", s->out);
}

/* Words before the cursor that are neither flags nor their values: the command so far. */
static void bash_command(const struct script *s) {
    fputs("    local command= skip= i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        if [ -n \"$skip\" ]; then\n"
          "            # --flag=value is three words here\n"
          "            [ \"${COMP_WORDS[i]}\" = = ] || skip=\n"
          "            continue\n"
          "        fi\n"
          "        case ${COMP_WORDS[i]} in\n",
          s->out);
    if (bash_patterns(s, takes_value))
        fputs(") skip=1 ;;\n", s->out);
    fputs("        -*) ;;\n"
          "        *) command=\"${command:+$command }${COMP_WORDS[i]}\" ;;\n"
          "        esac\n"
          "    done\n",
          s->out);
}

static void bash_flag_list(const struct script *s, const struct cli_word *only) {
    const char *between = "";
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = &s->entries[i];
        if (!belongs(e, only))
            continue;
        fprintf(s->out, "%s--%s%s", between, e->row->name, suffix(e));
        between = " ";
    }
}

static void bash_flags(const struct script *s) {
    fputs("    local words= flags= everywhere='", s->out);
    bash_flag_list(s, NULL);
    fputs("'\n    case $command in\n", s->out);
    for (size_t i = 0; i < cli_word_count; i++) {
        const struct cli_word *w = &cli_words[i];
        fprintf(s->out, "        '%s') words='", w->path);
        put_words_of(s, w->command == CLI_HELP ? &cli_words[0] : w);
        fputs("' flags='", s->out);
        bash_flag_list(s, w);
        fputs("' ;;\n", s->out);
    }
    fputs("    esac\n", s->out);
}

static void bash(const struct script *s) {
    fprintf(s->out, "# bash completion for %s\n\n", s->program);
    fprintf(s->out,
            "%s_add() {\n"
            "    local line\n"
            "    while IFS= read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen \"$@\")\n"
            "}\n\n"
            "%s() {\n"
            "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
            "    COMPREPLY=()\n"
            "    if [ \"$cur\" = = ]; then\n"
            "        cur=\n"
            "    elif [ \"$prev\" = = ] && [ \"$COMP_CWORD\" -ge 2 ]; then\n"
            "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
            "    fi\n",
            s->function, s->function);
    bash_values(s);
    bash_command(s);
    bash_flags(s);
    fprintf(s->out,
            "    case $cur in\n"
            "        -*) %s_add -W \"$flags $everywhere\" -- \"$cur\" ;;\n"
            "        *) %s_add -W \"$words\" -- \"$cur\" ;;\n"
            "    esac\n"
            "}\n\n"
            "complete -F %s %s\n",
            s->function, s->function, s->function, s->program);
}

/* --- zsh --- */

static void zsh_action(const struct script *s, const struct entry *e) {
    if (!takes_value(e))
        return;
    fprintf(s->out, ":%s:", *field_value_word(e->row) ? field_value_word(e->row) : "value");
    if (choice_of(e)) {
        fputc('(', s->out);
        put_choice(s, e);
        fputc(')', s->out);
    } else if (hint_of(e) == FIELD_HINT_FILE) {
        fputs("_files", s->out);
    } else if (hint_of(e) == FIELD_HINT_DIR) {
        fputs("_files -/", s->out);
    }
}

static void zsh_spec(const struct script *s, const struct entry *e, bool is_letter) {
    fputs("        '", s->out);
    if (e->row->kind == FIELD_LIST)
        fputc('*', s->out);
    else if (e->row->letter && !e->is_file)
        fprintf(s->out, "(-%c --%s)", e->row->letter, e->row->name);
    if (is_letter)
        fprintf(s->out, "-%c%s", e->row->letter, takes_value(e) ? "+" : "");
    else
        fprintf(s->out, "--%s%s%s", e->row->name, suffix(e), takes_value(e) ? "=" : "");
    if (s->with_descriptions) {
        fputc('[', s->out);
        put_description(s, e, "[]:\\", "'\\'");
        fputc(']', s->out);
    }
    zsh_action(s, e);
    fputs("'\n", s->out);
}

static void zsh_flags(const struct script *s, const struct cli_word *only) {
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = &s->entries[i];
        if (!belongs(e, only))
            continue;
        if (e->row->letter && !e->is_file)
            zsh_spec(s, e, true);
        zsh_spec(s, e, false);
    }
}

static void zsh_words(const struct script *s, const struct cli_word *parent) {
    for (size_t i = 1; i < cli_word_count; i++) {
        const struct cli_word *w = &cli_words[i];
        if (strcmp(w->parent, parent->name) == 0)
            fprintf(s->out, "        '%s%s%s'\n", w->name, s->with_descriptions ? ":" : "",
                    s->with_descriptions ? w->brief : "");
    }
}

static void zsh_commands(const struct script *s) {
    fputs("    case $command in\n", s->out);
    for (size_t i = 0; i < cli_word_count; i++) {
        const struct cli_word *w = &cli_words[i];
        if (*w->name && *w->parent)
            continue;
        /* Below `completion` stand the shells, with the flags that they share. */
        const struct cli_word *shown = w->is_group ? cli_word_child(w, "zsh") : w;
        fprintf(s->out, "    ('%s')\n    commands=(\n", w->name);
        zsh_words(s, w->command == CLI_HELP ? &cli_words[0] : w);
        fputs("    )\n    flags+=(\n", s->out);
        zsh_flags(s, shown);
        fputs("    ) ;;\n", s->out);
    }
    fputs("    esac\n", s->out);
}

static void zsh(const struct script *s) {
    fprintf(
        s->out,
        "#compdef %s\n\n"
        "%s() {\n"
        "    # The command word may stand anywhere.\n"
        "    local word command=\n"
        "    for word in ${words[2,CURRENT-1]}; do\n"
        "        case $word in\n"
        "            (capabilities|completion|config|health-check|help) command=$word; break ;;\n"
        "        esac\n"
        "    done\n"
        "    local -a flags commands\n"
        "    flags=(\n",
        s->program, s->function);
    zsh_flags(s, NULL);
    fputs("    )\n", s->out);
    zsh_commands(s);
    fprintf(s->out,
            "    local state\n"
            "    _arguments -S $flags '*:command:->command'\n"
            "    [[ $state = command ]] && _describe -t commands command commands\n"
            "}\n\n"
            "if [[ $funcstack[1] = %s ]]; then\n"
            "    %s \"$@\"\n"
            "else\n"
            "    compdef %s %s\n"
            "fi\n",
            s->function, s->function, s->function, s->program);
}

/* --- fish --- */

static void fish_description(const struct script *s, const struct entry *e) {
    if (!s->with_descriptions)
        return;
    fputs(" -d '", s->out);
    put_description(s, e, "\\", "\\");
    fputc('\'', s->out);
}

static void fish_condition(const struct script *s, const struct entry *e) {
    if (e->is_root_only || (e->own && e->own->target == CLI_FLAG_VERSION))
        fputs(" -n __fish_use_subcommand", s->out);
    else if (e->own && e->own->target == CLI_FLAG_NO_DESCRIPTIONS)
        fputs(" -n '__fish_seen_subcommand_from completion'", s->out);
    else if (e->own && (e->own->target == CLI_FLAG_ENDPOINT || e->own->target == CLI_FLAG_TIMEOUT))
        fputs(" -n '__fish_seen_subcommand_from health-check'", s->out);
}

static void fish_flag(const struct script *s, const struct entry *e) {
    fprintf(s->out, "complete -c %s", s->program);
    fish_condition(s, e);
    fprintf(s->out, " -l %s%s", e->row->name, suffix(e));
    if (e->row->letter && !e->is_file)
        fprintf(s->out, " -s %c", e->row->letter);
    if (choice_of(e)) {
        fputs(" -x -a '", s->out);
        put_choice(s, e);
        fputc('\'', s->out);
    } else if (hint_of(e) == FIELD_HINT_FILE) {
        fputs(" -r -F", s->out);
    } else if (hint_of(e) == FIELD_HINT_DIR) {
        fputs(" -x -a '(__fish_complete_directories)'", s->out);
    } else if (takes_value(e)) {
        fputs(" -x", s->out);
    }
    fish_description(s, e);
    fputc('\n', s->out);
}

/* A command word that may stand behind the word `parent`. */
static void fish_word(const struct script *s, const char *parent, const struct cli_word *w) {
    fprintf(s->out, "complete -c %s -n ", s->program);
    if (*parent)
        fprintf(s->out, "'__fish_seen_subcommand_from %s'", parent);
    else
        fputs("__fish_use_subcommand", s->out);
    fprintf(s->out, " -a %s", w->name);
    if (s->with_descriptions)
        fprintf(s->out, " -d '%s'", w->brief);
    fputc('\n', s->out);
}

static void fish(const struct script *s) {
    fprintf(s->out, "# fish completion for %s\n\ncomplete -c %s -f\n", s->program, s->program);
    for (size_t i = 1; i < cli_word_count; i++) {
        fish_word(s, cli_words[i].parent, &cli_words[i]);
        if (!*cli_words[i].parent)
            fish_word(s, "help", &cli_words[i]);
    }
    for (size_t i = 0; i < s->count; i++)
        fish_flag(s, &s->entries[i]);
}

/* --- PowerShell --- */

static void powershell_row(const struct script *s, const char *under, const char *name,
                           const char *end_of_name) {
    fprintf(s->out, "        [pscustomobject]@{ Under = '%s'; Name = '%s%s'; Tip = '", under, name,
            end_of_name);
}

static void powershell_flag(const struct script *s, const struct entry *e) {
    const char *under = "*";
    if (e->is_root_only || (e->own && e->own->target == CLI_FLAG_VERSION))
        under = "";
    else if (e->own && e->own->target == CLI_FLAG_NO_DESCRIPTIONS)
        under = "completion";
    else if (e->own && !cli_word_has_flag(&cli_words[0], e->own))
        under = "health-check";
    mem_auto char *name = mem_printf("--%s", e->row->name);
    powershell_row(s, under, name, suffix(e));
    if (s->with_descriptions)
        put_description(s, e, "", "'");
    fputs("'; Values = '", s->out);
    if (choice_of(e))
        put_choice(s, e);
    fputs("' }\n", s->out);
}

static void powershell_table(const struct script *s) {
    for (size_t i = 1; i < cli_word_count; i++) {
        powershell_row(s, cli_words[i].parent, cli_words[i].name, "");
        fprintf(s->out, "%s'; Values = '' }\n", s->with_descriptions ? cli_words[i].brief : "");
    }
    for (size_t i = 0; i < s->count; i++)
        powershell_flag(s, &s->entries[i]);
}

static void powershell(const struct script *s) {
    fprintf(s->out,
            "# PowerShell completion for %s\n\n"
            "Register-ArgumentCompleter -Native -CommandName '%s' -ScriptBlock {\n"
            "    param($wordToComplete, $commandAst, $cursorPosition)\n"
            "    $table = @(\n",
            s->program, s->program);
    powershell_table(s);
    fputs(
        "    )\n"
        "    $before = @($commandAst.CommandElements | Select-Object -Skip 1 |\n"
        "        ForEach-Object { $_.ToString() })\n"
        "    if ($wordToComplete) { $before = @($before | Select-Object -SkipLast 1) }\n"
        "    $command = ''\n"
        "    foreach ($row in $table) {\n"
        "        if ($row.Under -eq '' -and $row.Name -notlike '-*' -and $before -contains "
        "$row.Name) {\n"
        "            $command = $row.Name\n"
        "        }\n"
        "    }\n"
        "    $last = $before | Select-Object -Last 1\n"
        "    $flag = $table | Where-Object { $_.Values -and $_.Name -eq $last } |\n"
        "        Select-Object -First 1\n"
        "    if ($flag) {\n"
        "        $found = @($flag.Values -split ' ' |\n"
        "            ForEach-Object { [pscustomobject]@{ Name = $_; Tip = '' } })\n"
        "    } else {\n"
        "        $found = @($table | Where-Object { $_.Under -eq $command -or $_.Under -eq '*' })\n"
        "    }\n"
        "    $found | Where-Object { $_.Name -like \"$wordToComplete*\" } | ForEach-Object {\n"
        "        $tip = if ($_.Tip) { $_.Tip } else { $_.Name }\n"
        "        [System.Management.Automation.CompletionResult]::new(\n"
        "            $_.Name, $_.Name, 'ParameterValue', $tip)\n"
        "    }\n"
        "}\n",
        s->out);
}

void completion_print(const char *program, const struct field_set *fields, const char *shell,
                      bool with_descriptions, FILE *out) {
    static const struct {
        const char *name;
        void (*print)(const struct script *);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}, {"powershell", powershell}};
    struct script s = {.out = out, .program = program, .with_descriptions = with_descriptions};
    s.function = mem_printf("_%s", program);
    for (char *p = s.function; *p; p++) {
        if (*p == '-')
            *p = '_';
    }
    collect(&s, fields);
    bool found = false;
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].print(&s);
            found = true;
        }
    }
    assert(found);
    free(s.entries);
    free(s.function);
}

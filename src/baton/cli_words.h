/* cli_words: the command words and the flags that belong to a command, as tables.
 *
 * Help, completion and the parser read them; settings are in the field tables instead.
 */
#ifndef BATON_CLI_WORDS_H
#define BATON_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "baton/cli.h"
#include "baton/field.h"

struct cli_word {
    const char *name; /* "" for the program itself */
    const char *path; /* "completion bash" */
    const char *parent;
    enum cli_command command;
    const char *arguments; /* in the usage line: "[command]"; "" */
    const char *brief;     /* in the list of commands */
    const char *about;     /* in the command's own help, with line ends; NULL: `brief` */
    const char *example;   /* arguments behind the program's name, lines; NULL: none */
    bool is_group;         /* does nothing but hold other words; alone it shows its help */
    bool takes_no_words;   /* others ignore words they do not know, as in cobra */
    const char *const *also_common; /* SDK flags that its help lists; NULL-terminated or NULL */
};

/* Alphabetical below their parent; the first is the program itself. */
extern const struct cli_word cli_words[];
extern const size_t cli_word_count;

/* NULL if `parent` has no such word. */
const struct cli_word *cli_word_child(const struct cli_word *parent, const char *name);

enum cli_flag_target {
    CLI_FLAG_HELP,
    CLI_FLAG_HELP_ALL,
    CLI_FLAG_VERSION,
    CLI_FLAG_ENDPOINT,
    CLI_FLAG_TIMEOUT,
    CLI_FLAG_NO_DESCRIPTIONS,
};

struct cli_flag {
    enum cli_flag_target target;
    struct field row; /* name, letter, kind, default and description; no environment name */
};

extern const struct cli_flag cli_flags[];
extern const size_t cli_flag_count;

bool cli_word_has_flag(const struct cli_word *word, const struct cli_flag *flag);

#endif

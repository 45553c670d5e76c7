#include "baton/cli_words.h"

#include <string.h>

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct cli_word cli_words[] = {
    {"", "", NULL, CLI_RUN, "", "", NULL, NULL, false, false, NULL},
    {"capabilities", "capabilities", "", CLI_CAPABILITIES, "",
     "Print what this connector can do, as JSON", NULL, NULL, false, false, NULL},
    {"completion", "completion", "", CLI_COMPLETION, "[command]",
     "Print a completion script for a shell",
     "Print a script that makes the shell complete commands, flags and values.", NULL, true, true,
     NULL},
    {"bash", "completion bash", "completion", CLI_COMPLETION, "", "Completion script for bash",
     "Print the completion script for bash. To have it in new shells:",
     "completion bash > ~/.local/share/bash-completion/completions/%s", false, true, NULL},
    {"fish", "completion fish", "completion", CLI_COMPLETION, "", "Completion script for fish",
     "Print the completion script for fish. To have it in new shells:",
     "completion fish > ~/.config/fish/completions/%s.fish", false, true, NULL},
    {"powershell", "completion powershell", "completion", CLI_COMPLETION, "",
     "Completion script for PowerShell",
     "Print the completion script for PowerShell. To have it in this shell:",
     "completion powershell | Out-String | Invoke-Expression", false, true, NULL},
    {"zsh", "completion zsh", "completion", CLI_COMPLETION, "", "Completion script for zsh",
     "Print the completion script for zsh. To have it in new shells, write it to where $fpath "
     "says:",
     "completion zsh > \"${fpath[1]}/_%s\"", false, true, NULL},
    {"config", "config", "", CLI_CONFIG, "", "Print the settings of this connector, as JSON", NULL,
     NULL, false, false, NULL},
    {"health-check", "health-check", "", CLI_HEALTH_CHECK, "",
     "Ask a connector in service mode how it is",
     "Ask the health check server of a running connector, for containers and probes. Silent and "
     "exit\n"
     "status 0 if the answer is HTTP 200; else a message on stderr and another status.",
     "health-check --endpoint=live --health-check-port=9090", false, false,
     NAMES("health-check-port")},
    {"help", "help", "", CLI_HELP, "[command]", "Help about any command",
     "Show the help of a command.", NULL, false, false, NULL},
};
const size_t cli_word_count = sizeof cli_words / sizeof cli_words[0];

const struct cli_word *cli_word_child(const struct cli_word *parent, const char *name) {
    for (size_t i = 1; i < cli_word_count; i++) {
        if (strcmp(cli_words[i].parent, parent->name) == 0 && strcmp(cli_words[i].name, name) == 0)
            return &cli_words[i];
    }
    return NULL;
}

#define ROW(...)                                                                                   \
    { .display_name = "", __VA_ARGS__ }

const struct cli_flag cli_flags[] = {
    {CLI_FLAG_ENDPOINT, ROW(.name = "endpoint", .kind = FIELD_STRING, .default_value = "health",
                            .description = "What to ask for: health, ready or live",
                            .one_of = NAMES("health", "ready", "live"))},
    {CLI_FLAG_NO_DESCRIPTIONS, ROW(.name = "no-descriptions", .kind = FIELD_BOOL,
                                   .description = "Leave descriptions out of the script")},
    {CLI_FLAG_TIMEOUT, ROW(.name = "timeout", .kind = FIELD_INT, .default_value = "5",
                           .description = "Seconds to wait for the answer")},
    {CLI_FLAG_HELP,
     ROW(.name = "help", .letter = 'h', .kind = FIELD_BOOL, .description = "Show this help")},
    {CLI_FLAG_HELP_ALL, ROW(.name = "help-all", .kind = FIELD_BOOL,
                            .description = "Show help with every flag and what it does")},
    {CLI_FLAG_VERSION,
     ROW(.name = "version", .letter = 'v', .kind = FIELD_BOOL, .description = "Show the version")},
};
const size_t cli_flag_count = sizeof cli_flags / sizeof cli_flags[0];

bool cli_word_has_flag(const struct cli_word *word, const struct cli_flag *flag) {
    switch (flag->target) {
    case CLI_FLAG_HELP:
    case CLI_FLAG_HELP_ALL:
        return true;
    case CLI_FLAG_VERSION:
        return word == &cli_words[0];
    case CLI_FLAG_ENDPOINT:
    case CLI_FLAG_TIMEOUT:
        return word->command == CLI_HEALTH_CHECK;
    case CLI_FLAG_NO_DESCRIPTIONS:
        return word->command == CLI_COMPLETION && !word->is_group;
    }
    return false;
}

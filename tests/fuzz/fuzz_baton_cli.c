/* The bytes are a command line, one argument a line; a line NAME=VALUE that begins with BATON_ goes
 * into the environment instead. The request is answered where that needs no network. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baton/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct field fields[] = {
    {.name = "key",
     .display_name = "",
     .description = "k",
     .is_required = true,
     .is_secret = true,
     .aliases = NAMES("old-key")},
    {.name = "tier",
     .display_name = "",
     .description = "t",
     .default_value = "plugin",
     .one_of = NAMES("plugin", "user")},
    {.name = "count",
     .kind = FIELD_INT,
     .display_name = "",
     .description = "",
     .has_max = true,
     .max = 9},
    {.name = "on", .kind = FIELD_BOOL, .letter = 'o', .display_name = "", .description = ""},
    {.name = "tags", .kind = FIELD_LIST, .display_name = "", .description = ""},
};
static const struct field_relation relations[] = {
    {FIELD_EXCLUSIVE, NAMES("tags", "on"), NULL},
    {FIELD_DEPENDS_ON, NAMES("count"), NAMES("tags")},
};
static const struct baton_connector connector = {
    .name = "baton-fuzz",
    .version = "1",
    .display_name = "Fuzz",
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .relations = relations,
    .relation_count = sizeof relations / sizeof relations[0],
};

enum { WORDS_MAX = 64 };

static void answer(const struct cli_request *request) {
    char *text = NULL;
    size_t n = 0;
    if (request->command == CLI_RUN || request->command == CLI_CAPABILITIES ||
        request->command == CLI_HEALTH_CHECK)
        return;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        abort();
    cli_answer(request, &connector, connector.version, out, out, NULL);
    fclose(out);
    assert(n > 0);
    free(text);
}

static void parse(int argc, char **argv) {
    struct cli_request request;
    struct err err = ERR_INIT;
    if (cli_parse(argc, argv, &connector, &request, &err))
        answer(&request);
    else
        assert(err.code != ERR_OK && err.msg[0]);
    cli_request_done(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size + 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    copy[size] = '\0';
    char *args[WORDS_MAX + 1] = {(char[]){"baton-fuzz"}}, *env[WORDS_MAX + 1] = {NULL};
    int argc = 1, envc = 0;
    bool opens_device = false; /* reading a terminal would wait for ever */
    for (char *rest = copy, *word; (word = strsep(&rest, "\n")) != NULL;) {
        opens_device = opens_device || strstr(word, "dev") || strstr(word, "proc");
        if (strncmp(word, "BATON_", 6) == 0 && strchr(word, '=') && envc < WORDS_MAX)
            env[envc++] = word;
        else if (argc < WORDS_MAX)
            args[argc++] = word;
    }
    char **before = environ;
    environ = env;
    if (!opens_device)
        parse(argc, args);
    environ = before;
    free(copy);
    return 0;
}

/* options: the command line of crisp-sandbox. One table makes the parser and the help. */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "sandbox/sandbox.h"
#include "sandbox/server.h"
#include "sandbox/token.h"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_PRINT_ENV,
    OPTIONS_HELP,
    OPTIONS_HELP_FAULTS,
    OPTIONS_VERSION,
};

struct options {
    enum options_action action;
    struct sandbox_options sandbox;
    struct server_options server;
    enum tier env_tier;
    const char *ready_file; /* NULL: none */
    bool exit_with_parent;
    char **faults; /* owned; its strings are borrowed from argv */
};

/* Borrows argv. */
bool options_parse(int argc, char **argv, struct options *ret, struct err *err);
void options_done(struct options *o);

void options_print_help(FILE *out);
void options_print_faults(FILE *out);

#endif

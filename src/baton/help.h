/* help: what --help and --help-all print.
 *
 * The layout is cobra's (connector-cli.md 1): name, Usage, Available Commands, Flags (below a
 * command Global Flags), a closing line; each flag of a setting ends with its variable, as in
 * `($BATON_FILE)`, required ones begin with "required: ". Unlike cobra, --help shows what a person
 * needs for a first sync on one screen, in the order in which they need it: the connector's own
 * settings, then the most used of the others, then an example. --help-all adds everything else,
 * under headings. Hidden fields are in neither.
 *
 * On a terminal long lines are wrapped, and headings are bold unless NO_COLOR is set. Elsewhere
 * each flag keeps one line.
 */
#ifndef BATON_HELP_H
#define BATON_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "baton/cli_words.h"
#include "baton/connector.h"

struct help_request {
    const struct baton_connector *connector;
    const struct field_set *fields;
    const struct cli_word *topic;
    bool want_all;
};

void help_print(const struct help_request *request, FILE *out);

#endif

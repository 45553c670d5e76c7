/* cli: from argv to a request.
 *
 * cli_parse() understands the command line as cobra and pflag do (connector-cli.md 1 and 2): the
 * command word may stand anywhere, `--flag value`, `--flag=value`, `-f value`, `-fvalue`, booleans
 * only bare or with `=`, `--` ends the flags. It reads environment and config file too, and checks
 * every rule that needs neither network nor the c1z file. A secret given on the command line is
 * copied and then overwritten in argv, so that a process list does not show it; no error text and
 * no warning holds a secret that was given, even where it stands in the wrong place.
 *
 *     cli_request_auto struct cli_request request;
 *     if (!cli_parse(argc, argv, connector, &request, &err)) ...warnings, err.msg, exit err.code
 *     if (request.command != CLI_RUN && request.command != CLI_CAPABILITIES) cli_answer(...)
 *
 * The request owns what it points to, but for argv, which it borrows. On an error the text is the
 * whole last line for stderr, the code the exit code, and the request holds nothing but the
 * warnings: a config file that could not be read explains a setting that is missing.
 */
#ifndef BATON_CLI_H
#define BATON_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "baton/connector.h"
#include "baton/options.h"
#include "baton/strlist.h"

enum cli_command {
    CLI_RUN,
    CLI_CAPABILITIES,
    CLI_CONFIG,
    CLI_HEALTH_CHECK,
    CLI_COMPLETION,
    CLI_HELP,
    CLI_VERSION,
};

struct cli_word; /* a command word, see cli_words.h */

struct cli_request {
    enum cli_command command;
    struct strlist warnings; /* one sentence each; also after an error */
    struct options *options; /* rules are checked for CLI_RUN only */
    /* CLI_HELP: about which command; all flags or the common ones */
    const struct cli_word *topic;
    bool want_all;
    char *unknown_topic; /* `word` in back quotes; NULL: the topic is known */
    /* CLI_COMPLETION */
    const char *shell; /* "bash", "fish", "powershell" or "zsh" */
    bool no_descriptions;
    /* CLI_HEALTH_CHECK */
    const char *endpoint;
    int64_t timeout_s;
};

bool cli_parse(int argc, char **argv, const struct baton_connector *connector,
               struct cli_request *ret_request, struct err *err);
void cli_request_done(struct cli_request *request);
#define cli_request_auto __attribute__((cleanup(cli_request_done)))

/* Does what needs no connector: every command but CLI_RUN and CLI_CAPABILITIES (asserted). Prints
 * to `out`, the answer to a wrong help topic to `out_err`, as cobra does. `version` is the
 * program's. */
bool cli_answer(const struct cli_request *request, const struct baton_connector *connector,
                const char *version, FILE *out, FILE *out_err, struct err *err);

#endif

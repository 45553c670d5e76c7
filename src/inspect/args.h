/* args: the command line, from one table of flags and one of commands.
 *
 * Flags stand before or after the command: `-f FILE`, `-fFILE`, `--file FILE`, `--file=FILE`; `--`
 * ends them. An empty value counts as not given. Everything points into argv.
 *
 * Errors are Unknown (exit 2), as of the real CLI.
 */
#ifndef INSPECT_ARGS_H
#define INSPECT_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum flag {
    FLAG_FILE,
    FLAG_FORMAT,
    FLAG_SYNC_ID,
    FLAG_RESOURCE_TYPE,
    FLAG_RESOURCE,
    FLAG_ENTITLEMENT,
    FLAG_COMPARE_FILE,
    FLAG_COMPARE_ENTITLEMENT,
    FLAG_OUT,
    FLAG_HELP,
    FLAG_VERSION,
    FLAG_COUNT
};
#define FLAG_BIT(flag) (1u << (flag))

struct session;
typedef bool command_fn(struct session *s, struct err *err);

struct command {
    const char *name; /* one word or two: "grants", "principals compare" */
    const char *summary;
    unsigned flags;    /* FLAG_BITs; file, format, help and version are always allowed */
    unsigned required; /* FLAG_BITs */
    const char *example; /* what stands behind "baton-inspect " */
    const char *more;    /* a paragraph of help, or NULL */
    command_fn *run;
};

struct args {
    const struct command *command; /* NULL: none was given */
    const char *values[FLAG_COUNT]; /* NULL: not given */
    bool want_help, want_version, want_json;
};

bool args_parse(int argc, char **argv, const struct command *commands, size_t count,
                struct args *ret_args, struct err *err);

/* The help of the program (command NULL) or of a command. */
void args_help(const struct command *commands, size_t count, const struct command *command,
               struct buf *out);

#endif

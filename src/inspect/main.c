/* baton-inspect: what is in a .c1z file. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "inspect/commands.h"
#include "inspect/plain.h"

#define SYNC FLAG_BIT(FLAG_SYNC_ID)
#define TYPE FLAG_BIT(FLAG_RESOURCE_TYPE)
#define RESOURCE FLAG_BIT(FLAG_RESOURCE)
#define ENTITLEMENT FLAG_BIT(FLAG_ENTITLEMENT)

static const struct command commands[] = {
    {"who", "one line a person: name, e-mail, role, 2FA; owners first", SYNC | TYPE | RESOURCE, 0,
     "who -f sync.c1z",
     "With -t and -r only those who have a role on that resource.\n"
     "Shows the newest finished full sync; one that did not read grants is refused.", cmd_who},
    {"grants", "who has which entitlement on what", SYNC | TYPE | RESOURCE | ENTITLEMENT, 0,
     "grants -t website -r 11111111-2222-4333-8444-555555555555",
     "-t and -r choose what is granted, not to whom; `access` shows one principal.", cmd_grants},
    {"principals", "everyone who has a grant, once", SYNC | TYPE | RESOURCE | ENTITLEMENT, 0,
     "principals -e website:11111111-2222-4333-8444-555555555555:owner", NULL, cmd_principals},
    {"principals compare", "who has one entitlement and not another",
     SYNC | ENTITLEMENT | FLAG_BIT(FLAG_COMPARE_FILE) | FLAG_BIT(FLAG_COMPARE_ENTITLEMENT),
     ENTITLEMENT | FLAG_BIT(FLAG_COMPARE_ENTITLEMENT),
     "principals compare -f old.c1z -e website:1111:owner \\\n"
     "    --compare-file new.c1z --compare-entitlement website:1111:owner",
     "People are matched by id, then by e-mail address, then by name, so the two files may be of\n"
     "different systems. Missing: only in the first. Extra: only in the second.",
     cmd_compare},
    {"access", "all that one principal may do", SYNC | TYPE | RESOURCE, TYPE | RESOURCE,
     "access -t operator -r 00000001-0000-4000-8000-000000000001", NULL, cmd_access},
    {"resources", "people, websites and whatever else was synced", SYNC | TYPE, 0,
     "resources -t operator", NULL, cmd_resources},
    {"resource-types", "the kinds of resources", SYNC, 0, "resource-types", NULL,
     cmd_resource_types},
    {"entitlements", "what can be granted", SYNC | TYPE, 0, "entitlements", NULL,
     cmd_entitlements},
    {"stats", "counts of a sync", SYNC, 0, "stats -o json", NULL, cmd_stats},
    {"syncs", "every sync in the file, unfinished ones too", 0, 0, "syncs", NULL, cmd_syncs},
    {"diff", "what changed between the two newest full syncs (JSON)", 0, 0, "diff | jq .grants",
     NULL, cmd_diff},
    {"export csv", "people, entitlements and grants as one CSV file", SYNC | FLAG_BIT(FLAG_OUT), 0,
     "export csv --out team.csv", NULL, cmd_csv},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static bool run_command(const struct args *args, struct out *out, struct err *err) {
    const char *file = args->values[FLAG_FILE] ? args->values[FLAG_FILE] : "sync.c1z";
    struct session s = {.args = args, .out = out};
    s.view = view_open(file, "-f", args->values[FLAG_SYNC_ID], err);
    if (!s.view)
        return false;
    s.refs = refs_new(s.view);
    bool ok = args->command->run(&s, err);
    if (!ok)
        err_wrap(err, "%s", file);
    refs_free(s.refs);
    view_close(s.view);
    return ok;
}

static bool run(const struct args *args, struct out *out, struct err *err) {
    if (args->want_help || (!args->command && !args->want_version)) {
        args_help(commands, COMMANDS, args->command, &out->buf);
        return true;
    }
    if (args->want_version) {
        buf_adds(&out->buf, "baton-inspect version " BATON_CRISP_VERSION "\n");
        return true;
    }
    return run_command(args, out, err);
}

static void print_error(const struct err *err) {
    struct buf line;
    buf_init(&line, 64 * 1024);
    buf_adds(&line, "baton-inspect: ");
    plain_adds(&line, err->msg);
    fprintf(stderr, "%s\n", line.data);
    buf_done(&line);
}

int main(int argc, char **argv) {
    /* A reader that has seen enough (head, a pager) ends us quietly, also where our parent ignores
     * the signal. */
    signal(SIGPIPE, SIG_DFL);
    struct err err = ERR_INIT;
    struct args args;
    struct out out;
    out_init(&out, STDOUT_FILENO);
    /* After a failure the rest is dropped: of a short output nothing is seen, as in the real CLI. */
    bool ok = args_parse(argc, argv, commands, COMMANDS, &args, &err) && run(&args, &out, &err) &&
              out_finish(&out, &err);
    out_done(&out);
    if (ok)
        return 0;
    print_error(&err);
    /* The real CLI ends with 2 whenever a file is not what it should be. */
    return err.code == ERR_DATA_LOSS ? ERR_UNKNOWN : (int)err.code;
}

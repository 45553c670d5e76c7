/* commands: what baton-inspect can do. Each runs on an open session and writes to its output.
 *
 * JSON is that of the real CLI, written item by item; nothing here holds a list. `who` is our own.
 */
#ifndef INSPECT_COMMANDS_H
#define INSPECT_COMMANDS_H

#include "inspect/session.h"

/* lists.c */
command_fn cmd_resource_types, cmd_resources, cmd_entitlements, cmd_grants, cmd_principals;
/* compare.c */
command_fn cmd_compare;
/* access.c */
command_fn cmd_access;
/* runs.c */
command_fn cmd_stats, cmd_syncs;
/* who.c */
command_fn cmd_who;
/* csv.c */
command_fn cmd_csv;
/* diff.c */
command_fn cmd_diff;

#endif

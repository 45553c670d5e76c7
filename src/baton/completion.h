/* completion: the script that `NAME completion SHELL` prints.
 *
 * The scripts are static: they hold the commands, the visible flags, the values of flags that have
 * a fixed choice, and which flags take files or directories. Completing therefore starts no
 * process. Descriptions are shown by zsh, fish and PowerShell; bash has no place for them.
 */
#ifndef BATON_COMPLETION_H
#define BATON_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

#include "baton/field.h"

/* `shell` is "bash", "zsh", "fish" or "powershell" (asserted). */
void completion_print(const char *program, const struct field_set *fields, const char *shell,
                      bool with_descriptions, FILE *out);

#endif

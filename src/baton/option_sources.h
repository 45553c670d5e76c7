/* option_sources: what is not on the command line: config file, environment, systemd credentials.
 *
 * The config file is $BATON_CONFIG_PATH, else `.baton.yaml` or `.baton.yml` in the current
 * directory (connector-cli.md 2.4). No file is no error; a file that cannot be used becomes a
 * warning and counts for nothing, as in the SDK. Call before the flags are taken.
 */
#ifndef BATON_OPTION_SOURCES_H
#define BATON_OPTION_SOURCES_H

#include "baton/options.h"

/* Fails only if BATON_CONFIG_PATH does not end in .yaml or .yml. */
bool option_sources_config_path(const char **ret_path, struct err *err);
/* `config_path` NULL: the default places. */
void option_sources_read(struct options *o, const char *config_path);

#endif

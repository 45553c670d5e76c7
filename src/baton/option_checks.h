/* option_checks: the rules that settings must keep, in the order and with the texts of the SDK
 * (connector-cli.md 2.2 and 3.2; code Unknown unless said otherwise there).
 *
 * Two calls, because reading numbers and secret files (options_settle()) stands between them:
 * a missing setting is reported before a malformed one.
 */
#ifndef BATON_OPTION_CHECKS_H
#define BATON_OPTION_CHECKS_H

#include "baton/options.h"

struct baton_connector;

/* What is set at all: required fields, groups. */
bool option_checks_presence(const struct options *o, const struct baton_connector *connector,
                            struct err *err);
/* What the values are: the connector's rules, ranges, one-shots and settings that are not supported
 * (Unimplemented or NotFound as in the SDK). */
bool option_checks_values(const struct options *o, const struct baton_connector *connector,
                          struct err *err);

#endif

/* schema: what `NAME config` prints, the JSON of c1.config.v1.Configuration (connector-cli.md 6.1).
 *
 * As protojson writes it with two spaces of indentation and without a line feed at the end: 64-bit
 * numbers as strings, zero values left out. First the SDK's ops fields, then the connector's;
 * fields that are not exported are absent, hidden ones are not.
 */
#ifndef BATON_SCHEMA_H
#define BATON_SCHEMA_H

#include <stdio.h>

#include "baton/connector.h"

void schema_print(const struct baton_connector *connector, const struct field_set *fields,
                  FILE *out);

#endif

/* capabilities: what `NAME capabilities` prints, the JSON of an Any with ConnectorCapabilities
 * (connector-cli.md 6.2), derived from the connector's table. Indented by two spaces, no line feed at
 * the end. Resource types are sorted by id and shown without description.
 */
#ifndef PROGRAM_CAPABILITIES_H
#define PROGRAM_CAPABILITIES_H

#include "baton/connector.h"
#include "base/buf.h"

bool capabilities_print(const struct baton_connector *connector, struct buf *out, struct err *err);

#endif

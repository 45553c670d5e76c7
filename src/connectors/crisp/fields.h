/* fields: the settings of the Crisp connector, as rows for the SDK layer (connector-cli.md 8.3). */
#ifndef CONNECTORS_CRISP_FIELDS_H
#define CONNECTORS_CRISP_FIELDS_H

#include "baton/field.h"

enum { CRISP_FIELD_COUNT = 6 };

extern const struct field crisp_fields[CRISP_FIELD_COUNT];

#endif

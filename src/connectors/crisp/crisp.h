/* crisp: the connector's table, handed to baton_main() by main.c. */
#ifndef CONNECTORS_CRISP_CRISP_H
#define CONNECTORS_CRISP_CRISP_H

#include "baton/connector.h"

extern const struct baton_connector crisp_connector;

#endif

/* program: the main() of a connector.
 *
 *     int main(int argc, char **argv) { return baton_main(argc, argv, &my_connector); }
 *
 * Returns the exit code of connector-cli.md section 5: 0, the gRPC status number of the error, 0 after
 * SIGINT and 143 after SIGTERM. The last line on stderr is the error, alone.
 */
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include "baton/connector.h"

int baton_main(int argc, char **argv, const struct baton_connector *connector);

#endif

/* program: the main() of a connector.
 *
 *     int main(int argc, char **argv) { return baton_main(argc, argv, &my_connector); }
 *
 * Ends the process with the exit code of connector-cli.md section 5: 0, or the gRPC status number of the
 * error; after SIGINT 0, after SIGTERM 143, in service mode 0 after both. The last line on stderr is the
 * error, alone.
 */
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include "baton/connector.h"

int baton_main(int argc, char **argv, const struct baton_connector *connector);

#endif

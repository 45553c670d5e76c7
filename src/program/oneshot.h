/* oneshot: one full sync into the file that --file names (connector-cli.md 3.1).
 *
 * Nothing on stdout. The file is replaced only by a whole new one; every failure says what became of
 * it. Codes are those of the sync (sync/engine.h) and of the file (c1z/store.h).
 */
#ifndef PROGRAM_ONESHOT_H
#define PROGRAM_ONESHOT_H

#include "baton/connector.h"

bool oneshot_sync(const struct baton_connector *connector, const struct baton_env *env,
                  struct err *err);

#endif

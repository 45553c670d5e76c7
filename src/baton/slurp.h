/* slurp: a small file, whole, in memory that is wiped when it is done.
 *
 * For settings and secrets. Pipes work (`--NAME-file <(command)`). Errors say what to do; the
 * codes: NotFound if there is no such file, Unknown otherwise.
 */
#ifndef BATON_SLURP_H
#define BATON_SLURP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct slurp {
    char *data; /* NUL behind the last byte */
    size_t len;
    mode_t mode;
};

bool slurp_file(const char *path, size_t max_bytes, struct slurp *ret_file, struct err *err);
void slurp_done(struct slurp *s);

#endif

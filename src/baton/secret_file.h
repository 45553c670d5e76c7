/* secret_file: a secret that stands in a file of its own.
 *
 * Exactly one line feed at the end is dropped, because editors and `echo` put it there; everything
 * else is the secret. At most SECRET_MAX bytes. Errors are phrased to follow "the file PATH" and
 * never hold anything of the content; code Unknown.
 */
#ifndef BATON_SECRET_FILE_H
#define BATON_SECRET_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"

struct secret_file_facts {
    bool is_readable_by_others; /* mode o+r of a plain file */
    bool has_odd_end;           /* white space is left at the end, "\r" of Windows for example */
};

bool secret_file_read(const char *path, struct secret *ret_secret,
                      struct secret_file_facts *ret_facts, struct err *err);

#endif

/* secret_file: a secret that stands in a file of its own.
 *
 * Exactly one line end (LF or CR LF) is dropped, because editors and `echo` put it there;
 * everything else is the secret. At most SECRET_MAX bytes. Errors are phrased to follow "the file PATH" and
 * never hold anything of the content; code Unknown.
 */
#ifndef BATON_SECRET_FILE_H
#define BATON_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

struct secret_file_facts {
    bool is_readable_by_others; /* mode o+r of a plain file */
};

bool secret_file_read(const char *path, struct secret *ret_secret,
                      struct secret_file_facts *ret_facts, struct err *err);

/* No secret has blanks at its ends, control characters or a byte order mark: they are slips that
 * would only be seen as a refusal by the service. NULL if the value is good, else what is wrong,
 * phrased to follow "the value ...". For a secret of any source. */
const char *secret_file_fault(const char *value, size_t len);

#endif

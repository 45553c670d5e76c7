/* gotext: words as Go's standard library reads and prints them.
 *
 * Connectors of the Go SDK read numbers with strconv.ParseInt(s, 0, 64), booleans with
 * strconv.ParseBool, lists as one record of encoding/csv, and quote with %q. Settings that work
 * there must work here, and texts must be the same (connector-cli.md 2.2, 2.3; checked against
 * go1.26). Errors have code Unknown and the text of Go.
 */
#ifndef BATON_GOTEXT_H
#define BATON_GOTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "baton/strlist.h"

/* Decimal, 0x, 0o, 0b, 0 (octal), underscores between digits. */
bool gotext_int(const char *s, int64_t *ret_value, struct err *err);
/* 1 t T TRUE true True 0 f F FALSE false False */
bool gotext_bool(const char *s, bool *ret_value, struct err *err);
/* Appends the fields of the first record; "" has none. */
bool gotext_csv(const char *s, struct strlist *ret_fields, struct err *err);
/* Splits at white space, as cast.ToStringSlice does where CSV fails. */
void gotext_words(const char *s, struct strlist *ret_words);
/* In double quotes, everything unprintable escaped. */
void gotext_quote(struct buf *out, const char *s);

#endif

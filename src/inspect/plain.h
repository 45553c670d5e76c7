/* plain: text from a file made fit for a terminal.
 *
 * Names in a c1z come from strangers. Control characters, bytes that are not UTF-8 and characters
 * that turn the direction of text could move the cursor, hide a line or fake one: they are shown as
 * \n, \t, \xHH or \u{HHHH}, everything else stays as it is.
 */
#ifndef INSPECT_PLAIN_H
#define INSPECT_PLAIN_H

#include <stddef.h>

#include "base/buf.h"

/* Appends. */
void plain_add(struct buf *out, const char *s, size_t n);
void plain_adds(struct buf *out, const char *s);
/* At most so many columns; a longer text ends with an ellipsis in the last of them. */
void plain_adds_clipped(struct buf *out, const char *s, size_t columns);

#endif

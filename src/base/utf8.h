/* utf8: the few questions we ask about text from outside (RFC 3629).
 *
 * All functions take bytes and a length; none allocates.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True if the n bytes are well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool utf8_valid(const char *s, size_t n);

/* Length of the longest prefix of s[0..n) that is at most max bytes and does not cut a character. */
size_t utf8_clip(const char *s, size_t n, size_t max);

/* Columns that the text takes on a terminal: one a character, two for wide ones, none for
 * combining marks. An approximation from wcwidth(3) ranges that needs no locale. */
size_t utf8_columns(const char *s, size_t n);

#endif

/* base64url: bytes as text without padding, as JOSE writes them (RFC 4648 section 5, RFC 7515).
 *
 * Reading is as strict as Go's base64.RawURLEncoding, which C1's own client uses: no `=`, none of
 * `+` and `/`; carriage returns and line feeds are skipped. Works on the caller's memory only, so
 * that key bytes can be wiped.
 */
#ifndef C1_BASE64URL_H
#define C1_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends; false if the ceiling of the buffer is passed. */
bool base64url_add(struct buf *out, const void *bytes, size_t n);

/* Writes at most `size` bytes. False if the text is no such encoding or holds more than that. */
bool base64url_read(const char *text, size_t n, uint8_t *out, size_t size, size_t *ret_len);

#endif

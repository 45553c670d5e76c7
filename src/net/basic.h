/* basic: the credentials of HTTP Basic authentication as a header line (RFC 7617).
 *
 * The line is a secret: wiped when dropped, never printed. No copy of key or line stays behind.
 */
#ifndef NET_BASIC_H
#define NET_BASIC_H

#include "base/secret.h"

/* "Authorization: Basic " + base64(identifier ":" key), padded, without line breaks. */
void basic_header(const char *identifier, const struct secret *key, struct secret *ret_line);

#endif

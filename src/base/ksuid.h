/* ksuid: a sync id. 20 bytes (big-endian seconds since 1400000000, then 16 random bytes) in base62
 * `0-9A-Za-z`, padded on the left to 27 characters (segmentio/ksuid; c1z.md 2.7).
 */
#ifndef BASE_KSUID_H
#define BASE_KSUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { KSUID_LEN = 27, KSUID_BYTES = 20 };

/* Fails only if the system gives no random bytes. */
bool ksuid_new(int64_t unix_s, char ret_text[KSUID_LEN + 1], struct err *err);
void ksuid_encode(const uint8_t bytes[KSUID_BYTES], char ret_text[KSUID_LEN + 1]);
/* False if the text is not 27 base62 characters of a value below 2^160. */
bool ksuid_decode(const char *text, uint8_t ret_bytes[KSUID_BYTES]);

#endif

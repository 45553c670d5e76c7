/* assertion: the signed proof that a token is asked for with (service-mode.md 2.2).
 *
 * A compact JWS (RFC 7515) with EdDSA: what C1's own client writes, byte for byte, given the same
 * time and nonce. It is good for two minutes: treat it as a secret and wipe it. Pure: no clock, no
 * randomness of its own.
 */
#ifndef C1_ASSERTION_H
#define C1_ASSERTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "c1/credential.h"

enum {
    C1_NONCE_BYTES = 16,
    C1_ASSERTION_AGE_S = 120, /* before and after now */
};

/* Internal if OpenSSL cannot sign. */
bool c1_assertion_make(const struct c1_credential *credential, int64_t now_unix_s,
                       const uint8_t nonce[C1_NONCE_BYTES], struct secret *ret_assertion,
                       struct err *err);

#endif

/* token_request: the HTTP request that asks C1 for a token (service-mode.md 2.1).
 *
 * Pure text: the form with its fields in the order and the escapes of Go's url.Values, behind the
 * headers of C1's own client, for one connection that ends with the answer. The whole is a secret, as
 * the assertion in it is.
 */
#ifndef C1_TOKEN_REQUEST_H
#define C1_TOKEN_REQUEST_H

#include "base/secret.h"
#include "c1/credential.h"

#define C1_TOKEN_USER_AGENT "baton-c1-credential-provider baton-sdk/v0.25.0"

void c1_token_request_make(const struct c1_credential *credential, const struct secret *assertion,
                           struct secret *ret_request);

#endif

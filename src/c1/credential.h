/* credential: who this connector is to C1, and where C1 is (service-mode.md 1.1, 1.2, 1.4).
 *
 *     client id      <name>@<host>[:port]/<use>
 *     client secret  <any>:<any>:v1:<base64url of a private Ed25519 JSON Web Key>
 *
 * Everything is owned by the credential; the bytes of the key live only inside OpenSSL's object, what
 * they passed through is wiped. Stricter than the SDK where its leniency only defers a failure: no
 * blanks or control characters in the client id, a host that can be one, a port that is a number, a
 * key whose halves belong together.
 *
 * Errors: Unknown, "invalid client id" or "invalid client secret" (the SDK's words), followed by what
 * is wrong and what a right one looks like, or a text that names BATON_C1_API_HOST. They never show
 * the secret.
 */
#ifndef C1_CREDENTIAL_H
#define C1_CREDENTIAL_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"

enum {
    C1_CLIENT_ID_MAX = 1024,
    C1_CLIENT_SECRET_MAX = 16 * 1024,
    C1_HOST_MAX = 253, /* of a DNS name */
    C1_KEY_ID_MAX = 1024,
};

struct c1_credential {
    char *client_id;   /* whole */
    char *client_name; /* before the @; may be empty */
    char *audience;    /* host of the client id without its port, for the assertion; may be empty */
    char *host;        /* where to connect: without the brackets of IPv6 */
    int port;
    char *authority; /* host:port as an HTTP Host header wants it: no port if it is 443 */
    char *key_id;    /* `kid` of the key; NULL: none */
    EVP_PKEY *key;
};

/* `api_host`: value of BATON_C1_API_HOST, which takes the place of the client id's host in all but
 * the audience; NULL: not set. c1_credential_done() is due only after success. */
bool c1_credential_parse(const char *client_id, const struct secret *client_secret,
                         const char *api_host, struct c1_credential *ret_credential,
                         struct err *err);
/* Takes NULL and a zeroed one. */
void c1_credential_done(struct c1_credential *credential);

#endif

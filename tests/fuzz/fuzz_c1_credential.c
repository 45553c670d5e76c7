/* Three lines: client id, client secret, BATON_C1_API_HOST ("-": not set). What is taken can be used:
 * it signs, and its host fits a Host header. What is refused says so in the SDK's words, without the
 * secret. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "c1/assertion.h"
#include "c1/credential.h"
#include "c1/token_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct c1_credential *c) {
    static const uint8_t nonce[C1_NONCE_BYTES] = {1, 2, 3};
    secret_auto struct secret assertion = SECRET_INIT, request = SECRET_INIT;
    assert(*c->host && c->port > 0 && c->port < 65536);
    assert(strlen(c->client_id) <= C1_CLIENT_ID_MAX);
    assert(!strpbrk(c->authority, "\r\n \t/@"));
    assert(c1_assertion_make(c, 1795326310, nonce, &assertion, NULL));
    c1_token_request_make(c, &assertion, &request);
    assert(strspn(secret_reveal(&assertion), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789-_.") == assertion.len);
}

static void look(const struct err *err, const struct secret *secret) {
    assert(err->code == ERR_UNKNOWN);
    assert(strncmp(err->msg, "invalid client ", 15) == 0 ||
           strncmp(err->msg, "BATON_C1_API_HOST ", 18) == 0);
    const char *key = strrchr(secret_reveal(secret), ':');
    assert(!key || strlen(key) < 64 || !strstr(err->msg, key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1), *rest = text;
    memcpy(text, data, size);
    text[size] = '\0';
    const char *id = strsep(&rest, "\n"), *key = rest ? strsep(&rest, "\n") : "";
    const char *api_host = rest && strcmp(rest, "-") != 0 ? rest : NULL;
    struct secret secret = SECRET_INIT;
    struct c1_credential c;
    struct err err = ERR_INIT;
    secret_set(&secret, key, strlen(key));
    if (c1_credential_parse(id, &secret, api_host, &c, &err)) {
        use(&c);
        c1_credential_done(&c);
    } else {
        look(&err, &secret);
    }
    secret_done(&secret);
    free(text);
    return 0;
}

/* example: the keys and texts of the specification (service-mode.md 1.2, 2.5). The keys are test keys
 * with no other use. */
#ifndef TESTS_UNIT_C1_EXAMPLE_H
#define TESTS_UNIT_C1_EXAMPLE_H

#include <string.h>

#include "base/secret.h"
#include "c1/credential.h"

#define EXAMPLE_ID "mock-client-00001@127.0.0.1/ccc"
#define EXAMPLE_SECRET                                                                             \
    "secret-token:conductorone.com:v1:"                                                            \
    "eyJrdHkiOiJPS1AiLCJjcnYiOiJFZDI1NTE5IiwieCI6Ikd3VmlKMnh4Y0dVSTRtSWtYR1VFNy10ckdKWG9rai1DTzRf" \
    "Q0VxZGpfTWciLCJkIjoiRlV2UzdzNnYwSzhXY3lFYjJzdEVuQV9KQk5jSEdWR2Zpc0JJUXFkZUtqQSJ9"
#define EXAMPLE_ASSERTION                                                                          \
    "eyJhbGciOiJFZERTQSIsIm5vbmNlIjoiYzlhNTMyYmY0NTY4ZDQ2Y2ViODM4M2FiMDg1N2QxZWUifQ."              \
    "eyJpc3MiOiJtb2NrLWNsaWVudC0wMDAwMUAxMjcuMC4wLjEvY2NjIiwic3ViIjoibW9jay1jbGllbnQtMDAwMDFAMTI3" \
    "LjAuMC4xL2NjYyIsImF1ZCI6IjEyNy4wLjAuMSIsImV4cCI6MTc5NTMyNjQzMCwibmJmIjoxNzk1MzI2MTkwLCJpYXQi" \
    "OjE3OTUzMjYzMTB9."                                                                            \
    "TAIGacQxw-HM84D0sykBddUi0IbJz1EUKrq5pxkW5aNrJvL4Zthrk34ElI5QgeXoVejov1ZG4W7WhlMD3YZaCA"

static inline bool example_parse(const char *id, const char *secret_text, const char *api_host,
                                 struct c1_credential *ret, struct err *err) {
    secret_auto struct secret secret = SECRET_INIT;
    secret_set(&secret, secret_text, strlen(secret_text));
    return c1_credential_parse(id, &secret, api_host, ret, err);
}

#endif

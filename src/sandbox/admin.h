/* admin: the sandbox's own API under /_sandbox/, by which a test looks at it and changes it.
 *
 * JSON in and out. Success is 200 or 201 with an object; trouble is 4xx with
 * {"error": "<sentence>"}. No credentials: the sandbox listens on loopback. The routes are the table
 * in admin.c; docs/sandbox.md explains each.
 */
#ifndef SANDBOX_ADMIN_H
#define SANDBOX_ADMIN_H

#include "sandbox/answer.h"
#include "sandbox/request.h"
#include "sandbox/sandbox.h"

void admin_serve(struct sandbox *s, const struct request *req, struct answer *a);

#endif

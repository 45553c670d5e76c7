#include "c1/token_request.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* An assertion is at most 64 KiB, and a client id three times its 1024 bytes. */
enum { FORM_MAX = 80 * 1024, REQUEST_MAX = FORM_MAX + 4096 };

/* As Go's url.QueryEscape. */
static void add_escaped(struct buf *out, const char *text) {
    for (; *text; text++) {
        char c = *text;
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || strchr("-_.~", c);
        if (is_plain)
            buf_addc(out, c);
        else if (c == ' ')
            buf_addc(out, '+');
        else
            buf_addf(out, "%%%02X", (unsigned)(uint8_t)c);
    }
}

static void add_field(struct buf *out, const char *name, const char *value) {
    buf_addf(out, "%s%s=", out->len ? "&" : "", name);
    add_escaped(out, value);
}

/* The fields are sorted by name. */
static void add_form(struct buf *out, const struct c1_credential *c, const struct secret *assertion) {
    add_field(out, "client_assertion", secret_reveal(assertion));
    add_field(out, "client_assertion_type",
              "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    add_field(out, "client_id", c->client_id);
    add_field(out, "grant_type", "client_credentials");
}

void c1_token_request_make(const struct c1_credential *credential, const struct secret *assertion,
                           struct secret *ret_request) {
    buf_auto struct buf form, request;
    buf_init(&form, FORM_MAX);
    buf_init(&request, REQUEST_MAX);
    /* All the room at once: what grows leaves copies behind that nobody wipes. */
    buf_extend(&form, FORM_MAX);
    buf_extend(&request, REQUEST_MAX);
    buf_reset(&form);
    buf_reset(&request);
    add_form(&form, credential, assertion);
    buf_addf(&request,
             "POST /auth/v1/token HTTP/1.1\r\n"
             "Host: %s\r\n"
             "User-Agent: " C1_TOKEN_USER_AGENT "\r\n"
             "Content-Length: %zu\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\n"
             "Connection: close\r\n"
             "\r\n",
             credential->authority, form.len);
    buf_add(&request, form.data, form.len);
    secret_set(ret_request, request.data, request.len);
    explicit_bzero(form.data, form.len);
    explicit_bzero(request.data, request.len);
}

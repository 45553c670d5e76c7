#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void secret_set(struct secret *s, const char *value, size_t len) {
    char *copy = mem_strndup(value, len);
    secret_done(s);
    s->value = copy;
    s->len = len;
}

void secret_done(struct secret *s) {
    if (!s || !s->value)
        return;
    explicit_bzero(s->value, s->len);
    free(s->value);
    *s = SECRET_INIT;
}

bool secret_is_set(const struct secret *s) {
    return s->value && s->len > 0;
}

const char *secret_reveal(const struct secret *s) {
    return s->value ? s->value : "";
}

bool secret_is_in(const struct secret *s, const char *text) {
    return secret_is_set(s) && strstr(text, s->value) != NULL;
}

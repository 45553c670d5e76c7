/* secret: a credential that is wiped when it is dropped and prints as ***.
 *
 * The value is owned (copied in) and lives on the heap only. Code that must send it calls
 * secret_reveal() and copies no further than the request it builds. secret_is_in() lets a log or an
 * error writer ask whether a text would leak it.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_MAX = 64 * 1024 };

struct secret {
    char *value; /* NULL when unset */
    size_t len;
};

#define SECRET_INIT ((struct secret){0})

/* Copies; replaces and wipes an earlier value. */
void secret_set(struct secret *s, const char *value, size_t len);
void secret_done(struct secret *s);
bool secret_is_set(const struct secret *s);
/* The bytes, NUL-terminated; "" when unset. */
const char *secret_reveal(const struct secret *s);
bool secret_is_in(const struct secret *s, const char *text);

#define secret_auto __attribute__((cleanup(secret_done)))

#endif

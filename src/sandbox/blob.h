/* blob: bytes that never change and are shared by counting references.
 *
 * An operator list of 30 MB is rendered once; the cache, and every answer under way, hold a
 * reference to the same bytes. The count is atomic, because the HTTP library drops the last
 * reference of an answer in its own thread. `data` is NUL-terminated behind `len`.
 */
#ifndef SANDBOX_BLOB_H
#define SANDBOX_BLOB_H

#include <stdatomic.h>
#include <stddef.h>

struct blob {
    atomic_uint refs;
    size_t len;
    char *data;
};

/* Takes the memory (from malloc, NUL-terminated behind len). */
struct blob *blob_take(char *data, size_t len);
struct blob *blob_copy(const void *data, size_t len);
struct blob *blob_ref(struct blob *b);
/* Takes NULL. */
void blob_unref(struct blob *b);

#endif

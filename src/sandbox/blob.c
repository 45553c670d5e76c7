#include "sandbox/blob.h"

#include <stdlib.h>

#include "base/mem.h"

struct blob *blob_take(char *data, size_t len) {
    struct blob *b = mem_zalloc(sizeof *b);
    atomic_init(&b->refs, 1);
    b->len = len;
    b->data = data;
    return b;
}

struct blob *blob_copy(const void *data, size_t len) {
    return blob_take(mem_strndup(data, len), len);
}

struct blob *blob_ref(struct blob *b) {
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void blob_unref(struct blob *b) {
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    free(b->data);
    free(b);
}

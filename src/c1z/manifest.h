/* manifest: the head of a v3 file, as far as it says what the file holds (c1z-v3.md 1.1, 1.2).
 *
 * Reads nothing behind the manifest; rows are out of reach here.
 */
#ifndef C1Z_MANIFEST_H
#define C1Z_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MANIFEST_TEXT_MAX = 64, MANIFEST_BYTES_MAX = 16 * 1024 * 1024 };

struct manifest {
    char engine[MANIFEST_TEXT_MAX];
    char sync_id[MANIFEST_TEXT_MAX]; /* "" if the file has no sync */
    bool has_counts;
    int64_t resource_types, resources, entitlements, grants;
};

/* `fd` stands behind the magic. */
bool manifest_read(int fd, struct manifest *ret_manifest, struct err *err);

/* The same on the manifest's own bytes. */
bool manifest_parse(const uint8_t *bytes, size_t n, struct manifest *ret_manifest, struct err *err);

#endif

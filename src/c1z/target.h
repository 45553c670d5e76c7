/* target: the file that a save replaces.
 *
 * Bytes go to `<path>.tmp` beside it, which is locked (flock) so that two writers do not mix; commit
 * makes them durable and renames. Until then the old file is untouched, and every failure removes the
 * temporary file. What a killed writer left is taken over by the next one. A symbolic link is followed:
 * what it points at is replaced. The new file has the mode of the old one, else 0644 less the umask.
 *
 * Errors: FailedPrecondition (another writer, not a regular file), ResourceExhausted (no space),
 * Unknown.
 */
#ifndef C1Z_TARGET_H
#define C1Z_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct target {
    char *path; /* without symbolic links; owned */
    char *tmp;  /* owned; NULL once it is renamed or removed */
    int fd;
};

#define TARGET_INIT ((struct target){.fd = -1})

/* Could a file be written beside `path`? Changes nothing. */
bool target_check(const char *path, struct err *err);

bool target_open(const char *path, struct target *ret_target, struct err *err);
bool target_write(struct target *t, const void *bytes, size_t n, struct err *err);
bool target_commit(struct target *t, struct err *err);
/* Removes the temporary file unless it was committed. */
void target_done(struct target *t);

/* Bytes free to us on the target's file system; 0 if unknown. */
uint64_t target_free_bytes(const struct target *t);

#endif

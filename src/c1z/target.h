/* target: the file that a save replaces.
 *
 * target_look() notes which file that is and how it looks now, before it is read. Bytes go to `<path>.tmp`
 * beside it, which is locked (flock) while it is written, so that two of us do not mix; commit makes them
 * durable and renames. Until then the old file is untouched, and every failure removes the temporary file.
 * If the file is not the one that was looked at any more, nothing is replaced: what another writer (who
 * may know no lock) has put there must not be lost. What a killed writer left is taken over by the next
 * one. A symbolic link is followed: what it points at is replaced. The new file has owner, group and mode
 * of the old one, as far as we may set them; a new one has 0644 less the umask.
 *
 * Errors: FailedPrecondition (another writer), ResourceExhausted (no space), Unknown (the rest).
 */
#ifndef C1Z_TARGET_H
#define C1Z_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

/* A file before it is read. Owns its path. */
struct target_origin {
    char *path; /* without symbolic links */
    bool exists;
    struct stat old; /* if it exists */
};

struct target {
    char *path; /* without symbolic links; owned */
    char *tmp;  /* owned; NULL once it is renamed or removed */
    int fd;
};

#define TARGET_INIT ((struct target){.fd = -1})

/* Could a file be written beside `path`? Changes nothing. */
bool target_check(const char *path, struct err *err);

bool target_look(const char *path, struct target_origin *ret_origin, struct err *err);
void target_origin_done(struct target_origin *o);

bool target_open(const struct target_origin *origin, struct target *ret_target, struct err *err);
bool target_write(struct target *t, const void *bytes, size_t n, struct err *err);
bool target_commit(struct target *t, struct err *err);
/* Removes the temporary file unless it was committed. */
void target_done(struct target *t);

/* Bytes free to us on the target's file system; 0 if unknown. */
uint64_t target_free_bytes(const struct target *t);

#endif

/* tmp: a private file that vanishes by itself.
 *
 * tmp_dir() chooses where: the caller's wish, else $BATON_TMPDIR, else $TMPDIR, else /tmp
 * (baton-sdk pkg/tempdir; connector-cli.md 2.5). A tmp_file is created in a fresh directory of mode
 * 0700 and keeps its name only until tmp_file_unlink(): from then on a crash, or kill -9, leaves
 * nothing behind. Where no directory is writable (read-only root file system), tmp_file_open() fails
 * and the caller falls back to memory.
 */
#ifndef BASE_TMP_H
#define BASE_TMP_H

#include <stdbool.h>

#include "base/err.h"

struct tmp_file {
    int fd;     /* owned; -1 when closed */
    char *dir;  /* owned; NULL once unlinked */
    char *path; /* owned; NULL once unlinked */
};

#define TMP_FILE_INIT ((struct tmp_file){.fd = -1})

/* `wish` may be NULL or "". Borrows. */
const char *tmp_dir(const char *wish);

bool tmp_file_open(const char *dir, struct tmp_file *ret_file, struct err *err);
/* A file that never had a name (O_TMPFILE), or, where the file system cannot do that, one whose name is
 * removed at once. Read and write, close-on-exec, mode 0600. -1 and err on failure. */
int tmp_anonymous(const char *dir, struct err *err);
/* Removes name and directory; the descriptor stays good. */
void tmp_file_unlink(struct tmp_file *f);
/* Unlinks if still named, and closes. */
void tmp_file_done(struct tmp_file *f);

#endif

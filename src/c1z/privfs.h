/* privfs: the files under one database, none of which has a name.
 *
 * SQLite reaches files through a VFS (https://www.sqlite.org/vfs.html). This one serves exactly one
 * database, an open descriptor, and hands out nameless temporary files for sorting and VACUUM. So a
 * crash or kill -9 leaves nothing behind, nobody else can open the copy, and no lock is ever taken.
 *
 * The files are in the directory given. Where that cannot be written to, all of them live in memory
 * (memfd) and may together hold PRIVFS_MEMORY_MAX bytes.
 *
 * Pages are written a few at a time, at the latest with the commit; a write that fails late fails the next
 * write, and the commit. Where PRAGMA mmap_size allows it, pages are read from a map of the database, of
 * which about 1 MiB at a time counts as our memory.
 *
 * One privfs belongs to one database connection and must outlive it. Not thread-safe.
 */
#ifndef C1Z_PRIVFS_H
#define C1Z_PRIVFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"

#define PRIVFS_MEMORY_MAX (UINT64_C(512) * 1024 * 1024)

struct privfs;

/* `dir` is borrowed. Makes the database file, empty. */
struct privfs *privfs_open(const char *dir, struct err *err);
/* After the connection is closed. Takes NULL. */
void privfs_close(struct privfs *fs);

/* The name to give to sqlite3_open_v2(); the file name there is PRIVFS_DB. */
const char *privfs_name(const struct privfs *fs);
#define PRIVFS_DB "/private-copy"

/* The database's descriptor: to fill it before it is opened, to read it once all is committed. */
int privfs_fd(const struct privfs *fs);

/* Appends to the database file before SQLite opens it. */
bool privfs_append(struct privfs *fs, const void *bytes, size_t n, struct err *err);

/* From now on SQLite's reads and writes fail once the token fired: copying pages is one long call, in which
 * nothing else looks at it. Borrows; NULL: never. */
void privfs_set_cancel(struct privfs *fs, const struct cancel *cancel);

/* Sets err to what the last failed write or read ran into, with advice; for SQLITE_FULL and
 * SQLITE_IOERR. Returns false. */
bool privfs_fail(const struct privfs *fs, struct err *err);

#endif

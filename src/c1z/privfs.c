#include "c1z/privfs.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tmp.h"

struct privfs {
    sqlite3_vfs vfs; /* pAppData points back here */
    char name[40];
    const char *dir; /* borrowed */
    bool in_memory;
    int fd;            /* the database, owned */
    int64_t fd_bytes;  /* its length, counted while it is filled */
    uint64_t memory;   /* bytes in all files, if in_memory */
    int last_errno;    /* of the newest failure */
    bool is_registered;
    const struct cancel *cancel;
};

struct priv_file {
    sqlite3_file base;
    struct privfs *fs;
    int fd;
    bool owns_fd;
    int64_t size; /* kept here: SQLite asks often */
    char *map;    /* the file since the first fetch, with room to grow; NULL: not mapped */
    int64_t map_size;
    int64_t map_used; /* bytes fetched since pages of the map were last given back */
    char *late;       /* written by SQLite, but not to the file yet: LATE_MAX bytes, or NULL */
    int64_t late_at;
    size_t late_len;
    int late_rc; /* bytes that SQLite took for written are lost: from then on every write fails so */
};

/* SQLite writes page by page, nearly always one behind the other: a system call for each took a sixth
 * of a large sync. */
enum { LATE_MAX = 64 * 1024 };

/* How much of a mapped file may count as our memory. */
enum { MAP_USED_MAX = 1024 * 1024, MAP_GROWTH = 4 };
#define MAP_GROWTH_MAX (INT64_C(1) << 40) /* no file is that large; a product must fit */

/* --- the descriptors --- */

static int make_fd(struct privfs *fs, struct err *err) {
    if (!fs->in_memory)
        return tmp_anonymous(fs->dir, err);
    int fd = memfd_create("c1z", MFD_CLOEXEC);
    if (fd < 0)
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, errno, "make a private copy in memory");
    return fd;
}

/* Counts growth against the ceiling of files in memory. */
static bool may_grow(struct privfs *fs, int64_t old_size, int64_t new_size) {
    if (!fs->in_memory || new_size <= old_size)
        return true;
    uint64_t more = (uint64_t)(new_size - old_size);
    if (more > PRIVFS_MEMORY_MAX - fs->memory) {
        fs->last_errno = ENOSPC;
        return false;
    }
    fs->memory += more;
    return true;
}

static bool write_all(struct privfs *fs, int fd, const void *bytes, size_t n, int64_t at) {
    const char *p = bytes;
    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            fs->last_errno = done < 0 ? errno : ENOSPC;
            return false;
        }
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return true;
}

/* --- sqlite3_io_methods --- */

static int write_failed(const struct priv_file *f) {
    bool is_full = f->fs->last_errno == ENOSPC || f->fs->last_errno == EDQUOT ||
                   f->fs->last_errno == EFBIG;
    return is_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int write_late(struct priv_file *f) {
    size_t n = f->late_len;
    f->late_len = 0;
    if (n > 0 && !write_all(f->fs, f->fd, f->late, n, f->late_at))
        f->late_rc = write_failed(f);
    return f->late_rc;
}

/* Before these bytes are read from the file. */
static int write_late_in(struct priv_file *f, int64_t at, int64_t n) {
    bool is_apart = at + n <= f->late_at || at >= f->late_at + (int64_t)f->late_len;
    return is_apart ? SQLITE_OK : write_late(f);
}

static void unmap(struct priv_file *f) {
    if (f->map)
        munmap(f->map, (size_t)f->map_size);
    f->map = NULL;
}

static int file_close(sqlite3_file *base) {
    struct priv_file *f = (struct priv_file *)base;
    unmap(f);
    free(f->late); /* what is in it was not committed, or is of a file that nobody reads any more */
    if (f->fs->in_memory && f->owns_fd)
        f->fs->memory -= (uint64_t)f->size;
    if (f->owns_fd)
        close(f->fd);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *out, int n, sqlite3_int64 at) {
    struct priv_file *f = (struct priv_file *)base;
    if (cancel_reason(f->fs->cancel))
        return SQLITE_IOERR_READ;
    int rc = write_late_in(f, at, n);
    if (rc != SQLITE_OK)
        return rc;
    int got = 0;
    while (got < n) {
        ssize_t done = pread(f->fd, (char *)out + got, (size_t)(n - got), at + got);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            f->fs->last_errno = errno;
            return SQLITE_IOERR_READ;
        }
        if (done == 0)
            break;
        got += (int)done;
    }
    if (got == n)
        return SQLITE_OK;
    memset((char *)out + got, 0, (size_t)(n - got));
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int n, sqlite3_int64 at) {
    struct priv_file *f = (struct priv_file *)base;
    if (cancel_reason(f->fs->cancel))
        return SQLITE_IOERR_WRITE;
    if (!may_grow(f->fs, f->size, at + n))
        return SQLITE_FULL;
    if (at + n > f->size)
        f->size = at + n;
    bool goes_on = at == f->late_at + (int64_t)f->late_len && (size_t)n <= LATE_MAX - f->late_len;
    if (!goes_on) {
        int rc = write_late(f);
        if (rc != SQLITE_OK)
            return rc;
        f->late_at = at;
    }
    if (n > LATE_MAX)
        return write_all(f->fs, f->fd, bytes, (size_t)n, at) ? SQLITE_OK : write_failed(f);
    if (!f->late)
        f->late = mem_alloc(LATE_MAX);
    memcpy(f->late + f->late_len, bytes, (size_t)n);
    f->late_len += (size_t)n;
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    struct priv_file *f = (struct priv_file *)base;
    if (!may_grow(f->fs, f->size, size))
        return SQLITE_FULL;
    int rc = write_late(f);
    if (rc != SQLITE_OK)
        return rc;
    while (ftruncate(f->fd, size) != 0) {
        if (errno == EINTR)
            continue;
        f->fs->last_errno = errno;
        return SQLITE_IOERR_TRUNCATE;
    }
    if (f->fs->in_memory && size < f->size)
        f->fs->memory -= (uint64_t)(f->size - size);
    f->size = size;
    return SQLITE_OK;
}

/* A copy that nobody can find after a crash need not survive one. */
static int file_sync(sqlite3_file *base, int flags) {
    (void)flags;
    return write_late((struct priv_file *)base);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret_size) {
    *ret_size = ((struct priv_file *)base)->size;
    return SQLITE_OK;
}

/* Nobody else can open a file without a name: there is nothing to lock. */
static int file_lock(sqlite3_file *base, int level) {
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *base, int *ret_reserved) {
    (void)base;
    *ret_reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg) {
    (void)arg;
    /* Comes with each commit, in place of xSync where PRAGMA synchronous is off. */
    if (op == SQLITE_FCNTL_SYNC)
        return write_late((struct priv_file *)base);
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base) {
    (void)base;
    return 4096;
}

static int file_characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* The database alone: SQLite would want files it sorts in as a whole, and fill them afterwards. */
static bool map_file(struct priv_file *f) {
    if (f->map)
        return true;
    if (f->owns_fd || f->size == 0 || (uint64_t)f->size > SIZE_MAX)
        return false;
    /* With room for what will be written while it is there: a map cannot grow under SQLite's pointers. What
     * lies behind the end of the file is only addresses, and is not touched. */
    sqlite3_int64 size = f->size <= MAP_GROWTH_MAX ? f->size * MAP_GROWTH : f->size;
    void *map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED && size > f->size) {
        size = f->size;
        map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, f->fd, 0);
    }
    if (map == MAP_FAILED)
        return false;
    f->map = map;
    f->map_size = size;
    return true;
}

/* A page of the file without a copy of it, where PRAGMA mmap_size allows that. NULL: SQLite reads it. */
static int file_fetch(sqlite3_file *base, sqlite3_int64 at, int n, void **ret_bytes) {
    struct priv_file *f = (struct priv_file *)base;
    *ret_bytes = NULL;
    int rc = write_late_in(f, at, n);
    if (rc != SQLITE_OK || !map_file(f) || at + n > f->map_size || at + n > f->size)
        return rc;
    f->map_used += n;
    if (f->map_used > MAP_USED_MAX) {
        /* They come back from the file when they are touched again. */
        madvise(f->map, (size_t)f->map_size, MADV_DONTNEED);
        f->map_used = n;
    }
    *ret_bytes = f->map + at;
    return SQLITE_OK;
}

/* Without bytes: SQLite does not want the map any more. */
static int file_unfetch(sqlite3_file *base, sqlite3_int64 at, void *bytes) {
    (void)at;
    if (!bytes)
        unmap((struct priv_file *)base);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 3,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    /* no xShm...: those are for a WAL */
    .xFetch = file_fetch,
    .xUnfetch = file_unfetch,
};

/* --- sqlite3_vfs --- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                    int *ret_flags) {
    struct priv_file *f = (struct priv_file *)base;
    f->base.pMethods = NULL;
    struct privfs *fs = vfs->pAppData;
    if (flags & SQLITE_OPEN_MAIN_DB) {
        *f = (struct priv_file){.fs = fs, .fd = fs->fd, .size = fs->fd_bytes};
    } else if (!name) {
        int fd = make_fd(fs, NULL);
        if (fd < 0) {
            fs->last_errno = errno;
            return SQLITE_CANTOPEN;
        }
        *f = (struct priv_file){.fs = fs, .fd = fd, .owns_fd = true};
    } else {
        /* A journal or a WAL: neither is ever wanted here. */
        return SQLITE_CANTOPEN;
    }
    f->base.pMethods = &methods;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    (void)name;
    (void)sync;
    return SQLITE_IOERR_DELETE_NOENT;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_exists) {
    (void)vfs;
    (void)name;
    (void)flags;
    *ret_exists = 0;
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int n, char *out) {
    (void)vfs;
    sqlite3_snprintf(n, out, "%s", name);
    return SQLITE_OK;
}

static bool set_up_vfs(struct privfs *fs, struct err *err) {
    const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    if (!usual)
        return err_set(err, ERR_INTERNAL, "SQLite has no default VFS");
    snprintf(fs->name, sizeof fs->name, "c1z-%p", (void *)fs);
    fs->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct priv_file),
        .mxPathname = 64,
        .zName = fs->name,
        .pAppData = fs,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = usual->xRandomness,
        .xSleep = usual->xSleep,
        .xCurrentTime = usual->xCurrentTime,
        .xGetLastError = usual->xGetLastError,
        .xCurrentTimeInt64 = usual->xCurrentTimeInt64,
    };
    if (sqlite3_vfs_register(&fs->vfs, 0) != SQLITE_OK)
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "out of memory: prepare the private copy");
    fs->is_registered = true;
    return true;
}

/* --- life --- */

struct privfs *privfs_open(const char *dir, struct err *err) {
    /* Nobody asks SQLite how much memory it uses, and counting takes a lock for each allocation: 3 % of a
     * sync. Too late, and then without effect, once SQLite has been used. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct privfs *fs = mem_zalloc(sizeof *fs);
    fs->dir = dir;
    fs->fd = make_fd(fs, NULL);
    if (fs->fd < 0) {
        fs->in_memory = true;
        fs->fd = make_fd(fs, err);
    }
    if (fs->fd < 0 || !set_up_vfs(fs, err)) {
        privfs_close(fs);
        return NULL;
    }
    return fs;
}

void privfs_close(struct privfs *fs) {
    if (!fs)
        return;
    if (fs->is_registered)
        sqlite3_vfs_unregister(&fs->vfs);
    if (fs->fd >= 0)
        close(fs->fd);
    free(fs);
}

const char *privfs_name(const struct privfs *fs) {
    return fs->name;
}

int privfs_fd(const struct privfs *fs) {
    return fs->fd;
}

bool privfs_append(struct privfs *fs, const void *bytes, size_t n, struct err *err) {
    int64_t end = fs->fd_bytes + (int64_t)n;
    if (!may_grow(fs, fs->fd_bytes, end) || !write_all(fs, fs->fd, bytes, n, fs->fd_bytes))
        return privfs_fail(fs, err);
    fs->fd_bytes = end;
    return true;
}

void privfs_set_cancel(struct privfs *fs, const struct cancel *cancel) {
    fs->cancel = cancel;
}

bool privfs_fail(const struct privfs *fs, struct err *err) {
    if (!cancel_check(fs->cancel, err))
        return false;
    bool is_full = fs->last_errno == ENOSPC || fs->last_errno == EDQUOT || fs->last_errno == EFBIG;
    if (is_full && fs->in_memory)
        return err_set(err, ERR_RESOURCE_EXHAUSTED,
                       "the private copy would take more than %" PRIu64 " MiB of memory: no directory "
                       "for it could be written to (%s); make one writable and name it in TMPDIR",
                       PRIVFS_MEMORY_MAX / (1024 * 1024), fs->dir);
    if (is_full)
        return err_set_errno(err, ERR_RESOURCE_EXHAUSTED, fs->last_errno,
                             "write the private copy in %s: make room there or name another directory "
                             "in TMPDIR", fs->dir);
    return err_set_errno(err, ERR_UNKNOWN, fs->last_errno ? fs->last_errno : EIO,
                         "read or write the private copy in %s", fs->dir);
}

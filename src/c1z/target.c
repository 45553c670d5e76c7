#include "c1z/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

enum { LINKS_MAX = 40, ATTEMPTS_MAX = 100 };

/* --- where --- */

/* The directory of a path; owned by the caller. */
static char *directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return mem_strdup(".");
    return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Follows symbolic links, also to a file that is not there yet. Owned by the caller. */
static char *resolve(const char *path, struct err *err) {
    char *at = mem_strdup(path);
    for (int i = 0; i < LINKS_MAX; i++) {
        char link[PATH_MAX];
        ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0)
            return at; /* no link, or nothing there: open() will say what is wrong */
        link[n] = '\0';
        mem_auto char *directory = directory_of(at);
        char *next = link[0] == '/' ? mem_strdup(link) : mem_printf("%s/%s", directory, link);
        free(at);
        at = next;
    }
    free(at);
    err_set(err, ERR_UNKNOWN, "%s: too many symbolic links", path);
    return NULL;
}

/* Fails if something is there that is no regular file. */
static bool check_old(const char *path, struct stat *ret_old, bool *ret_exists, struct err *err) {
    struct stat st;
    if (lstat(path, &st) != 0) {
        if (errno != ENOENT)
            return err_set_errno(err, ERR_UNKNOWN, errno, "look at %s", path);
        *ret_exists = false;
        return true;
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_UNKNOWN, "%s is %s: name a file to write to", path,
                       S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
    *ret_old = st;
    *ret_exists = true;
    return true;
}

bool target_check(const char *path, struct err *err) {
    if (!*path)
        return err_set(err, ERR_UNKNOWN, "the name of the file to write is empty");
    mem_auto char *resolved = resolve(path, err);
    struct stat old;
    bool exists;
    if (!resolved || !check_old(resolved, &old, &exists, err))
        return false;
    mem_auto char *directory = directory_of(resolved);
    if (access(directory, W_OK | X_OK) != 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "cannot write %s: directory %s", path, directory);
    return true;
}

/* --- the temporary file --- */

static bool is_still_at(int fd, const char *path) {
    struct stat a, b;
    return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

enum claim_result { CLAIM_DONE, CLAIM_AGAIN, CLAIM_FAILED };

static enum claim_result busy(const char *tmp, struct err *err) {
    err_set(err, ERR_FAILED_PRECONDITION,
            "another program is writing %s now: wait until it is done and run this again", tmp);
    return CLAIM_FAILED;
}

/* Someone's file of that name is there. If its owner is dead it is removed. */
static enum claim_result remove_stale(const char *tmp, struct err *err) {
    int fd = open(tmp, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return CLAIM_AGAIN;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        err_set(err, ERR_FAILED_PRECONDITION,
                "%s is in the way and is not an ordinary file of ours: remove it", tmp);
        return CLAIM_FAILED;
    }
    enum claim_result result = CLAIM_AGAIN;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        result = busy(tmp, err);
    else if (is_still_at(fd, tmp))
        unlink(tmp);
    close(fd);
    return result;
}

/* One attempt to create and lock the temporary file. */
static enum claim_result claim(const char *tmp, mode_t mode, int *ret_fd, struct err *err) {
    int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST)
        return remove_stale(tmp, err);
    if (fd < 0) {
        err_set_errno(err, ERR_UNKNOWN, errno, "create %s", tmp);
        return CLAIM_FAILED;
    }
    /* Between the two calls another writer may have taken the file for a dead one's. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_still_at(fd, tmp)) {
        close(fd);
        return CLAIM_AGAIN;
    }
    *ret_fd = fd;
    return CLAIM_DONE;
}

static bool claim_tmp(struct target *t, mode_t mode, struct err *err) {
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        switch (claim(t->tmp, mode, &t->fd, err)) {
        case CLAIM_DONE:
            return true;
        case CLAIM_FAILED:
            return false;
        case CLAIM_AGAIN:
            break;
        }
    }
    busy(t->tmp, err);
    return false;
}

/* The new file belongs to whom the old one belonged, as far as we may say so; where the group cannot be
 * kept, another group must not get its rights. The owner first: changing it takes mode bits away. */
static bool copy_ownership(int fd, const struct stat *old) {
    struct stat now;
    mode_t mode = old->st_mode & 0777;
    if (fstat(fd, &now) != 0)
        return false;
    if (geteuid() == 0 && (now.st_uid != old->st_uid || now.st_gid != old->st_gid)) {
        if (fchown(fd, old->st_uid, old->st_gid) != 0)
            return false;
    } else if (now.st_gid != old->st_gid && fchown(fd, (uid_t)-1, old->st_gid) != 0) {
        mode &= ~(mode_t)070;
    }
    return fchmod(fd, mode) == 0;
}

bool target_look(const char *path, struct target_origin *ret_origin, struct err *err) {
    struct target_origin o = {.path = resolve(path, err)};
    if (!o.path || !check_old(o.path, &o.old, &o.exists, err)) {
        target_origin_done(&o);
        return false;
    }
    *ret_origin = o;
    return true;
}

void target_origin_done(struct target_origin *o) {
    free(o->path);
    *o = (struct target_origin){0};
}

/* Nobody has replaced or changed the file since it was looked at. */
static bool is_unchanged(const struct target_origin *o, struct err *err) {
    struct stat now;
    bool exists;
    if (!check_old(o->path, &now, &exists, err))
        return false;
    bool is_same = exists == o->exists;
    if (is_same && exists)
        is_same = now.st_dev == o->old.st_dev && now.st_ino == o->old.st_ino &&
                  now.st_size == o->old.st_size && now.st_mtim.tv_sec == o->old.st_mtim.tv_sec &&
                  now.st_mtim.tv_nsec == o->old.st_mtim.tv_nsec;
    return is_same || err_set(err, ERR_FAILED_PRECONDITION,
                              "another program has changed %s since it was read, and that must not be "
                              "lost: run this again", o->path);
}

bool target_open(const struct target_origin *origin, struct target *ret_target, struct err *err) {
    struct target t = TARGET_INIT;
    t.path = mem_strdup(origin->path);
    t.tmp = mem_printf("%s.tmp", t.path);
    /* What was readable by few must not be readable by all, not even while it is written. */
    if (!claim_tmp(&t, origin->exists ? 0600 : 0644, err)) {
        free(t.tmp); /* not ours to remove */
        t.tmp = NULL;
        target_done(&t);
        return false;
    }
    mem_unlink_on_death(t.tmp);
    bool ok = is_unchanged(origin, err);
    if (ok && origin->exists && !copy_ownership(t.fd, &origin->old))
        ok = err_set_errno(err, ERR_UNKNOWN, errno, "set owner and mode of %s", t.tmp);
    if (!ok) {
        target_done(&t);
        return false;
    }
    *ret_target = t;
    return true;
}

void target_done(struct target *t) {
    if (t->tmp) {
        /* A writer that knows no lock may have put its own file there: that is not ours to remove. */
        if (is_still_at(t->fd, t->tmp))
            unlink(t->tmp);
        mem_unlink_on_death(NULL);
    }
    if (t->fd >= 0)
        close(t->fd);
    free(t->tmp);
    free(t->path);
    *t = TARGET_INIT;
}

bool target_write(struct target *t, const void *bytes, size_t n, struct err *err) {
    const char *p = bytes;
    while (n > 0) {
        ssize_t done = write(t->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            int e = done < 0 ? errno : ENOSPC;
            bool is_full = e == ENOSPC || e == EDQUOT || e == EFBIG;
            return err_set_errno(err, is_full ? ERR_RESOURCE_EXHAUSTED : ERR_UNKNOWN, e, "write %s",
                                 t->tmp);
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

uint64_t target_free_bytes(const struct target *t) {
    struct statvfs v;
    return fstatvfs(t->fd, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

/* Makes the rename durable. Some file systems cannot sync a directory and say EINVAL; a directory that may
 * be written to but not read cannot be opened for it. */
static bool sync_directory(const char *path, struct err *err) {
    mem_auto char *directory = directory_of(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 ? fsync(fd) == 0 || errno == EINVAL : errno == EACCES;
    if (!ok)
        err_set_errno(err, ERR_UNKNOWN, errno,
                      "%s is replaced, but it is not certain that this survives a power cut: sync its "
                      "directory", path);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool target_commit(struct target *t, struct err *err) {
    if (fsync(t->fd) != 0) {
        bool is_full = errno == ENOSPC || errno == EDQUOT;
        return err_set_errno(err, is_full ? ERR_RESOURCE_EXHAUSTED : ERR_UNKNOWN, errno, "write %s",
                             t->tmp);
    }
    if (!is_still_at(t->fd, t->tmp)) {
        busy(t->tmp, err);
        return false;
    }
    if (rename(t->tmp, t->path) != 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "rename %s to %s", t->tmp, t->path);
    mem_unlink_on_death(NULL);
    free(t->tmp);
    t->tmp = NULL;
    return sync_directory(t->path, err);
}

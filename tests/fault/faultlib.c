/* faultlib: preloaded into a program, makes one library call fail.
 *
 *   FAULT_CALL    malloc (with calloc, realloc), open, read, write (with pwrite), truncate, sync, rename,
 *                 lock
 *   FAULT_AT      which call of that kind: 1, 2, ...
 *   FAULT_ERRNO   a number; ENOMEM for malloc, else EIO, where it is not set
 *   FAULT_MARK    a file that is made when the fault happens, so that the test knows when it was past the
 *                 last call
 *
 * Calls count from the program's start; those on descriptors 0 to 2 do not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *p, size_t size);

static const char *call;
static long at, seen;
static int error;

__attribute__((constructor)) static void arm(void) {
    const char *number = getenv("FAULT_AT"), *code = getenv("FAULT_ERRNO");
    const char *name = getenv("FAULT_CALL");
    at = number ? strtol(number, NULL, 10) : 0;
    error = code ? (int)strtol(code, NULL, 10) : EIO;
    call = name;
}

static void mark(void) {
    const char *path = getenv("FAULT_MARK");
    if (path)
        syscall(SYS_close, (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0600));
}

/* Is this the call that must fail? */
static bool fails(const char *name, int code) {
    if (!call || strcmp(call, name) != 0 || ++seen != at)
        return false;
    mark();
    errno = code;
    return true;
}

EXPORT void *malloc(size_t size) {
    return fails("malloc", ENOMEM) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size) {
    return fails("malloc", ENOMEM) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *p, size_t size) {
    return fails("malloc", ENOMEM) ? NULL : __libc_realloc(p, size);
}

static int open_at(int dir, const char *path, int flags, mode_t mode) {
    return fails("open", error) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                       \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode = va_arg(ap, mode_t);                                                                 \
        va_end(ap);                                                                                \
    }

EXPORT int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

EXPORT ssize_t read(int fd, void *out, size_t n) {
    return fd > 2 && fails("read", error) ? -1 : syscall(SYS_read, fd, out, n);
}

EXPORT ssize_t pread(int fd, void *out, size_t n, off_t from) {
    return fails("read", error) ? -1 : syscall(SYS_pread64, fd, out, n, from);
}

EXPORT ssize_t pread64(int fd, void *out, size_t n, off64_t from) {
    return pread(fd, out, n, from);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t n) {
    return fd > 2 && fails("write", error) ? -1 : syscall(SYS_write, fd, bytes, n);
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t n, off_t to) {
    return fails("write", error) ? -1 : syscall(SYS_pwrite64, fd, bytes, n, to);
}

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t to) {
    return pwrite(fd, bytes, n, to);
}

EXPORT int ftruncate(int fd, off_t size) {
    return fails("truncate", error) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

EXPORT int ftruncate64(int fd, off64_t size) {
    return ftruncate(fd, size);
}

EXPORT int fsync(int fd) {
    return fails("sync", error) ? -1 : (int)syscall(SYS_fsync, fd);
}

EXPORT int rename(const char *from, const char *to) {
    return fails("rename", error) ? -1 : (int)syscall(SYS_rename, from, to);
}

EXPORT int flock(int fd, int operation) {
    return fails("lock", error) ? -1 : (int)syscall(SYS_flock, fd, operation);
}

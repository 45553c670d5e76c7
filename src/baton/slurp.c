#include "baton/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Reads to the end or to the size of the buffer; *len says how much in any case. */
static bool read_all(int fd, char *to, size_t size, size_t *len, struct err *err) {
    *len = 0;
    while (*len < size) {
        ssize_t n = read(fd, to + *len, size - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_UNKNOWN, errno, "cannot be read");
        if (n == 0)
            break;
        *len += (size_t)n;
    }
    return true;
}

static bool slurp_fd(int fd, size_t max_bytes, struct slurp *ret_file, struct err *err) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "cannot be read");
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_UNKNOWN, "is a directory: name a file in it");
    /* One byte more than allowed tells "full" from "too large". */
    struct slurp file = {.data = mem_alloc(max_bytes + 2), .mode = st.st_mode};
    bool ok = read_all(fd, file.data, max_bytes + 1, &file.len, err);
    if (ok && file.len > max_bytes)
        ok = err_set(err, ERR_UNKNOWN, "is larger than %zu bytes", max_bytes);
    file.data[file.len] = '\0';
    if (ok)
        *ret_file = file;
    else
        slurp_done(&file);
    return ok;
}

bool slurp_file(const char *path, size_t max_bytes, struct slurp *ret_file, struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "does not exist");
    if (fd < 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "cannot be opened");
    bool ok = slurp_fd(fd, max_bytes, ret_file, err);
    close(fd);
    return ok;
}

void slurp_done(struct slurp *s) {
    if (!s || !s->data)
        return;
    explicit_bzero(s->data, s->len);
    free(s->data);
    *s = (struct slurp){0};
}

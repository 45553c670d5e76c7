#include "base/tmp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

const char *tmp_dir(const char *wish) {
    if (wish && *wish)
        return wish;
    const char *names[] = {"BATON_TMPDIR", "TMPDIR"};
    for (int i = 0; i < 2; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return "/tmp";
}

bool tmp_file_open(const char *dir, struct tmp_file *ret_file, struct err *err) {
    struct tmp_file f = TMP_FILE_INIT;
    f.dir = mem_printf("%s/c1zXXXXXX", dir);
    if (!mkdtemp(f.dir)) {
        err_set_errno(err, ERR_UNKNOWN, errno, "make a temporary directory in %s", dir);
        free(f.dir);
        return false;
    }
    f.path = mem_printf("%s/db", f.dir);
    f.fd = open(f.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (f.fd < 0) {
        err_set_errno(err, ERR_UNKNOWN, errno, "make the temporary file %s", f.path);
        tmp_file_done(&f);
        return false;
    }
    *ret_file = f;
    return true;
}

int tmp_anonymous(const char *dir, struct err *err) {
    int fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    struct tmp_file f;
    if (!tmp_file_open(dir, &f, err))
        return -1;
    tmp_file_unlink(&f);
    return f.fd;
}

void tmp_file_unlink(struct tmp_file *f) {
    if (f->path)
        unlink(f->path);
    if (f->dir)
        rmdir(f->dir);
    free(f->path);
    free(f->dir);
    f->path = f->dir = NULL;
}

void tmp_file_done(struct tmp_file *f) {
    if (!f)
        return;
    tmp_file_unlink(f);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

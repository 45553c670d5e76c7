/* scratch: a temporary directory for a test, and whole files in and out of memory. */
#ifndef TESTS_UNIT_C1Z_SCRATCH_H
#define TESTS_UNIT_C1Z_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct scratch {
    char dir[64];
};

static inline void scratch_open(struct scratch *s) {
    snprintf(s->dir, sizeof s->dir, "/tmp/c1z-test-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
}

/* Owned by the caller. */
static inline char *scratch_path(const struct scratch *s, const char *name) {
    return mem_printf("%s/%s", s->dir, name);
}

static inline int scratch_count(const struct scratch *s) {
    int n = 0;
    DIR *d = opendir(s->dir);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static inline void scratch_close(struct scratch *s) {
    DIR *d = opendir(s->dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        mem_auto char *path = scratch_path(s, e->d_name);
        chmod(path, 0700);
        if (unlink(path) != 0)
            rmdir(path);
    }
    closedir(d);
    assert_int_equal(rmdir(s->dir), 0);
}

/* Owned by the caller. */
static inline uint8_t *read_bytes(const char *path, size_t *ret_n) {
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = mem_alloc(n + 1);
    assert_int_equal(fread(bytes, 1, n, f), n);
    fclose(f);
    *ret_n = n;
    return bytes;
}

static inline void write_bytes(const char *path, const void *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Owned by the caller: the path of a golden file. */
static inline char *golden_path(const char *name) {
    const char *root = getenv("TEST_FIXTURES");
    return mem_printf("%s/golden/c1z/%s", root ? root : "tests", name);
}

#endif

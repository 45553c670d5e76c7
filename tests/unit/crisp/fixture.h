/* fixture: the sample answers of tests/fixtures/crisp, and a way to feed them. Include after
 * test.h. */
#ifndef TESTS_UNIT_CRISP_FIXTURE_H
#define TESTS_UNIT_CRISP_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

enum { FIXTURE_MAX = 1024 * 1024 };

/* The file's bytes; the caller ends the buffer. */
static inline struct buf fixture_read(const char *name) {
    char path[1024];
    struct buf bytes;
    buf_init(&bytes, FIXTURE_MAX);
    snprintf(path, sizeof path, "%s/fixtures/crisp/%s", getenv("TEST_FIXTURES"), name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot read %s", path);
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        buf_add(&bytes, chunk, n);
    fclose(f);
    return bytes;
}

/* begin, body in pieces of `step` bytes, end: as the network does it. */
static inline bool fixture_feed(void *decoder, void (*begin)(void *),
                                bool (*body)(void *, const char *, size_t, struct err *),
                                bool (*end)(void *, struct err *), const char *text, size_t n,
                                size_t step, struct err *err) {
    begin(decoder);
    for (size_t i = 0; i < n; i += step)
        if (!body(decoder, text + i, n - i < step ? n - i : step, err))
            return false;
    return end(decoder, err);
}

#endif

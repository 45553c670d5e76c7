#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static const char *volatile doomed_path;

void mem_unlink_on_death(const char *path) {
    doomed_path = path;
}

void mem_die(void) {
    static const char text[] = "out of memory: give the process more memory and run it again\n";
    if (doomed_path)
        unlink(doomed_path);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(ERR_RESOURCE_EXHAUSTED);
    _exit(ERR_RESOURCE_EXHAUSTED);
}

void *mem_alloc(size_t size) {
    void *p = malloc(size ? size : 1);
    if (!p)
        mem_die();
    return p;
}

void *mem_zalloc(size_t size) {
    void *p = calloc(1, size ? size : 1);
    if (!p)
        mem_die();
    return p;
}

void *mem_realloc_array(void *p, size_t count, size_t size) {
    void *q = reallocarray(p, count ? count : 1, size ? size : 1);
    if (!q)
        mem_die();
    return q;
}

char *mem_strndup(const char *s, size_t n) {
    char *p = mem_alloc(n + 1);
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *mem_strdup(const char *s) {
    return mem_strndup(s, strlen(s));
}

char *mem_printf(const char *fmt, ...) {
    char *p = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&p, fmt, ap);
    va_end(ap);
    if (n < 0)
        mem_die();
    return p;
}

void mem_free_indirect(void *pp) {
    void *p;
    memcpy(&p, pp, sizeof p);
    free(p);
}

#include "program/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { QUIET_MS = 1000, REDRAW_MS = 200 };

void progress_init(struct progress *p) {
    *p = (struct progress){.is_on = isatty(STDERR_FILENO) == 1, .started_ms = clock_mono_ms()};
}

void progress_show(const char *phase, int64_t count, void *payload) {
    struct progress *p = payload;
    int64_t now = clock_mono_ms();
    if (!p->is_on || now - p->started_ms < QUIET_MS || now - p->drawn_ms < REDRAW_MS)
        return;
    fprintf(stderr, "\r\033[K%s: %lld", phase, (long long)count);
    fflush(stderr);
    p->is_drawn = true;
    p->drawn_ms = now;
}

void progress_clear(const char *line, size_t n, void *payload) {
    (void)line;
    (void)n;
    struct progress *p = payload;
    if (!p->is_drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->is_drawn = false;
}

/* progress: one line on a terminal that says how far long work is, drawn over again.
 *
 * Silent unless stderr is a terminal, and for the first second. The line is taken away before
 * anything else is printed: pass progress_clear() to the log as its tap.
 */
#ifndef PROGRAM_PROGRESS_H
#define PROGRAM_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    bool is_on, is_drawn;
    int64_t started_ms, drawn_ms;
};

void progress_init(struct progress *p);
/* Shape of sync_request.progress; the payload is the struct progress. */
void progress_show(const char *phase, int64_t count, void *payload);
/* Shape of the log's tap; the payload is the struct progress. */
void progress_clear(const char *line, size_t n, void *payload);

#endif

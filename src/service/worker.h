/* worker: a forked child that does one piece of work which may block, and says how it went.
 *
 * The service is one thread around one event loop. A sync, or a check of the upstream, blocks and
 * takes memory; it runs in a child of its own, so that the loop goes on, all its memory is given back
 * at its end, and a fault in it costs that one piece of work. The child inherits what the parent has
 * set up; it closes every descriptor but those of the log and those named in `keep`, has its own cancel
 * token (SIGTERM and SIGINT fire it), dies with its parent, and leaves by _exit().
 *
 * `work` runs in the child. What it leaves in err and `result` (at most WORKER_RESULT_MAX bytes, plain
 * data) is handed to `done` in the parent, in the loop, exactly once and never from inside
 * worker_start(), as soon as the child has reported: it is reaped when it is gone. A child that dies
 * without a word is an Internal error naming the signal. One that is killed counts as done at once: a
 * process in an uninterruptible wait (a dead network file system) does not die when it is told to.
 *
 * The process must have one thread: a lock that another holds at the fork stays locked in the child.
 */
#ifndef SERVICE_WORKER_H
#define SERVICE_WORKER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/log.h"

enum {
    WORKER_RESULT_MAX = 512,
    WORKER_KEEP_MAX = 4,
    WORKER_GRACE_MS = 2000,
    WORKER_DRAIN_MS = 500,
};

struct worker;

typedef bool worker_work(void *payload, const struct cancel *cancel, void *result, struct err *err);
/* err->code is OK if the work returned true. */
typedef void worker_done(const struct err *err, const void *result, void *payload);

struct worker_options {
    struct event_base *base;
    struct log *log;            /* its descriptors stay open in the child */
    int keep[WORKER_KEEP_MAX];  /* and these */
    int keep_count;
    int limit_ms; /* then it is stopped and ends with DeadlineExceeded; 0: none */
    worker_work *work;
    worker_done *done;
    void *payload; /* of both; the child works on its copy */
    size_t result_len;
};

/* NULL and err if the machine has no process or descriptor left (ResourceExhausted). */
struct worker *worker_start(const struct worker_options *options, struct err *err);
/* Asks the child to stop; after WORKER_GRACE_MS it is killed. `done` follows, with Canceled. */
void worker_stop(struct worker *worker);
/* Kills it at once; `done` is not called. The loop or worker_drain() reaps it. Takes NULL. */
void worker_abandon(struct worker *worker);
/* Waits for children that are on their way out, all together at most WORKER_DRAIN_MS. Before the loop is
 * freed. */
void worker_drain(void);

#endif

/* full_sync: one full-sync task from its first heartbeat to the end of its upload (service-mode.md 5.3).
 *
 * heartbeat -> sync in a child process (service/sync_job.h) into a file without a name, or memory where no
 * directory is writable -> upload, of a large file begun while it is still being compressed, tried up to
 * SCHEDULE_UPLOAD_TRIES times in all -> with `debug` the log as a second upload. It does not finish the task:
 * `done` gets the outcome, once, from the loop. Nothing it makes has a name in a file system, so nothing is
 * left behind however the process ends.
 */
#ifndef SERVICE_FULL_SYNC_H
#define SERVICE_FULL_SYNC_H

#include "service/answer.h"
#include "service/runtime.h"

struct full_sync;

typedef void full_sync_done(const struct answer *answer, void *payload);

/* `task` must live until `done` or full_sync_abandon(). */
struct full_sync *full_sync_start(const struct runtime *rt, const Api__Task *task, full_sync_done *done,
                                  void *payload);
/* Stops it; `done` follows with Canceled and this text. */
void full_sync_stop(struct full_sync *s, const char *why);
/* `done` is not called. Takes NULL. */
void full_sync_abandon(struct full_sync *s);

#endif

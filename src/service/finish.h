/* finish: tells C1 how a task ended (FinishTask), and does not give up at the first trouble.
 *
 * Tried again after Unavailable, DeadlineExceeded, ResourceExhausted, Aborted, Internal, Unknown and
 * Unauthenticated, SCHEDULE_FINISH_TRIES times in all; the peer tries once, and then the outcome is lost.
 * Another code means C1 has the task no more, or will never take this. `done` is called once, from the
 * loop, with OK when C1 took it.
 */
#ifndef SERVICE_FINISH_H
#define SERVICE_FINISH_H

#include "service/answer.h"
#include "service/runtime.h"

struct finish;

typedef void finish_done(const struct err *err, void *payload);

/* `is_hurried`: the process is about to end: short deadlines, short waits; the owner ends it. Borrows only
 * `rt`. */
struct finish *finish_start(const struct runtime *rt, const char *task_id, const struct answer *answer,
                            bool is_hurried, finish_done *done, void *payload);
/* From now on in a hurry: a waiting one tries at once. */
void finish_hurry(struct finish *f);
/* Gives it up; `done` is not called. Takes NULL. */
void finish_abandon(struct finish *f);

#endif

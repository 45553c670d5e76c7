/* task: one task from C1, from its arrival to the moment C1 has been told how it ended.
 *
 * Every task is answered: a hello task by Hello, all others by FinishTask. One log line says that it
 * began and one how it ended, with its id, type, result and duration. `done` is called once, from the
 * loop or from inside task_stop(); it may free the task.
 */
#ifndef SERVICE_TASK_H
#define SERVICE_TASK_H

#include "service/runtime.h"

struct task;

typedef void task_done(struct task *task, void *payload);

/* Copies the message. Nothing is done before task_start(). NULL if it cannot be read back. */
struct task *task_new(const struct runtime *rt, const Api__Task *message, task_done *done, void *payload);
void task_start(struct task *task);
/* Stops the work, begun or not, and tells C1 so at once, as retryable: the process is about to end. */
void task_stop(struct task *task, const char *why);
/* Drops what is still running. Takes NULL. */
void task_free(struct task *task);

const char *task_id(const struct task *task);
bool task_has_started(const struct task *task);

#endif

/* cancel: "stop now", told to code that waits or works long.
 *
 * A token owns an eventfd that becomes readable when it is cancelled, so a poll() can wait for it,
 * and a flag that a loop can look at for nothing. cancel_fire() is safe in a signal handler and from
 * any thread. A NULL token means "cannot be cancelled".
 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include <stdbool.h>

#include "base/err.h"

struct cancel;

struct cancel *cancel_new(struct err *err);
void cancel_free(struct cancel *c);

/* `reason` is a signal number, or any small positive number the owner understands. The first wins. */
void cancel_fire(struct cancel *c, int reason);
/* 0 while not cancelled. */
int cancel_reason(const struct cancel *c);
/* Readable once cancelled; -1 for a NULL token. */
int cancel_fd(const struct cancel *c);

/* Sets err to Canceled and returns false if the token has fired; else returns true. */
bool cancel_check(const struct cancel *c, struct err *err);

/* SIGINT and SIGTERM fire this token from now on. SIGPIPE and SIGXFSZ are ignored. The token must outlive the
 * process's use of signals; a NULL puts the defaults back. */
void cancel_on_signals(struct cancel *c);

#endif

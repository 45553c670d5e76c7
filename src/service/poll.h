/* poll: asks C1 for tasks and keeps those that run (service-mode.md 5.2).
 *
 * At most `slots` tasks run at once; while all are busy nothing is asked. Two ways to ask: GetTask, and with
 * BATON_GET_TASKS GetTasks, which fills a queue of up to twice as many. Trouble with asking is tried again
 * for ever, after 1, 4, 9 ... 60 s. A task whose id is known already is not taken twice. One without an id,
 * or with one longer than POLL_ID_MAX, cannot be answered; what is more than was asked for finds no room.
 * Both are dropped, with one log line an answer however many they are.
 */
#ifndef SERVICE_POLL_H
#define SERVICE_POLL_H

#include "service/runtime.h"

struct poll;

enum { POLL_PAGE_MAX = 100, POLL_ID_MAX = 256 /* bytes; C1's have 27 */ };

struct poll_options {
    const struct runtime *rt;
    int slots;
    bool is_batch; /* GetTasks */
    /* C1 answered, or did not: told at every change. err code OK: it answers. May be NULL. */
    void (*link)(const struct err *err, void *payload);
    /* The last task that ran is done. May be NULL. */
    void (*idle)(void *payload);
    void *payload;
};

struct poll *poll_start(const struct poll_options *options);
/* Asks no more, stops what runs, and calls `done` once nothing does: at once if there is nothing. */
void poll_stop(struct poll *p, const char *why, void (*done)(void *payload), void *payload);
/* Drops everything. Takes NULL. */
void poll_free(struct poll *p);

#endif

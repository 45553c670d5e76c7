/* schedule: how long the service waits, in milliseconds; the numbers of service-mode.md sections 5.1, 5.2
 * and 5.4, and the few of our own.
 */
#ifndef SERVICE_SCHEDULE_H
#define SERVICE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* A google.protobuf.Duration; negative and absent ones count as unset. */
struct schedule_duration {
    bool is_set;
    int64_t seconds;
    int32_t nanos;
};

enum {
    SCHEDULE_POLL_UNSET_MS = 1000, /* the peer asks again at once, which is a busy loop */
    SCHEDULE_POLL_MIN_MS = 100,
    SCHEDULE_POLL_MAX_MS = 300 * 1000,
    SCHEDULE_HEARTBEAT_UNSET_MS = 30 * 1000,
    SCHEDULE_HEARTBEAT_MIN_MS = 1000,
    SCHEDULE_HEARTBEAT_MAX_MS = 300 * 1000,
    SCHEDULE_HEARTBEAT_DEADLINE_MS = 30 * 1000,
    SCHEDULE_HEARTBEATS_LOST = 9, /* so many failures in a row give a task up */
    SCHEDULE_FIRST_HEARTBEAT_TRIES = 3,
    SCHEDULE_UPLOAD_TRIES = 3,
    SCHEDULE_FINISH_TRIES = 6, /* the peer: 1, and the outcome is lost */
    SCHEDULE_FINISH_DEADLINE_MS = 30 * 1000,
    SCHEDULE_CALL_DEADLINE_MS = 300 * 1000, /* of the calls for which the peer has none */
    SCHEDULE_STOP_MS = 4000, /* from the signal to the exit, at most */
};

int64_t schedule_poll(struct schedule_duration next_poll);
int64_t schedule_heartbeat(struct schedule_duration next_heartbeat);
/* Before the try after `failures` failed ones in a row. */
int64_t schedule_hello_retry(int failures);  /* 1, 2, 4 ... 300 s */
int64_t schedule_poll_retry(int failures);   /* 1, 4, 9 ... 60 s */
int64_t schedule_upload_retry(int failures); /* 0, 1 s */
int64_t schedule_first_heartbeat_retry(int failures); /* 1 s */
int64_t schedule_finish_retry(int failures); /* 1, 2, 4 ... 16 s */

#endif

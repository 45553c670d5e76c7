#include "service/schedule.h"

static int64_t clamp(int64_t value, int64_t min, int64_t max) {
    return value < min ? min : value > max ? max : value;
}

/* 0 for what counts as unset. */
static int64_t milliseconds(struct schedule_duration d) {
    if (!d.is_set || d.seconds < 0 || d.nanos < 0)
        return 0;
    if (d.seconds > SCHEDULE_POLL_MAX_MS)
        return INT64_MAX;
    int64_t ms = d.seconds * 1000 + d.nanos / 1000000;
    return ms == 0 && d.nanos > 0 ? 1 : ms;
}

int64_t schedule_poll(struct schedule_duration next_poll) {
    int64_t ms = milliseconds(next_poll);
    return ms == 0 ? SCHEDULE_POLL_UNSET_MS : clamp(ms, SCHEDULE_POLL_MIN_MS, SCHEDULE_POLL_MAX_MS);
}

int64_t schedule_heartbeat(struct schedule_duration next_heartbeat) {
    int64_t ms = milliseconds(next_heartbeat);
    return ms == 0 ? SCHEDULE_HEARTBEAT_UNSET_MS
                   : clamp(ms, SCHEDULE_HEARTBEAT_MIN_MS, SCHEDULE_HEARTBEAT_MAX_MS);
}

/* 1, 2, 4 ... seconds. */
static int64_t doubling(int failures, int64_t max_s) {
    int64_t s = failures > 16 ? max_s : INT64_C(1) << (failures > 0 ? failures - 1 : 0);
    return clamp(s, 1, max_s) * 1000;
}

int64_t schedule_hello_retry(int failures) {
    return doubling(failures, 300);
}

int64_t schedule_poll_retry(int failures) {
    return clamp(failures > 60 ? 60 : (int64_t)failures * failures, 1, 60) * 1000;
}

int64_t schedule_upload_retry(int failures) {
    return failures <= 1 ? 0 : (int64_t)(failures - 1) * 1000;
}

int64_t schedule_first_heartbeat_retry(int failures) {
    (void)failures;
    return 1000;
}

int64_t schedule_finish_retry(int failures) {
    return doubling(failures, 16);
}

/* runtime: what every part of the running service shares. Owned by service.c; the parts borrow it.
 */
#ifndef SERVICE_RUNTIME_H
#define SERVICE_RUNTIME_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "baton/connector.h"
#include "baton_api.pb-c.h"
#include "c1/client.h"
#include "service/counters.h"
#include "service/hostinfo.h"

struct runtime {
    struct event_base *base;
    struct log *log;
    const struct baton_connector *connector;
    const struct baton_env *env;
    struct c1_client *client;
    struct hostinfo host;
    struct counters *counters;
};

/* One timer of a part: made at the first use, owned by it. A wait that nothing ends would hang the part
 * for ever, so it dies as mem.h does. */
static inline void runtime_after(const struct runtime *rt, struct event **timer, int64_t ms,
                                 event_callback_fn call, void *payload) {
    struct timeval when = {ms / 1000, (suseconds_t)(ms % 1000 * 1000)};
    if (!*timer)
        *timer = evtimer_new(rt->base, call, payload);
    if (!*timer || evtimer_add(*timer, &when) != 0)
        mem_die();
}

/* What c1/client.h gives: NULL for success. */
static inline struct err runtime_outcome(const struct err *err) {
    return err ? *err : ERR_INIT;
}

static inline void runtime_timer_free(struct event **timer) {
    if (*timer)
        event_free(*timer);
    *timer = NULL;
}

#endif

#include "c1/token.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"

LIST_HEAD(wait_list, c1_token_wait);

struct c1_token_wait {
    LIST_ENTRY(c1_token_wait) link; /* of `waiting` or of a list that is being told */
    struct c1_token *token;
    struct event *soon; /* asked while a token was there; NULL: waits for the fetch */
    c1_token_done *done;
    void *payload;
};

struct c1_token {
    struct c1_token_fetch_options options;
    struct secret authorization;
    int64_t ends_boot_ms;
    struct c1_token_fetch *fetch; /* NULL: none runs */
    int64_t fetched_boot_ms;      /* when it was started */
    struct wait_list waiting;
};

struct c1_token *c1_token_new(const struct c1_token_fetch_options *options) {
    struct c1_token *t = mem_zalloc(sizeof *t);
    t->options = *options;
    LIST_INIT(&t->waiting);
    return t;
}

/* Takes it off its list and frees it. */
static void free_wait(struct c1_token_wait *wait) {
    LIST_REMOVE(wait, link);
    if (wait->soon)
        event_free(wait->soon);
    free(wait);
}

void c1_token_free(struct c1_token *token) {
    if (!token)
        return;
    c1_token_fetch_cancel(token->fetch);
    while (!LIST_EMPTY(&token->waiting))
        free_wait(LIST_FIRST(&token->waiting));
    secret_done(&token->authorization);
    free(token);
}

const char *c1_token_peek(struct c1_token *token) {
    if (!secret_is_set(&token->authorization))
        return NULL;
    if (clock_boot_ms() < token->ends_boot_ms)
        return secret_reveal(&token->authorization);
    secret_done(&token->authorization);
    return NULL;
}

void c1_token_drop(struct c1_token *token, const char *authorization) {
    if (strcmp(secret_reveal(&token->authorization), authorization) == 0)
        secret_done(&token->authorization);
}

/* -- fetching -------------------------------------------------------------------------------------- */

static void tell(struct c1_token_wait *wait, const char *authorization, const struct err *err) {
    c1_token_done *done = wait->done;
    void *payload = wait->payload;
    free_wait(wait);
    done(authorization, err, payload);
}

static void keep(struct c1_token *token, const struct c1_token_answer *answer) {
    if (answer->expires_in_s <= C1_TOKEN_MARGIN_S)
        return;
    const struct secret *s = &answer->authorization;
    secret_set(&token->authorization, secret_reveal(s), s->len);
    token->ends_boot_ms =
        token->fetched_boot_ms + (answer->expires_in_s - C1_TOKEN_MARGIN_S) * 1000;
}

/* Those who are told may ask again, cancel others of the list, or drop what they got: the list is
 * moved first, and the answer is the fetch's own. */
static void on_fetched(const struct c1_token_answer *answer, const struct err *err,
                       void *payload) {
    struct c1_token *token = payload;
    struct wait_list told = LIST_HEAD_INITIALIZER(told);
    struct c1_token_wait *wait, *next;
    token->fetch = NULL;
    if (answer)
        keep(token, answer);
    for (wait = LIST_FIRST(&token->waiting); wait; wait = next) {
        next = LIST_NEXT(wait, link);
        if (wait->soon)
            continue;
        LIST_REMOVE(wait, link);
        LIST_INSERT_HEAD(&told, wait, link);
    }
    while (!LIST_EMPTY(&told))
        tell(LIST_FIRST(&told), answer ? secret_reveal(&answer->authorization) : NULL, err);
}

static void fetch(struct c1_token *token) {
    if (token->fetch)
        return;
    token->fetched_boot_ms = clock_boot_ms();
    token->fetch = c1_token_fetch_start(&token->options, on_fetched, token);
}

void c1_token_warm_up(struct c1_token *token) {
    if (!c1_token_peek(token))
        fetch(token);
}

/* -- asking ---------------------------------------------------------------------------------------- */

/* It was there a moment ago; if it is gone, the wait goes on. */
static void on_soon(evutil_socket_t fd, short what, void *payload) {
    struct c1_token_wait *wait = payload;
    (void)fd;
    (void)what;
    const char *kept = c1_token_peek(wait->token);
    if (!kept) {
        event_free(wait->soon);
        wait->soon = NULL;
        fetch(wait->token);
        return;
    }
    /* A copy: whoever is told may drop the token. */
    secret_auto struct secret copy = SECRET_INIT;
    secret_set(&copy, kept, strlen(kept));
    tell(wait, secret_reveal(&copy), NULL);
}

struct c1_token_wait *c1_token_get(struct c1_token *token, c1_token_done *done, void *payload) {
    struct c1_token_wait *wait = mem_alloc(sizeof *wait);
    *wait = (struct c1_token_wait){.token = token, .done = done, .payload = payload};
    LIST_INSERT_HEAD(&token->waiting, wait, link);
    if (!c1_token_peek(token)) {
        fetch(token);
        return wait;
    }
    wait->soon = event_new(token->options.base, -1, 0, on_soon, wait);
    if (!wait->soon)
        mem_die();
    event_active(wait->soon, EV_TIMEOUT, 0);
    return wait;
}

void c1_token_cancel(struct c1_token_wait *wait) {
    if (wait)
        free_wait(wait);
}

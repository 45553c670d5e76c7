/* sandbox: the whole state of a pretended Crisp, and the one function that answers a request.
 *
 * No sockets, no threads, no waiting: the server (server.h) brings requests and sends answers, and
 * calls everything here under one lock. The order in which a request is judged is that of
 * crisp-api.md section 10; see handle_api() in sandbox.c.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sandbox/answer.h"
#include "sandbox/cache.h"
#include "sandbox/canned.h"
#include "sandbox/fault.h"
#include "sandbox/journal.h"
#include "sandbox/request.h"
#include "sandbox/token.h"
#include "sandbox/website.h"

/* What the sandbox starts with, and what a reset goes back to. Borrows everything. */
struct sandbox_options {
    const char *website_id;   /* NULL: WEBSITE_MAIN_ID */
    const char *website_name; /* NULL: the seeded one */
    size_t operators;         /* generated people instead of the seeded team; 0: the seeded team */
    size_t owners;            /* how many of them are owners; 0: the first and every fiftieth */
    bool has_invites;         /* `invites` was given; else one for the seeded team, none else */
    size_t invites;
    bool cache;
    int64_t cache_ttl_ms; /* 0: CACHE_TTL_DEFAULT_MS */
    int64_t quota;        /* a day, for the plugin and the website token; negative: no limit */
    const char *scopes;   /* of the plugin token; NULL: all */
    const char *scenario; /* path of a JSON file, see docs/sandbox.md; NULL: none */
    char *const *faults;  /* command-line form */
    size_t fault_count;
};

struct sandbox {
    struct sandbox_options options;
    struct website websites[WEBSITE_SEEDS];
    struct token tokens[TIER_COUNT];
    char *user_id; /* whose session the user token is */
    struct faults faults;
    struct canned_list canned;
    struct cache cache;
    struct journal journal;
    int64_t clock_offset_ms;
    uint64_t made; /* ids handed out since the start: each gives another UUID */
};

/* NULL and *err if the options do not fit. */
struct sandbox *sandbox_new(const struct sandbox_options *options, struct err *err);
void sandbox_free(struct sandbox *s);

/* Back to the state of the start; the journal is emptied too. */
bool sandbox_reset(struct sandbox *s, struct err *err);

/* Fills *ret_answer (the caller ends it with answer_done()). Returns the number of the journal
 * entry, 0 if the request is none of Crisp's. */
int64_t sandbox_handle(struct sandbox *s, const struct request *req, struct answer *ret_answer);

/* Unix milliseconds by the sandbox's clock, which a test may push forward. */
int64_t sandbox_now_ms(const struct sandbox *s);

/* The website of that id (compared without case), or NULL. */
struct website *sandbox_website(struct sandbox *s, const char *id);

/* A new made-up (identifier, key) pair for an invitation; a new made-up id. */
void sandbox_make_invite(struct sandbox *s, struct team_invite *ret);
void sandbox_make_uuid(struct sandbox *s, char out[37]);

#endif

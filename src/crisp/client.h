/* client: asks the Crisp REST API about one website (crisp-api.md).
 *
 * crisp_fetch() makes the two GETs of a sync at the same time, `website/{id}` and
 * `website/{id}/operators/list` (and `operators/active` if wanted), over one connection where the
 * server speaks HTTP/2. The answers are kept as allow-listed facts: an invitation's `identifier`
 * and `key` never leave the parser, bodies are never logged. Knows nothing of Baton. Not
 * thread-safe.
 *
 * Errors carry the gRPC code and the text of crisp-api.md section 8.
 */
#ifndef CRISP_CLIENT_H
#define CRISP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"
#include "net/retry.h"

/* Ceilings on what Crisp may send. */
enum {
    CRISP_WEBSITE_BODY_MAX = 1024 * 1024,
    CRISP_LIST_BODY_MAX = 512 * 1024 * 1024,
    CRISP_ELEMENT_MAX = 256 * 1024,
    CRISP_OPERATORS_MAX = 1000000,
};

struct crisp_config {
    const char *base_url;   /* https://api.crisp.chat/v1; plain http only to loopback */
    const char *website_id;
    const char *tier; /* "plugin", "website", "user"; "" or NULL: plugin */
    const char *identifier;
    const struct secret *key; /* borrowed while the client lives */
    const char *user_agent;
    int timeout_s; /* for one try of a request */
    int stall_ms;  /* a try that brings nothing for so long is given up; 0: HTTP_STALL_MS */
    struct retry_policy retry; /* all zero: RETRY_POLICY_DEFAULT */
    bool want_last_active;
    struct log *log;
    const struct cancel *cancel;
    /* Told each answer, or that none came (status 0); `try` counts from 1. May be NULL. */
    void (*on_answer)(int status, int try, void *payload);
    void *on_answer_payload;
};

struct crisp_client;

/* What may be done once for many clients: loads the HTTP library. */
bool crisp_prepare(struct err *err);

/* Checks the settings (empty halves, ':' in the identifier, tier, URL, website id); no network.
 * Copies them, except key, log and cancel, which it borrows (the payload too). */
struct crisp_client *crisp_client_new(const struct crisp_config *config, struct err *err);
void crisp_client_free(struct crisp_client *c);

/* Strings are "" where Crisp gave none, null, or something else than a string; else as given, not
 * trimmed. Always well-formed UTF-8. */
struct crisp_website {
    const char *website_id, *name, *domain, *logo;
};

enum crisp_fact { CRISP_UNKNOWN, CRISP_NO, CRISP_YES };

struct crisp_operator {
    const char *type; /* "operator", or something newer */
    const char *user_id, *email, *first_name, *last_name, *role, *title;
    enum crisp_fact has_token; /* two-factor authentication (crisp-api.md 3.3) */
    int64_t last_active_ms;    /* Unix, 0: not asked for or not listed */
};

struct crisp_team {
    struct crisp_operator *operators; /* in the order given; may hold a user_id twice */
    size_t count;
    size_t invitations; /* pending, not in `operators` */
    size_t without_id;  /* entries with neither user_id nor the look of an invitation */
};

struct crisp_snapshot {
    struct crisp_website website;
    struct crisp_team team;
    struct err team_err; /* code ERR_OK if the list (and, if wanted, the active ones) arrived; the
                          * website may have, without them: then `team` is empty */
    int requests, retries;
};

/* False (and err) if the website could not be had, is not the one that was asked for, or the fetch
 * was cancelled. An empty list is not an error here. Everything lives in the arena. */
bool crisp_fetch(struct crisp_client *c, struct arena *arena, struct crisp_snapshot *ret_snapshot,
                 struct err *err);

#endif

/* roster: who works on one website, operators and pending invitations, in the order of the list.
 *
 * An entry is kept as the JSON text that operators/list shows for it, because that is what is asked
 * for most, and because a test may want an entry of any shape: a missing role, a null email, a
 * field nobody knows yet. The few things the sandbox itself must know stand beside the text.
 *
 * The three lists are rendered when first asked for and kept until the roster changes; a caller
 * gets its own reference. The roster owns everything in it. At most TEAM_MAX entries.
 */
#ifndef SANDBOX_ROSTER_H
#define SANDBOX_ROSTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sandbox/blob.h"
#include "sandbox/team.h"

struct roster_entry {
    char *text; /* {"type":…,"details":…} */
    size_t text_len, details_at, details_len;
    char *user_id;          /* NULL if the entry has none */
    bool is_invite;         /* "type" is "invite" */
    int64_t last_active_ms; /* Unix ms; 0: not in operators/active */
};

enum roster_view { ROSTER_LIST, ROSTER_ACTIVE, ROSTER_AVAILABILITY, ROSTER_VIEWS };

struct roster {
    struct roster_entry *entries;
    size_t count, cap;
    size_t operators; /* entries that are no invitations */
    struct blob *views[ROSTER_VIEWS];
};

void roster_init(struct roster *r);
void roster_done(struct roster *r);
void roster_clear(struct roster *r);

/* Adds a made-up member: its details as text, as team_generate() wrote them. */
void roster_add_member(struct roster *r, const char *details, size_t len,
                       const struct team_member *member);
/* Adds a made-up invitation. */
void roster_add_invite(struct roster *r, const struct team_invite *invite);

/* Adds an entry of any shape; borrows it. `details` may be anything. */
bool roster_add(struct roster *r, json_t *entry, int64_t last_active_ms, struct err *err);

/* Replaces the entry, keeping its place. */
bool roster_replace(struct roster *r, size_t index, json_t *entry, int64_t last_active_ms,
                    struct err *err);
void roster_remove(struct roster *r, size_t index);

/* The index of the first such entry, or SIZE_MAX. */
size_t roster_find(const struct roster *r, const char *user_id);
/* Of the invitation, or of the operator, with this address. */
size_t roster_find_email(const struct roster *r, const char *email, bool is_invite);

/* The entry as a value, to be released with json_decref(); never NULL. */
json_t *roster_get(const struct roster *r, size_t index);
/* {"error":false,"reason":"resolved","data":<details>}, as Get A Website Operator shows it. */
struct blob *roster_render_one(const struct roster *r, size_t index);
/* The whole answer; the caller unrefs it. */
struct blob *roster_render(struct roster *r, enum roster_view view);

/* Forgets who was active. */
void roster_flush_active(struct roster *r);

#endif

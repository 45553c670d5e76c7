/* team: the made-up people of the sandbox, always the same.
 *
 * The seeded team is six hand-written operators that show what real teams hold: two owners, a
 * missing job title, an accented name, one without two-factor authentication. The generated team is
 * a function of the index alone: the team of 10 is the first tenth of the team of 100, and the same
 * number gives the same bytes on every machine.
 *
 * A member is written as the JSON text of the `details` of one entry of operators/list.
 */
#ifndef SANDBOX_TEAM_H
#define SANDBOX_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { TEAM_SEED_COUNT = 6, TEAM_MAX = 1000000, TEAM_OWNER_EVERY = 50 };

/* The moment (Unix ms) before which everything in the seeded data happened. */
#define TEAM_EPOCH_MS INT64_C(1763790000000)

struct team_member {
    char user_id[37];
    /* When the person was last seen (Unix ms); 0: not in operators/active. */
    int64_t last_active_ms;
};

/* Appends the details of seeded member index (below TEAM_SEED_COUNT). */
void team_seed(size_t index, struct buf *out, struct team_member *ret);

/* Appends the details of generated member index. */
void team_generate(size_t index, bool is_owner, struct buf *out, struct team_member *ret);

/* Who is an owner when nothing else was asked for: the first, and every fiftieth after it. */
bool team_is_owner(size_t index);

/* A UUID that looks like one of version 4 and depends on the seed alone, so that lists are not in
 * the order of ids. */
void team_uuid(uint64_t seed, char out[37]);

/* The secret pair of pending invitation number index. */
struct team_invite {
    char email[64];
    char identifier[37];
    char key[65];
};
void team_invite(size_t index, struct team_invite *ret);

#endif

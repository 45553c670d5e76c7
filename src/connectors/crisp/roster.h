/* roster: the operators of a website as a governance view wants them: one entry a person, each with
 * at most one role.
 *
 * Made from what Crisp listed (crisp/client.h) by the rules of crisp-api.md section 7: sorted by user
 * id, duplicates joined (owner wins), roles compared without case and outer blanks, an unknown type
 * kept if it has a known role. Entries borrow from the snapshot. Oddities are counted here and
 * reported once by roster_report(), without anybody's address.
 */
#ifndef CONNECTORS_CRISP_ROSTER_H
#define CONNECTORS_CRISP_ROSTER_H

#include <stddef.h>

#include "base/arena.h"
#include "base/log.h"
#include "crisp/client.h"

enum roster_role { ROSTER_NO_ROLE, ROSTER_MEMBER, ROSTER_OWNER };

struct roster_entry {
    const struct crisp_operator *operator;
    enum roster_role role;
};

struct roster {
    struct roster_entry *entries; /* in the arena given to roster_init() */
    size_t count;
    size_t owners, members;
    size_t duplicates, role_conflicts;
    size_t unknown_types;
    size_t without_role;      /* kept as a user, no grant */
    const char *strange_role; /* the first unknown one, NULL if all were known or missing */
    size_t skipped;           /* of an unknown type and without a known role, or an id too long */
    size_t invitations, without_id;
};

void roster_init(struct roster *r, const struct crisp_team *team, struct arena *arena);
void roster_report(const struct roster *r, struct log *log);

/* "owner", "member"; NULL for no role. */
const char *roster_role_name(enum roster_role role);

#endif

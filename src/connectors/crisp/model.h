/* model: Crisp's website and operators in the terms of governance (connector-cli.md 8.5,
 * crisp-api.md section 7). Everything returned lives in the arena; nothing is borrowed from the
 * arguments beyond the call.
 */
#ifndef CONNECTORS_CRISP_MODEL_H
#define CONNECTORS_CRISP_MODEL_H

#include "base/arena.h"
#include "connector.pb-c.h"
#include "connectors/crisp/roster.h"
#include "sync/source.h"

enum { MODEL_OPERATOR, MODEL_WEBSITE, MODEL_TYPE_COUNT };

extern const struct sync_resource_type model_types[MODEL_TYPE_COUNT];

C1__Resource *model_website(const struct crisp_website *website, struct arena *arena);
C1__Resource *model_operator(const struct roster_entry *entry, struct arena *arena);

/* `role` is ROSTER_OWNER or ROSTER_MEMBER. `website` is borrowed by the result. */
C1__Entitlement *model_entitlement(C1__Resource *website, enum roster_role role,
                                   struct arena *arena);
/* The same resource for those who read only its id, which it borrows: everything else is there as bytes,
 * packed once. Packs to the same bytes. For the website, which every grant repeats. */
C1__Resource *model_packed_website(const C1__Resource *website, struct arena *arena);
C1__Grant *model_grant(C1__Resource *website, const struct roster_entry *entry,
                       struct arena *arena);

/* True if the text may stand where a validator expects an e-mail address. */
bool model_is_email(const char *text);

#endif

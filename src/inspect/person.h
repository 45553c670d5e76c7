/* person: what a resource of a user type says about the human behind it (c1z.md 3.3).
 *
 * Everything is borrowed from the message and the arena it lives in.
 */
#ifndef INSPECT_PERSON_H
#define INSPECT_PERSON_H

#include <stdbool.h>

#include "base/arena.h"
#include "connector.pb-c.h"

/* Resources of this type are people. */
bool person_is_user_type(const C1__ResourceType *type);

/* NULL if the resource has no user trait, or a damaged one. */
C1__UserTrait *person_trait(const C1__Resource *resource, struct arena *arena);

/* These take NULL. "" if there is none. */
const char *person_mail(const C1__UserTrait *trait);         /* the primary, else the first */
const char *person_primary_mail(const C1__UserTrait *trait); /* the primary */

/* A text of the profile: the resource's, else the trait's; "" if there is none. */
const char *person_profile(const C1__Resource *resource, const C1__UserTrait *trait,
                           const char *key);

/* "enabled", "disabled", "deleted" or "unknown"; "enabled" where nothing is said. */
const char *person_status(const C1__Resource *resource, const C1__UserTrait *trait);

/* "on", "off" or "unknown". */
const char *person_two_factor(const C1__UserTrait *trait);

#endif

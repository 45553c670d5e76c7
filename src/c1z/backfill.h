/* backfill: moves GrantExpandable out of the grants of older files (c1z.md 2.5). */
#ifndef C1Z_BACKFILL_H
#define C1Z_BACKFILL_H

#include "c1z/db.h"

/* Works through the runs whose grants_backfilled is 0 and sets it to 1. */
bool backfill_grants(struct db *db, struct err *err);

#endif

/* tally: how many rows of each resource type a run put into one table, and between which row ids.
 *
 * Saves a pass over the table when a run ends, and lets a list of one type during the run skip the rest.
 * Kept only while every put was a new row; a table with more than TALLY_TYPES_MAX types, or with an
 * update, is `lost`: then the database must be asked.
 */
#ifndef C1Z_TALLY_H
#define C1Z_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALLY_TYPES_MAX = 256 };

struct tally_type {
    char *id; /* owned */
    int64_t count, first, last;
};

struct tally {
    struct tally_type *types; /* in order of first appearance */
    size_t count, latest;
    bool is_lost;
};

void tally_done(struct tally *t);
void tally_add(struct tally *t, const char *type_id, int64_t rowid);
void tally_lose(struct tally *t);
/* NULL if no row of that type was put. */
const struct tally_type *tally_find(const struct tally *t, const char *type_id);

#endif

/* put: writes the rows of one run in bulk.
 *
 * A put is an upsert on (external_id, sync_id) (c1z.md 2.10). As long as no identity comes twice a table
 * needs no index for that: `seen` vouches for it, and rows are plain inserts at the end of the table.
 * The first possible repetition builds the unique index, and from then on that table takes real upserts.
 *
 * Owns its statements. Borrows the database and the messages. Begins on a run that has no rows.
 */
#ifndef C1Z_PUT_H
#define C1Z_PUT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ksuid.h"
#include "c1z/db.h"
#include "c1z/seen.h"
#include "c1z/store.h"
#include "c1z/tally.h"

struct put_table {
    sqlite3_stmt *insert;
    struct seen seen;
    struct tally tally;
    bool is_indexed; /* the unique index exists and `insert` is an upsert */
};

struct put {
    struct db *db;
    char sync_id[KSUID_LEN + 1];
    struct put_table tables[C1Z_TABLE_COUNT];
    struct buf data, key;
    struct arena arena;
    /* discovered_at; the part up to the second is formatted once a second */
    int64_t second;
    size_t second_len;
    char stamp[CLOCK_TEXT_MAX];
};

bool put_open(struct db *db, const char *sync_id, struct put **ret_put, struct err *err);
/* Takes NULL. */
void put_close(struct put *p);

bool put_resource_type(struct put *p, const C1__ResourceType *m, struct err *err);
bool put_resource(struct put *p, const C1__Resource *m, struct err *err);
bool put_entitlement(struct put *p, const C1__Entitlement *m, struct err *err);
bool put_grant(struct put *p, const C1__Grant *m, struct err *err);

/* Builds the unique index of a table now, so that rows can be found by identity. */
bool put_index(struct put *p, enum c1z_table table, struct err *err);

#endif

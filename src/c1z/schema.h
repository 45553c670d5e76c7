/* schema: the tables and indexes of a v1 database, and bringing an older one up to date.
 *
 * The names are a contract with every other reader, which creates what it misses by name (c1z.md 2.3,
 * 2.4): also the two index names on v1_resources that sit on each other's columns. Migrations are those
 * of the Go reader (2.5).
 *
 * While rows are written in bulk most indexes of the four row tables are absent; schema_index() makes
 * them, in one sorted pass each, before anything is saved.
 */
#ifndef C1Z_SCHEMA_H
#define C1Z_SCHEMA_H

#include "c1z/db.h"
#include "c1z/store.h"

/* Names of the four row tables, by enum c1z_table. */
extern const char *const schema_row_tables[C1Z_TABLE_COUNT];

/* Creates what tables, columns and partial indexes are missing, checks that each table is an ordinary one,
 * and moves the expansion of old grants into its column. */
bool schema_migrate(struct db *db, struct err *err);

/* Creates the indexes that are missing. */
bool schema_index(struct db *db, struct err *err);
/* The unique index of one row table, if it is missing. */
bool schema_index_unique(struct db *db, enum c1z_table table, struct err *err);
/* Drops all indexes of the row tables but the partial ones. */
bool schema_unindex(struct db *db, struct err *err);

#endif

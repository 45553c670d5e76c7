/* list: reads rows of the four tables, all of them in order, or one by its id.
 *
 * What a row points to belongs to the statement and is gone when it moves.
 */
#ifndef C1Z_LIST_H
#define C1Z_LIST_H

#include "c1z/db.h"
#include "c1z/store.h"

struct list {
    struct db *db;
    sqlite3_stmt *stmt;
    enum c1z_table table;
    bool is_over;
};

/* Between which row ids to look; 0, 0: everywhere. */
struct list_span {
    int64_t first, last;
};

bool list_open(struct db *db, enum c1z_table table, const struct c1z_filter *filter,
               struct list_span span, struct list *ret_list, struct err *err);
void list_close(struct list *l);
/* As c1z_next(). */
bool list_next(struct list *l, struct c1z_row *ret_row, struct err *err);

/* A statement that finds one row by (external_id, sync_id). */
sqlite3_stmt *list_prepare_get(struct db *db, enum c1z_table table, struct err *err);
/* As c1z_get(). */
bool list_get(struct db *db, sqlite3_stmt *stmt, enum c1z_table table, const char *sync_id,
              const char *external_id, struct c1z_row *ret_row, struct err *err);

#endif

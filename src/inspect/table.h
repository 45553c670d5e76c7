/* table: aligned columns for people, without holding the rows.
 *
 * The rows are made twice: table_print() calls the producer once to measure and once to print, so
 * a table of a million rows takes no more memory than one of ten. The producer must give the same
 * rows both times. Cells are borrowed for the call and made safe for a terminal (plain.h). The
 * last column is not padded; columns stand two spaces apart.
 */
#ifndef INSPECT_TABLE_H
#define INSPECT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "inspect/out.h"

enum { TABLE_COLUMNS_MAX = 8 };

struct table_column {
    const char *title;
    bool is_number; /* set to the right */
};

struct table;

/* Calls table_row() for each row. */
typedef bool table_rows_fn(struct table *t, void *payload, struct err *err);

bool table_print(struct out *out, const struct table_column *columns, size_t count,
                 table_rows_fn *rows, void *payload, struct err *err);

/* As many cells as columns; a NULL cell is empty. */
void table_row(struct table *t, const char *const *cells);

#endif

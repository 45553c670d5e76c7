#include "inspect/table.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "inspect/plain.h"

/* A cell may be as long as a message; it is shown whole. */
enum { CELL_MAX = 32 * 1024 * 1024 };

struct table {
    struct out *out;
    const struct table_column *columns;
    size_t count;
    bool is_printing;
    size_t width[TABLE_COLUMNS_MAX];
    struct buf cell; /* the one at hand, made plain */
};

static size_t prepare(struct table *t, const char *text) {
    buf_reset(&t->cell);
    plain_adds(&t->cell, text ? text : "");
    return utf8_columns(t->cell.data, t->cell.len);
}

static void pad(struct buf *out, size_t n) {
    while (n-- > 0)
        buf_addc(out, ' ');
}

/* Spaces are owed until something stands behind them: empty cells at the end leave none. */
static void print_row(struct table *t, const char *const *cells) {
    struct buf *out = &t->out->buf;
    size_t owed = 0;
    for (size_t i = 0; i < t->count; i++) {
        size_t columns = prepare(t, cells[i]);
        size_t missing = t->width[i] > columns ? t->width[i] - columns : 0;
        if (t->columns[i].is_number) {
            owed += missing;
            missing = 0;
        }
        if (columns > 0) {
            pad(out, owed);
            owed = 0;
        }
        buf_add(out, t->cell.data, t->cell.len);
        owed += missing + 2;
    }
}

void table_row(struct table *t, const char *const *cells) {
    if (!t->is_printing) {
        for (size_t i = 0; i < t->count; i++) {
            size_t columns = prepare(t, cells[i]);
            if (columns > t->width[i])
                t->width[i] = columns;
        }
        return;
    }
    print_row(t, cells);
    buf_addc(&t->out->buf, '\n');
    out_flush_some(t->out);
}

static void print_header(struct table *t) {
    const char *titles[TABLE_COLUMNS_MAX];
    bool is_bold = out_is_styled(t->out);
    for (size_t i = 0; i < t->count; i++)
        titles[i] = t->columns[i].title;
    if (is_bold)
        buf_adds(&t->out->buf, "\033[1m");
    print_row(t, titles);
    buf_adds(&t->out->buf, is_bold ? "\033[0m\n" : "\n");
}

bool table_print(struct out *out, const struct table_column *columns, size_t count,
                 table_rows_fn *rows, void *payload, struct err *err) {
    assert(count <= TABLE_COLUMNS_MAX);
    struct table t = {.out = out, .columns = columns, .count = count};
    buf_init(&t.cell, CELL_MAX);
    for (size_t i = 0; i < count; i++)
        t.width[i] = utf8_columns(columns[i].title, strlen(columns[i].title));
    bool ok = rows(&t, payload, err);
    if (ok) {
        t.is_printing = true;
        print_header(&t);
        ok = rows(&t, payload, err);
    }
    buf_done(&t.cell);
    return ok;
}

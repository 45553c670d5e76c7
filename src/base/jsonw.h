/* jsonw: writes JSON text, member by member, into a buf.
 *
 * The writer borrows the buffer. It puts commas and, if asked, line breaks with two spaces of
 * indentation as Go's encoders do (`"key": value`); compact output has no spaces at all. Strings are
 * escaped as protojson does: only `"`, `\` and control characters. Bytes that are not UTF-8 become
 * U+FFFD, so the output is always valid. Nesting is limited to JSONW_MAX_DEPTH (asserted: depth is
 * the program's own).
 */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { JSONW_MAX_DEPTH = 128 };

struct jsonw {
    struct buf *out;
    bool pretty;
    int depth;
    bool has_items[JSONW_MAX_DEPTH + 1];
    bool after_key;
};

void jsonw_init(struct jsonw *w, struct buf *out, bool pretty);

void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_keyn(struct jsonw *w, const char *key, size_t n);

void jsonw_string(struct jsonw *w, const char *s);
void jsonw_stringn(struct jsonw *w, const char *s, size_t n);
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_uint(struct jsonw *w, uint64_t v);
/* Shortest form that reads back the same; NaN and infinities as strings, as protojson does. */
void jsonw_double(struct jsonw *w, double v);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
/* Text that is JSON already. */
void jsonw_raw(struct jsonw *w, const char *json, size_t n);

/* key and value in one */
void jsonw_kv(struct jsonw *w, const char *key, const char *value);
void jsonw_kv_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_kv_bool(struct jsonw *w, const char *key, bool value);

/* Appends the escaped text with its quotes. */
void jsonw_quote(struct buf *out, const char *s, size_t n);

#endif

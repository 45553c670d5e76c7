#include "base/jsonw.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void jsonw_init(struct jsonw *w, struct buf *out, bool pretty) {
    *w = (struct jsonw){.out = out, .pretty = pretty};
}

static void new_line(struct jsonw *w) {
    if (!w->pretty)
        return;
    buf_addc(w->out, '\n');
    for (int i = 0; i < w->depth; i++)
        buf_adds(w->out, "  ");
}

/* What stands between the last item and the next. */
static void separate(struct jsonw *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->has_items[w->depth])
        buf_addc(w->out, ',');
    if (w->depth > 0)
        new_line(w);
    w->has_items[w->depth] = true;
}

static void open_group(struct jsonw *w, char c) {
    separate(w);
    buf_addc(w->out, c);
    assert(w->depth < JSONW_MAX_DEPTH);
    w->has_items[++w->depth] = false;
}

static void close_group(struct jsonw *w, char c) {
    assert(w->depth > 0);
    bool had_items = w->has_items[w->depth--];
    if (had_items)
        new_line(w);
    buf_addc(w->out, c);
}

void jsonw_object(struct jsonw *w) {
    open_group(w, '{');
}

void jsonw_object_end(struct jsonw *w) {
    close_group(w, '}');
}

void jsonw_array(struct jsonw *w) {
    open_group(w, '[');
}

void jsonw_array_end(struct jsonw *w) {
    close_group(w, ']');
}

void jsonw_keyn(struct jsonw *w, const char *key, size_t n) {
    separate(w);
    jsonw_quote(w->out, key, n);
    buf_adds(w->out, w->pretty ? ": " : ":");
    w->after_key = true;
}

void jsonw_key(struct jsonw *w, const char *key) {
    jsonw_keyn(w, key, strlen(key));
}

static bool is_plain(unsigned char c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void add_escaped(struct buf *out, unsigned char c) {
    static const char *const shortened[256] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
        ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
    };
    if (shortened[c])
        buf_adds(out, shortened[c]);
    else
        buf_addf(out, "\\u%04x", c);
}

/* Length of the character at s, 0 if it is malformed. */
static size_t character(const char *s, size_t n) {
    for (size_t len = 2; len <= 4 && len <= n; len++) {
        if (utf8_valid(s, len))
            return len;
    }
    return 0;
}

void jsonw_quote(struct buf *out, const char *s, size_t n) {
    buf_addc(out, '"');
    for (size_t i = 0; i < n;) {
        size_t run = 0;
        while (i + run < n && is_plain((unsigned char)s[i + run]))
            run++;
        buf_add(out, s + i, run);
        i += run;
        if (i == n)
            break;
        unsigned char c = (unsigned char)s[i];
        if (c < 0x80) {
            add_escaped(out, c);
            i++;
            continue;
        }
        size_t len = character(s + i, n - i);
        if (len)
            buf_add(out, s + i, len);
        else
            buf_adds(out, "\xEF\xBF\xBD");
        i += len ? len : 1;
    }
    buf_addc(out, '"');
}

void jsonw_stringn(struct jsonw *w, const char *s, size_t n) {
    separate(w);
    jsonw_quote(w->out, s, n);
}

void jsonw_string(struct jsonw *w, const char *s) {
    jsonw_stringn(w, s, strlen(s));
}

void jsonw_int(struct jsonw *w, int64_t v) {
    separate(w);
    buf_addf(w->out, "%lld", (long long)v);
}

void jsonw_uint(struct jsonw *w, uint64_t v) {
    separate(w);
    buf_addf(w->out, "%llu", (unsigned long long)v);
}

void jsonw_double(struct jsonw *w, double v) {
    if (isnan(v) || isinf(v)) {
        jsonw_string(w, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
        return;
    }
    separate(w);
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_adds(w->out, text);
}

void jsonw_bool(struct jsonw *w, bool v) {
    separate(w);
    buf_adds(w->out, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w) {
    separate(w);
    buf_adds(w->out, "null");
}

void jsonw_raw(struct jsonw *w, const char *json, size_t n) {
    separate(w);
    buf_add(w->out, json, n);
}

void jsonw_kv(struct jsonw *w, const char *key, const char *value) {
    jsonw_key(w, key);
    jsonw_string(w, value);
}

void jsonw_kv_int(struct jsonw *w, const char *key, int64_t value) {
    jsonw_key(w, key);
    jsonw_int(w, value);
}

void jsonw_kv_bool(struct jsonw *w, const char *key, bool value) {
    jsonw_key(w, key);
    jsonw_bool(w, value);
}

#include "baton/gotext.h"

#include <limits.h>
#include <string.h>

#include "base/utf8.h"

enum { QUOTED_MAX = 1024 }; /* bytes of a quoted value in an error text */

static bool fail_parsing(struct err *err, const char *function, const char *s, const char *why) {
    buf_auto struct buf b;
    buf_init(&b, QUOTED_MAX);
    gotext_quote(&b, s);
    return err_set(err, ERR_UNKNOWN, "strconv.%s: parsing %s: %s", function, b.data, why);
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : INT_MAX;
}

/* An underscore stands between two digits, or between prefix and digit. */
static bool underscores_ok(const char *s, bool has_prefix) {
    char before = has_prefix ? '0' : '^';
    for (; *s; s++) {
        if (*s == '_' && before != '0')
            return false;
        before = *s == '_' ? '_' : '0';
    }
    return before != '_';
}

/* Takes the base prefix off; a single leading 0 means octal and remains as a digit. */
static const char *skip_base(const char *s, unsigned *ret_base) {
    static const struct {
        char letter;
        unsigned base;
    } prefixes[] = {{'b', 2}, {'o', 8}, {'x', 16}};
    *ret_base = 10;
    if (s[0] != '0' || !s[1])
        return s;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (lower(s[1]) == prefixes[i].letter && s[2]) {
            *ret_base = prefixes[i].base;
            return s + 2;
        }
    }
    *ret_base = 8;
    return s;
}

bool gotext_int(const char *s, int64_t *ret_value, struct err *err) {
    static const char syntax[] = "invalid syntax", range[] = "value out of range";
    bool negative = s[0] == '-';
    const char *digits = s + (s[0] == '-' || s[0] == '+');
    if (!*digits)
        return fail_parsing(err, "ParseInt", s, syntax);
    unsigned base;
    const char *p = skip_base(digits, &base);
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, n = 0;
    bool too_large = false;
    for (const char *c = p; *c; c++) {
        if (*c == '_')
            continue;
        unsigned d = (unsigned)digit_value(*c);
        if (d >= base)
            return fail_parsing(err, "ParseInt", s, syntax);
        if (n > (limit - d) / base)
            too_large = true;
        else
            n = n * base + d;
    }
    if (!underscores_ok(p, p != digits))
        return fail_parsing(err, "ParseInt", s, syntax);
    if (too_large)
        return fail_parsing(err, "ParseInt", s, range);
    *ret_value = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

bool gotext_bool(const char *s, bool *ret_value, struct err *err) {
    static const char *const words[2][6] = {{"0", "f", "F", "FALSE", "false", "False"},
                                            {"1", "t", "T", "TRUE", "true", "True"}};
    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 6; i++) {
            if (strcmp(s, words[value][i]) == 0) {
                *ret_value = value;
                return true;
            }
        }
    }
    return fail_parsing(err, "ParseBool", s, "invalid syntax");
}

/* --- CSV: encoding/csv's Reader with its defaults, up to the end of the first record --- */

struct csv {
    const char *p; /* behind the current line */
    int line_number, start_line, column;
    char *line; /* current line without what was read of it; ends with '\n' or at the end of text */
    struct buf line_buf, field;
    struct strlist fields;
};

/* The next line, "\r\n" turned into "\n"; false at the end of the text. */
static bool next_line(struct csv *c) {
    size_t n = strcspn(c->p, "\n");
    bool has_feed = c->p[n] == '\n';
    if (n == 0 && !has_feed)
        return false;
    buf_reset(&c->line_buf);
    /* At the very end a lone "\r" is dropped too. */
    bool drops_return = n > 0 && c->p[n - 1] == '\r';
    buf_add(&c->line_buf, c->p, n - drops_return);
    if (has_feed)
        buf_addc(&c->line_buf, '\n');
    c->p += n + has_feed;
    c->line_number++;
    c->line = c->line_buf.data;
    return true;
}

static bool csv_error(const struct csv *c, int column, const char *why, struct err *err) {
    err_set(err, ERR_UNKNOWN, "parse error on line %d, column %d: %s", c->line_number, column, why);
    if (c->start_line != c->line_number)
        err_set(err, ERR_UNKNOWN, "record on line %d; parse error on line %d, column %d: %s",
                c->start_line, c->line_number, column, why);
    return false;
}

static bool is_line_end(const char *s) {
    return s[0] == '\0' || (s[0] == '\n' && s[1] == '\0');
}

/* Each reads one field and says whether another one follows. */
static bool plain_field(struct csv *c, bool *ret_more, struct err *err) {
    size_t n = strcspn(c->line, ",\n");
    const char *quote = memchr(c->line, '"', n);
    if (quote)
        return csv_error(c, c->column + (int)(quote - c->line), "bare \" in non-quoted-field", err);
    strlist_addn(&c->fields, c->line, n);
    *ret_more = c->line[n] == ',';
    c->line += n + *ret_more;
    c->column += (int)n + *ret_more;
    return true;
}

static bool quoted_field(struct csv *c, bool *ret_more, struct err *err) {
    static const char why[] = "extraneous or missing \" in quoted-field";
    buf_reset(&c->field);
    c->line++, c->column++;
    for (;;) {
        size_t n = strcspn(c->line, "\"");
        buf_add(&c->field, c->line, n);
        c->column += (int)n;
        bool has_quote = c->line[n] == '"';
        c->line += n;
        if (!has_quote) { /* the field goes on in the next line */
            int end = c->column;
            if (!next_line(c))
                return csv_error(c, end, why, err);
            c->column = 1;
            continue;
        }
        c->line++, c->column++;
        if (*c->line == '"') {
            buf_addc(&c->field, '"');
            c->line++, c->column++;
            continue;
        }
        *ret_more = *c->line == ',';
        if (!*ret_more && !is_line_end(c->line))
            return csv_error(c, c->column - 1, why, err);
        c->line += *ret_more, c->column += *ret_more;
        strlist_addn(&c->fields, c->field.data, c->field.len);
        return true;
    }
}

static bool read_record(struct csv *c, struct err *err) {
    do { /* empty lines do not count */
        if (!next_line(c))
            return err_set(err, ERR_UNKNOWN, "EOF");
    } while (is_line_end(c->line));
    c->start_line = c->line_number;
    c->column = 1;
    for (bool more = true; more;) {
        if (!(*c->line == '"' ? quoted_field : plain_field)(c, &more, err))
            return false;
    }
    return true;
}

bool gotext_csv(const char *s, struct strlist *ret_fields, struct err *err) {
    if (!*s)
        return true;
    size_t n = strlen(s);
    struct csv c = {.p = s};
    buf_init(&c.line_buf, n);
    buf_init(&c.field, n);
    bool ok = read_record(&c, err);
    for (size_t i = 0; ok && i < c.fields.count; i++)
        strlist_add(ret_fields, c.fields.items[i]);
    strlist_done(&c.fields);
    buf_done(&c.field);
    buf_done(&c.line_buf);
    return ok;
}

void gotext_words(const char *s, struct strlist *ret_words) {
    static const char space[] = " \t\n\v\f\r";
    for (s += strspn(s, space); *s; s += strspn(s, space)) {
        size_t n = strcspn(s, space);
        strlist_addn(ret_words, s, n);
        s += n;
    }
}

/* --- quoting --- */

static uint32_t decode(const char *s, size_t len) {
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)s[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3F);
    return c;
}

/* Characters that show as nothing, or that move the text around them (Go's IsPrint, in short). */
static bool is_printable(uint32_t c) {
    static const uint32_t hidden[][2] = {
        {0x80, 0xA0},     {0xAD, 0xAD},     {0x600, 0x605},   {0x61C, 0x61C},   {0x1680, 0x1680},
        {0x180E, 0x180E}, {0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000},
        {0xE000, 0xF8FF}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0x10FFFF},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (c >= hidden[i][0] && c <= hidden[i][1])
            return false;
    }
    return true;
}

static size_t quote_multibyte(struct buf *out, const char *s, size_t left) {
    for (size_t len = 2; len <= 4 && len <= left; len++) {
        if (!utf8_valid(s, len))
            continue;
        uint32_t c = decode(s, len);
        if (is_printable(c))
            buf_add(out, s, len);
        else
            buf_addf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        return len;
    }
    buf_addf(out, "\\x%02x", (unsigned char)*s);
    return 1;
}

void gotext_quote(struct buf *out, const char *s) {
    static const char named[256] = {
        ['\a'] = 'a', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
        ['\t'] = 't', ['\v'] = 'v', ['"'] = '"',  ['\\'] = '\\'};
    buf_addc(out, '"');
    for (size_t left = strlen(s); left;) {
        unsigned char c = (unsigned char)*s;
        size_t used = 1;
        if (named[c])
            buf_addf(out, "\\%c", named[c]);
        else if (c >= 0x80)
            used = quote_multibyte(out, s, left);
        else if (c < 0x20 || c == 0x7F)
            buf_addf(out, "\\x%02x", c);
        else
            buf_addc(out, (char)c);
        s += used;
        left -= used;
    }
    buf_addc(out, '"');
}

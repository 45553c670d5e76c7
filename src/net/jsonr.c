#include "net/jsonr.h"

#include "base/utf8.h"

static bool fail(struct jsonr *r, const char *problem) {
    if (!r->problem)
        r->problem = problem;
    r->at = r->end;
    return false;
}

static void skip_blanks(struct jsonr *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

/* The next byte that is no blank, 0 at the end. */
static char next_byte(struct jsonr *r) {
    skip_blanks(r);
    return r->at < r->end ? *r->at : '\0';
}

void jsonr_init(struct jsonr *r, const char *text, size_t n) {
    *r = (struct jsonr){.at = text, .end = text + n};
}

bool jsonr_is_complete(struct jsonr *r) {
    skip_blanks(r);
    return !r->problem && r->at == r->end && r->depth == 0;
}

enum jsonr_kind jsonr_peek(struct jsonr *r) {
    switch (next_byte(r)) {
    case '{':
        return JSONR_OBJECT;
    case '[':
        return JSONR_ARRAY;
    case '"':
        return JSONR_STRING;
    case 't':
    case 'f':
        return JSONR_BOOL;
    case 'n':
        return JSONR_NULL;
    case '-':
    case '0' ... '9':
        return JSONR_NUMBER;
    default:
        return JSONR_BAD;
    }
}

const char *jsonr_kind_name(enum jsonr_kind kind) {
    static const char *const names[] = {
        [JSONR_BAD] = "not JSON",       [JSONR_NULL] = "null",     [JSONR_BOOL] = "a boolean",
        [JSONR_NUMBER] = "a number",    [JSONR_STRING] = "a string", [JSONR_ARRAY] = "a list",
        [JSONR_OBJECT] = "an object",
    };
    return names[kind];
}

/* --- strings --- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits of a \u escape; -1 if they are none. */
static int hex4(const char *p) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Length of the escape that begins with the backslash at p, 0 if it is none. */
static size_t escape_length(const char *p, const char *end) {
    if (end - p < 2)
        return 0;
    if (p[1] == 'u')
        return end - p >= 6 && hex4(p + 2) >= 0 ? 6 : 0;
    return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
}

const char *jsonr_skip_plain(const char *p, const char *end, uint64_t *seen) {
    static const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        /* Per byte: zero after XOR means equal; a borrow into the high bit means smaller. */
        uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
        uint64_t stop = (quote - ones) & ~quote;
        stop |= (backslash - ones) & ~backslash;
        stop |= (word - ones * 0x20) & ~word;
        if (stop & highs)
            break;
        *seen |= word;
        p += 8;
    }
    return p;
}

bool jsonr_string(struct jsonr *r, struct jsonr_string *ret_string) {
    if (next_byte(r) != '"')
        return fail(r, "a string was expected");
    const char *begin = r->at + 1;
    uint64_t seen = 0;
    bool is_escaped = false;
    const char *p = jsonr_skip_plain(begin, r->end, &seen);
    for (; p < r->end && *p != '"'; p++) {
        unsigned char c = (unsigned char)*p;
        seen |= c;
        if (c < 0x20)
            return fail(r, "a control character in a string");
        if (c != '\\')
            continue;
        size_t n = escape_length(p, r->end);
        if (n == 0)
            return fail(r, "an unknown escape in a string");
        is_escaped = true;
        p = jsonr_skip_plain(p + n, r->end, &seen) - 1;
    }
    if (p == r->end)
        return fail(r, "a string without its end");
    if ((seen & 0x8080808080808080) && !utf8_valid(begin, (size_t)(p - begin)))
        return fail(r, "a string that is not UTF-8");
    r->at = p + 1;
    r->is_first = false;
    *ret_string = (struct jsonr_string){begin, (size_t)(p - begin), is_escaped};
    return true;
}

static size_t put_utf8(unsigned cp, char *out) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

/* Decodes the \u escape at *p, with its second half if it is a pair, and steps over it. */
static unsigned decode_unicode(const char **p, const char *end) {
    enum { REPLACEMENT = 0xFFFD };
    unsigned high = (unsigned)hex4(*p + 2);
    *p += 6;
    if (high == 0)
        return REPLACEMENT;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return REPLACEMENT;
    unsigned low = (unsigned)hex4(*p + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return REPLACEMENT;
    *p += 6;
    return 0x10000 + ((high - 0xD800) << 10 | (low - 0xDC00));
}

size_t jsonr_decode(const struct jsonr_string *s, char *out) {
    static const char letters[] = "bfnrt\"\\/", bytes[] = "\b\f\n\r\t\"\\/";
    size_t n = 0;
    const char *p = s->bytes, *end = p + s->len;
    if (!s->is_escaped) {
        memcpy(out, p, s->len);
        out[s->len] = '\0';
        return s->len;
    }
    while (p < end) {
        if (*p != '\\') {
            out[n++] = *p++;
        } else if (p[1] == 'u') {
            n += put_utf8(decode_unicode(&p, end), out + n);
        } else {
            out[n++] = bytes[strchr(letters, p[1]) - letters];
            p += 2;
        }
    }
    out[n] = '\0';
    return n;
}

bool jsonr_equals_n(const struct jsonr_string *s, const char *bytes, size_t n) {
    enum { SHORT = 64, LONGEST_ESCAPE = 6 };
    if (!s->is_escaped)
        return s->len == n && memcmp(s->bytes, bytes, n) == 0;
    char decoded[SHORT * LONGEST_ESCAPE + 1];
    if (s->len >= sizeof decoded)
        return false;
    return jsonr_decode(s, decoded) == n && memcmp(decoded, bytes, n) == 0;
}

/* --- other scalars --- */

static bool take_word(struct jsonr *r, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
        return fail(r, "an unknown word");
    r->at += n;
    r->is_first = false;
    return true;
}

bool jsonr_bool(struct jsonr *r, bool *ret_value) {
    if (jsonr_peek(r) != JSONR_BOOL)
        return fail(r, "a boolean was expected");
    bool value = *r->at == 't';
    if (!take_word(r, value ? "true" : "false"))
        return false;
    *ret_value = value;
    return true;
}

static size_t count_digits(const char *p, const char *end) {
    size_t n = 0;
    while (p + n < end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

/* Length of the number at p; 0 if it is malformed. */
static size_t number_length(const char *p, const char *end, size_t *ret_int_len) {
    const char *at = p;
    if (at < end && *at == '-')
        at++;
    size_t n = count_digits(at, end);
    if (n == 0 || (n > 1 && *at == '0'))
        return 0;
    at += n;
    *ret_int_len = (size_t)(at - p);
    if (at < end && *at == '.') {
        n = count_digits(++at, end);
        if (n == 0)
            return 0;
        at += n;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        n = count_digits(at, end);
        if (n == 0)
            return 0;
        at += n;
    }
    return (size_t)(at - p);
}

static bool parse_int(const char *p, size_t n, int64_t *ret_value) {
    bool is_negative = *p == '-';
    int64_t value = 0;
    for (size_t i = is_negative; i < n; i++) {
        int digit = p[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, is_negative ? -digit : digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool jsonr_int(struct jsonr *r, int64_t *ret_value, bool *ret_is_int) {
    size_t int_len = 0;
    if (jsonr_peek(r) != JSONR_NUMBER)
        return fail(r, "a number was expected");
    size_t n = number_length(r->at, r->end, &int_len);
    if (n == 0)
        return fail(r, "a malformed number");
    *ret_is_int = n == int_len && parse_int(r->at, n, ret_value);
    r->at += n;
    r->is_first = false;
    return true;
}

/* --- containers --- */

static bool enter(struct jsonr *r, char bracket, const char *problem) {
    if (next_byte(r) != bracket)
        return fail(r, problem);
    if (r->depth == JSONR_DEPTH_MAX)
        return fail(r, "nesting deeper than 64 levels");
    r->at++;
    r->depth++;
    r->is_first = true;
    return true;
}

bool jsonr_enter_object(struct jsonr *r) {
    return enter(r, '{', "an object was expected");
}

bool jsonr_enter_array(struct jsonr *r) {
    return enter(r, '[', "a list was expected");
}

/* Steps over the comma before an item, or over the bracket at the end: then false. */
static bool next_item(struct jsonr *r, char bracket) {
    if (r->problem)
        return false;
    char c = next_byte(r);
    if (c == bracket) {
        r->at++;
        r->depth--;
        r->is_first = false;
        return false;
    }
    if (r->is_first)
        return true;
    if (c != ',')
        return fail(r, "a comma or a closing bracket was expected");
    r->at++;
    return true;
}

bool jsonr_next_member(struct jsonr *r, struct jsonr_string *ret_key) {
    if (!next_item(r, '}') || !jsonr_string(r, ret_key))
        return false;
    if (next_byte(r) != ':')
        return fail(r, "a colon was expected");
    r->at++;
    return true;
}

bool jsonr_next_element(struct jsonr *r) {
    if (!next_item(r, ']'))
        return false;
    if (jsonr_peek(r) == JSONR_BAD)
        return fail(r, "a value was expected");
    return true;
}

/* Recursion ends at JSONR_DEPTH_MAX. */
static bool skip_object(struct jsonr *r) {
    struct jsonr_string key;
    if (!jsonr_enter_object(r))
        return false;
    while (jsonr_next_member(r, &key))
        jsonr_skip(r);
    return !r->problem;
}

static bool skip_array(struct jsonr *r) {
    if (!jsonr_enter_array(r))
        return false;
    while (jsonr_next_element(r))
        jsonr_skip(r);
    return !r->problem;
}

bool jsonr_skip(struct jsonr *r) {
    struct jsonr_string string;
    bool flag;
    int64_t number;
    switch (jsonr_peek(r)) {
    case JSONR_OBJECT:
        return skip_object(r);
    case JSONR_ARRAY:
        return skip_array(r);
    case JSONR_STRING:
        return jsonr_string(r, &string);
    case JSONR_BOOL:
        return jsonr_bool(r, &flag);
    case JSONR_NUMBER:
        return jsonr_int(r, &number, &flag);
    case JSONR_NULL:
        return take_word(r, "null");
    case JSONR_BAD:
        break;
    }
    return fail(r, "a value was expected");
}

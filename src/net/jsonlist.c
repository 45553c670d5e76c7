#include "net/jsonlist.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { KEY_MAX = 256 };

enum state {
    AT_START,      /* before the { */
    AT_FIRST_KEY,  /* a key or } */
    AT_KEY,        /* a key */
    AT_COLON,
    AT_VALUE,
    AFTER_VALUE,   /* , or } */
    AT_FIRST_ITEM, /* an element or ] */
    AT_ITEM,       /* an element */
    AFTER_ITEM,    /* , or ] */
    AT_END,        /* blanks only */
};

/* What the value being read is for. */
enum role { ROLE_NONE, ROLE_KEY, ROLE_MEMBER, ROLE_ELEMENT };

struct jsonlist {
    const char *list_name;
    size_t value_max;
    struct jsonlist_handler handler;
    enum state state;
    bool has_list;
    size_t fed; /* bytes before the current feed */

    /* the value that has begun and is not complete */
    enum role role;
    struct buf value; /* what earlier feeds gave of it */
    int depth;
    bool is_scalar, is_in_string, is_after_backslash;

    struct buf key; /* the key's text without quotes */
    bool is_key_escaped;
};

struct jsonlist *jsonlist_new(const char *list_name, size_t value_max,
                              const struct jsonlist_handler *handler) {
    struct jsonlist *l = mem_zalloc(sizeof *l);
    l->list_name = list_name;
    l->value_max = value_max;
    l->handler = *handler;
    buf_init(&l->value, value_max);
    buf_init(&l->key, KEY_MAX);
    return l;
}

/* An element may hold an invitation's secret: it does not stay behind. */
static void wipe_value(struct jsonlist *l) {
    explicit_bzero(l->value.data, l->value.len);
    buf_reset(&l->value);
}

void jsonlist_free(struct jsonlist *l) {
    if (!l)
        return;
    wipe_value(l);
    buf_done(&l->value);
    buf_done(&l->key);
    free(l);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* --- one value --- */

enum { PLAIN, QUOTE, BACKSLASH, OPEN, CLOSE };

static const uint8_t byte_class[256] = {
    ['"'] = QUOTE, ['\\'] = BACKSLASH, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
};

/* Scans on inside a string; returns the byte behind its closing quote, or end. */
static const char *scan_string(struct jsonlist *l, const char *p, const char *end) {
    if (l->is_after_backslash && p < end) {
        l->is_after_backslash = false;
        p++;
    }
    uint64_t seen = 0;
    for (p = jsonr_skip_plain(p, end, &seen); p < end; p++) {
        uint8_t class = byte_class[(unsigned char)*p];
        if (class == QUOTE) {
            l->is_in_string = false;
            return p + 1;
        }
        if (class == BACKSLASH && ++p == end) {
            l->is_after_backslash = true;
            break;
        }
    }
    return end;
}

/* Scans on inside a list or object; stops behind its last bracket, at the end, or too deep. */
static const char *scan_nested(struct jsonlist *l, const char *p, const char *end) {
    while (p < end && l->depth > 0) {
        if (l->is_in_string) {
            p = scan_string(l, p, end);
            continue;
        }
        switch (byte_class[(unsigned char)*p++]) {
        case QUOTE:
            l->is_in_string = true;
            break;
        case OPEN:
            if (++l->depth > JSONR_DEPTH_MAX)
                return p;
            break;
        case CLOSE:
            l->depth--;
            break;
        default:
            break;
        }
    }
    return p;
}

static const char *scan_scalar(const char *p, const char *end) {
    while (p < end && !is_blank(*p) && *p != ',' && *p != ']' && *p != '}' && *p != ':')
        p++;
    return p;
}

/* Begins a value at p and returns the byte behind what tells its kind. */
static const char *begin_value(struct jsonlist *l, enum role role, const char *p) {
    l->role = role;
    l->depth = 0;
    l->is_after_backslash = false;
    l->is_in_string = *p == '"';
    l->is_scalar = !l->is_in_string && byte_class[(unsigned char)*p] != OPEN;
    if (!l->is_in_string && !l->is_scalar)
        l->depth = 1;
    return l->is_scalar ? p : p + 1;
}

/* Scans on; *ret_is_whole tells whether the value ends at the returned byte. */
static const char *scan_value(struct jsonlist *l, const char *p, const char *end,
                              bool *ret_is_whole) {
    if (l->is_scalar) {
        p = scan_scalar(p, end);
        *ret_is_whole = p < end;
    } else if (l->depth > 0) {
        p = scan_nested(l, p, end);
        *ret_is_whole = l->depth == 0;
    } else {
        p = scan_string(l, p, end);
        *ret_is_whole = !l->is_in_string;
    }
    return p;
}

/* --- what a whole value means --- */

static const char *const role_names[] = {
    [ROLE_NONE] = "a value",
    [ROLE_KEY] = "a member name",
    [ROLE_MEMBER] = "a member",
    [ROLE_ELEMENT] = "an element of the list",
};

static bool too_long(const struct jsonlist *l, enum role role, struct err *err) {
    return err_set(err, ERR_INTERNAL, "%s has more than %zu bytes", role_names[role], l->value_max);
}

static bool take_key(struct jsonlist *l, const char *text, size_t n, struct err *err) {
    struct jsonr r;
    struct jsonr_string key;
    jsonr_init(&r, text, n);
    if (!jsonr_string(&r, &key) || !jsonr_is_complete(&r))
        return err_set(err, ERR_INTERNAL, "not JSON: %s", r.problem);
    buf_reset(&l->key);
    if (!buf_add(&l->key, key.bytes, key.len))
        return err_set(err, ERR_INTERNAL, "a member name longer than %d bytes", KEY_MAX);
    l->is_key_escaped = key.is_escaped;
    l->state = AT_COLON;
    return true;
}

static struct jsonr_string current_key(const struct jsonlist *l) {
    return (struct jsonr_string){l->key.data, l->key.len, l->is_key_escaped};
}

static bool is_list_member(const struct jsonlist *l) {
    struct jsonr_string key = current_key(l);
    return l->list_name && jsonr_equals(&key, l->list_name);
}

static bool take_member(struct jsonlist *l, const char *text, size_t n, struct err *err) {
    struct jsonr r;
    jsonr_init(&r, text, n);
    enum jsonr_kind kind = jsonr_peek(&r);
    if (!jsonr_skip(&r) || !jsonr_is_complete(&r))
        return err_set(err, ERR_INTERNAL, "not JSON: %s",
                       r.problem ? r.problem : "something behind a value");
    if (is_list_member(l))
        return err_set(err, ERR_INTERNAL, "`%s` is %s, not a list", l->list_name,
                       jsonr_kind_name(kind));
    l->state = AFTER_VALUE;
    struct jsonr_string key = current_key(l);
    return l->handler.member(l->handler.payload, &key, text, n, err);
}

static bool take_value(struct jsonlist *l, enum role role, const char *text, size_t n,
                       struct err *err) {
    l->role = ROLE_NONE;
    if (n > l->value_max)
        return too_long(l, role, err);
    if (role == ROLE_KEY)
        return take_key(l, text, n, err);
    if (role == ROLE_MEMBER)
        return take_member(l, text, n, err);
    l->state = AFTER_ITEM;
    return l->handler.element(l->handler.payload, text, n, err);
}

/* Reads on in the value that has begun at `from` (or in an earlier feed). Moves *p behind it. */
static bool continue_value(struct jsonlist *l, const char *from, const char **p, const char *end,
                           struct err *err) {
    bool is_whole;
    *p = scan_value(l, *p, end, &is_whole);
    size_t n = (size_t)(*p - from);
    if (l->depth > JSONR_DEPTH_MAX)
        return err_set(err, ERR_INTERNAL, "nesting deeper than %d levels", JSONR_DEPTH_MAX);
    /* The usual case: the whole value is in this feed and needs no copy. */
    if (is_whole && l->value.len == 0)
        return take_value(l, l->role, from, n, err);
    if (!buf_add(&l->value, from, n))
        return too_long(l, l->role, err);
    if (!is_whole)
        return true;
    bool ok = take_value(l, l->role, l->value.data, l->value.len, err);
    wipe_value(l);
    return ok;
}

static bool start_value(struct jsonlist *l, enum role role, const char **p, const char *end,
                        struct err *err) {
    const char *from = *p;
    *p = begin_value(l, role, from);
    return continue_value(l, from, p, end, err);
}

/* --- between values --- */

static bool unexpected(const struct jsonlist *l, size_t offset, const char *wanted,
                       struct err *err) {
    return err_set(err, ERR_INTERNAL, "not JSON: %s was expected at byte %zu", wanted,
                   l->fed + offset);
}

/* Values begin with one of these; anything else would make an endless empty scalar. */
static bool begins_value(char c) {
    return c != ',' && c != ']' && c != '}' && c != ':';
}

static bool begin_list(struct jsonlist *l, const char **p, struct err *err) {
    if (l->has_list)
        return err_set(err, ERR_INTERNAL, "`%s` is there twice", l->list_name);
    l->has_list = true;
    l->state = AT_FIRST_ITEM;
    ++*p;
    return true;
}

/* Steps over one byte of structure, or starts the value that begins there. */
static bool step(struct jsonlist *l, const char *begin, const char **p, const char *end,
                 struct err *err) {
    char c = **p;
    size_t offset = (size_t)(*p - begin);
    switch (l->state) {
    case AT_START:
        if (c != '{')
            return unexpected(l, offset, "an object", err);
        l->state = AT_FIRST_KEY;
        break;
    case AT_FIRST_KEY:
    case AT_KEY:
        if (c == '"')
            return start_value(l, ROLE_KEY, p, end, err);
        if (c != '}' || l->state == AT_KEY)
            return unexpected(l, offset, "a member name", err);
        l->state = AT_END;
        break;
    case AT_COLON:
        if (c != ':')
            return unexpected(l, offset, "a colon", err);
        l->state = AT_VALUE;
        break;
    case AT_VALUE:
        if (c == '[' && is_list_member(l))
            return begin_list(l, p, err);
        if (!begins_value(c))
            return unexpected(l, offset, "a value", err);
        return start_value(l, ROLE_MEMBER, p, end, err);
    case AFTER_VALUE:
        if (c != ',' && c != '}')
            return unexpected(l, offset, "a comma or a closing bracket", err);
        l->state = c == ',' ? AT_KEY : AT_END;
        break;
    case AT_FIRST_ITEM:
    case AT_ITEM:
        if (begins_value(c))
            return start_value(l, ROLE_ELEMENT, p, end, err);
        if (c != ']' || l->state == AT_ITEM)
            return unexpected(l, offset, "an element", err);
        l->state = AFTER_VALUE;
        break;
    case AFTER_ITEM:
        if (c != ',' && c != ']')
            return unexpected(l, offset, "a comma or a closing bracket", err);
        l->state = c == ',' ? AT_ITEM : AFTER_VALUE;
        break;
    case AT_END:
        return err_set(err, ERR_INTERNAL, "more text behind the end, at byte %zu", l->fed + offset);
    }
    ++*p;
    return true;
}

bool jsonlist_feed(struct jsonlist *l, const char *bytes, size_t n, struct err *err) {
    const char *p = bytes, *end = bytes + n;
    while (p < end) {
        if (l->role != ROLE_NONE) {
            if (!continue_value(l, p, &p, end, err))
                return false;
        } else if (is_blank(*p)) {
            p++;
        } else if (!step(l, bytes, &p, end, err)) {
            return false;
        }
    }
    l->fed += n;
    return true;
}

bool jsonlist_end(struct jsonlist *l, struct err *err) {
    if (l->fed == 0)
        return err_set(err, ERR_INTERNAL, "an empty body");
    if (l->state == AT_START)
        return err_set(err, ERR_INTERNAL, "a body of blanks");
    if (l->state != AT_END)
        return err_set(err, ERR_INTERNAL, "the JSON breaks off after %zu bytes", l->fed);
    if (l->list_name && !l->has_list)
        return err_set(err, ERR_INTERNAL, "`%s` is missing", l->list_name);
    return true;
}

#include "crisp/envelope.h"

#include <string.h>

static bool is_name(const char *s) {
    static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    return *s >= 'a' && *s <= 'z' && s[strspn(s, chars)] == '\0';
}

static void take_reason(struct crisp_envelope *e, struct jsonr *value) {
    struct jsonr_string s;
    e->reason[0] = '\0';
    if (jsonr_peek(value) != JSONR_STRING || !jsonr_string(value, &s) || s.len > CRISP_REASON_MAX)
        return;
    jsonr_decode(&s, e->reason);
    if (!is_name(e->reason))
        e->reason[0] = '\0';
}

bool crisp_envelope_member(struct crisp_envelope *e, const struct jsonr_string *key,
                           const char *text, size_t n, struct err *err) {
    struct jsonr value;
    jsonr_init(&value, text, n);
    if (jsonr_equals(key, "reason")) {
        take_reason(e, &value);
    } else if (jsonr_equals(key, "error") && jsonr_peek(&value) != JSONR_NULL) {
        enum jsonr_kind kind = jsonr_peek(&value);
        if (!jsonr_bool(&value, &e->is_error))
            return err_set(err, ERR_INTERNAL, "`error` is %s, not a boolean",
                           jsonr_kind_name(kind));
    }
    return true;
}

bool crisp_envelope_check(const struct crisp_envelope *e, struct err *err) {
    if (!e->is_error)
        return true;
    if (e->reason[0])
        return err_set(err, ERR_INTERNAL, "a success status, but `error` is true (%s)", e->reason);
    return err_set(err, ERR_INTERNAL, "a success status, but `error` is true");
}

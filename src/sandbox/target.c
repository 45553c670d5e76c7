#include "sandbox/target.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes n bytes; NULL if an escape is broken or gives a control character. */
static char *decode(const char *s, size_t n, bool plus_is_space) {
    char *out = mem_alloc(n + 1);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(s[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(s[i + 2]) : -1;
            if (low < 0) {
                free(out);
                return NULL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if ((unsigned char)c < 0x20 || c == 0x7f) {
            free(out);
            return NULL;
        }
        out[len++] = c;
    }
    out[len] = '\0';
    return out;
}

static bool split(struct target *t, const char *path) {
    for (const char *at = path; *at == '/';) {
        const char *start = at + 1;
        size_t len = strcspn(start, "/");
        char *segment = t->count < TARGET_SEGMENTS_MAX ? decode(start, len, false) : NULL;
        if (!segment)
            return false;
        t->segment[t->count++] = segment;
        at = start + len;
    }
    return true;
}

bool target_parse(const char *raw, struct target *ret) {
    struct target t = {0};
    *ret = t;
    if (raw[0] != '/' || strlen(raw) > TARGET_LEN_MAX)
        return false;
    size_t path_len = strcspn(raw, "?");
    t.path = mem_strndup(raw, path_len);
    t.query = mem_strdup(raw[path_len] == '?' ? raw + path_len + 1 : "");
    if (!split(&t, t.path)) {
        target_done(&t);
        return false;
    }
    *ret = t;
    return true;
}

void target_done(struct target *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->segment[i]);
    free(t->path);
    free(t->query);
    *t = (struct target){0};
}

char *target_param(const struct target *t, const char *name, size_t n) {
    size_t name_len = strlen(name);
    for (const char *at = t->query; *at;) {
        size_t len = strcspn(at, "&");
        bool same = len >= name_len && memcmp(at, name, name_len) == 0;
        if (same && (len == name_len || at[name_len] == '=') && n-- == 0) {
            size_t skip = len == name_len ? name_len : name_len + 1;
            return decode(at + skip, len - skip, true);
        }
        at += len;
        at += *at == '&';
    }
    return NULL;
}

bool target_flag(const struct target *t, const char *name) {
    mem_auto char *value = target_param(t, name, 0);
    return value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

bool target_is_uuid(const char *s) {
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : hex_digit(s[i]) < 0)
            return false;
    }
    return s[36] == '\0';
}

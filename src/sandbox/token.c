#include "sandbox/token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { PAIR_MAX = 4096 };

/* Made up. The plugin pair is the one of the project's fixtures. */
static const struct {
    const char *tier, *identifier, *key;
} defaults[TIER_COUNT] = {
    [TIER_USER] = {"user", "2e000000-0000-4000-8000-00000000c0de",
                   "89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567"},
    [TIER_PLUGIN] = {"plugin", "1d000000-0000-4000-8000-00000000c0de",
                     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
    [TIER_WEBSITE] = {"website", "3f000000-0000-4000-8000-00000000c0de",
                      "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"},
};

static const char *const scope_names[] = {
    "website:operators:read",    "website:operators:write",
    "website:settings:read",     "website:settings:write",
    "website:availability:read", "website:availability:write",
    "plan:subscription:read",    "plan:subscription:write",
};
enum { SCOPE_NAMES = sizeof scope_names / sizeof scope_names[0] };

void token_init(struct token *t, enum tier tier) {
    *t = (struct token){.tier = tier, .scopes = SCOPE_ALL, .quota = -1};
    t->identifier = mem_strdup(defaults[tier].identifier);
    t->key = mem_strdup(defaults[tier].key);
}

void token_done(struct token *t) {
    if (!t)
        return;
    free(t->identifier);
    free(t->key);
    *t = (struct token){0};
}

void token_set(char **field, const char *value) {
    char *copy = mem_strdup(value);
    free(*field);
    *field = copy;
}

const char *tier_name(enum tier tier) {
    return defaults[tier].tier;
}

bool tier_parse(const char *name, enum tier *ret) {
    for (int i = 0; i < TIER_COUNT; i++) {
        if (strcmp(name, defaults[i].tier) == 0) {
            *ret = (enum tier)i;
            return true;
        }
    }
    return false;
}

static int base64_digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Standard alphabet, padded, nothing else (RFC 4648 section 4). False if it does not fit. */
static bool base64_decode(const char *s, char *out, size_t size) {
    size_t n = strlen(s), len = 0;
    size_t pad = n >= 2 && s[n - 1] == '=' ? (s[n - 2] == '=' ? 2 : 1) : 0;
    if (n == 0 || n % 4 != 0 || n / 4 * 3 >= size)
        return false;
    for (size_t i = 0; i < n; i += 4) {
        size_t digits = i + 4 == n ? 4 - pad : 4;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int digit = j < digits ? base64_digit(s[i + j]) : 0;
            if (digit < 0)
                return false;
            bits = bits << 6 | (uint32_t)digit;
        }
        for (size_t j = 0; j + 1 < digits; j++)
            out[len++] = (char)(bits >> (16 - 8 * j) & 0xff);
    }
    out[len] = '\0';
    return strlen(out) == len;
}

struct token *token_find(struct token *tokens, size_t count, const char *authorization,
                         const char *tier) {
    enum tier wanted;
    char pair[PAIR_MAX];
    if (!authorization || !tier || !tier_parse(tier, &wanted))
        return NULL;
    if (strncasecmp(authorization, "Basic ", 6) != 0 ||
        !base64_decode(authorization + 6 + strspn(authorization + 6, " "), pair, sizeof pair))
        return NULL;
    /* RFC 7617: the first colon ends the user-id. */
    char *key = strchr(pair, ':');
    if (!key)
        return NULL;
    *key++ = '\0';
    for (size_t i = 0; i < count; i++) {
        struct token *t = &tokens[i];
        if (t->tier == wanted && strcmp(t->identifier, pair) == 0 && strcmp(t->key, key) == 0)
            return t;
    }
    return NULL;
}

bool token_spend(struct token *t, int64_t day) {
    if (t->day != day) {
        t->day = day;
        t->used = 0;
    }
    if (t->quota >= 0 && t->used >= t->quota)
        return false;
    t->used++;
    return true;
}

static bool scope_add(const char *name, size_t len, unsigned *set) {
    bool known = false;
    for (unsigned i = 0; i < SCOPE_NAMES; i++) {
        const char *full = scope_names[i];
        bool same = strncmp(full, name, len) == 0 && (full[len] == '\0' || full[len] == ':');
        /* "website" alone is a prefix of many, and no scope. */
        if (same && memchr(name, ':', len)) {
            *set |= 1u << i;
            known = true;
        }
    }
    return known;
}

bool scopes_parse(const char *text, unsigned *ret, struct err *err) {
    unsigned set = 0;
    if (strcmp(text, "all") == 0)
        set = SCOPE_ALL;
    else if (strcmp(text, "none") != 0) {
        for (const char *at = text; *at;) {
            size_t len = strcspn(at, ",");
            if (len > 0 && !scope_add(at, len, &set))
                return err_set(err, ERR_INVALID_ARGUMENT,
                               "unknown scope %.*s: use website:operators, website:settings, "
                               "website:availability, plan:subscription, each with :read, :write "
                               "or neither for both",
                               (int)(len > 100 ? 100 : len), at);
            at += len;
            at += *at == ',';
        }
    }
    *ret = set;
    return true;
}

const char *scope_name(unsigned scopes, size_t i) {
    for (size_t bit = 0; bit < SCOPE_NAMES; bit++) {
        if ((scopes >> bit & 1) && i-- == 0)
            return scope_names[bit];
    }
    return NULL;
}

/* token: the three kinds of credentials of Crisp, and the check of a request's headers.
 *
 * A token is a pair (identifier, key) of one tier. The pair and the header X-Crisp-Tier must match
 * together: a good pair under another tier is refused like a wrong one (crisp-api.md 1.4, 2.4).
 * Only plugin tokens have scopes. The token owns its strings.
 */
#ifndef SANDBOX_TOKEN_H
#define SANDBOX_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum tier { TIER_USER, TIER_PLUGIN, TIER_WEBSITE, TIER_COUNT };

/* Bits for sets of tiers in the route table. */
enum { TIER_U = 1 << TIER_USER, TIER_P = 1 << TIER_PLUGIN, TIER_W = 1 << TIER_WEBSITE };

/* Every scope in two halves: read and write. Crisp's names (doc-scopes), those that matter here. */
enum scope {
    SCOPE_NONE = 0,
    SCOPE_OPERATORS_READ = 1 << 0,
    SCOPE_OPERATORS_WRITE = 1 << 1,
    SCOPE_SETTINGS_READ = 1 << 2,
    SCOPE_SETTINGS_WRITE = 1 << 3,
    SCOPE_AVAILABILITY_READ = 1 << 4,
    SCOPE_AVAILABILITY_WRITE = 1 << 5,
    SCOPE_PLAN_READ = 1 << 6,
    SCOPE_PLAN_WRITE = 1 << 7,
    SCOPE_ALL = (1 << 8) - 1,
};

struct token {
    enum tier tier;
    char *identifier;
    char *key;
    unsigned scopes;    /* bits of enum scope */
    int64_t quota;      /* requests a day; negative: no limit */
    int64_t used;       /* since the start of `day` */
    int64_t day;        /* days since 1970, UTC */
};

/* Fills the token with the made-up default pair of that tier. */
void token_init(struct token *t, enum tier tier);
void token_done(struct token *t);
void token_set(char **field, const char *value);

/* The token that the two headers (each may be NULL) present, or NULL. */
struct token *token_find(struct token *tokens, size_t count, const char *authorization,
                         const char *tier);

/* Counts one request of that day; false if the day's quota is used up. */
bool token_spend(struct token *t, int64_t day);

const char *tier_name(enum tier tier);
bool tier_parse(const char *name, enum tier *ret);

/* "website:operators:read,website:settings" (no half named: both halves), "all" or "none". */
bool scopes_parse(const char *text, unsigned *ret, struct err *err);
/* The names of the bits, one call for each i from 0 until NULL. */
const char *scope_name(unsigned scopes, size_t i);

#endif

#include "connectors/crisp/roster.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An id may have 1024 bytes (c1z.md 3.1), and a grant's holds the operator's behind the entitlement's. */
enum { ID_MAX = 512 };

const char *roster_role_name(enum roster_role role) {
    static const char *const names[] = {[ROSTER_MEMBER] = "member", [ROSTER_OWNER] = "owner"};
    return names[role];
}

/* True if text, without outer blanks and case, is the word. */
static bool is_word(const char *text, const char *word) {
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return n == strlen(word) && strncasecmp(text, word, n) == 0;
}

static enum roster_role role_of(const struct crisp_operator *o) {
    if (is_word(o->role, "owner"))
        return ROSTER_OWNER;
    return is_word(o->role, "member") ? ROSTER_MEMBER : ROSTER_NO_ROLE;
}

/* By id, and of one person the stronger role first. */
static int compare(const void *a, const void *b) {
    const struct roster_entry *x = a, *y = b;
    int by_id = strcmp(x->operator->user_id, y->operator->user_id);
    return by_id ? by_id : (int)y->role - (int)x->role;
}

static void collect(struct roster *r, const struct crisp_team *team) {
    for (size_t i = 0; i < team->count; i++) {
        const struct crisp_operator *o = &team->operators[i];
        enum roster_role role = role_of(o);
        bool is_operator = strcmp(o->type, "operator") == 0;
        /* Missing an account that has access is worse than showing one too many: an unknown type
         * with a role counts, one without a role has no access we know of. */
        if ((!is_operator && role == ROSTER_NO_ROLE) || strlen(o->user_id) > ID_MAX) {
            r->skipped++;
            continue;
        }
        r->unknown_types += !is_operator;
        r->entries[r->count++] = (struct roster_entry){.operator = o, .role = role};
    }
}

static void join_duplicates(struct roster *r) {
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct roster_entry *e = &r->entries[i];
        if (kept > 0 &&
            strcmp(r->entries[kept - 1].operator->user_id, e->operator->user_id) == 0) {
            r->duplicates++;
            r->role_conflicts += r->entries[kept - 1].role != e->role;
            continue;
        }
        r->entries[kept++] = *e;
    }
    r->count = kept;
}

static void count_roles(struct roster *r) {
    for (size_t i = 0; i < r->count; i++) {
        const struct roster_entry *e = &r->entries[i];
        r->owners += e->role == ROSTER_OWNER;
        r->members += e->role == ROSTER_MEMBER;
        if (e->role != ROSTER_NO_ROLE)
            continue;
        r->without_role++;
        if (!r->strange_role && e->operator->role[0])
            r->strange_role = e->operator->role;
    }
}

void roster_init(struct roster *r, const struct crisp_team *team, struct arena *arena) {
    *r = (struct roster){.invitations = team->invitations, .without_id = team->without_id};
    r->entries = arena_array(arena, team->count, sizeof r->entries[0]);
    collect(r, team);
    qsort(r->entries, r->count, sizeof r->entries[0], compare);
    join_duplicates(r);
    count_roles(r);
}

void roster_report(const struct roster *r, struct log *log) {
    log_info(log, "crisp: operators listed", LOG_INT("operators", r->count),
             LOG_INT("owners", r->owners), LOG_INT("members", r->members),
             LOG_INT("pending_invitations", r->invitations));
    if (r->owners == 0)
        log_warn(log, "crisp: no operator is an owner, which Crisp does not allow: check the list");
    if (r->without_role)
        log_warn(log, "crisp: operators without a known role are listed but get no grant",
                 LOG_INT("operators", r->without_role),
                 LOG_STR("first_unknown_role", r->strange_role));
    if (r->unknown_types)
        log_warn(log, "crisp: entries of an unknown type have a role and are taken as operators",
                 LOG_INT("operators", r->unknown_types));
    if (r->duplicates)
        log_warn(log, "crisp: the same user was listed more than once; the stronger role counts",
                 LOG_INT("duplicates", r->duplicates),
                 LOG_INT("with_another_role", r->role_conflicts));
    if (r->without_id || r->skipped)
        log_warn(log, "crisp: entries without a user id or without any role were left out",
                 LOG_INT("without_id", r->without_id), LOG_INT("skipped", r->skipped));
}

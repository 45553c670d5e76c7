/* target: the request target of HTTP ("/v1/website/abc?page=1") taken apart.
 *
 * The path is split at '/' first and percent-decoded afterwards, segment by segment, so that "%2F"
 * in an id cannot become a separator. "/v1/website/" has an empty last segment: Crisp's routes have
 * none, so it is another path than "/v1/website". The target owns its strings.
 */
#ifndef SANDBOX_TARGET_H
#define SANDBOX_TARGET_H

#include <stdbool.h>
#include <stddef.h>

enum { TARGET_SEGMENTS_MAX = 12, TARGET_LEN_MAX = 8192 };

struct target {
    char *segment[TARGET_SEGMENTS_MAX];
    size_t count;
    char *path;  /* as sent, without the query */
    char *query; /* as sent, without the '?'; "" if there is none */
};

/* False for what is no origin-form target: no leading '/', a bad escape, a decoded NUL or control
 * character, too many segments, too long. *ret is then empty and needs no target_done(). */
bool target_parse(const char *raw, struct target *ret);
void target_done(struct target *t);

/* The decoded value of the n-th (from 0) parameter of that name, to be freed; NULL if there is
 * none. A name without '=' has the value "". A value with a bad escape counts as absent. */
char *target_param(const struct target *t, const char *name, size_t n);

/* True if the parameter is "1" or "true": the two forms in which clients send a flag. */
bool target_flag(const struct target *t, const char *name);

/* 8-4-4-4-12 hexadecimal digits. */
bool target_is_uuid(const char *s);

#endif

/* pattern: which requests a fault or a canned answer is for.
 *
 * A pattern is one of
 *   "*"                       every request;
 *   "/v1/website/<id>"        exactly this path, as sent;
 *   "operators/list"          the last whole segments of the path, ids left out, so that "website"
 *                             is Get A Website and "operator" is the route of one operator.
 */
#ifndef SANDBOX_PATTERN_H
#define SANDBOX_PATTERN_H

#include <stdbool.h>

/* `route` is the path with its ids left out ("website/operators/list"), "" for no known route;
 * `path` the path as sent. */
bool pattern_matches(const char *pattern, const char *route, const char *path);

#endif

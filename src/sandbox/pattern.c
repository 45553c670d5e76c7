#include "sandbox/pattern.h"

#include <string.h>

/* True if `text` ends in the whole segments of `end`. */
static bool ends_in(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    if (m == 0 || m > n || strcmp(text + n - m, end) != 0)
        return false;
    return m == n || text[n - m - 1] == '/';
}

bool pattern_matches(const char *pattern, const char *route, const char *path) {
    if (strcmp(pattern, "*") == 0)
        return true;
    if (pattern[0] == '/')
        return strcmp(pattern, path) == 0;
    return ends_in(route, pattern) || ends_in(path, pattern);
}

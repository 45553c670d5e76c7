#include "baton/near.h"

#include <string.h>

static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b, size_t c) {
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

size_t near_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n >= NEAR_WORD_MAX || m >= NEAR_WORD_MAX)
        return NEAR_WORD_MAX;
    /* row[j]: from the first i letters of a to the first j of b */
    size_t row[NEAR_WORD_MAX];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j];
            row[j] =
                least(above + 1, row[j - 1] + 1, diagonal + (fold(a[i - 1]) != fold(b[j - 1])));
            diagonal = above;
        }
    }
    return row[m];
}

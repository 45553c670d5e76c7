/* near: how far two words are apart, for "did you mean". */
#ifndef BATON_NEAR_H
#define BATON_NEAR_H

#include <stddef.h>

/* Words this near are worth suggesting; cobra's number. */
enum { NEAR_MAX = 2, NEAR_WORD_MAX = 64 };

/* Levenshtein distance without regard to case; NEAR_WORD_MAX if a word is that long. */
size_t near_distance(const char *a, const char *b);

#endif

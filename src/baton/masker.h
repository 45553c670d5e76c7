/* masker: knows the secrets that have been seen and takes them out of texts.
 *
 * Messages quote what the user wrote, and what he wrote in the wrong place may be the key. Whatever
 * was given as a secret is remembered here, even where a stronger source outranks it, and becomes
 * *** in a text: the whole value, as it is or as Go would quote it, and any part of MASKER_PART_MIN
 * bytes or more, because texts are cut. Values below MASKER_SECRET_MIN bytes are left alone: they
 * would take words apart. Owns copies and wipes them; zero-initialised it is empty and good.
 */
#ifndef BATON_MASKER_H
#define BATON_MASKER_H

#include <stddef.h>

#include "base/secret.h"

enum { MASKER_SECRET_MIN = 4, MASKER_PART_MIN = 16 };

struct masker {
    struct secret *items;
    size_t count;
};

void masker_add(struct masker *m, const char *value);
/* In place; the text does not grow. */
void masker_apply(const struct masker *m, char *text);
void masker_done(struct masker *m);

#endif

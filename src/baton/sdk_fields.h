/* sdk_fields: the settings that every connector program has, in the order of the SDK (baton-sdk
 * v0.25.0 pkg/field/defaults.go; connector-cli.md 2.1). The order is that of the `config` JSON.
 *
 * What a field does is its `effect` (connector-cli.md 9). --log-event-log is missing on purpose: it
 * exists on Windows only.
 */
#ifndef BATON_SDK_FIELDS_H
#define BATON_SDK_FIELDS_H

#include <stddef.h>

#include "base/err.h"
#include "baton/field.h"

extern const struct field sdk_fields[];
extern const size_t sdk_field_count;

/* Groups of flags, in the order in which they are checked. */
extern const struct field_relation sdk_relations[];
extern const size_t sdk_relation_count;

/* A one-shot that this program does not have. The text is `before`, the word, `after`; the word is
 * the value of field `word_of` (if empty: `word_default`), of an entitlement or grant id only the
 * resource type. In the order in which the SDK looks at them: the first that is set wins. */
struct sdk_one_shot {
    const char *field;
    enum err_code code;
    const char *before, *word_of, *word_default, *after;
    bool word_is_id;
};

extern const struct sdk_one_shot sdk_one_shots[];
extern const size_t sdk_one_shot_count;

#endif

/* options: the values of all fields, from command line, environment and config file.
 *
 * Flag over environment over file over default (connector-cli.md 2.3); lists from flags are
 * appended to the list of environment or file. A secret may also come from a file: see
 * option_source for the order. The set owns every value; secrets are of type secret and are wiped
 * when it is freed. Asking for a field that does not exist, or of another kind, is a programming
 * error (assert).
 */
#ifndef BATON_OPTIONS_H
#define BATON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "baton/field.h"

struct options;

/* Where a value came from, weakest first. The FILE sources name a file that holds a secret. */
enum option_source {
    OPTION_DEFAULT,
    OPTION_CREDENTIAL, /* $CREDENTIALS_DIRECTORY/NAME */
    OPTION_CONFIG_FILE,
    OPTION_CONFIG,
    OPTION_ENV_FILE,
    OPTION_ENV,
    OPTION_FLAG_FILE,
    OPTION_FLAG,
};

/* For the SDK's fields and these; borrows the rows. Every value is its default. */
struct options *options_new(const struct field *connector_fields, size_t count);
void options_free(struct options *o);

/* "" when unset. Not for secret fields. */
const char *options_str(const struct options *o, const char *name);
bool options_bool(const struct options *o, const char *name);
int64_t options_int(const struct options *o, const char *name);
size_t options_list(const struct options *o, const char *name, const char *const **ret_items);
const struct secret *options_secret(const struct options *o, const char *name);
/* True if flag, environment, file or credential gave it. */
bool options_is_set(const struct options *o, const char *name);
enum option_source options_source(const struct options *o, const char *name);

/* Things that are not errors but that the user should hear about: one sentence each, without
 * secrets once options_mask_warnings() was called. The caller logs them as warnings. */
size_t options_warnings(const struct options *o, const char *const **ret_items);

/* --- for those who fill the set: cli.c, option_sources.c, option_checks.c --- */

const struct field_set *options_fields(const struct options *o);
/* One value from a flag. Text that is not of the field's kind: err, with the text of pflag. */
bool options_take_flag(struct options *o, const struct field_ref *ref, const char *text,
                       struct err *err);
/* One value from elsewhere; ignored where a stronger source has spoken. `where` ("BATON_WORKERS",
 * ".baton.yaml line 3") is for messages. Bad text is kept for options_settle(). */
void options_take(struct options *o, const struct field_ref *ref, enum option_source source,
                  const char *text, const char *where);
/* The items of a YAML list, for a FIELD_LIST. */
void options_take_list(struct options *o, const struct field_ref *ref, const char *const *items,
                       size_t count);
/* Reads the numbers and booleans that were not given as flags, and the files that hold secrets.
 * Wrong text for a connector's field is an error, for an SDK field a warning and the zero value,
 * as in the SDK. `sdk_only`: the SDK's fields without secrets, for commands that need no more. */
bool options_settle(struct options *o, bool sdk_only, struct err *err);
/* From here on the text is taken out of what is shown. For a value that may never be taken. */
void options_hide(struct options *o, const struct field_ref *ref, const char *text);
/* Replaces every secret that was seen, used or not, by ***: in the text, and in the warnings. */
void options_mask(const struct options *o, char *text);
void options_mask_warnings(struct options *o);
void options_warn(struct options *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool options_is_set_at(const struct options *o, size_t index);
const char *options_text_at(const struct options *o, size_t index);
int64_t options_int_at(const struct options *o, size_t index);
/* Not empty, not zero, not false: what the SDK calls present. */
bool options_has_value_at(const struct options *o, size_t index);

#endif

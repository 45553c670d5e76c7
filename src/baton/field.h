/* field: one setting of a connector program, as a row of a table.
 *
 * The table is the only place where a setting is written down: flags, BATON_ environment names,
 * config file keys, --help, shell completion, the JSON schema of `config` and the value rules all
 * come from it. Facts: connector-cli.md sections 2 and 6.
 *
 * A secret field NAME also has NAME-file (flag and config key), BATON_NAME_FILE and a systemd
 * credential $CREDENTIALS_DIRECTORY/NAME: the value is read from that file, one trailing line end
 * dropped, so that it need not stand in a process list or an environment. These companions are not
 * rows of their own; field_set_find() knows them.
 */
#ifndef BATON_FIELD_H
#define BATON_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum field_kind { FIELD_STRING, FIELD_BOOL, FIELD_INT, FIELD_LIST };

/* Who may set it in C1: nobody, the operator of the process, or anybody in the set-up page. */
enum field_export { FIELD_EXPORT_NONE, FIELD_EXPORT_OPS, FIELD_EXPORT_GUI };

/* What a one-shot or compatibility field does when it is set (connector-cli.md 9). */
enum field_effect {
    FIELD_NORMAL,
    FIELD_IGNORED,       /* accepted without effect */
    FIELD_UNIMPLEMENTED, /* a one-shot that ends with a gRPC status, see sdk_fields.h */
    FIELD_REFUSED,       /* refused before any work, with `refusal` */
};

/* Under which heading --help lists it. */
enum field_group {
    FIELD_GROUP_CONNECTOR, /* the connector's own */
    FIELD_GROUP_SYNC,      /* the file and what goes into it */
    FIELD_GROUP_LOG,
    FIELD_GROUP_SERVICE,
    FIELD_GROUP_COMPAT, /* accepted for scripts written for other connectors */
    FIELD_GROUP_COUNT,
};

/* What a shell completes after the flag. */
enum field_hint { FIELD_HINT_NONE, FIELD_HINT_FILE, FIELD_HINT_DIR };

struct field {
    const char *name; /* flag name with dashes */
    char letter;      /* short flag, 0: none */
    enum field_kind kind;
    const char *display_name; /* "" for the SDK's own */
    const char *description;
    const char *placeholder;
    const char *default_value; /* as text; NULL: zero value */
    bool is_required, is_secret, is_hidden;
    enum field_export export_to;
    enum field_effect effect;
    const char *refusal;       /* FIELD_REFUSED: "NAME is not supported: REFUSAL" */
    const char *const *one_of; /* NULL-terminated; an empty value always passes */
    bool has_min, has_max;
    int64_t min, max;
    const char *const *aliases; /* hidden other flag names, NULL-terminated */
    enum field_group group;
    bool is_common; /* listed by --help, not only by --help-all; a connector's own always are */
    enum field_hint hint;
    const char *const *offers; /* words a shell completes, where others are accepted too */
};

/* How fields depend on each other (connector-cli.md 2.2, last part). */
enum field_relation_kind {
    FIELD_TOGETHER,     /* all or none */
    FIELD_EXCLUSIVE,    /* at most one */
    FIELD_AT_LEAST_ONE, /* of `names` */
    FIELD_DEPENDS_ON,   /* any of `names` needs all of `needs` */
};

struct field_relation {
    enum field_relation_kind kind;
    const char *const *names; /* NULL-terminated, as is `needs` */
    const char *const *needs;
};

/* The fields of a program: the SDK's in their order, then the connector's. Borrows the rows. */
struct field_set {
    const struct field **items;
    size_t count, sdk_count;
};

enum { FIELD_NAME_MAX = 64 };

/* A field by one of its names. */
struct field_ref {
    size_t index;
    bool is_file;  /* the -file companion of a secret */
    bool is_alias; /* not the primary name */
};

void field_set_init(struct field_set *set, const struct field *connector_fields, size_t count);
void field_set_done(struct field_set *set);
#define field_set_auto __attribute__((cleanup(field_set_done)))

/* Exact spelling; with `fold_case`, letters of any case (config file keys). */
bool field_set_find(const struct field_set *set, const char *name, size_t len, bool fold_case,
                    struct field_ref *ret_ref);
/* For names that the program itself writes: the field must exist (asserted). */
size_t field_set_index(const struct field_set *set, const char *name);
static inline bool field_set_is_sdk(const struct field_set *set, size_t index) {
    return index < set->sdk_count;
}
/* NULL if the rows can make a program; else what is wrong with them, for the connector's author:
 * double names, a required bool, defaults and ranges that contradict each other. */
const char *field_set_fault(const struct field_set *set);

/* "BATON_CRISP_API_KEY" for "crisp-api-key"; `suffix` ("" or "-file") is part of the name. */
void field_add_env_name(struct buf *out, const char *name, const char *suffix);
/* The text of pflag for a flag with a value that cannot be: returns false. */
bool field_fail_argument(const struct field *f, const char *text, const char *cause,
                         struct err *err);
/* "string", "int", "strings", "" for a bool: how flags are shown in help. */
const char *field_value_word(const struct field *f);

#endif

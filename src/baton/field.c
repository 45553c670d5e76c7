#include "baton/field.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "baton/gotext.h"
#include "baton/sdk_fields.h"

static const char file_suffix[] = "-file";
enum { FILE_SUFFIX_LEN = sizeof file_suffix - 1 };
enum { ARGUMENT_MAX = 1024 }; /* bytes of a quoted argument in an error text */

void field_set_init(struct field_set *set, const struct field *connector_fields, size_t count) {
    set->sdk_count = sdk_field_count;
    set->count = sdk_field_count + count;
    set->items = mem_realloc_array(NULL, set->count, sizeof *set->items);
    for (size_t i = 0; i < sdk_field_count; i++)
        set->items[i] = &sdk_fields[i];
    for (size_t i = 0; i < count; i++)
        set->items[sdk_field_count + i] = &connector_fields[i];
}

void field_set_done(struct field_set *set) {
    if (!set)
        return;
    free(set->items);
    *set = (struct field_set){0};
}

static bool is_name(const char *want, const char *name, size_t len, bool fold_case) {
    int difference = fold_case ? strncasecmp(want, name, len) : strncmp(want, name, len);
    return difference == 0 && want[len] == '\0';
}

/* One of the field's names, without companion. */
static bool has_name(const struct field *f, const char *name, size_t len, bool fold_case,
                     struct field_ref *ref) {
    ref->is_alias = false;
    if (is_name(f->name, name, len, fold_case))
        return true;
    ref->is_alias = true;
    for (const char *const *a = f->aliases; a && *a; a++) {
        if (is_name(*a, name, len, fold_case))
            return true;
    }
    return false;
}

bool field_set_find(const struct field_set *set, const char *name, size_t len, bool fold_case,
                    struct field_ref *ret_ref) {
    struct field_ref ref = {0};
    bool may_be_file = len > FILE_SUFFIX_LEN && is_name(file_suffix, name + len - FILE_SUFFIX_LEN,
                                                        FILE_SUFFIX_LEN, fold_case);
    for (ref.index = 0; ref.index < set->count; ref.index++) {
        const struct field *f = set->items[ref.index];
        ref.is_file = false;
        if (has_name(f, name, len, fold_case, &ref)) {
            *ret_ref = ref;
            return true;
        }
        ref.is_file = true;
        if (may_be_file && f->is_secret &&
            has_name(f, name, len - FILE_SUFFIX_LEN, fold_case, &ref)) {
            *ret_ref = ref;
            return true;
        }
    }
    return false;
}

size_t field_set_index(const struct field_set *set, const char *name) {
    size_t i = 0;
    while (i < set->count && strcmp(set->items[i]->name, name) != 0)
        i++;
    assert(i < set->count && "no such field");
    return i;
}

static bool name_is_good(const char *name) {
    size_t n = strlen(name);
    return n > 0 && n + FILE_SUFFIX_LEN < FIELD_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-';
}

static bool default_is_good(const struct field *f) {
    const char *text = f->default_value;
    int64_t number;
    bool flag;
    if (!text)
        return true;
    if (f->kind == FIELD_INT)
        return gotext_int(text, &number, NULL) && (!f->has_min || number >= f->min) &&
               (!f->has_max || number <= f->max);
    if (f->kind == FIELD_BOOL)
        return gotext_bool(text, &flag, NULL);
    bool found = !f->one_of;
    for (const char *const *word = f->one_of; word && *word; word++)
        found = found || strcmp(*word, text) == 0;
    return found && f->kind == FIELD_STRING && !f->is_secret;
}

static const char *row_fault(const struct field *f) {
    static const char *const reserved[] = {"help",     "help-all", "version",
                                           "endpoint", "timeout",  "no-descriptions"};
    if (!name_is_good(f->name))
        return "a name is empty, too long, or not of a-z, 0-9 and dashes";
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcmp(f->name, reserved[i]) == 0)
            return "a name belongs to the program itself";
    }
    if (f->letter == 'h' || f->letter == 'v')
        return "-h and -v belong to the program itself";
    if (f->kind == FIELD_BOOL && f->is_required)
        return "a required boolean makes no sense";
    if (f->is_secret && f->kind != FIELD_STRING)
        return "a secret must be a string";
    if (!f->description || !f->display_name)
        return "description and display_name must not be NULL";
    if (!default_is_good(f))
        return "a default breaks the field's own rules";
    if ((f->effect == FIELD_REFUSED) != (f->refusal != NULL))
        return "a refused field needs a refusal, others none";
    return NULL;
}

const char *field_set_fault(const struct field_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        const struct field *f = set->items[i];
        const char *fault = row_fault(f);
        if (fault)
            return fault;
        struct field_ref ref;
        for (const char *const *a = f->aliases; a && *a; a++) {
            if (!name_is_good(*a) || !field_set_find(set, *a, strlen(*a), false, &ref) ||
                ref.index != i)
                return "an alias is malformed or taken";
        }
        if (!field_set_find(set, f->name, strlen(f->name), false, &ref) || ref.index != i)
            return "two fields have the same name";
        for (size_t j = 0; j < i; j++) {
            if (f->letter && set->items[j]->letter == f->letter)
                return "two fields have the same letter";
        }
    }
    return NULL;
}

void field_add_env_name(struct buf *out, const char *name, const char *suffix) {
    buf_adds(out, "BATON_");
    for (const char *const *part = (const char *const[]){name, suffix, NULL}; *part; part++) {
        for (const char *p = *part; *p; p++)
            buf_addc(out, *p == '-' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p));
    }
}

bool field_fail_argument(const struct field *f, const char *text, const char *cause,
                         struct err *err) {
    buf_auto struct buf b;
    buf_init(&b, ARGUMENT_MAX);
    buf_adds(&b, "invalid argument ");
    gotext_quote(&b, text);
    if (f->letter)
        buf_addf(&b, " for \"-%c, --%s\" flag", f->letter, f->name);
    else
        buf_addf(&b, " for \"--%s\" flag", f->name);
    return err_set(err, ERR_UNKNOWN, "%s: %s", b.data, cause);
}

const char *field_value_word(const struct field *f) {
    static const char *const words[] = {[FIELD_STRING] = "string",
                                        [FIELD_BOOL] = "",
                                        [FIELD_INT] = "int",
                                        [FIELD_LIST] = "strings"};
    return words[f->kind];
}

#include "baton/options.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "baton/gotext.h"
#include "baton/masker.h"
#include "baton/secret_file.h"
#include "baton/strlist.h"

struct value {
    enum option_source source;
    bool is_alias; /* given under another name: the primary one is stronger within a source */
    char *text;    /* not for lists; of a FILE source and of a credential, the path */
    char *where;   /* for messages */
    struct strlist list;
    int64_t number;
    bool flag;
    struct secret secret;
};

struct options {
    struct field_set set;
    struct value *values; /* one for each field of the set */
    struct strlist warnings;
    struct masker masker;
};

/* --- life --- */

static void read_default(const struct field *f, struct value *v) {
    if (!f->default_value)
        return;
    v->text = mem_strdup(f->default_value);
    bool ok = true;
    if (f->kind == FIELD_INT)
        ok = gotext_int(v->text, &v->number, NULL);
    else if (f->kind == FIELD_BOOL)
        ok = gotext_bool(v->text, &v->flag, NULL);
    assert(ok);
}

struct options *options_new(const struct field *connector_fields, size_t count) {
    struct options *o = mem_zalloc(sizeof *o);
    field_set_init(&o->set, connector_fields, count);
    o->values = mem_realloc_array(NULL, o->set.count, sizeof *o->values);
    for (size_t i = 0; i < o->set.count; i++) {
        o->values[i] = (struct value){0};
        read_default(o->set.items[i], &o->values[i]);
    }
    return o;
}

/* The text may be a secret that has not reached its place. */
static void drop_text(struct value *v) {
    if (v->text)
        explicit_bzero(v->text, strlen(v->text));
    free(v->text);
    free(v->where);
    v->text = v->where = NULL;
}

void options_free(struct options *o) {
    if (!o)
        return;
    for (size_t i = 0; i < o->set.count; i++) {
        drop_text(&o->values[i]);
        strlist_done(&o->values[i].list);
        secret_done(&o->values[i].secret);
    }
    free(o->values);
    field_set_done(&o->set);
    strlist_done(&o->warnings);
    masker_done(&o->masker);
    free(o);
}

void options_warn(struct options *o, const char *fmt, ...) {
    va_list ap;
    char *s = NULL;
    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        mem_die();
    va_end(ap);
    strlist_add(&o->warnings, s);
    free(s);
}

size_t options_warnings(const struct options *o, const char *const **ret_items) {
    *ret_items = strlist_items(&o->warnings);
    return o->warnings.count;
}

const struct field_set *options_fields(const struct options *o) {
    return &o->set;
}

/* --- what must not be shown --- */

/* Where a path belongs: a long word without '/' and '.' is more likely the secret itself. */
static bool looks_like_secret(const char *path) {
    enum { LONG_WORD = 32 };
    return strlen(path) > LONG_WORD && !strpbrk(path, "/.");
}

void options_hide(struct options *o, const struct field_ref *ref, const char *text) {
    if (o->set.items[ref->index]->is_secret && (!ref->is_file || looks_like_secret(text)))
        masker_add(&o->masker, text);
}

void options_mask(const struct options *o, char *text) {
    masker_apply(&o->masker, text);
}

void options_mask_warnings(struct options *o) {
    for (size_t i = 0; i < o->warnings.count; i++)
        masker_apply(&o->masker, o->warnings.items[i]);
}

/* --- giving values --- */

static void put_text(struct value *v, enum option_source source, bool is_alias, const char *text,
                     const char *where) {
    /* Copied first: the new text may be a part of the old. */
    char *copy = mem_strdup(text), *place = mem_strdup(where);
    drop_text(v);
    v->text = copy;
    v->where = place;
    v->source = source;
    v->is_alias = is_alias;
}

bool options_take_flag(struct options *o, const struct field_ref *ref, const char *text,
                       struct err *err) {
    const struct field *f = o->set.items[ref->index];
    struct value *v = &o->values[ref->index];
    options_hide(o, ref, text);
    /* The text of the cause is needed even where the caller does not want it. */
    struct err why = ERR_INIT;
    bool ok = true;
    if (f->kind == FIELD_INT)
        ok = gotext_int(text, &v->number, &why);
    else if (f->kind == FIELD_BOOL)
        ok = gotext_bool(text, &v->flag, &why);
    else if (f->kind == FIELD_LIST)
        ok = gotext_csv(text, &v->list, &why);
    if (!ok) {
        return field_fail_argument(f, text, why.msg, err);
    }
    enum option_source source = ref->is_file ? OPTION_FLAG_FILE : OPTION_FLAG;
    if (source >= v->source)
        put_text(v, source, ref->is_alias, text, "the command line");
    return true;
}

static bool is_outranked(const struct value *v, enum option_source source, bool is_alias) {
    if (v->source != source)
        return v->source > source;
    return is_alias || !v->is_alias;
}

void options_take(struct options *o, const struct field_ref *ref, enum option_source source,
                  const char *text, const char *where) {
    const struct field *f = o->set.items[ref->index];
    struct value *v = &o->values[ref->index];
    options_hide(o, ref, text);
    if (is_outranked(v, source, ref->is_alias))
        return;
    put_text(v, source, ref->is_alias, text, where);
    if (f->kind != FIELD_LIST)
        return;
    strlist_clear(&v->list);
    struct err why = ERR_INIT;
    if (!gotext_csv(text, &v->list, &why)) {
        gotext_words(text, &v->list);
        options_warn(o, "%s is not a list separated by commas (%s); it was split at spaces", where,
                     why.msg);
    }
}

void options_take_list(struct options *o, const struct field_ref *ref, const char *const *items,
                       size_t count) {
    struct value *v = &o->values[ref->index];
    assert(o->set.items[ref->index]->kind == FIELD_LIST);
    if (count == 0 || is_outranked(v, OPTION_CONFIG, ref->is_alias))
        return;
    put_text(v, OPTION_CONFIG, ref->is_alias, "", "the config file");
    strlist_clear(&v->list);
    for (size_t i = 0; i < count; i++)
        strlist_add(&v->list, items[i]);
}

/* --- settling --- */

static bool fail_secret_file(const struct field *f, const struct value *v, struct err *err) {
    if (!looks_like_secret(v->text))
        return err_wrap(err, "field %s: the file %s (named by %s)", f->name,
                        *v->text ? v->text : "\"\"", v->where);
    if (v->source == OPTION_FLAG_FILE)
        return err_wrap(err, "field %s: the file named by --%s-file", f->name, f->name);
    return err_wrap(err, "field %s: the file named by %s", f->name, v->where);
}

/* `path` NULL: the value itself was given. */
static bool check_secret(const struct field *f, const struct value *v, const char *path,
                         struct err *err) {
    const char *fault = secret_file_fault(secret_reveal(&v->secret), v->secret.len);
    if (!fault)
        return true;
    return err_set(err, ERR_UNKNOWN, "the value of %s (%s%s) %s", f->name,
                   path ? "in the file " : "from ", path ? path : v->where, fault);
}

static bool settle_secret(struct options *o, const struct field *f, struct value *v,
                          struct err *err) {
    bool is_path = v->source == OPTION_FLAG_FILE || v->source == OPTION_ENV_FILE ||
                   v->source == OPTION_CONFIG_FILE || v->source == OPTION_CREDENTIAL;
    if (!is_path) {
        secret_set(&v->secret, v->text, strlen(v->text));
        if (!check_secret(f, v, NULL, err))
            return false;
        drop_text(v);
        return true;
    }
    struct secret_file_facts facts;
    if (!secret_file_read(v->text, &v->secret, &facts, err))
        return fail_secret_file(f, v, err);
    masker_add(&o->masker, secret_reveal(&v->secret));
    if (facts.is_readable_by_others && v->source != OPTION_CREDENTIAL)
        options_warn(o, "%s holds %s and can be read by every user of this machine: chmod 600 it",
                     v->text, f->name);
    return check_secret(f, v, v->text, err);
}

/* "1.5" where a number belongs: an error for the connector's own fields, a warning for others. */
static void complain(struct options *o, size_t index, const char *cause, struct strlist *faults) {
    const struct field *f = o->set.items[index];
    const struct value *v = &o->values[index];
    if (!field_set_is_sdk(&o->set, index))
        strlist_addf(faults, "* cannot parse '%s' as %s: %s", f->name,
                     f->kind == FIELD_INT ? "int" : "bool", cause);
    else
        options_warn(o, "%s: %s; taken as %s", v->where, cause,
                     f->kind == FIELD_INT ? "0" : "false");
}

static void settle_typed(struct options *o, size_t index, struct strlist *faults) {
    const struct field *f = o->set.items[index];
    struct value *v = &o->values[index];
    struct err why = ERR_INIT;
    bool ok = true;
    if (f->kind == FIELD_INT && *v->text) {
        v->number = 0;
        ok = gotext_int(v->text, &v->number, &why);
    } else if (f->kind == FIELD_INT) {
        v->number = 0;
    } else {
        v->flag = false;
        ok = !*v->text || gotext_bool(v->text, &v->flag, &why);
    }
    if (!ok)
        complain(o, index, why.msg, faults);
}

static bool fail_decoding(struct strlist *faults, struct err *err) {
    strlist_sort(faults);
    err_set(err, ERR_UNKNOWN,
            "failed to make configuration: failed to unmarshal config: %zu error(s) decoding:\n",
            faults->count);
    for (size_t i = 0; i < faults->count; i++)
        err_append(err, "\n%s", faults->items[i]);
    return false;
}

bool options_settle(struct options *o, bool sdk_only, struct err *err) {
    strlist_auto struct strlist faults = {0};
    for (size_t i = 0; i < (sdk_only ? o->set.sdk_count : o->set.count); i++) {
        const struct field *f = o->set.items[i];
        struct value *v = &o->values[i];
        if (v->source == OPTION_DEFAULT)
            continue;
        if (f->is_secret) {
            if (!sdk_only && v->text && !settle_secret(o, f, v, err))
                return false;
        } else if ((f->kind == FIELD_INT || f->kind == FIELD_BOOL) && v->source != OPTION_FLAG) {
            settle_typed(o, i, &faults);
        }
    }
    return faults.count == 0 || fail_decoding(&faults, err);
}

/* --- asking --- */

static const struct value *value_of(const struct options *o, const char *name,
                                    enum field_kind kind) {
    size_t i = field_set_index(&o->set, name);
    assert(o->set.items[i]->kind == kind);
    return &o->values[i];
}

const char *options_str(const struct options *o, const char *name) {
    const struct value *v = value_of(o, name, FIELD_STRING);
    assert(!o->set.items[v - o->values]->is_secret);
    return v->text ? v->text : "";
}

bool options_bool(const struct options *o, const char *name) {
    return value_of(o, name, FIELD_BOOL)->flag;
}

int64_t options_int(const struct options *o, const char *name) {
    return value_of(o, name, FIELD_INT)->number;
}

size_t options_list(const struct options *o, const char *name, const char *const **ret_items) {
    const struct value *v = value_of(o, name, FIELD_LIST);
    *ret_items = strlist_items(&v->list);
    return v->list.count;
}

const struct secret *options_secret(const struct options *o, const char *name) {
    const struct value *v = value_of(o, name, FIELD_STRING);
    assert(o->set.items[v - o->values]->is_secret);
    return &v->secret;
}

bool options_is_set(const struct options *o, const char *name) {
    return options_source(o, name) != OPTION_DEFAULT;
}

enum option_source options_source(const struct options *o, const char *name) {
    return o->values[field_set_index(&o->set, name)].source;
}

bool options_is_set_at(const struct options *o, size_t index) {
    return o->values[index].source != OPTION_DEFAULT;
}

const char *options_text_at(const struct options *o, size_t index) {
    return o->values[index].text ? o->values[index].text : "";
}

int64_t options_int_at(const struct options *o, size_t index) {
    return o->values[index].number;
}

bool options_has_value_at(const struct options *o, size_t index) {
    const struct field *f = o->set.items[index];
    const struct value *v = &o->values[index];
    switch (f->kind) {
    case FIELD_BOOL:
        return v->flag;
    case FIELD_INT:
        return v->number != 0;
    case FIELD_LIST:
        return v->list.count > 0;
    case FIELD_STRING:
        break;
    }
    return f->is_secret ? secret_is_set(&v->secret) : v->text && *v->text;
}

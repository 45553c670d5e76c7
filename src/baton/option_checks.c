#include "baton/option_checks.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "baton/connector.h"
#include "baton/gotext.h"
#include "baton/sdk_fields.h"
#include "baton/strlist.h"

enum { LIST_MAX = ERR_MSG_MAX }; /* bytes of a list of names in an error text */

static void join(struct buf *out, const char *const *items, size_t count, const char *between) {
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_adds(out, between);
        buf_adds(out, items[i]);
    }
}

static size_t name_count(const char *const *names) {
    size_t n = 0;
    while (names && names[n])
        n++;
    return n;
}

/* --- what is set --- */

static bool check_required(const struct options *o, struct err *err) {
    const struct field_set *set = options_fields(o);
    strlist_auto struct strlist missing = {0};
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i]->is_required && !options_is_set_at(o, i))
            strlist_add(&missing, set->items[i]->name);
    }
    if (missing.count == 0)
        return true;
    strlist_sort(&missing);
    buf_auto struct buf names;
    buf_init(&names, LIST_MAX);
    join(&names, strlist_items(&missing), missing.count, "\", \"");
    return err_set(err, ERR_UNKNOWN, "required flag(s) \"%s\" not set", names.data);
}

/* The members of a group that are set, or those that are not; sorted. */
static void collect(const struct options *o, const char *const *names, bool want_set,
                    struct strlist *found) {
    for (; *names; names++) {
        if (options_is_set(o, *names) == want_set)
            strlist_add(found, *names);
    }
    strlist_sort(found);
}

static bool check_group(const struct options *o, const struct field_relation *r, struct err *err) {
    strlist_auto struct strlist set = {0};
    strlist_auto struct strlist unset = {0};
    collect(o, r->names, true, &set);
    collect(o, r->names, false, &unset);
    bool is_broken = false;
    const struct strlist *shown = &set;
    if (r->kind == FIELD_TOGETHER) {
        is_broken = set.count && unset.count;
        shown = &unset;
    } else if (r->kind == FIELD_EXCLUSIVE) {
        is_broken = set.count > 1;
    } else if (r->kind == FIELD_AT_LEAST_ONE) {
        is_broken = set.count == 0;
    }
    if (!is_broken)
        return true;
    buf_auto struct buf group, members;
    buf_init(&group, LIST_MAX);
    buf_init(&members, LIST_MAX);
    join(&group, r->names, name_count(r->names), " ");
    join(&members, strlist_items(shown), shown->count, " ");
    if (r->kind == FIELD_TOGETHER)
        return err_set(err, ERR_UNKNOWN,
                       "if any flags in the group [%s] are set they must all be set; missing [%s]",
                       group.data, members.data);
    if (r->kind == FIELD_EXCLUSIVE)
        return err_set(
            err, ERR_UNKNOWN,
            "if any flags in the group [%s] are set none of the others can be; [%s] were "
            "all set",
            group.data, members.data);
    return err_set(err, ERR_UNKNOWN, "at least one of the flags in the group [%s] is required",
                   group.data);
}

static bool check_groups(const struct options *o, const struct field_relation *relations,
                         size_t count, enum field_relation_kind kind, struct err *err) {
    for (size_t i = 0; i < count; i++) {
        if (relations[i].kind == kind && !check_group(o, &relations[i], err))
            return false;
    }
    return true;
}

bool option_checks_presence(const struct options *o, const struct baton_connector *connector,
                            struct err *err) {
    static const enum field_relation_kind order[] = {FIELD_TOGETHER, FIELD_AT_LEAST_ONE,
                                                     FIELD_EXCLUSIVE};
    if (!check_required(o, err))
        return false;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (!check_groups(o, sdk_relations, sdk_relation_count, order[i], err) ||
            !check_groups(o, connector->relations, connector->relation_count, order[i], err))
            return false;
    }
    return true;
}

/* --- what the values are --- */

static bool check_one_of(const struct field *f, const char *text, struct err *err) {
    for (const char *const *word = f->one_of; *word; word++) {
        if (strcmp(*word, text) == 0)
            return true;
    }
    buf_auto struct buf words;
    buf_init(&words, LIST_MAX);
    join(&words, f->one_of, name_count(f->one_of), " ");
    return err_set(err, ERR_UNKNOWN, "field %s: value must be one of [%s] but got '%s'", f->name,
                   words.data, text);
}

static bool check_range(const struct field *f, int64_t n, struct err *err) {
    if (f->has_max && n > f->max)
        return err_set(err, ERR_UNKNOWN,
                       "field %s: value must be less than or equal to %" PRId64 " but got %" PRId64,
                       f->name, f->max, n);
    if (f->has_min && n < f->min)
        return err_set(err, ERR_UNKNOWN,
                       "field %s: value must be greater than or equal to %" PRId64
                       " but got %" PRId64,
                       f->name, f->min, n);
    return true;
}

/* The rules of one row. An empty value keeps every rule but "required". */
static bool check_field(const struct options *o, size_t index, struct err *err) {
    static const char *const types[] = {[FIELD_STRING] = "string",
                                        [FIELD_INT] = "int",
                                        [FIELD_BOOL] = "bool",
                                        [FIELD_LIST] = "[]string"};
    const struct field *f = options_fields(o)->items[index];
    if (!options_has_value_at(o, index)) {
        if (!f->is_required)
            return true;
        return err_set(err, ERR_UNKNOWN,
                       "field %s of type %s is marked as required but it has a zero-value", f->name,
                       types[f->kind]);
    }
    if (f->kind == FIELD_INT)
        return check_range(f, options_int_at(o, index), err);
    if (f->one_of && !f->is_secret)
        return check_one_of(f, options_text_at(o, index), err);
    return true;
}

static bool check_connector_fields(const struct options *o, struct err *err) {
    const struct field_set *set = options_fields(o);
    strlist_auto struct strlist faults = {0};
    for (size_t i = set->sdk_count; i < set->count; i++) {
        struct err fault = ERR_INIT;
        if (!check_field(o, i, &fault))
            strlist_add(&faults, fault.msg);
    }
    if (faults.count == 0)
        return true;
    err_set(err, ERR_UNKNOWN, "errors found:");
    for (size_t i = 0; i < faults.count; i++)
        err_append(err, "\n%s", faults.items[i]);
    return false;
}

/* ('a'), ('a' and 'b'), ('a', 'b', and 'c') */
static void oxford(struct buf *out, const struct strlist *names) {
    buf_addc(out, '(');
    for (size_t i = 0; i < names->count; i++) {
        bool is_last = i + 1 == names->count;
        if (i)
            buf_adds(out, !is_last ? ", " : names->count == 2 ? " and " : ", and ");
        buf_addf(out, "'%s'", names->items[i]);
    }
    buf_addc(out, ')');
}

/* Names in declaration order whose fields have a value, or have none. */
static void present(const struct options *o, const char *const *names, bool want_value,
                    struct strlist *found) {
    for (; names && *names; names++) {
        if (options_has_value_at(o, field_set_index(options_fields(o), *names)) == want_value)
            strlist_add(found, *names);
    }
}

static bool check_relation(const struct options *o, const struct field_relation *r,
                           struct err *err) {
    static const char *const texts[] = {
        [FIELD_TOGETHER] = "fields marked as needed together are missing: ",
        [FIELD_EXCLUSIVE] = "fields marked as mutually exclusive were set: ",
        [FIELD_AT_LEAST_ONE] = "at least one field was expected, any of: ",
        [FIELD_DEPENDS_ON] = "set fields ",
    };
    strlist_auto struct strlist with = {0};
    strlist_auto struct strlist without = {0};
    strlist_auto struct strlist needed = {0};
    present(o, r->names, true, &with);
    present(o, r->names, false, &without);
    present(o, r->needs, false, &needed);
    const bool broken[] = {
        [FIELD_TOGETHER] = with.count && without.count,
        [FIELD_EXCLUSIVE] = with.count > 1,
        [FIELD_AT_LEAST_ONE] = with.count == 0,
        [FIELD_DEPENDS_ON] = with.count && needed.count,
    };
    if (!broken[r->kind])
        return true;
    buf_auto struct buf text;
    buf_init(&text, LIST_MAX);
    buf_adds(&text, texts[r->kind]);
    bool shows_with = r->kind == FIELD_EXCLUSIVE || r->kind == FIELD_DEPENDS_ON;
    oxford(&text, shows_with ? &with : &without);
    if (r->kind == FIELD_DEPENDS_ON) {
        buf_adds(&text, " are dependent on ");
        oxford(&text, &needed);
        buf_adds(&text, " being set");
    }
    return err_set(err, ERR_UNKNOWN, "%s", text.data);
}

/* --- the SDK's own rules --- */

static bool check_sdk_fields(const struct options *o, struct err *err) {
    /* In this order; a zero is out of range here, unlike elsewhere. The SDK lets zero task slots
     * pass and then waits for ever. */
    static const char *const checked[] = {"http-timeout-seconds", "storage-engine",
                                          "task-concurrency"};
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++) {
        size_t index = field_set_index(options_fields(o), checked[i]);
        const struct field *f = options_fields(o)->items[index];
        if (!(f->kind == FIELD_INT ? check_range(f, options_int_at(o, index), err)
                                   : check_field(o, index, err)))
            return false;
    }
    return true;
}

static bool check_refused(const struct options *o, struct err *err) {
    const struct field_set *set = options_fields(o);
    for (size_t i = 0; i < set->count; i++) {
        const struct field *f = set->items[i];
        if (f->effect == FIELD_REFUSED && options_has_value_at(o, i))
            return err_set(err, ERR_UNKNOWN, "--%s is not supported: %s", f->name, f->refusal);
    }
    return true;
}

/* --event-feed is a string that the SDK reads as a boolean: other words do nothing. */
static bool one_shot_is_on(const struct options *o, const struct sdk_one_shot *shot) {
    size_t index = field_set_index(options_fields(o), shot->field);
    if (!options_has_value_at(o, index))
        return false;
    bool is_true = false;
    return strcmp(shot->field, "event-feed") != 0 ||
           (gotext_bool(options_text_at(o, index), &is_true, NULL) && is_true);
}

static bool check_one_shots(const struct options *o, struct err *err) {
    for (size_t i = 0; i < sdk_one_shot_count; i++) {
        const struct sdk_one_shot *shot = &sdk_one_shots[i];
        if (!one_shot_is_on(o, shot))
            continue;
        const char *word = shot->word_of ? options_str(o, shot->word_of) : "";
        if (!*word)
            word = shot->word_default;
        int len = (int)(shot->word_is_id ? strcspn(word, ":") : strlen(word));
        return err_set(err, shot->code,
                       "runner: error processing task: rpc error: code = %s desc = %s%.*s%s",
                       err_code_name(shot->code), shot->before, len, word, shot->after);
    }
    return true;
}

bool option_checks_values(const struct options *o, const struct baton_connector *connector,
                          struct err *err) {
    if (!check_connector_fields(o, err))
        return false;
    for (size_t i = 0; i < connector->relation_count; i++) {
        if (!check_relation(o, &connector->relations[i], err))
            return false;
    }
    if (!check_sdk_fields(o, err) || !check_refused(o, err))
        return false;
    /* In service mode the SDK looks at none of the one-shots. */
    if (*options_str(o, "client-id"))
        return true;
    if (!check_one_shots(o, err))
        return false;
    const char *const *targets;
    if (options_bool(o, "skip-grants") && options_list(o, "sync-resources", &targets) == 0)
        return err_set(err, ERR_UNKNOWN, "skip-grants can only be set within a targeted sync");
    return true;
}

#include "baton/schema.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"

enum { SCHEMA_MAX = 1024 * 1024 };

static void kv_text(struct jsonw *w, const char *key, const char *value) {
    if (value && *value)
        jsonw_kv(w, key, value);
}

static void kv_true(struct jsonw *w, const char *key, bool value) {
    if (value)
        jsonw_kv_bool(w, key, true);
}

/* protojson writes 64-bit numbers as strings. */
static void kv_int64(struct jsonw *w, const char *key, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    jsonw_kv(w, key, text);
}

static void string_list(struct jsonw *w, const char *key, const char *const *items) {
    jsonw_key(w, key);
    jsonw_array(w);
    for (; items && *items; items++)
        jsonw_string(w, *items);
    jsonw_array_end(w);
}

/* Members in the order of the fields in proto/c1/config/v1/rules.proto. */
static void rules(struct jsonw *w, const struct field *f) {
    if (!f->is_required && !f->one_of && !f->has_min && !f->has_max)
        return;
    jsonw_key(w, "rules");
    jsonw_object(w);
    if (f->has_max)
        kv_int64(w, "lte", f->max);
    if (f->has_min)
        kv_int64(w, "gte", f->min);
    if (f->one_of)
        string_list(w, "in", f->one_of);
    kv_true(w, "isRequired", f->is_required);
    jsonw_object_end(w);
}

static void default_value(struct jsonw *w, const struct field *f) {
    const char *text = f->default_value;
    if (!text || !*text)
        return;
    if (f->kind == FIELD_BOOL)
        kv_true(w, "defaultValue", text[0] == 't' || text[0] == 'T' || text[0] == '1');
    else if (strcmp(text, "0") != 0 || f->kind != FIELD_INT)
        jsonw_kv(w, "defaultValue", text);
}

static void field(struct jsonw *w, const struct field *f) {
    static const char *const kinds[] = {[FIELD_STRING] = "stringField",
                                        [FIELD_BOOL] = "boolField",
                                        [FIELD_INT] = "intField",
                                        [FIELD_LIST] = "stringSliceField"};
    jsonw_object(w);
    jsonw_kv(w, "name", f->name);
    kv_text(w, "displayName", f->display_name);
    kv_text(w, "description", f->description);
    kv_text(w, "placeholder", f->placeholder);
    kv_true(w, "isRequired", f->is_required);
    kv_true(w, "isOps", f->export_to == FIELD_EXPORT_OPS);
    kv_true(w, "isSecret", f->is_secret);
    jsonw_key(w, kinds[f->kind]);
    jsonw_object(w);
    default_value(w, f);
    rules(w, f);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static bool is_exported(const struct field_set *fields, const char *const *names) {
    for (; names && *names; names++) {
        if (fields->items[field_set_index(fields, *names)]->export_to == FIELD_EXPORT_NONE)
            return false;
    }
    return true;
}

static void constraints(struct jsonw *w, const struct baton_connector *connector,
                        const struct field_set *fields) {
    static const char *const kinds[] = {
        [FIELD_TOGETHER] = "CONSTRAINT_KIND_REQUIRED_TOGETHER",
        [FIELD_EXCLUSIVE] = "CONSTRAINT_KIND_MUTUALLY_EXCLUSIVE",
        [FIELD_AT_LEAST_ONE] = "CONSTRAINT_KIND_AT_LEAST_ONE",
        [FIELD_DEPENDS_ON] = "CONSTRAINT_KIND_DEPENDENT_ON",
    };
    bool is_open = false;
    for (size_t i = 0; i < connector->relation_count; i++) {
        const struct field_relation *r = &connector->relations[i];
        if (!is_exported(fields, r->names) || !is_exported(fields, r->needs))
            continue;
        if (!is_open) {
            jsonw_key(w, "constraints");
            jsonw_array(w);
        }
        is_open = true;
        jsonw_object(w);
        jsonw_kv(w, "kind", kinds[r->kind]);
        string_list(w, "fieldNames", r->names);
        if (r->needs && *r->needs)
            string_list(w, "secondaryFieldNames", r->needs);
        jsonw_object_end(w);
    }
    if (is_open)
        jsonw_array_end(w);
}

/* The SDK passes the text through encoding/json, which escapes what HTML would stumble over. These
 * characters stand inside strings only. */
static void put_escaped(const struct buf *b, FILE *out) {
    for (const char *p = b->data, *end = b->data + b->len; p < end; p++) {
        if (strchr("<>&", *p))
            fprintf(out, "\\u%04x", (unsigned)*p);
        else
            fputc(*p, out);
    }
}

void schema_print(const struct baton_connector *connector, const struct field_set *fields,
                  FILE *out) {
    buf_auto struct buf b;
    buf_init(&b, SCHEMA_MAX);
    struct jsonw w;
    jsonw_init(&w, &b, true);
    jsonw_object(&w);
    jsonw_key(&w, "fields");
    jsonw_array(&w);
    for (size_t i = 0; i < fields->count; i++) {
        if (fields->items[i]->export_to != FIELD_EXPORT_NONE)
            field(&w, fields->items[i]);
    }
    jsonw_array_end(&w);
    constraints(&w, connector, fields);
    kv_text(&w, "displayName", connector->display_name);
    kv_text(&w, "helpUrl", connector->help_url);
    kv_text(&w, "iconUrl", connector->icon_url);
    jsonw_object_end(&w);
    put_escaped(&b, out);
}

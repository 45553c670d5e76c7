#include "sandbox/fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/fault_kind.h"
#include "sandbox/pattern.h"
#include "sandbox/team.h"

/* ---- what may stand in an order ---- */

enum param_type { PARAM_TEXT, PARAM_NUMBER, PARAM_FLAG, PARAM_HEADERS, PARAM_SCALAR, PARAM_ANY };

static const struct param {
    const char *name;
    enum param_type type;
    int64_t min, max;
} params[] = {
    {"path", PARAM_TEXT, 0, 0},
    {"method", PARAM_TEXT, 0, 0},
    {"kind", PARAM_SCALAR, 0, 0},
    {"skip", PARAM_NUMBER, 0, INT64_C(1000000000)},
    {"count", PARAM_NUMBER, 0, INT64_C(1000000000)},
    {"status", PARAM_NUMBER, 200, 599},
    {"reason", PARAM_TEXT, 0, 0},
    {"message", PARAM_TEXT, 0, 0},
    {"body", PARAM_ANY, 0, 0},
    {"content_type", PARAM_TEXT, 0, 0},
    {"headers", PARAM_HEADERS, 0, 0},
    {"retry_after", PARAM_SCALAR, 0, 0},
    {"retry_after_date", PARAM_NUMBER, -INT64_C(100000000), INT64_C(100000000)},
    {"location", PARAM_TEXT, 0, 0},
    {"website_id", PARAM_TEXT, 0, 0},
    {"type", PARAM_TEXT, 0, 0},
    {"bytes", PARAM_NUMBER, 1, FAULT_BYTES_MAX},
    {"every_ms", PARAM_NUMBER, 0, 3600000},
    {"after", PARAM_NUMBER, 0, INT64_C(1) << 40},
    {"elements", PARAM_NUMBER, 0, TEAM_MAX},
    {"depth", PARAM_NUMBER, 1, 10000000},
    {"delay_ms", PARAM_NUMBER, 0, 3600000},
    {"chunked", PARAM_FLAG, 0, 0},
    {"close", PARAM_FLAG, 0, 0},
};
enum { PARAMS = sizeof params / sizeof params[0] };

static const struct param *find_param(const char *name) {
    for (size_t i = 0; i < PARAMS; i++) {
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    }
    return NULL;
}

/* ---- the list ---- */

void faults_init(struct faults *f) {
    *f = (struct faults){0};
}

void faults_clear(struct faults *f) {
    for (size_t i = 0; i < f->count; i++)
        json_decref(f->items[i].order);
    f->count = 0;
}

void faults_done(struct faults *f) {
    if (!f)
        return;
    faults_clear(f);
    free(f->items);
    faults_init(f);
}

static const char *const type_names[] = {
    [PARAM_TEXT] = "a string",
    [PARAM_FLAG] = "true or false",
    [PARAM_HEADERS] = "an object of strings",
    [PARAM_SCALAR] = "a string or a number",
};

static bool check_param(const char *name, json_t *value, struct err *err) {
    const struct param *p = find_param(name);
    if (!p)
        return err_set(err, ERR_INVALID_ARGUMENT, "unknown member \"%.40s\" in a fault", name);
    bool fits = true;
    const char *key;
    json_t *header;
    if (p->type == PARAM_TEXT)
        fits = json_is_string(value);
    else if (p->type == PARAM_FLAG)
        fits = json_is_boolean(value);
    else if (p->type == PARAM_SCALAR)
        fits = json_is_string(value) || json_is_integer(value);
    else if (p->type == PARAM_HEADERS)
        fits = json_is_object(value);
    else if (p->type == PARAM_NUMBER)
        fits = json_is_integer(value) && json_integer_value(value) >= p->min &&
               json_integer_value(value) <= p->max;
    if (p->type == PARAM_HEADERS) {
        json_object_foreach(value, key, header) {
            fits = fits && json_is_string(header);
        }
    }
    if (fits)
        return true;
    if (p->type == PARAM_NUMBER)
        return err_set(err, ERR_INVALID_ARGUMENT, "\"%s\" must be a number from %lld to %lld", name,
                       (long long)p->min, (long long)p->max);
    return err_set(err, ERR_INVALID_ARGUMENT, "\"%s\" must be %s", name,
                   type_names[p->type]);
}

/* Turns a kind that is a number into the kind status; finds the kind. */
static const struct fault_kind *settle_kind(json_t *order, struct err *err) {
    json_t *kind = json_object_get(order, "kind");
    const char *name = json_string_value(kind);
    int64_t status = json_integer_value(kind);
    if (name && strspn(name, "0123456789") == 3 && strlen(name) == 3)
        status = strtol(name, NULL, 10);
    if (!name && !status) {
        err_set(err, ERR_INVALID_ARGUMENT, "a fault needs a \"kind\", such as 429 or \"slow\"");
        return NULL;
    }
    if (status) {
        name = "status";
        json_object_set_new(order, "status", json_integer(status));
        json_object_set_new(order, "kind", json_string(name));
    }
    const struct fault_kind *found = fault_kind_find(name);
    if (!found)
        err_set(err, ERR_INVALID_ARGUMENT,
                "unknown kind of fault \"%.40s\"; crisp-sandbox --help-faults lists them", name);
    return found;
}

bool faults_add(struct faults *f, json_t *order, unsigned *ret_id, struct err *err) {
    const char *name;
    json_t *value;
    if (!json_is_object(order))
        return err_set(err, ERR_INVALID_ARGUMENT, "a fault must be a JSON object");
    if (f->count >= FAULTS_MAX)
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "there are %d faults already", FAULTS_MAX);
    json_auto_t *copy = json_deep_copy(order);
    const struct fault_kind *kind = settle_kind(copy, err);
    if (!kind)
        return false;
    json_object_foreach(copy, name, value) {
        if (!check_param(name, value, err))
            return false;
    }
    f->items = mem_realloc_array(f->items, f->count + 1, sizeof *f->items);
    f->items[f->count++] =
        (struct fault){.id = ++f->last_id, .kind = kind, .order = json_incref(copy)};
    if (ret_id)
        *ret_id = f->last_id;
    return true;
}

bool faults_remove(struct faults *f, unsigned id) {
    for (size_t i = 0; i < f->count; i++) {
        if (f->items[i].id != id)
            continue;
        json_decref(f->items[i].order);
        f->count--;
        memmove(&f->items[i], &f->items[i + 1], (f->count - i) * sizeof *f->items);
        return true;
    }
    return false;
}

json_t *faults_to_json(const struct faults *f) {
    json_t *list = json_array();
    for (size_t i = 0; i < f->count; i++) {
        json_t *item = json_deep_copy(f->items[i].order);
        json_object_set_new(item, "id", json_integer(f->items[i].id));
        json_object_set_new(item, "fired", json_integer(f->items[i].fired));
        json_array_append_new(list, item);
    }
    return list;
}

const struct fault *faults_pick(struct faults *f, const char *method, const char *route,
                                const char *path) {
    for (size_t i = 0; i < f->count; i++) {
        struct fault *item = &f->items[i];
        int64_t count = fault_number(item->order, "count", 0);
        const char *wanted = fault_text(item->order, "method", NULL);
        if ((wanted && strcmp(wanted, method) != 0) ||
            !pattern_matches(fault_text(item->order, "path", "*"), route, path) ||
            (count > 0 && item->fired >= count))
            continue;
        if (item->skipped < fault_number(item->order, "skip", 0)) {
            item->skipped++;
            continue;
        }
        item->fired++;
        return item;
    }
    return NULL;
}

bool fault_changes_answer(const struct fault *f) {
    return fault_kind_changes(f->kind, f->order);
}

void fault_apply(const struct fault *f, struct answer *a, int64_t now_ms) {
    a->fault_id = f->id;
    fault_kind_apply(f->kind, f->order, a, now_ms);
}

/* ---- the command-line form ---- */

/* A ':' ends a field only if a "name=" follows, because values hold colons too. */
static size_t field_length(const char *s) {
    for (size_t i = 0; s[i]; i++) {
        if (s[i] != ':')
            continue;
        size_t name = strspn(s + i + 1, "abcdefghijklmnopqrstuvwxyz-");
        if (name > 0 && s[i + 1 + name] == '=')
            return i;
    }
    return strlen(s);
}

static bool add_header_field(json_t *order, const char *value, struct err *err) {
    const char *colon = strchr(value, ':');
    if (!colon || colon == value)
        return err_set(err, ERR_INVALID_ARGUMENT, "header= must be like header=Name: value");
    json_t *headers = json_object_get(order, "headers");
    if (!headers) {
        headers = json_object();
        json_object_set_new(order, "headers", headers);
    }
    mem_auto char *name = mem_strndup(value, (size_t)(colon - value));
    json_t *text = json_string(colon + 1 + strspn(colon + 1, " "));
    return json_object_set_new(headers, name, text) == 0 ||
           err_set(err, ERR_INVALID_ARGUMENT, "header= is not UTF-8");
}

static json_t *field_value(const struct param *p, const char *text) {
    char *end;
    long long number = strtoll(text, &end, 10);
    bool is_number = *text && *end == '\0';
    if (p && p->type == PARAM_FLAG)
        return json_boolean(strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
    bool counts = p && (p->type == PARAM_NUMBER || strcmp(p->name, "retry_after") == 0);
    return is_number && counts ? json_integer(number) : json_string(text);
}

/* "name=value" */
static bool add_field(json_t *order, const char *field, size_t len, struct err *err) {
    mem_auto char *name = mem_strndup(field, len);
    char *value = strchr(name, '=');
    if (!value)
        return err_set(err, ERR_INVALID_ARGUMENT, "\"%.80s\" in a fault is not name=value", name);
    *value++ = '\0';
    for (char *p = name; *p; p++) {
        if (*p == '-')
            *p = '_';
    }
    if (strcmp(name, "header") == 0)
        return add_header_field(order, value, err);
    return json_object_set_new(order, name, field_value(find_param(name), value)) == 0 ||
           err_set(err, ERR_INVALID_ARGUMENT, "%s= is not UTF-8", name);
}

json_t *fault_parse_spec(const char *spec, struct err *err) {
    size_t path_len = strcspn(spec, ":");
    if (path_len == 0 || spec[path_len] == '\0') {
        err_set(err, ERR_INVALID_ARGUMENT,
                "a fault is path:kind[:name=value]..., such as operators/list:429:count=1");
        return NULL;
    }
    json_auto_t *order = json_object();
    const char *kind = spec + path_len + 1;
    size_t kind_len = strcspn(kind, ":");
    if (json_object_set_new(order, "path", json_stringn(spec, path_len)) != 0 ||
        json_object_set_new(order, "kind", json_stringn(kind, kind_len)) != 0) {
        err_set(err, ERR_INVALID_ARGUMENT, "a fault must be written in UTF-8");
        return NULL;
    }
    for (const char *at = kind + kind_len; *at == ':';) {
        size_t len = field_length(++at);
        if (!add_field(order, at, len, err))
            return NULL;
        at += len;
    }
    return json_incref(order);
}

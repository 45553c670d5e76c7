#include "baton/yaml_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/mem.h"
#include "baton/slurp.h"

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    struct yaml_file file;
    size_t item_count;
};

static int line_of(const yaml_mark_t *mark) {
    return (int)mark->line + 1;
}

static bool fail_at(const struct reader *r, const char *what, struct err *err) {
    return err_set(err, ERR_UNKNOWN, "line %d: %s", line_of(&r->event.start_mark), what);
}

static bool next_event(struct reader *r, struct err *err) {
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event);
    if (r->has_event)
        return true;
    if (r->parser.error == YAML_MEMORY_ERROR)
        mem_die();
    const char *why = r->parser.problem ? r->parser.problem : "malformed";
    return err_set(err, ERR_UNKNOWN, "line %d: %s", line_of(&r->parser.problem_mark), why);
}

/* Jumps over the list or mapping that begins here. */
static bool skip_nested(struct reader *r, struct err *err) {
    for (int depth = 1; depth > 0;) {
        if (!next_event(r, err))
            return false;
        switch (r->event.type) {
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
            if (++depth > YAML_FILE_MAX_DEPTH)
                return fail_at(r, "nested too deeply", err);
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            depth--;
            break;
        case YAML_ALIAS_EVENT:
            return fail_at(r, "aliases are not supported: write the value out", err);
        default:
            break;
        }
    }
    return true;
}

static const char *scalar(const struct reader *r) {
    return (const char *)r->event.data.scalar.value;
}

/* YAML 1.2 core schema: what an unquoted word has to be to mean nothing. */
static bool is_null(const struct reader *r) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
        !r->event.data.scalar.plain_implicit)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(scalar(r), words[i]) == 0)
            return true;
    }
    return false;
}

static bool add_item(struct reader *r, struct yaml_entry *e, struct err *err) {
    if (++r->item_count > YAML_FILE_MAX_ITEMS)
        return fail_at(r, "too many values", err);
    size_t len = r->event.data.scalar.length;
    if (memchr(scalar(r), '\0', len))
        return fail_at(r, "a value holds a NUL character", err);
    strlist_addn(&e->items, is_null(r) ? "" : scalar(r), is_null(r) ? 0 : len);
    return true;
}

static bool read_list(struct reader *r, struct yaml_entry *e, struct err *err) {
    e->kind = YAML_LIST;
    for (;;) {
        if (!next_event(r, err))
            return false;
        switch (r->event.type) {
        case YAML_SEQUENCE_END_EVENT:
            return true;
        case YAML_SCALAR_EVENT:
            if (!add_item(r, e, err))
                return false;
            break;
        case YAML_ALIAS_EVENT:
            return fail_at(r, "aliases are not supported: write the value out", err);
        default:
            return fail_at(r, "a list may hold plain values only", err);
        }
    }
}

static bool read_value(struct reader *r, struct yaml_entry *e, struct err *err) {
    if (!next_event(r, err))
        return false;
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        e->kind = is_null(r) ? YAML_NULL : YAML_SCALAR;
        return e->kind == YAML_NULL || add_item(r, e, err);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(r, e, err);
    case YAML_MAPPING_START_EVENT:
        e->kind = YAML_MAP;
        return skip_nested(r, err);
    default:
        return fail_at(r, "aliases are not supported: write the value out", err);
    }
}

static struct yaml_entry *add_entry(struct reader *r, struct err *err) {
    struct yaml_file *f = &r->file;
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->entries[i].key, scalar(r)) == 0) {
            err_set(err, ERR_UNKNOWN, "line %d: the key %.64s stands in line %d already",
                    line_of(&r->event.start_mark), scalar(r), f->entries[i].line);
            return NULL;
        }
    }
    if (f->count == YAML_FILE_MAX_KEYS) {
        fail_at(r, "too many keys", err);
        return NULL;
    }
    if (f->count % 16 == 0)
        f->entries = mem_realloc_array(f->entries, f->count + 16, sizeof *f->entries);
    struct yaml_entry *e = &f->entries[f->count++];
    *e = (struct yaml_entry){.key = mem_strdup(scalar(r)), .line = line_of(&r->event.start_mark)};
    return e;
}

static bool read_root(struct reader *r, struct err *err) {
    if (!next_event(r, err))
        return false;
    /* A file of comments only has one empty scalar, or nothing at all. */
    if (r->event.type == YAML_STREAM_END_EVENT ||
        (r->event.type == YAML_SCALAR_EVENT && is_null(r)))
        return true;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fail_at(r, "expected `name: value` pairs", err);
    for (;;) {
        if (!next_event(r, err))
            return false;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (r->event.type != YAML_SCALAR_EVENT)
            return fail_at(r, "a key must be a plain word", err);
        struct yaml_entry *e = add_entry(r, err);
        if (!e || !read_value(r, e, err))
            return false;
    }
}

static bool read_stream(struct reader *r, struct err *err) {
    if (!next_event(r, err)) /* stream start */
        return false;
    if (!next_event(r, err)) /* document start, or the end of an empty file */
        return false;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return true;
    /* The end of the document is read too: `a: 1\n]` is malformed as a whole. */
    return read_root(r, err) && next_event(r, err);
}

bool yaml_file_parse(const char *bytes, size_t len, struct yaml_file *ret_file, struct err *err) {
    if (len > YAML_FILE_MAX_BYTES)
        return err_set(err, ERR_UNKNOWN, "larger than %d bytes", YAML_FILE_MAX_BYTES);
    struct reader r = {0};
    if (!yaml_parser_initialize(&r.parser))
        mem_die();
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, len);
    bool ok = read_stream(&r, err);
    if (r.has_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    if (ok)
        *ret_file = r.file;
    else
        yaml_file_done(&r.file);
    return ok;
}

bool yaml_file_read(const char *path, struct yaml_file *ret_file, struct err *err) {
    struct slurp text;
    if (!slurp_file(path, YAML_FILE_MAX_BYTES, &text, err))
        return false;
    bool ok = yaml_file_parse(text.data, text.len, ret_file, err);
    if (ok)
        ret_file->mode = text.mode;
    slurp_done(&text);
    return ok;
}

static void wipe(char *s) {
    if (s)
        explicit_bzero(s, strlen(s));
}

void yaml_file_done(struct yaml_file *f) {
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        struct yaml_entry *e = &f->entries[i];
        for (size_t j = 0; j < e->items.count; j++)
            wipe(e->items.items[j]);
        strlist_done(&e->items);
        free(e->key);
    }
    free(f->entries);
    *f = (struct yaml_file){0};
}

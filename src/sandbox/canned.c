#include "sandbox/canned.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/pattern.h"

void canned_init(struct canned_list *l) {
    *l = (struct canned_list){0};
}

static void item_done(struct canned *c) {
    free(c->pattern);
    free(c->method);
    answer_done(&c->answer);
}

void canned_clear(struct canned_list *l) {
    for (size_t i = 0; i < l->count; i++)
        item_done(&l->items[i]);
    l->count = 0;
}

void canned_done(struct canned_list *l) {
    if (!l)
        return;
    canned_clear(l);
    free(l->items);
    canned_init(l);
}

static void remove_at(struct canned_list *l, size_t i) {
    item_done(&l->items[i]);
    l->count--;
    memmove(&l->items[i], &l->items[i + 1], (l->count - i) * sizeof *l->items);
}

static bool same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool canned_put(struct canned_list *l, const char *pattern, const char *method,
                struct answer *answer, struct err *err) {
    for (size_t i = 0; i < l->count; i++) {
        if (same_text(l->items[i].pattern, pattern) && same_text(l->items[i].method, method)) {
            remove_at(l, i);
            break;
        }
    }
    if (l->count >= CANNED_MAX) {
        answer_done(answer);
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "there are %d answers already", CANNED_MAX);
    }
    l->items = mem_realloc_array(l->items, l->count + 1, sizeof *l->items);
    l->items[l->count++] = (struct canned){
        .pattern = mem_strdup(pattern),
        .method = method ? mem_strdup(method) : NULL,
        .answer = *answer,
    };
    answer_init(answer);
    return true;
}

size_t canned_remove(struct canned_list *l, const char *pattern) {
    size_t before = l->count;
    for (size_t i = l->count; i-- > 0;) {
        if (strcmp(l->items[i].pattern, pattern) == 0)
            remove_at(l, i);
    }
    return before - l->count;
}

json_t *canned_to_json(const struct canned_list *l) {
    json_t *list = json_array();
    for (size_t i = 0; i < l->count; i++) {
        const struct canned *c = &l->items[i];
        size_t bytes = c->answer.body ? c->answer.body->len : 0;
        json_array_append_new(list, json_pack("{s:s, s:s?, s:i, s:I}", "path", c->pattern,
                                              "method", c->method, "status", c->answer.status,
                                              "bytes", (json_int_t)bytes));
    }
    return list;
}

bool canned_find(const struct canned_list *l, const char *method, const char *route,
                 const char *path, struct answer *a) {
    for (size_t i = l->count; i-- > 0;) {
        const struct canned *c = &l->items[i];
        if ((c->method && strcmp(c->method, method) != 0) ||
            !pattern_matches(c->pattern, route, path))
            continue;
        a->status = c->answer.status;
        for (size_t h = 0; h < c->answer.header_count; h++)
            answer_header(a, c->answer.headers[h].name, c->answer.headers[h].value);
        answer_body(a, c->answer.body ? blob_ref(c->answer.body) : NULL);
        return true;
    }
    return false;
}

#include "crisp/active.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static void read_entry(struct jsonr *r, struct jsonr_string *ret_id, int64_t *ret_at_ms) {
    struct jsonr_string key;
    bool is_int;
    if (jsonr_peek(r) != JSONR_OBJECT) {
        jsonr_skip(r);
        return;
    }
    jsonr_enter_object(r);
    while (jsonr_next_member(r, &key)) {
        if (jsonr_equals(&key, "user_id") && jsonr_peek(r) == JSONR_STRING)
            jsonr_string(r, ret_id);
        else if (jsonr_equals(&key, "timestamp") && jsonr_peek(r) == JSONR_NUMBER)
            jsonr_int(r, ret_at_ms, &is_int);
        else
            jsonr_skip(r);
    }
}

static bool on_element(void *payload, const char *text, size_t n, struct err *err) {
    struct crisp_active_decoder *d = payload;
    struct jsonr_string id = {0};
    int64_t at_ms = 0;
    struct jsonr r;
    jsonr_init(&r, text, n);
    read_entry(&r, &id, &at_ms);
    if (!jsonr_is_complete(&r))
        return err_set(err, ERR_INTERNAL, "not JSON: %s",
                       r.problem ? r.problem : "something behind a value");
    if (id.len == 0 || at_ms <= 0 || at_ms > INT64_MAX / CLOCK_NS_PER_MS)
        return true;
    if (d->count == CRISP_OPERATORS_MAX)
        return err_set(err, ERR_INTERNAL, "more than %d operators", CRISP_OPERATORS_MAX);
    if (d->count == d->capacity) {
        d->capacity = d->capacity ? d->capacity * 2 : 64;
        d->entries = mem_realloc_array(d->entries, d->capacity, sizeof *d->entries);
    }
    d->entries[d->count++] =
        (struct crisp_active_entry){.user_id = textpool_add(&d->texts, &id), .at_ms = at_ms};
    return true;
}

static bool on_member(void *payload, const struct jsonr_string *key, const char *text, size_t n,
                      struct err *err) {
    struct crisp_active_decoder *d = payload;
    return crisp_envelope_member(&d->envelope, key, text, n, err);
}

void crisp_active_decoder_init(struct crisp_active_decoder *d) {
    *d = (struct crisp_active_decoder){0};
}

void crisp_active_decoder_done(struct crisp_active_decoder *d) {
    if (!d)
        return;
    jsonlist_free(d->splitter);
    textpool_done(&d->texts);
    free(d->entries);
    crisp_active_decoder_init(d);
}

void crisp_active_begin(void *decoder) {
    struct crisp_active_decoder *d = decoder;
    crisp_active_decoder_done(d);
    d->splitter = jsonlist_new("data", CRISP_ELEMENT_MAX,
                               &(struct jsonlist_handler){
                                   .element = on_element, .member = on_member, .payload = d});
}

bool crisp_active_body(void *decoder, const char *bytes, size_t n, struct err *err) {
    struct crisp_active_decoder *d = decoder;
    return jsonlist_feed(d->splitter, bytes, n, err);
}

bool crisp_active_end(void *decoder, struct err *err) {
    struct crisp_active_decoder *d = decoder;
    return jsonlist_end(d->splitter, err) && crisp_envelope_check(&d->envelope, err);
}

/* By id, the latest of one id first. */
static int compare(const void *a, const void *b) {
    const struct crisp_active_entry *x = a, *y = b;
    int order = strcmp(x->user_id, y->user_id);
    if (order != 0)
        return order;
    return (x->at_ms < y->at_ms) - (x->at_ms > y->at_ms);
}

/* The first entry of the id, or NULL. */
static const struct crisp_active_entry *find(const struct crisp_active_decoder *d,
                                             const char *user_id) {
    size_t low = 0, high = d->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(d->entries[middle].user_id, user_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < d->count && strcmp(d->entries[low].user_id, user_id) == 0;
    return is_found ? &d->entries[low] : NULL;
}

void crisp_active_join(struct crisp_active_decoder *d, struct crisp_team *team) {
    if (d->count == 0)
        return;
    qsort(d->entries, d->count, sizeof *d->entries, compare);
    for (size_t i = 0; i < team->count; i++) {
        const struct crisp_active_entry *entry = find(d, team->operators[i].user_id);
        if (entry)
            team->operators[i].last_active_ms = entry->at_ms;
    }
}

#include "crisp/website.h"

#include <string.h>

/* Allow-list: nothing else of the answer is kept. */
static const struct {
    const char *key;
    size_t offset;
} members[] = {
    {"website_id", offsetof(struct crisp_website, website_id)},
    {"name", offsetof(struct crisp_website, name)},
    {"domain", offsetof(struct crisp_website, domain)},
    {"logo", offsetof(struct crisp_website, logo)},
};

static const struct crisp_website no_website = {"", "", "", ""};

void crisp_website_decoder_init(struct crisp_website_decoder *d) {
    *d = (struct crisp_website_decoder){.website = no_website};
}

void crisp_website_decoder_done(struct crisp_website_decoder *d) {
    if (!d)
        return;
    jsonlist_free(d->splitter);
    textpool_done(&d->texts);
    crisp_website_decoder_init(d);
}

/* A value of another type than string counts as none. */
static void take_text(struct crisp_website_decoder *d, size_t offset, struct jsonr *r) {
    struct jsonr_string s = {0};
    if (jsonr_peek(r) == JSONR_STRING)
        jsonr_string(r, &s);
    else
        jsonr_skip(r);
    const char *text = textpool_add(&d->texts, &s);
    memcpy((char *)&d->website + offset, &text, sizeof text);
}

static void take_member(struct crisp_website_decoder *d, const struct jsonr_string *key,
                        struct jsonr *r) {
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (jsonr_equals(key, members[i].key)) {
            take_text(d, members[i].offset, r);
            return;
        }
    jsonr_skip(r);
}

static bool take_data(struct crisp_website_decoder *d, const char *text, size_t n,
                      struct err *err) {
    struct jsonr r;
    struct jsonr_string key;
    jsonr_init(&r, text, n);
    enum jsonr_kind kind = jsonr_peek(&r);
    if (kind != JSONR_OBJECT)
        return err_set(err, ERR_INTERNAL, "`data` is %s, not an object", jsonr_kind_name(kind));
    if (d->has_data)
        return err_set(err, ERR_INTERNAL, "`data` is there twice");
    jsonr_enter_object(&r);
    while (jsonr_next_member(&r, &key))
        take_member(d, &key, &r);
    if (!jsonr_is_complete(&r))
        return err_set(err, ERR_INTERNAL, "not JSON: %s", r.problem);
    d->has_data = true;
    return true;
}

static bool on_member(void *payload, const struct jsonr_string *key, const char *text, size_t n,
                      struct err *err) {
    struct crisp_website_decoder *d = payload;
    if (jsonr_equals(key, "data"))
        return take_data(d, text, n, err);
    return crisp_envelope_member(&d->envelope, key, text, n, err);
}

void crisp_website_begin(void *decoder) {
    struct crisp_website_decoder *d = decoder;
    crisp_website_decoder_done(d);
    d->splitter = jsonlist_new(NULL, CRISP_WEBSITE_BODY_MAX,
                               &(struct jsonlist_handler){.member = on_member, .payload = d});
}

bool crisp_website_body(void *decoder, const char *bytes, size_t n, struct err *err) {
    struct crisp_website_decoder *d = decoder;
    return jsonlist_feed(d->splitter, bytes, n, err);
}

bool crisp_website_end(void *decoder, struct err *err) {
    struct crisp_website_decoder *d = decoder;
    if (!jsonlist_end(d->splitter, err) || !crisp_envelope_check(&d->envelope, err))
        return false;
    if (!d->has_data)
        return err_set(err, ERR_INTERNAL, "`data` is missing");
    if (!*d->website.website_id)
        return err_set(err, ERR_INTERNAL, "`data.website_id` is missing or not a string");
    return true;
}

struct crisp_website crisp_website_take(struct crisp_website_decoder *d, struct arena *arena) {
    struct crisp_website website = d->website;
    textpool_give(&d->texts, arena);
    crisp_website_decoder_done(d);
    return website;
}

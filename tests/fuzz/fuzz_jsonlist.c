/* The envelope splitter with the reader of its elements: however the bytes are cut, the same pieces
 * come out, and every piece that both this reader and Jansson know is JSON to both. The first byte
 * says how long the pieces are. */
#include <assert.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/jsonlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t hash;
    size_t count;
};

static void add(struct seen *seen, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        seen->hash = (seen->hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    seen->hash = (seen->hash ^ n) * UINT64_C(0x100000001b3);
    seen->count++;
}

/* Jansson refuses lone surrogates, numbers out of range and NUL in keys, and takes a NUL byte for
 * the end; we may differ there. */
static bool may_differ(const char *text, size_t n) {
    if (memchr(text, '\0', n))
        return true;
    for (size_t i = 0; i + 1 < n; i++)
        if ((text[i] == '\\' && text[i + 1] == 'u') || text[i] == 'e' || text[i] == 'E')
            return true;
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        digits = text[i] >= '0' && text[i] <= '9' ? digits + 1 : 0;
        if (digits > 18)
            return true;
    }
    return false;
}

static bool on_element(void *payload, const char *text, size_t n, struct err *err) {
    struct jsonr r;
    (void)err;
    jsonr_init(&r, text, n);
    bool is_json = jsonr_skip(&r) && jsonr_is_complete(&r);
    assert(is_json || r.problem || r.at < r.end);
    json_t *tree = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert(is_json == (tree != NULL) || may_differ(text, n));
    json_decref(tree);
    add(payload, text, n);
    return true;
}

static bool on_member(void *payload, const struct jsonr_string *key, const char *text, size_t n,
                      struct err *err) {
    char *name = malloc(key->len + 1);
    (void)err;
    assert(name && jsonr_decode(key, name) <= key->len);
    add(payload, name, strlen(name));
    free(name);
    add(payload, text, n);
    return true;
}

static bool feed(const char *list, const char *text, size_t n, size_t step, struct seen *seen) {
    struct jsonlist *l = jsonlist_new(
        list, 4096,
        &(struct jsonlist_handler){.element = on_element, .member = on_member, .payload = seen});
    bool ok = true;
    for (size_t i = 0; ok && i < n; i += step)
        ok = jsonlist_feed(l, text + i, n - i < step ? n - i : step, NULL);
    ok = ok && jsonlist_end(l, NULL);
    jsonlist_free(l);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    size_t step = data[0] % 64 + 1, n = size - 1;
    const char *text = (const char *)data + 1;
    for (int i = 0; i < 2; i++) {
        const char *list = i == 0 ? "data" : NULL;
        struct seen whole = {0}, cut = {0};
        bool ok = feed(list, text, n, n ? n : 1, &whole);
        assert(feed(list, text, n, step, &cut) == ok);
        assert(!ok || (whole.hash == cut.hash && whole.count == cut.count));
    }
    return 0;
}

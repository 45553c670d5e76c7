#include "sandbox/cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const int kept_statuses[] = {200, 203, 204, 205, 206, 207, 208, 300, 301, 302,
                                    303, 308, 401, 402, 404, 405, 410, 414, 415, 416,
                                    417, 418, 423, 424, 428, 431, 501, 510};

void cache_init(struct cache *c) {
    *c = (struct cache){.ttl_ms = CACHE_TTL_DEFAULT_MS};
}

static void entry_done(struct cache_entry *e) {
    free(e->key);
    free(e->content_type);
    blob_unref(e->body);
}

void cache_clear(struct cache *c) {
    for (size_t i = 0; i < c->count; i++)
        entry_done(&c->entries[i]);
    c->count = c->bytes = 0;
}

void cache_done(struct cache *c) {
    if (!c)
        return;
    cache_clear(c);
    free(c->entries);
    cache_init(c);
}

static void remove_at(struct cache *c, size_t i) {
    c->bytes -= c->entries[i].body ? c->entries[i].body->len : 0;
    entry_done(&c->entries[i]);
    c->count--;
    memmove(&c->entries[i], &c->entries[i + 1], (c->count - i) * sizeof *c->entries);
}

static bool may_keep(const struct request *req, const struct answer *a) {
    const struct delivery *d = &a->delivery;
    if (strcmp(req->method, "GET") != 0 && strcmp(req->method, "HEAD") != 0 &&
        strcmp(req->method, "OPTIONS") != 0)
        return false;
    /* An answer that never arrives whole cannot have been stored by a proxy. */
    if (d->silent || d->endless || d->end != END_WHOLE)
        return false;
    for (size_t i = 0; i < sizeof kept_statuses / sizeof kept_statuses[0]; i++) {
        if (kept_statuses[i] == a->status)
            return true;
    }
    return false;
}

static char *make_key(const struct request *req) {
    const char *authorization = request_header(req, "Authorization");
    const char *origin = request_header(req, "Origin");
    return mem_printf("%s\n%s|%s|%s|%s", authorization ? authorization : "", req->version,
                      req->method, req->target, origin ? origin : "null");
}

/* FNV-1a, over what a client can see of the answer. Which hash it is does not show on the wire. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t n) {
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void make_etag(const struct answer *a, char out[24]) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = hash_bytes(hash, &a->status, sizeof a->status);
    if (a->body)
        hash = hash_bytes(hash, a->body->data, a->body->len);
    snprintf(out, 24, "\"%" PRIx64 "\"", hash);
}

/* One tag of n bytes against ours: W/ before it and quotes around it do not count. */
static bool tag_is(const char *tag, size_t n, const char *etag) {
    size_t etag_len = strlen(etag) - 2;
    if (n >= 2 && memcmp(tag, "W/", 2) == 0) {
        tag += 2;
        n -= 2;
    }
    for (; n > 0 && tag[0] == '"'; n--)
        tag++;
    while (n > 0 && tag[n - 1] == '"')
        n--;
    return n == etag_len && memcmp(tag, etag + 1, n) == 0;
}

/* If-None-Match as bloom reads it (src/proxy/header.rs). */
static bool none_match(const char *list, const char *etag) {
    while (*list) {
        list += strspn(list, " ,");
        size_t len = strcspn(list, ",");
        const char *tag = list;
        list += len;
        while (len > 0 && tag[len - 1] == ' ')
            len--;
        if ((len == 1 && tag[0] == '*') || tag_is(tag, len, etag))
            return true;
    }
    return false;
}

static void set_headers(struct answer *a, const char *etag, const char *status) {
    answer_header(a, "ETag", etag);
    answer_header(a, "Vary", "ETag");
    answer_header(a, "Bloom-Status", status);
}

bool cache_serve(struct cache *c, const struct request *req, int64_t now_ms, struct answer *a) {
    const char *list = request_header(req, "If-None-Match");
    mem_auto char *key = c->enabled ? make_key(req) : NULL;
    for (size_t i = 0; key && i < c->count; i++) {
        struct cache_entry *e = &c->entries[i];
        if (strcmp(e->key, key) != 0)
            continue;
        if (now_ms - e->stored_ms >= c->ttl_ms) {
            remove_at(c, i);
            return false;
        }
        set_headers(a, e->etag, "HIT");
        if (list && none_match(list, e->etag)) {
            a->status = 304;
            return true;
        }
        a->status = e->status;
        if (e->content_type)
            answer_header(a, "Content-Type", e->content_type);
        answer_body(a, e->body ? blob_ref(e->body) : NULL);
        return true;
    }
    return false;
}

static void keep(struct cache *c, const struct request *req, int64_t now_ms, struct answer *a,
                 const char *etag) {
    const char *type = answer_get_header(a, "Content-Type");
    size_t len = a->body ? a->body->len : 0;
    while (c->count >= CACHE_ENTRIES_MAX || (c->count > 0 && c->bytes + len > CACHE_BYTES_MAX))
        remove_at(c, 0);
    c->entries = mem_realloc_array(c->entries, c->count + 1, sizeof *c->entries);
    struct cache_entry *e = &c->entries[c->count++];
    *e = (struct cache_entry){.key = make_key(req),
                              .stored_ms = now_ms,
                              .status = a->status,
                              .content_type = type ? mem_strdup(type) : NULL,
                              .body = a->body ? blob_ref(a->body) : NULL};
    memcpy(e->etag, etag, sizeof e->etag);
    c->bytes += len;
}

void cache_store(struct cache *c, const struct request *req, int64_t now_ms, struct answer *a) {
    if (answer_get_header(a, "Bloom-Status"))
        return;
    if (!c->enabled || !may_keep(req, a)) {
        answer_header(a, "Bloom-Status", "DIRECT");
        return;
    }
    char etag[24];
    make_etag(a, etag);
    keep(c, req, now_ms, a, etag);
    set_headers(a, etag, "MISS");
}

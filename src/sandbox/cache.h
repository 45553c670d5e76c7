/* cache: what the proxy in front of Crisp's API does to answers (crisp-api.md 2.6).
 *
 * Crisp runs bloom (https://github.com/valeriansaliou/bloom), an open-source cache. Its key is the
 * Authorization value, HTTP version, method, path, query and Origin; X-Crisp-Tier is not in it, so
 * that a 401 for a wrong tier stays when the tier is put right. The statuses it keeps are those of
 * src/cache/check.rs of bloom 1.39.2. Cached answers carry an ETag; If-None-Match gives 304.
 *
 * Times are Unix milliseconds of the sandbox's clock. At most CACHE_ENTRIES_MAX answers and
 * CACHE_BYTES_MAX bytes are kept; the oldest goes first. Not thread-safe.
 */
#ifndef SANDBOX_CACHE_H
#define SANDBOX_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/answer.h"
#include "sandbox/request.h"

enum { CACHE_TTL_DEFAULT_MS = 600 * 1000, CACHE_ENTRIES_MAX = 256 };
#define CACHE_BYTES_MAX ((size_t)256 << 20)

struct cache_entry {
    char *key;
    char etag[24]; /* with its quotes */
    int64_t stored_ms;
    int status;
    char *content_type; /* NULL: none */
    struct blob *body;
};

struct cache {
    bool enabled;
    int64_t ttl_ms;
    struct cache_entry *entries; /* oldest first */
    size_t count, bytes;
};

void cache_init(struct cache *c);
void cache_done(struct cache *c);
void cache_clear(struct cache *c);

/* Fills *a from the cache: HIT or 304. False if there is nothing fresh. */
bool cache_serve(struct cache *c, const struct request *req, int64_t now_ms, struct answer *a);

/* Keeps the answer if it may be kept, and sets its Bloom-Status (MISS or DIRECT) and ETag. An
 * answer that says its own Bloom-Status is left alone. */
void cache_store(struct cache *c, const struct request *req, int64_t now_ms, struct answer *a);

#endif

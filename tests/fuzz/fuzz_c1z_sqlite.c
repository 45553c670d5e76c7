/* The database in a .c1z: any bytes, opened as a store. Reads all there is to read, unpacks every row;
 * then begins a run on it, puts one row of each kind, ends it and makes it ready to save. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "c1z/engine.h"
#include "c1z/store.h"
#include "pb/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_SEEN = 512 * 1024, BLOCK_MAX = 128 * 1024 };

/* The bytes as a .c1z: one zstd frame of raw blocks (RFC 8878 3.1.1), so that nothing is compressed. */
static void write_c1z(FILE *f, const uint8_t *data, size_t size) {
    static const uint8_t head[] = {'C', '1', 'Z', 'F', 0, 0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38};
    fwrite(head, 1, sizeof head, f);
    size_t at = 0;
    do {
        size_t n = size - at < BLOCK_MAX ? size - at : BLOCK_MAX;
        uint32_t block = (uint32_t)(n << 3 | (at + n == size));
        const uint8_t b[3] = {(uint8_t)block, (uint8_t)(block >> 8), (uint8_t)(block >> 16)};
        fwrite(b, 1, sizeof b, f);
        fwrite(data + at, 1, n, f);
        at += n;
    } while (at < size);
    fflush(f);
}

static const ProtobufCMessageDescriptor *const types[C1Z_TABLE_COUNT] = {
    [C1Z_RESOURCE_TYPES] = &c1__resource_type__descriptor,
    [C1Z_RESOURCES] = &c1__resource__descriptor,
    [C1Z_ENTITLEMENTS] = &c1__entitlement__descriptor,
    [C1Z_GRANTS] = &c1__grant__descriptor,
};

static void read_table(struct c1z_store *s, enum c1z_table table, const struct c1z_filter *filter) {
    struct arena arena;
    struct err err = ERR_INIT;
    struct c1z_row row;
    arena_init(&arena);
    struct c1z_iter *it = c1z_list(s, table, filter, &err);
    while (it && c1z_next(it, &row, &err)) {
        pb_unpack(types[table], row.data, row.data_len, &arena, &err);
        assert(row.external_id && row.sync_id && row.resource_type_id);
        err_clear(&err);
        arena_reset(&arena);
    }
    c1z_iter_free(it);
    c1z_get(s, table, "s", "t:x", &row, &err);
    arena_done(&arena);
}

static void read_all(struct c1z_store *s) {
    struct arena arena;
    struct err err = ERR_INIT;
    struct c1z_run *runs;
    size_t n = 0;
    arena_init(&arena);
    if (c1z_list_runs(s, &arena, &runs, &n, &err) && n > 0) {
        struct c1z_counts counts;
        c1z_count_run(s, &runs[n - 1], &arena, &counts, &err);
    }
    struct c1z_filter filter = {.sync_id = "s", .resource_type_id = "t"};
    for (int t = 0; t < C1Z_TABLE_COUNT; t++) {
        read_table(s, (enum c1z_table)t, NULL);
        read_table(s, (enum c1z_table)t, &filter);
    }
    arena_done(&arena);
}

static bool put_all(struct c1z_store *s, struct err *err) {
    C1__ResourceType type;
    C1__ResourceId id;
    C1__Resource resource;
    C1__Entitlement entitlement;
    C1__Grant grant;
    c1__resource_type__init(&type);
    c1__resource_id__init(&id);
    c1__resource__init(&resource);
    c1__entitlement__init(&entitlement);
    c1__grant__init(&grant);
    char t[] = "t", x[] = "x", e[] = "t:x:m", g[] = "t:x:m:t:x";
    type.id = id.resource_type = t;
    id.resource = x;
    resource.id = &id;
    entitlement.resource = grant.principal = &resource;
    entitlement.id = e;
    grant.entitlement = &entitlement;
    grant.id = g;
    return c1z_put_resource_type(s, &type, err) && c1z_put_resource(s, &resource, err) &&
           c1z_put_entitlement(s, &entitlement, err) && c1z_put_grant(s, &grant, err) &&
           c1z_put_grant(s, &grant, err);
}

static void write_run(struct c1z_store *s) {
    struct arena arena;
    struct err err = ERR_INIT;
    struct c1z_run run;
    bool resumed;
    uint64_t size;
    arena_init(&arena);
    if (c1z_begin_run(s, "full", &arena, &run, &resumed, &err) && put_all(s, &err) &&
        c1z_end_run(s, "", &err) && s->engine->seal(s, &size, &err))
        assert(size > 0);
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > SIZE_MAX_SEEN)
        return 0;
    FILE *f = fdopen(memfd_create("fuzz", 0), "w");
    char path[32];
    write_c1z(f, data, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(f));
    for (int mode = C1Z_READ; mode <= C1Z_WRITE; mode++) {
        struct err err = ERR_INIT;
        /* No directory: all copies in memory. */
        struct c1z_options o = {.mode = (enum c1z_mode)mode, .temp_dir = "/proc/none"};
        struct c1z_store *s = c1z_open(path, &o, &err);
        assert(s || err.code != ERR_OK);
        if (s && mode == C1Z_READ)
            read_all(s);
        else if (s)
            write_run(s);
        c1z_close(s);
    }
    fclose(f);
    return 0;
}

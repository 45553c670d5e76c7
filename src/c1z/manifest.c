#include "c1z/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "pb/wire.h"

/* Field numbers: c1z-v3.md 1.2 and 4.5. */
enum { M_ENGINE = 1, M_ENCODING = 4, M_SYNC_RUNS = 40 };
enum { RUN_SYNC_ID = 1, RUN_STATS = 6 };
enum { STATS_RESOURCE_TYPES = 2, STATS_RESOURCES, STATS_ENTITLEMENTS, STATS_GRANTS };

static bool read_all(int fd, void *out, size_t n, const char *what, struct err *err) {
    uint8_t *p = out;
    while (n > 0) {
        ssize_t got = read(fd, p, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, ERR_UNKNOWN, errno, "read the file");
        if (got == 0)
            return err_set(err, ERR_UNKNOWN,
                           "c1z v3: envelope truncated: reading %s: unexpected EOF", what);
        p += got;
        n -= (size_t)got;
    }
    return true;
}

/* Text for a message: cut to its room, control characters out. */
static void copy_text(char out[MANIFEST_TEXT_MAX], const struct pb_field *f) {
    size_t n = f->len < MANIFEST_TEXT_MAX ? f->len : MANIFEST_TEXT_MAX - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = f->bytes[i] > ' ' && f->bytes[i] < 0x7F ? (char)f->bytes[i] : '?';
    out[n] = '\0';
}

static bool is_text(const struct pb_field *f) {
    return f->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

static bool damaged(struct err *err) {
    return err_set(err, ERR_UNKNOWN, "c1z v3: the manifest is damaged");
}

static bool parse_stats(const struct pb_field *stats, struct manifest *m, struct err *err) {
    struct pb_wire w = {stats->bytes, stats->bytes + stats->len};
    struct pb_field f;
    enum pb_wire_step step;
    while ((step = pb_wire_next(&w, &f)) == PB_WIRE_FIELD) {
        int64_t *const counts[] = {[STATS_RESOURCE_TYPES] = &m->resource_types,
                                   [STATS_RESOURCES] = &m->resources,
                                   [STATS_ENTITLEMENTS] = &m->entitlements,
                                   [STATS_GRANTS] = &m->grants};
        if (f.id >= STATS_RESOURCE_TYPES && f.id <= STATS_GRANTS &&
            f.wire_type == PROTOBUF_C_WIRE_TYPE_VARINT)
            *counts[f.id] = (int64_t)f.num;
    }
    m->has_counts = true;
    return step == PB_WIRE_END || damaged(err);
}

static bool parse_run(const struct pb_field *run, struct manifest *m, struct err *err) {
    struct pb_wire w = {run->bytes, run->bytes + run->len};
    struct pb_field f;
    enum pb_wire_step step;
    while ((step = pb_wire_next(&w, &f)) == PB_WIRE_FIELD) {
        if (f.id == RUN_SYNC_ID && is_text(&f))
            copy_text(m->sync_id, &f);
        if (f.id == RUN_STATS && is_text(&f) && !parse_stats(&f, m, err))
            return false;
    }
    return step == PB_WIRE_END || damaged(err);
}

bool manifest_parse(const uint8_t *bytes, size_t n, struct manifest *ret_manifest, struct err *err) {
    struct manifest m = {0};
    struct pb_wire w = {bytes, bytes + n};
    struct pb_field f;
    enum pb_wire_step step;
    while ((step = pb_wire_next(&w, &f)) == PB_WIRE_FIELD) {
        if (f.id == M_ENGINE && is_text(&f))
            copy_text(m.engine, &f);
        if (f.id == M_SYNC_RUNS && is_text(&f) && !parse_run(&f, &m, err))
            return false;
    }
    if (step != PB_WIRE_END)
        return damaged(err);
    *ret_manifest = m;
    return true;
}

bool manifest_read(int fd, struct manifest *ret_manifest, struct err *err) {
    uint8_t length[4];
    if (!read_all(fd, length, sizeof length, "manifest length", err))
        return false;
    uint32_t n = (uint32_t)length[0] << 24 | (uint32_t)length[1] << 16 | (uint32_t)length[2] << 8 |
                 length[3];
    if (n > MANIFEST_BYTES_MAX)
        return err_set(err, ERR_UNKNOWN, "c1z v3: manifest claims %" PRIu32 " bytes, exceeds cap %d", n,
                       MANIFEST_BYTES_MAX);
    mem_auto uint8_t *bytes = mem_alloc(n);
    return read_all(fd, bytes, n, "manifest", err) && manifest_parse(bytes, n, ret_manifest, err);
}

/* export csv: identities, entitlements and grants in one table (c1z.md 5.4), in the order of the
 * file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "connector.pb-c.h"
#include "inspect/commands.h"
#include "inspect/map.h"
#include "inspect/person.h"
#include "pb/pack.h"

enum column {
    TYPE,
    LAST_NAME,
    FIRST_NAME,
    USER_ID,
    USER_STATUS,
    MAIL,
    ENTITLEMENT_NAME,
    ENTITLEMENT,
    RESOURCE_TYPE,
    RESOURCE_NAME,
    ENTITLEMENT_DESCRIPTION,
    ENTITLEMENT_SLUG,
    COLUMNS
};

static const char *const titles[COLUMNS] = {
    [TYPE] = "Type",
    [LAST_NAME] = "Last Name",
    [FIRST_NAME] = "First Name",
    [USER_ID] = "User ID",
    [USER_STATUS] = "User Status",
    [MAIL] = "Email Address",
    [ENTITLEMENT_NAME] = "Entitlement Display Name",
    [ENTITLEMENT] = "Entitlement",
    [RESOURCE_TYPE] = "Resource Type",
    [RESOURCE_NAME] = "Resource Name",
    [ENTITLEMENT_DESCRIPTION] = "Entitlement Description",
    [ENTITLEMENT_SLUG] = "Entitlement Slug",
};

struct csv {
    struct session *s;
    struct out *out;
    struct map *user_types;
    struct arena arena; /* of one row */
};

/* As Go's encoding/csv does. */
static bool needs_quotes(const char *cell) {
    return strcmp(cell, "\\.") == 0 || cell[0] == ' ' || cell[0] == '\t' || cell[0] == '\v' ||
           cell[0] == '\f' || strpbrk(cell, ",\"\r\n");
}

static void write_cell(struct buf *out, const char *cell) {
    if (!needs_quotes(cell)) {
        buf_adds(out, cell);
        return;
    }
    buf_addc(out, '"');
    for (const char *p = cell; *p; p++) {
        if (*p == '"')
            buf_addc(out, '"');
        buf_addc(out, *p);
    }
    buf_addc(out, '"');
}

static void write_line(struct csv *csv, const char *const cells[COLUMNS]) {
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i > 0)
            buf_addc(&csv->out->buf, ',');
        write_cell(&csv->out->buf, cells[i] ? cells[i] : "");
    }
    buf_addc(&csv->out->buf, '\n');
    out_flush_some(csv->out);
}

static const char *status_text(const C1__Resource *resource, const C1__UserTrait *trait) {
    static const char *const texts[][2] = {
        {"enabled", "Enabled"}, {"disabled", "Disabled"}, {"deleted", "Deleted"}};
    const char *status = person_status(resource, trait);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(status, texts[i][0]) == 0)
            return texts[i][1];
    }
    return "Unknown";
}

/* False if it is no person. */
static bool fill_person(const C1__Resource *resource, bool with_status, struct arena *arena,
                        const char *cells[COLUMNS]) {
    const C1__UserTrait *trait = person_trait(resource, arena);
    if (!trait)
        return false;
    cells[LAST_NAME] = person_profile(resource, trait, "last_name");
    cells[FIRST_NAME] = person_profile(resource, trait, "first_name");
    cells[USER_ID] = person_profile(resource, trait, "user_id");
    cells[USER_STATUS] = with_status ? status_text(resource, trait) : "";
    cells[MAIL] = person_primary_mail(trait);
    return true;
}

static void fill_entitlement(const C1__Entitlement *e, const char *cells[COLUMNS]) {
    const C1__Resource *resource = e->resource;
    cells[ENTITLEMENT_NAME] = e->display_name;
    cells[ENTITLEMENT] = e->id;
    cells[RESOURCE_TYPE] = resource && resource->id ? resource->id->resource_type : "";
    cells[RESOURCE_NAME] = resource ? resource->display_name : "";
    cells[ENTITLEMENT_DESCRIPTION] = e->description;
    cells[ENTITLEMENT_SLUG] = e->slug;
}

typedef bool row_fn(struct csv *csv, const struct c1z_row *row, struct err *err);

static bool each_row(struct csv *csv, enum c1z_table table, row_fn *fn, struct err *err) {
    struct c1z_iter *iter = view_list(csv->s->view, table, (struct c1z_filter){0}, err);
    if (!iter)
        return false;
    struct err why = ERR_INIT;
    bool ok = true;
    for (struct c1z_row row; ok && c1z_next(iter, &row, &why);) {
        arena_reset(&csv->arena);
        ok = fn(csv, &row, err);
    }
    c1z_iter_free(iter);
    return ok && (why.code == ERR_OK || err_set(err, why.code, "%s", why.msg));
}

static ProtobufCMessage *unpack(struct csv *csv, const ProtobufCMessageDescriptor *type,
                                const struct c1z_row *row, struct err *err) {
    return pb_unpack(type, row->data, row->data_len, &csv->arena, err);
}

static bool note_user_type(struct csv *csv, const struct c1z_row *row, struct err *err) {
    const C1__ResourceType *type =
        (const C1__ResourceType *)unpack(csv, &c1__resource_type__descriptor, row, err);
    if (!type)
        return false;
    if (person_is_user_type(type))
        map_see(csv->user_types, type->id);
    return true;
}

static bool write_identity(struct csv *csv, const struct c1z_row *row, struct err *err) {
    if (!map_get(csv->user_types, row->resource_type_id))
        return true;
    const C1__Resource *resource =
        (const C1__Resource *)unpack(csv, &c1__resource__descriptor, row, err);
    const char *cells[COLUMNS] = {[TYPE] = "Identity"};
    if (!resource)
        return false;
    if (fill_person(resource, true, &csv->arena, cells))
        write_line(csv, cells);
    return true;
}

static bool write_entitlement(struct csv *csv, const struct c1z_row *row, struct err *err) {
    const C1__Entitlement *e =
        (const C1__Entitlement *)unpack(csv, &c1__entitlement__descriptor, row, err);
    const char *cells[COLUMNS] = {[TYPE] = "Entitlement"};
    if (!e)
        return false;
    fill_entitlement(e, cells);
    write_line(csv, cells);
    return true;
}

/* The entitlement as stored; where it is missing, what the grant itself says of it. */
static bool fill_granted(struct csv *csv, const char *id, const C1__Grant *grant,
                         const char *cells[COLUMNS], struct err *err) {
    struct err why = ERR_INIT;
    struct c1z_row row;
    if (view_get(csv->s->view, C1Z_ENTITLEMENTS, id, &row, &why)) {
        const C1__Entitlement *e =
            (const C1__Entitlement *)unpack(csv, &c1__entitlement__descriptor, &row, err);
        if (!e)
            return false;
        fill_entitlement(e, cells);
        return true;
    }
    if (why.code != ERR_NOT_FOUND)
        return err_set(err, why.code, "%s", why.msg);
    cells[ENTITLEMENT] = id;
    if (grant->entitlement)
        fill_entitlement(grant->entitlement, cells);
    return true;
}

static bool write_grant(struct csv *csv, const struct c1z_row *row, struct err *err) {
    struct arena *arena = &csv->arena;
    const C1__Grant *grant = (const C1__Grant *)unpack(csv, &c1__grant__descriptor, row, err);
    if (!grant)
        return false;
    const char *cells[COLUMNS] = {[TYPE] = "Grant"};
    const char *entitlement = arena_strdup(arena, row->entitlement_id);
    const char *id = refs_resource_id(arena, row->principal_type_id, row->principal_id);
    struct refs_bytes bytes;
    if (!refs_get(csv->s->refs, C1Z_RESOURCES, id, &bytes, err))
        return false;
    const C1__Resource *principal = (const C1__Resource *)pb_unpack(
        &c1__resource__descriptor, bytes.data, bytes.len, arena, err);
    if (!principal)
        return false;
    if (!fill_person(principal, false, arena, cells))
        return true;
    if (!fill_granted(csv, entitlement, grant, cells, err))
        return false;
    write_line(csv, cells);
    return true;
}

static bool write_all(struct csv *csv, struct err *err) {
    write_line(csv, titles);
    return each_row(csv, C1Z_RESOURCE_TYPES, note_user_type, err) &&
           each_row(csv, C1Z_RESOURCES, write_identity, err) &&
           each_row(csv, C1Z_ENTITLEMENTS, write_entitlement, err) &&
           each_row(csv, C1Z_GRANTS, write_grant, err);
}

static bool write_to(struct session *s, struct out *out, struct err *err) {
    struct csv csv = {.s = s, .out = out, .user_types = map_new()};
    arena_init(&csv.arena);
    bool ok = write_all(&csv, err);
    arena_done(&csv.arena);
    map_free(csv.user_types);
    return ok;
}

bool cmd_csv(struct session *s, struct err *err) {
    const char *path = s->args->values[FLAG_OUT] ? s->args->values[FLAG_OUT] : "sync.csv";
    if (strcmp(path, "-") == 0)
        return write_to(s, s->out, err);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "cannot write %s", path);
    struct out out;
    out_init(&out, fd);
    bool ok = write_to(s, &out, err) && out_finish(&out, err);
    out_done(&out);
    if (close(fd) < 0 && ok)
        ok = err_set_errno(err, ERR_UNKNOWN, errno, "cannot write %s", path);
    return ok;
}

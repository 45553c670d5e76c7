#include "sandbox/roster.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

enum { ENTRY_MAX = 64 * 1024 };

#define LIST_HEAD "{\"error\":false,\"reason\":\"listed\",\"data\":["
#define LIST_TAIL "]}"
#define LIST_BYTES_MAX ((size_t)4 << 30)

void roster_init(struct roster *r) {
    *r = (struct roster){0};
}

static void entry_done(struct roster_entry *e) {
    free(e->text);
    free(e->user_id);
}

static void forget_views(struct roster *r) {
    for (size_t i = 0; i < ROSTER_VIEWS; i++) {
        blob_unref(r->views[i]);
        r->views[i] = NULL;
    }
}

void roster_clear(struct roster *r) {
    for (size_t i = 0; i < r->count; i++)
        entry_done(&r->entries[i]);
    r->count = r->operators = 0;
    forget_views(r);
}

void roster_done(struct roster *r) {
    if (!r)
        return;
    roster_clear(r);
    free(r->entries);
    roster_init(r);
}

/* Room for one more at the end; zeroed, not yet counted. */
static struct roster_entry *next_entry(struct roster *r) {
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 16;
        r->entries = mem_realloc_array(r->entries, r->cap, sizeof *r->entries);
    }
    struct roster_entry *e = &r->entries[r->count];
    *e = (struct roster_entry){0};
    return e;
}

static void count_entry(struct roster *r) {
    r->operators += !r->entries[r->count].is_invite;
    r->count++;
    forget_views(r);
}

/* {"type":"<type>","details":<details>}: `type` needs no escaping. */
static void set_text(struct roster_entry *e, const char *type, const char *details, size_t len) {
    static const char head[] = "{\"type\":\"", middle[] = "\",\"details\":";
    size_t type_len = strlen(type);
    e->details_at = sizeof head - 1 + type_len + sizeof middle - 1;
    e->details_len = len;
    e->text_len = e->details_at + len + 1;
    char *at = e->text = mem_alloc(e->text_len + 1);
    at = mempcpy(at, head, sizeof head - 1);
    at = mempcpy(at, type, type_len);
    at = mempcpy(at, middle, sizeof middle - 1);
    at = mempcpy(at, details, len);
    memcpy(at, "}", 2);
}

void roster_add_member(struct roster *r, const char *details, size_t len,
                       const struct team_member *member) {
    struct roster_entry *e = next_entry(r);
    set_text(e, "operator", details, len);
    e->user_id = mem_strdup(member->user_id);
    e->last_active_ms = member->last_active_ms;
    count_entry(r);
}

void roster_add_invite(struct roster *r, const struct team_invite *invite) {
    struct buf buf_auto details;
    buf_init(&details, ENTRY_MAX);
    buf_addf(&details,
             "{\"email\":\"%s\",\"role\":\"member\",\"identifier\":\"%s\",\"key\":\"%s\"}",
             invite->email, invite->identifier, invite->key);
    struct roster_entry *e = next_entry(r);
    set_text(e, "invite", details.data, details.len);
    e->is_invite = true;
    count_entry(r);
}

static void add_value(struct buf *b, const char *key, json_t *value) {
    mem_auto char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_auto_t *name = json_string(key);
    mem_auto char *quoted = json_dumps(name, JSON_ENCODE_ANY);
    if (!text || !quoted) /* jansson gives no text only when memory is exhausted */
        mem_die();
    buf_addf(b, "%s%s:", b->len > 1 ? "," : "", quoted);
    buf_adds(b, text);
}

/* Written key by key, to know where the details stand. */
static void write_entry(json_t *entry, struct buf *b, size_t *ret_at, size_t *ret_len) {
    const char *key;
    json_t *value;
    buf_adds(b, "{");
    if ((value = json_object_get(entry, "type")))
        add_value(b, "type", value);
    *ret_at = b->len + (b->len > 1) + strlen("\"details\":");
    add_value(b, "details", json_object_get(entry, "details"));
    *ret_len = b->len - *ret_at;
    json_object_foreach(entry, key, value) {
        if (strcmp(key, "type") != 0 && strcmp(key, "details") != 0)
            add_value(b, key, value);
    }
    buf_adds(b, "}");
}

static bool fill(struct roster_entry *e, json_t *entry, int64_t last_active_ms, struct err *err) {
    json_t *details = json_object_get(entry, "details");
    const char *type = json_string_value(json_object_get(entry, "type"));
    const char *user_id = json_string_value(json_object_get(details, "user_id"));
    struct buf buf_auto b;
    size_t at, len;
    buf_init(&b, ENTRY_MAX);
    if (!details)
        return err_set(err, ERR_INVALID_ARGUMENT, "an entry must be an object with \"details\"");
    write_entry(entry, &b, &at, &len);
    if (!buf_ok(&b))
        return err_set(err, ERR_OUT_OF_RANGE, "an entry must be at most %d bytes", ENTRY_MAX);
    *e = (struct roster_entry){.text_len = b.len, .details_at = at, .details_len = len};
    e->text = buf_detach(&b);
    e->user_id = user_id ? mem_strdup(user_id) : NULL;
    e->is_invite = type && strcmp(type, "invite") == 0;
    e->last_active_ms = last_active_ms;
    return true;
}

bool roster_add(struct roster *r, json_t *entry, int64_t last_active_ms, struct err *err) {
    struct roster_entry e;
    if (r->count >= TEAM_MAX)
        return err_set(err, ERR_OUT_OF_RANGE, "a website has at most %d entries", TEAM_MAX);
    if (!fill(&e, entry, last_active_ms, err))
        return false;
    *next_entry(r) = e;
    count_entry(r);
    return true;
}

bool roster_replace(struct roster *r, size_t index, json_t *entry, int64_t last_active_ms,
                    struct err *err) {
    struct roster_entry e;
    if (!fill(&e, entry, last_active_ms, err))
        return false;
    r->operators -= !r->entries[index].is_invite;
    r->operators += !e.is_invite;
    entry_done(&r->entries[index]);
    r->entries[index] = e;
    forget_views(r);
    return true;
}

void roster_remove(struct roster *r, size_t index) {
    struct roster_entry *e = &r->entries[index];
    r->operators -= !e->is_invite;
    entry_done(e);
    memmove(e, e + 1, (r->count - index - 1) * sizeof *e);
    r->count--;
    forget_views(r);
}

size_t roster_find(const struct roster *r, const char *user_id) {
    for (size_t i = 0; i < r->count; i++) {
        if (r->entries[i].user_id && strcmp(r->entries[i].user_id, user_id) == 0)
            return i;
    }
    return SIZE_MAX;
}

size_t roster_find_email(const struct roster *r, const char *email, bool is_invite) {
    for (size_t i = 0; i < r->count; i++) {
        if (r->entries[i].is_invite != is_invite)
            continue;
        json_auto_t *entry = roster_get(r, i);
        json_t *value = json_object_get(json_object_get(entry, "details"), "email");
        if (json_is_string(value) && strcasecmp(json_string_value(value), email) == 0)
            return i;
    }
    return SIZE_MAX;
}

json_t *roster_get(const struct roster *r, size_t index) {
    const struct roster_entry *e = &r->entries[index];
    json_t *entry = json_loadb(e->text, e->text_len, 0, NULL);
    if (!entry)
        mem_die();
    return entry;
}

struct blob *roster_render_one(const struct roster *r, size_t index) {
    const struct roster_entry *e = &r->entries[index];
    struct buf b;
    buf_init(&b, e->details_len + 128);
    buf_adds(&b, "{\"error\":false,\"reason\":\"resolved\",\"data\":");
    buf_add(&b, e->text + e->details_at, e->details_len);
    buf_adds(&b, "}");
    size_t len = b.len;
    return blob_take(buf_detach(&b), len);
}

/* The size is known beforehand, so that 30 MB are copied once. */
static struct blob *render_list(const struct roster *r) {
    size_t len = strlen(LIST_HEAD) + strlen(LIST_TAIL) + (r->count ? r->count - 1 : 0);
    for (size_t i = 0; i < r->count; i++)
        len += r->entries[i].text_len;
    char *data = mem_alloc(len + 1), *at = mempcpy(data, LIST_HEAD, strlen(LIST_HEAD));
    for (size_t i = 0; i < r->count; i++) {
        if (i > 0)
            *at++ = ',';
        at = mempcpy(at, r->entries[i].text, r->entries[i].text_len);
    }
    memcpy(at, LIST_TAIL, strlen(LIST_TAIL) + 1);
    return blob_take(data, len);
}

static json_t *copy_or_null(json_t *details, const char *key) {
    json_t *value = json_object_get(details, key);
    return value ? json_incref(value) : json_null();
}

/* {user_id, avatar, nickname, timestamp} of someone recently active, or NULL. */
static json_t *active_row(const struct roster_entry *e, json_t *details) {
    const char *first = json_string_value(json_object_get(details, "first_name"));
    const char *last = json_string_value(json_object_get(details, "last_name"));
    if (e->last_active_ms <= 0)
        return NULL;
    mem_auto char *nickname = mem_printf("%s%s%s", first ? first : "", first && last ? " " : "",
                                         last ? last : "");
    return json_pack("{s:o, s:o, s:s, s:I}", "user_id", copy_or_null(details, "user_id"), "avatar",
                     copy_or_null(details, "avatar"), "nickname", nickname, "timestamp",
                     (json_int_t)e->last_active_ms);
}

/* {user_id, type, time: {for, since}}: `for` in seconds, `since` in milliseconds (fixtures). */
static json_t *availability_row(const struct roster_entry *e, json_t *details) {
    const char *type = json_string_value(json_object_get(details, "availability"));
    bool online = type && strcmp(type, "online") == 0;
    int64_t since = e->last_active_ms ? e->last_active_ms : TEAM_EPOCH_MS - 7200000;
    return json_pack("{s:o, s:s, s:{s:I, s:I}}", "user_id", copy_or_null(details, "user_id"),
                     "type", type ? type : "offline", "time", "for",
                     (json_int_t)(online ? 3600 : 0), "since", (json_int_t)since);
}

static struct blob *render_rows(const struct roster *r,
                                json_t *(*row)(const struct roster_entry *, json_t *)) {
    struct buf b;
    bool first = true;
    buf_init(&b, LIST_BYTES_MAX);
    buf_adds(&b, LIST_HEAD);
    for (size_t i = 0; i < r->count; i++) {
        if (r->entries[i].is_invite)
            continue;
        json_auto_t *entry = roster_get(r, i);
        json_auto_t *value = row(&r->entries[i], json_object_get(entry, "details"));
        mem_auto char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
        if (!text)
            continue;
        buf_adds(&b, first ? "" : ",");
        buf_adds(&b, text);
        first = false;
    }
    buf_adds(&b, LIST_TAIL);
    size_t len = b.len;
    return blob_take(buf_detach(&b), len);
}

struct blob *roster_render(struct roster *r, enum roster_view view) {
    struct blob **kept = &r->views[view];
    if (!*kept && view == ROSTER_LIST)
        *kept = render_list(r);
    else if (!*kept)
        *kept = render_rows(r, view == ROSTER_ACTIVE ? active_row : availability_row);
    return blob_ref(*kept);
}

void roster_flush_active(struct roster *r) {
    for (size_t i = 0; i < r->count; i++)
        r->entries[i].last_active_ms = 0;
    forget_views(r);
}

/* The v1 engine: a SQLite database in one zstd frame. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tmp.h"
#include "c1z/db.h"
#include "c1z/engine.h"
#include "c1z/list.h"
#include "c1z/put.h"
#include "c1z/retention.h"
#include "c1z/run.h"
#include "c1z/schema.h"
#include "c1z/stats.h"

enum { CHUNK = 32 * 1024, STATS_MAX = 16 * 1024 * 1024 };

struct sqlite_store {
    struct c1z_store base;
    struct db db;
    struct put *put; /* while a run is open */
    char *run_type;
    bool in_transaction;
    sqlite3_stmt *lookups[C1Z_TABLE_COUNT];
};

struct sqlite_iter {
    struct c1z_iter base;
    struct list list;
};

static struct sqlite_store *self(struct c1z_store *store) {
    return (struct sqlite_store *)store;
}

/* --- opening --- */

static bool append_to_copy(void *fs, const void *bytes, size_t n, struct err *err) {
    return privfs_append(fs, bytes, n, err);
}

/* Pushes the file through the decoder until it ends. */
static bool pump(int fd, struct envelope_reader *reader, const struct cancel *cancel, struct err *err) {
    mem_auto char *chunk = mem_alloc(CHUNK);
    for (;;) {
        if (!cancel_check(cancel, err))
            return false;
        ssize_t n = read(fd, chunk, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_UNKNOWN, errno, "read the file");
        if (n == 0)
            return true;
        if (!envelope_reader_feed(reader, chunk, (size_t)n, err))
            return false;
    }
}

static bool decode(int fd, struct privfs *fs, const struct cancel *cancel, struct err *err) {
    struct envelope_limits limits;
    if (!envelope_limits_init(&limits, err))
        return false;
    struct envelope_reader *reader = envelope_reader_new(&limits, append_to_copy, fs, err);
    if (!reader)
        return false;
    uint64_t decoded;
    bool ok = pump(fd, reader, cancel, err) && envelope_reader_end(reader, &decoded, err);
    envelope_reader_free(reader);
    return ok;
}

/* A database that was in WAL mode when it was packed says so in bytes 18 and 19 of its header. Its WAL
 * was not packed, so it was empty: the flag can be taken back (https://www.sqlite.org/fileformat2.html
 * 1.3). */
static bool clear_wal_flag(int fd, struct err *err) {
    static const char magic[16] = "SQLite format 3";
    static const char rollback[2] = {1, 1};
    char header[20];
    if (pread(fd, header, sizeof header, 0) != (ssize_t)sizeof header)
        return true; /* too short to be a database; SQLite will say so */
    if (memcmp(header, magic, sizeof magic) != 0 || header[18] != 2 || header[19] != 2)
        return true;
    if (pwrite(fd, rollback, sizeof rollback, 18) != (ssize_t)sizeof rollback)
        return err_set_errno(err, ERR_UNKNOWN, errno, "write the private copy");
    return true;
}

static bool open_db(struct privfs *fs, const struct c1z_options *o, struct db *ret_db,
                    struct err *err) {
    bool can_write = o->mode == C1Z_WRITE;
    struct db db;
    if (!db_open(fs, can_write, o->cancel, &db, err))
        return false;
    /* A reader looks rows up by id, so it needs the indexes; a writer drops and makes them itself. */
    if (!schema_migrate(&db, err) || (!can_write && !schema_index(&db, err))) {
        db_close(&db);
        return false;
    }
    *ret_db = db;
    return true;
}

static struct c1z_store *sqlite_open(int fd, const struct c1z_options *o, struct err *err) {
    struct privfs *fs = privfs_open(tmp_dir(o->temp_dir), err);
    if (!fs)
        return NULL;
    if (fd >= 0 && (!decode(fd, fs, o->cancel, err) || !clear_wal_flag(privfs_fd(fs), err))) {
        privfs_close(fs);
        return NULL;
    }
    struct db db;
    if (!open_db(fs, o, &db, err))
        return NULL;
    struct sqlite_store *s = mem_zalloc(sizeof *s);
    s->db = db;
    return &s->base;
}

static void reset_lookups(struct sqlite_store *s) {
    for (int i = 0; i < C1Z_TABLE_COUNT; i++)
        sqlite3_reset(s->lookups[i]);
}

static void drop_run(struct sqlite_store *s) {
    put_close(s->put);
    s->put = NULL;
    free(s->run_type);
    s->run_type = NULL;
}

static void sqlite_close(struct c1z_store *store) {
    struct sqlite_store *s = self(store);
    drop_run(s);
    for (int i = 0; i < C1Z_TABLE_COUNT; i++)
        db_finalize(&s->lookups[i]);
    db_close(&s->db);
    free(s);
}

/* --- writing --- */

/* One transaction spans everything between two commits: without a journal it costs nothing, and it keeps
 * SQLite from writing changed pages after each row. */
static bool begin(struct sqlite_store *s, struct err *err) {
    if (s->in_transaction)
        return true;
    s->in_transaction = db_exec(&s->db, "BEGIN IMMEDIATE", err);
    return s->in_transaction;
}

static bool commit(struct sqlite_store *s, struct err *err) {
    if (!s->in_transaction)
        return true;
    s->in_transaction = false;
    return db_exec(&s->db, "COMMIT", err);
}

static bool find_or_add_run(struct sqlite_store *s, const char *type, struct arena *arena,
                            struct c1z_run *run, bool *resumed, struct err *err) {
    if (!run_find_unfinished(&s->db, type, arena, run, resumed, err))
        return false;
    if (!*resumed)
        return run_add(&s->db, type, arena, run, err);
    run->token = "";
    run->stats = NULL;
    run->supports_diff = false;
    return run_delete_rows(&s->db, run->id, false, err) && run_restart(&s->db, run->id, err);
}

static bool sqlite_begin_run(struct c1z_store *store, const char *type, struct arena *arena,
                             struct c1z_run *ret_run, bool *ret_resumed, struct err *err) {
    struct sqlite_store *s = self(store);
    struct c1z_run run;
    bool resumed;
    if (!run_check_type(type, err))
        return false;
    reset_lookups(s);
    if (!begin(s, err) || !schema_unindex(&s->db, err) ||
        !find_or_add_run(s, type, arena, &run, &resumed, err) ||
        !put_open(&s->db, run.id, &s->put, err))
        return false;
    s->run_type = mem_strdup(type);
    *ret_run = run;
    *ret_resumed = resumed;
    return true;
}

static bool sqlite_put_resource_type(struct c1z_store *store, const C1__ResourceType *m,
                                     struct err *err) {
    return put_resource_type(self(store)->put, m, err);
}

static bool sqlite_put_resource(struct c1z_store *store, const C1__Resource *m, struct err *err) {
    return put_resource(self(store)->put, m, err);
}

static bool sqlite_put_entitlement(struct c1z_store *store, const C1__Entitlement *m,
                                   struct err *err) {
    return put_entitlement(self(store)->put, m, err);
}

static bool sqlite_put_grant(struct c1z_store *store, const C1__Grant *m, struct err *err) {
    return put_grant(self(store)->put, m, err);
}

static bool sqlite_checkpoint(struct c1z_store *store, const char *token, struct err *err) {
    struct sqlite_store *s = self(store);
    return run_set_token(&s->db, s->put->sync_id, token, err);
}

static bool finish_run(struct sqlite_store *s, struct err *err) {
    arena_auto struct arena arena;
    buf_auto struct buf stats;
    arena_init(&arena);
    buf_init(&stats, STATS_MAX);
    struct c1z_counts counts;
    const char *id = s->put->sync_id;
    if (!stats_from_put(s->put, s->run_type, &arena, &counts) &&
        !stats_count(&s->db, id, s->run_type, &arena, &counts, err))
        return false;
    stats_write(&counts, &stats);
    /* Too many types to write down: readers count for themselves then. */
    return run_finish(&s->db, id, s->run_type, buf_ok(&stats) ? stats.data : NULL, err);
}

/* VACUUM where it changes something: free pages, another page size, auto_vacuum. */
static bool compact(struct sqlite_store *s, struct err *err) {
    int64_t free_pages, page_size, auto_vacuum;
    if (!db_int(&s->db, "PRAGMA freelist_count", &free_pages, err) ||
        !db_int(&s->db, "PRAGMA page_size", &page_size, err) ||
        !db_int(&s->db, "PRAGMA auto_vacuum", &auto_vacuum, err))
        return false;
    if (free_pages == 0 && page_size == DB_PAGE_SIZE && auto_vacuum == 0)
        return true;
    return commit(s, err) &&
           db_exec(&s->db, "PRAGMA auto_vacuum=NONE; PRAGMA page_size=4096; VACUUM", err);
}

static bool sqlite_end_run(struct c1z_store *store, const char *token, struct err *err) {
    struct sqlite_store *s = self(store);
    reset_lookups(s);
    bool ok = run_set_token(&s->db, s->put->sync_id, token, err) &&
              retention_apply(&s->db, s->put->sync_id, err) && finish_run(s, err);
    /* Old runs may be deleted already: without the new one that must not be saved. */
    s->db.is_broken |= !ok;
    drop_run(s);
    return ok;
}

/* Each index reads its whole table, which no longer fits into SQLite's cache; copying its pages took as
 * long as sorting. Only here: the copy is complete and ours, so no page of it can go missing. */
static const char by_map[] = "PRAGMA mmap_size=1099511627776";

static bool sqlite_seal(struct c1z_store *store, uint64_t *ret_size, struct err *err) {
    struct sqlite_store *s = self(store);
    reset_lookups(s);
    if (s->db.is_broken)
        return err_set(err, ERR_FAILED_PRECONDITION,
                       "an earlier change failed half-way, so there is nothing sound to save");
    /* Nothing can be put any more once the indexes are there. */
    drop_run(s);
    store->has_run = false;
    if (!compact(s, err) || !db_exec(&s->db, by_map, err) || !begin(s, err) ||
        !schema_index(&s->db, err) || !commit(s, err))
        return false;
    /* Compressing wants the memory now. */
    sqlite3_db_release_memory(s->db.sql);
    struct stat st;
    if (fstat(privfs_fd(s->db.fs), &st) != 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "look at the private copy");
    *ret_size = (uint64_t)st.st_size;
    return true;
}

static bool feed_copy(struct sqlite_store *s, struct envelope_writer *w, struct c1z_saved *progress,
                      struct err *err) {
    mem_auto char *chunk = mem_alloc(CHUNK);
    for (;;) {
        ssize_t n = pread(privfs_fd(s->db.fs), chunk, CHUNK, (off_t)progress->decompressed_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_UNKNOWN, errno, "read the private copy");
        if (n == 0)
            return true;
        progress->decompressed_bytes += (uint64_t)n;
        if (!envelope_writer_feed(w, chunk, (size_t)n, err))
            return false;
    }
}

static bool sqlite_write(struct c1z_store *store, envelope_sink sink, void *payload,
                         struct c1z_saved *progress, struct err *err) {
    struct sqlite_store *s = self(store);
    struct stat st;
    if (fstat(privfs_fd(s->db.fs), &st) != 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "look at the private copy");
    struct envelope_writer *w = envelope_writer_new((uint64_t)st.st_size, sink, payload, err);
    if (!w)
        return false;
    bool ok = feed_copy(s, w, progress, err) &&
              envelope_writer_end(w, &progress->compressed_bytes, err);
    envelope_writer_free(w);
    return ok;
}

/* --- reading --- */

static bool sqlite_list_runs(struct c1z_store *store, struct arena *arena, struct c1z_run **ret_runs,
                             size_t *ret_count, struct err *err) {
    return run_list(&self(store)->db, arena, ret_runs, ret_count, err);
}

/* Where the rows of one type of the open run are; everywhere, if that is not known. */
static struct list_span span_of(const struct sqlite_store *s, enum c1z_table table,
                                const struct c1z_filter *f) {
    struct list_span everywhere = {0};
    if (!s->put || table == C1Z_RESOURCE_TYPES || !f || !f->sync_id || !f->resource_type_id ||
        strcmp(f->sync_id, s->put->sync_id) != 0 || s->put->tables[table].tally.is_lost)
        return everywhere;
    const struct tally_type *t = tally_find(&s->put->tables[table].tally, f->resource_type_id);
    /* Rows begin at 1: this span is empty. */
    return t ? (struct list_span){t->first, t->last} : (struct list_span){0, -1};
}

static struct c1z_iter *sqlite_list(struct c1z_store *store, enum c1z_table table,
                                    const struct c1z_filter *filter, struct err *err) {
    struct sqlite_store *s = self(store);
    struct list list;
    if (!list_open(&s->db, table, filter, span_of(s, table, filter), &list, err))
        return NULL;
    struct sqlite_iter *i = mem_zalloc(sizeof *i);
    i->list = list;
    return &i->base;
}

static bool sqlite_next(struct c1z_iter *iter, struct c1z_row *ret_row, struct err *err) {
    return list_next(&((struct sqlite_iter *)iter)->list, ret_row, err);
}

static void sqlite_iter_free(struct c1z_iter *iter) {
    struct sqlite_iter *i = (struct sqlite_iter *)iter;
    list_close(&i->list);
    free(i);
}

static bool sqlite_get(struct c1z_store *store, enum c1z_table table, const char *sync_id,
                       const char *external_id, struct c1z_row *ret_row, struct err *err) {
    struct sqlite_store *s = self(store);
    if (s->put && !put_index(s->put, table, err))
        return false;
    if (!s->lookups[table] && !(s->lookups[table] = list_prepare_get(&s->db, table, err)))
        return false;
    return list_get(&s->db, s->lookups[table], table, sync_id, external_id, ret_row, err);
}

static bool sqlite_count_run(struct c1z_store *store, const struct c1z_run *run, struct arena *arena,
                             struct c1z_counts *ret_counts, struct err *err) {
    struct sqlite_store *s = self(store);
    bool is_known = false;
    if (run->stats && !stats_parse(&s->db, run->stats, arena, ret_counts, &is_known, err))
        return false;
    return is_known || stats_count(&s->db, run->id, run->type, arena, ret_counts, err);
}

const struct c1z_engine c1z_engine_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .list_runs = sqlite_list_runs,
    .begin_run = sqlite_begin_run,
    .put_resource_type = sqlite_put_resource_type,
    .put_resource = sqlite_put_resource,
    .put_entitlement = sqlite_put_entitlement,
    .put_grant = sqlite_put_grant,
    .checkpoint = sqlite_checkpoint,
    .end_run = sqlite_end_run,
    .list = sqlite_list,
    .next = sqlite_next,
    .iter_free = sqlite_iter_free,
    .get = sqlite_get,
    .count_run = sqlite_count_run,
    .seal = sqlite_seal,
    .write = sqlite_write,
};

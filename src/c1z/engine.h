/* engine: what stands behind a store, one for each kind of .c1z.
 *
 * An engine's own struct begins with a struct c1z_store, its iterator with a struct c1z_iter. store.c
 * finds the engine by the first bytes of the file, checks what is the same for all (mode, open run), and
 * replaces the file; the engine does the rest. The members mean what the function of the same name in
 * store.h means, where there is one.
 */
#ifndef C1Z_ENGINE_H
#define C1Z_ENGINE_H

#include "c1z/envelope.h"
#include "c1z/store.h"
#include "c1z/target.h"

struct c1z_store {
    const struct c1z_engine *engine;
    char *path;                  /* owned by store.c */
    struct target_origin origin; /* of a store to be written; owned by store.c */
    enum c1z_mode mode;
    const struct cancel *cancel;
    bool is_changed; /* something is to be saved */
    bool has_run;    /* begun and not ended */
};

struct c1z_iter {
    const struct c1z_engine *engine;
};

struct c1z_engine {
    const char *name;

    /* `fd` stands behind the magic; -1: a new file. */
    struct c1z_store *(*open)(int fd, const struct c1z_options *options, struct err *err);
    void (*close)(struct c1z_store *store);

    bool (*list_runs)(struct c1z_store *store, struct arena *arena, struct c1z_run **ret_runs,
                      size_t *ret_count, struct err *err);
    bool (*begin_run)(struct c1z_store *store, const char *type, struct arena *arena,
                      struct c1z_run *ret_run, bool *ret_resumed, struct err *err);
    bool (*put_resource_type)(struct c1z_store *store, const C1__ResourceType *type, struct err *err);
    bool (*put_resource)(struct c1z_store *store, const C1__Resource *resource, struct err *err);
    bool (*put_entitlement)(struct c1z_store *store, const C1__Entitlement *e, struct err *err);
    bool (*put_grant)(struct c1z_store *store, const C1__Grant *grant, struct err *err);
    bool (*checkpoint)(struct c1z_store *store, const char *token, struct err *err);
    bool (*end_run)(struct c1z_store *store, const char *token, struct err *err);

    struct c1z_iter *(*list)(struct c1z_store *store, enum c1z_table table,
                             const struct c1z_filter *filter, struct err *err);
    bool (*next)(struct c1z_iter *iter, struct c1z_row *ret_row, struct err *err);
    void (*iter_free)(struct c1z_iter *iter);
    bool (*get)(struct c1z_store *store, enum c1z_table table, const char *sync_id,
                const char *external_id, struct c1z_row *ret_row, struct err *err);
    bool (*count_run)(struct c1z_store *store, const struct c1z_run *run, struct arena *arena,
                      struct c1z_counts *ret_counts, struct err *err);

    /* Brings the private copy into the form that is saved; says how many bytes it has. */
    bool (*seal)(struct c1z_store *store, uint64_t *ret_size, struct err *err);
    /* Writes the whole file into the sink; counts in *progress as it goes. */
    bool (*write)(struct c1z_store *store, envelope_sink sink, void *payload,
                  struct c1z_saved *progress, struct err *err);
};

extern const struct c1z_engine c1z_engine_sqlite;

#endif

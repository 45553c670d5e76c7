#include "service/metrics.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { MS_PER_S = 1000, STAT_MAX = 4096, LABELS_MAX = 1024 };

/* Another width would need a lock, which a dying child could leave held. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics without locks");

struct series {
    char *name, *help, *labels;
    enum metrics_kind kind;
};

struct metrics {
    void *shared;            /* with forked children */
    _Atomic int64_t *values; /* METRICS_MAX of them, there */
    struct series series[METRICS_MAX];
    int count;
    pid_t owner;
    int64_t start_unix_ms; /* 0: unknown */
};

/* --- /proc/self --- */

/* A file of /proc, NUL-terminated. */
static bool read_proc(const char *path, char out[STAT_MAX]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, STAT_MAX - 1);
    close(fd);
    if (n <= 0)
        return false;
    out[n] = '\0';
    return true;
}

/* The number at a field (from 1) of fields that are separated by single spaces; -1 if there is none. */
static int64_t number_at(const char *text, int field) {
    while (--field > 0 && text)
        text = (text = strchr(text, ' ')) ? text + 1 : NULL;
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    long long v = strtoll(text, NULL, 10);
    return errno ? -1 : v;
}

/* Fields of /proc/self/stat by their numbers in proc(5); the program's name, field 2, may hold spaces
 * and brackets, so counting begins behind the last one. */
static const char *stat_from_field_3(char text[STAT_MAX]) {
    if (!read_proc("/proc/self/stat", text))
        return NULL;
    const char *end = strrchr(text, ')');
    return end && end[1] == ' ' ? end + 2 : NULL;
}

static int64_t ticks_to_ms(int64_t ticks) {
    long per_s = sysconf(_SC_CLK_TCK);
    return ticks < 0 || per_s <= 0 ? -1 : ticks * MS_PER_S / per_s;
}

/* From the time since boot rather than /proc/stat, which a sandboxed unit does not see. Asked once, so
 * that the value stays the same when the wall clock is put right. */
static int64_t start_unix_ms(void) {
    char text[STAT_MAX];
    const char *fields = stat_from_field_3(text);
    int64_t after_boot = fields ? ticks_to_ms(number_at(fields, 22 - 2)) : -1;
    struct timespec up;
    if (after_boot < 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return 0;
    int64_t up_ms = (int64_t)up.tv_sec * MS_PER_S + up.tv_nsec / CLOCK_NS_PER_MS;
    return clock_now_ns() / CLOCK_NS_PER_MS - up_ms + after_boot;
}

static int64_t cpu_ms(void) {
    char text[STAT_MAX];
    const char *fields = stat_from_field_3(text);
    int64_t user = fields ? number_at(fields, 14 - 2) : -1;
    int64_t kernel = fields ? number_at(fields, 15 - 2) : -1;
    return user < 0 || kernel < 0 ? -1 : ticks_to_ms(user + kernel);
}

static int64_t resident_bytes(void) {
    char text[STAT_MAX];
    int64_t pages = read_proc("/proc/self/statm", text) ? number_at(text, 2) : -1;
    return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_fds(void) {
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return -1;
    int64_t n = -1; /* the directory's own */
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* --- the registry --- */

struct metrics *metrics_new(struct err *err) {
    void *shared = mmap(NULL, METRICS_MAX * sizeof(int64_t), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        err_set_errno(err, ERR_RESOURCE_EXHAUSTED, errno, "cannot get shared memory for metrics");
        return NULL;
    }
    struct metrics *m = mem_zalloc(sizeof *m);
    m->shared = shared;
    m->values = shared; /* zeros from the system are valid atomics */
    m->owner = getpid();
    m->start_unix_ms = start_unix_ms();
    return m;
}

void metrics_free(struct metrics *m) {
    if (!m)
        return;
    for (int i = 0; i < m->count; i++) {
        free(m->series[i].name);
        free(m->series[i].help);
        free(m->series[i].labels);
    }
    munmap(m->shared, METRICS_MAX * sizeof(int64_t));
    free(m);
}

/* [a-zA-Z_][a-zA-Z0-9_]*, and ':' in the names of metrics. Returns the length of the name. */
static size_t name_length(const char *s, bool may_have_colon) {
    size_t n = 0;
    for (;; n++) {
        char c = s[n];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                         (may_have_colon && c == ':');
        if (!is_letter && !(n > 0 && c >= '0' && c <= '9'))
            return n;
    }
}

/* `"value"` with \\, \" and \n as the only escapes: what follows it, NULL if it is none. */
static const char *after_value(const char *s) {
    if (*s++ != '"')
        return NULL;
    for (; *s && *s != '\n'; s++) {
        if (*s == '"')
            return s + 1;
        if (*s == '\\' && (!*++s || !strchr("\\\"n", *s)))
            return NULL;
    }
    return NULL;
}

static bool is_labels(const char *s) {
    for (;;) {
        size_t n = name_length(s, false);
        if (n == 0 || s[n] != '=' || !(s = after_value(s + n + 1)))
            return false;
        if (*s == '\0')
            return true;
        if (*s++ != ',')
            return false;
    }
}

static bool is_same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* A name goes on in the family before it or is new; no series is there twice. */
static bool fits_in(const struct metrics *m, const struct series *s) {
    for (int i = 0; i < m->count; i++) {
        const struct series *other = &m->series[i];
        if (strcmp(other->name, s->name) != 0)
            continue;
        if (strcmp(m->series[m->count - 1].name, s->name) != 0 || other->kind != s->kind ||
            strcmp(other->help, s->help) != 0 || is_same(other->labels, s->labels))
            return false;
    }
    return true;
}

int metrics_register(struct metrics *m, const char *name, const char *help, enum metrics_kind kind,
                     const char *labels) {
    assert(m->owner == getpid());
    assert(m->count < METRICS_MAX);
    assert(*name && name[name_length(name, true)] == '\0');
    assert(!labels || is_labels(labels));
    struct series *s = &m->series[m->count];
    *s = (struct series){.name = mem_strdup(name),
                         .help = mem_strdup(help),
                         .labels = labels ? mem_strdup(labels) : NULL,
                         .kind = kind};
    assert(fits_in(m, s));
    return m->count++;
}

static const struct series *series_at(const struct metrics *m, int index) {
    assert(index >= 0 && index < m->count);
    return &m->series[index];
}

static bool is_counter(enum metrics_kind kind) {
    return kind == METRICS_COUNTER || kind == METRICS_COUNTER_MS;
}

static bool is_ms(enum metrics_kind kind) {
    return kind == METRICS_COUNTER_MS || kind == METRICS_GAUGE_MS;
}

void metrics_add(struct metrics *m, int index, int64_t n) {
    if (!m)
        return;
    enum metrics_kind kind = series_at(m, index)->kind;
    assert(n >= 0 || !is_counter(kind));
    atomic_fetch_add_explicit(&m->values[index], n, memory_order_relaxed);
}

void metrics_set(struct metrics *m, int index, int64_t value) {
    if (!m)
        return;
    assert(series_at(m, index)->kind == METRICS_GAUGE);
    atomic_store_explicit(&m->values[index], value, memory_order_relaxed);
}

void metrics_set_seconds(struct metrics *m, int index, int64_t ms) {
    if (!m)
        return;
    assert(series_at(m, index)->kind == METRICS_GAUGE_MS);
    atomic_store_explicit(&m->values[index], ms, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, int index) {
    if (!m)
        return 0;
    assert(index >= 0 && index < m->count);
    return atomic_load_explicit(&m->values[index], memory_order_relaxed);
}

/* --- text --- */

/* Label values escape the quote too, help texts do not. */
static void add_escaped(struct buf *out, const char *s, bool is_label) {
    for (; *s; s++) {
        if (*s == '\n')
            buf_adds(out, "\\n");
        else if (*s == '\\' || (is_label && *s == '"'))
            buf_addf(out, "\\%c", *s);
        else
            buf_addc(out, *s);
    }
}

void metrics_add_label(struct buf *labels, const char *name, const char *value) {
    assert(*name && name[name_length(name, false)] == '\0');
    buf_addf(labels, "%s%s=\"", labels->len ? "," : "", name);
    add_escaped(labels, value, true);
    buf_addc(labels, '"');
}

static void add_family(struct buf *out, const char *name, const char *help, enum metrics_kind kind) {
    buf_addf(out, "# HELP %s ", name);
    add_escaped(out, help, false);
    buf_addf(out, "\n# TYPE %s %s\n", name, is_counter(kind) ? "counter" : "gauge");
}

static void add_value(struct buf *out, enum metrics_kind kind, int64_t v) {
    if (!is_ms(kind)) {
        buf_addf(out, " %" PRId64 "\n", v);
        return;
    }
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    buf_addf(out, " %s%" PRIu64 ".%03" PRIu64 "\n", v < 0 ? "-" : "", size / MS_PER_S,
             size % MS_PER_S);
}

static void add_process(struct buf *out, int64_t start_ms) {
    const struct {
        const char *name, *help;
        enum metrics_kind kind;
        int64_t value; /* negative: unknown */
    } rows[] = {
        {"process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
         METRICS_COUNTER_MS, cpu_ms()},
        {"process_open_fds", "Number of open file descriptors.", METRICS_GAUGE, open_fds()},
        {"process_resident_memory_bytes", "Resident memory size in bytes.", METRICS_GAUGE,
         resident_bytes()},
        {"process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
         METRICS_GAUGE_MS, start_ms > 0 ? start_ms : -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].value < 0)
            continue;
        add_family(out, rows[i].name, rows[i].help, rows[i].kind);
        buf_adds(out, rows[i].name);
        add_value(out, rows[i].kind, rows[i].value);
    }
}

void metrics_write(const struct metrics *m, struct buf *out) {
    for (int i = 0; i < m->count; i++) {
        const struct series *s = &m->series[i];
        if (i == 0 || strcmp(m->series[i - 1].name, s->name) != 0)
            add_family(out, s->name, s->help, s->kind);
        buf_adds(out, s->name);
        if (s->labels)
            buf_addf(out, "{%s}", s->labels);
        add_value(out, s->kind, metrics_get(m, i));
    }
    add_process(out, m->start_unix_ms);
}

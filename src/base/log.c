#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"

enum { MAX_SINKS = 8, MAX_SECRETS = 16, MAX_LINE = 64 * 1024, SHORTEST_SECRET = 6 };

struct sink {
    int fd;
    char *path; /* NULL: a descriptor we do not own */
};

struct log {
    enum log_level level;
    enum log_format format;
    struct sink sinks[MAX_SINKS];
    int sink_count;
    bool is_redirected;
    int copy_fd; /* -1: none */
    struct secret hidden[MAX_SECRETS];
    int hidden_count;
    void (*tap)(const char *, size_t, void *);
    void *tap_payload;
};

struct log *log_new(enum log_level level, enum log_format format) {
    struct log *log = mem_zalloc(sizeof *log);
    log->level = level;
    log->format = format;
    log->copy_fd = -1;
    log->sinks[0] = (struct sink){.fd = STDERR_FILENO};
    log->sink_count = 1;
    return log;
}

void log_free(struct log *log) {
    if (!log)
        return;
    for (int i = 0; i < log->sink_count; i++) {
        if (log->sinks[i].path)
            close(log->sinks[i].fd);
        free(log->sinks[i].path);
    }
    for (int i = 0; i < log->hidden_count; i++)
        secret_done(&log->hidden[i]);
    free(log);
}

static int open_for_append(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

bool log_open_path(struct log *log, const char *path, struct err *err) {
    if (!log->is_redirected) {
        log->sink_count = 0;
        log->is_redirected = true;
    }
    if (log->sink_count == MAX_SINKS)
        return err_set(err, ERR_UNKNOWN, "more than %d log paths: give fewer --log-path", MAX_SINKS);
    struct sink sink = {.fd = -1};
    if (strcmp(path, "stdout") == 0) {
        sink.fd = STDOUT_FILENO;
    } else if (strcmp(path, "stderr") == 0) {
        sink.fd = STDERR_FILENO;
    } else {
        sink.fd = open_for_append(path);
        if (sink.fd < 0) {
            char why[128];
            const char *text = strerror_r(errno, why, sizeof why);
            return err_set(err, ERR_UNKNOWN, "open sink \"%s\": open %s: %s", path, path, text);
        }
        sink.path = mem_strdup(path);
    }
    log->sinks[log->sink_count++] = sink;
    return true;
}

bool log_reopen(struct log *log, struct err *err) {
    bool ok = true;
    for (int i = 0; i < log->sink_count; i++) {
        struct sink *sink = &log->sinks[i];
        if (!sink->path)
            continue;
        int fd = open_for_append(sink->path);
        if (fd < 0 || dup3(fd, sink->fd, O_CLOEXEC) < 0)
            ok = err_set_errno(err, ERR_UNKNOWN, errno, "open the log %s again", sink->path);
        if (fd >= 0)
            close(fd);
    }
    return ok;
}

void log_copy_to(struct log *log, int fd) {
    log->copy_fd = fd;
}

int log_fds(const struct log *log, int *fds, int max) {
    int n = 0;
    for (int i = 0; i < log->sink_count && n < max; i++)
        fds[n++] = log->sinks[i].fd;
    return n;
}

static void hide(struct log *log, const char *text, size_t n) {
    if (log->hidden_count < MAX_SECRETS)
        secret_set(&log->hidden[log->hidden_count++], text, n);
}

void log_hide(struct log *log, const struct secret *s) {
    if (s->len < SHORTEST_SECRET)
        return;
    hide(log, s->value, s->len);
    /* As it looks inside a JSON string. */
    buf_auto struct buf quoted;
    buf_init(&quoted, MAX_LINE);
    jsonw_quote(&quoted, s->value, s->len);
    if (buf_ok(&quoted) && quoted.len - 2 != s->len)
        hide(log, quoted.data + 1, quoted.len - 2);
    explicit_bzero(quoted.data, quoted.len);
}

bool log_is_on(const struct log *log, enum log_level level) {
    return log && (level >= log->level || log->copy_fd >= 0);
}

enum log_level log_level_from(const char *name) {
    static const struct {
        const char *name;
        enum log_level level;
    } names[] = {{"debug", LOG_DEBUG}, {"info", LOG_INFO},    {"warn", LOG_WARN},
                 {"warning", LOG_WARN}, {"error", LOG_ERROR}, {"dpanic", LOG_ERROR},
                 {"panic", LOG_ERROR}, {"fatal", LOG_ERROR}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i].name) == 0)
            return names[i].level;
    }
    return LOG_INFO;
}

void log_set_tap(struct log *log, void (*tap)(const char *, size_t, void *), void *payload) {
    log->tap = tap;
    log->tap_payload = payload;
}

static void add_value(struct jsonw *w, const struct log_field *f, enum log_format format) {
    switch (f->kind) {
    case LOG_K_STR:
        jsonw_string(w, f->str ? f->str : "");
        break;
    case LOG_K_INT:
        jsonw_int(w, f->num);
        break;
    case LOG_K_BOOL:
        jsonw_bool(w, f->num != 0);
        break;
    case LOG_K_RAW:
        jsonw_raw(w, f->str, strlen(f->str));
        break;
    case LOG_K_MS:
        if (format == LOG_JSON) {
            jsonw_double(w, (double)f->num / 1000.0);
        } else {
            char text[32];
            snprintf(text, sizeof text, "%gs", (double)f->num / 1000.0);
            jsonw_string(w, text);
        }
        break;
    case LOG_K_END:
        break;
    }
}

/* "../src/sync/engine.c" as "sync/engine.c". */
static const char *short_file(const char *file) {
    const char *src = strstr(file, "src/");
    return src ? src + strlen("src/") : file;
}

static void encode_json(struct buf *out, enum log_level level, const char *file, int line,
                        const char *msg, const struct log_field *fields) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct jsonw w;
    jsonw_init(&w, out, false);
    jsonw_object(&w);
    jsonw_kv(&w, "level", names[level]);
    jsonw_key(&w, "ts");
    jsonw_double(&w, (double)(clock_now_ns() / 10000) / 100000.0);
    jsonw_key(&w, "caller");
    char caller[256];
    snprintf(caller, sizeof caller, "%s:%d", short_file(file), line);
    jsonw_string(&w, caller);
    jsonw_kv(&w, "msg", msg);
    for (; fields->kind != LOG_K_END; fields++) {
        jsonw_key(&w, fields->key);
        add_value(&w, fields, LOG_JSON);
    }
    jsonw_object_end(&w);
}

static void encode_console(struct buf *out, enum log_level level, const char *file, int line,
                           const char *msg, const struct log_field *fields) {
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    char when[CLOCK_TEXT_MAX];
    clock_format_log(clock_now_ns(), when);
    buf_addf(out, "%s\t%s\t%s:%d\t%s", when, names[level], short_file(file), line, msg);
    if (fields->kind == LOG_K_END)
        return;
    buf_addc(out, '\t');
    buf_addc(out, '{');
    for (bool first = true; fields->kind != LOG_K_END; fields++, first = false) {
        if (!first)
            buf_adds(out, ", ");
        jsonw_quote(out, fields->key, strlen(fields->key));
        buf_adds(out, ": ");
        struct jsonw w;
        jsonw_init(&w, out, false);
        add_value(&w, fields, LOG_CONSOLE);
    }
    buf_addc(out, '}');
}

/* Overwrites every occurrence with stars: same length, so nothing has to move. */
static void mask(char *text, const struct secret *s) {
    for (char *p = text; (p = strstr(p, s->value)) != NULL; p += s->len)
        memset(p, '*', s->len);
}

void log_mask(const struct log *log, char *text) {
    for (int i = 0; i < log->hidden_count; i++)
        mask(text, &log->hidden[i]);
}

static void write_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return; /* a log that cannot be written must not stop the work */
        p += w;
        n -= (size_t)w;
    }
}

static void encode(struct log *log, enum log_format format, struct buf *out, enum log_level level,
                   const char *file, int line, const char *msg, const struct log_field *fields) {
    buf_reset(out);
    if (format == LOG_JSON)
        encode_json(out, level, file, line, msg, fields);
    else
        encode_console(out, level, file, line, msg, fields);
    log_mask(log, out->data);
    if (out->overflow)
        out->len = out->len > 0 ? out->len - 1 : 0; /* room for the line feed */
    out->overflow = false;
    buf_addc(out, '\n');
}

static void write_sinks(struct log *log, const struct buf *out) {
    if (log->tap)
        log->tap(out->data, out->len, log->tap_payload);
    for (int i = 0; i < log->sink_count; i++)
        write_all(log->sinks[i].fd, out->data, out->len);
}

void log_write(struct log *log, enum log_level level, const char *file, int line, const char *msg,
               const struct log_field *fields) {
    if (!log_is_on(log, level))
        return;
    int saved = errno;
    buf_auto struct buf out;
    buf_init(&out, MAX_LINE);
    if (level >= log->level) {
        encode(log, log->format, &out, level, file, line, msg, fields);
        write_sinks(log, &out);
    }
    if (log->copy_fd >= 0) {
        encode(log, LOG_JSON, &out, level, file, line, msg, fields);
        write_all(log->copy_fd, out.data, out.len);
    }
    errno = saved;
}

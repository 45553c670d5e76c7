/* log: lines with a level, a fixed message and typed fields.
 *
 * A message never holds data: data goes into fields, so that lines can be searched. Two encodings,
 * both as baton-sdk's (connector-cli.md 4): JSON (`level`, `ts`, `caller`, `msg`, then the fields)
 * and console (tab separated). One call writes one line with one write(2), so lines of two threads
 * do not mix. Secrets registered with log_hide() are replaced by *** wherever they would appear.
 *
 * Sinks are file descriptors; the log owns those that log_open_path() made. Library layers log at
 * debug only, but for a wait before another try.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_CONSOLE };

struct log;

enum log_kind { LOG_K_END, LOG_K_STR, LOG_K_INT, LOG_K_BOOL, LOG_K_MS, LOG_K_RAW };

struct log_field {
    const char *key;
    enum log_kind kind;
    const char *str;
    int64_t num;
};

#define LOG_STR(k, v) ((struct log_field){.key = (k), .kind = LOG_K_STR, .str = (v)})
#define LOG_INT(k, v) ((struct log_field){.key = (k), .kind = LOG_K_INT, .num = (int64_t)(v)})
#define LOG_BOOL(k, v) ((struct log_field){.key = (k), .kind = LOG_K_BOOL, .num = (v)})
/* A duration: seconds as a number in JSON, "1.5s" on the console. */
#define LOG_MS(k, v) ((struct log_field){.key = (k), .kind = LOG_K_MS, .num = (int64_t)(v)})
/* JSON text that is valid already. */
#define LOG_RAW(k, v) ((struct log_field){.key = (k), .kind = LOG_K_RAW, .str = (v)})
#define LOG_ERROR_FIELD(e) LOG_STR("error", (e)->msg)

/* A log that writes to stderr (fd 2). */
struct log *log_new(enum log_level level, enum log_format format);
void log_free(struct log *log);
/* The first call takes the place of stderr, later ones add. "stdout" and "stderr" are names. */
bool log_open_path(struct log *log, const char *path, struct err *err);
/* Opens the files of log_open_path() again under their names, for log rotation; keeps a sink that cannot be
 * opened as it is. */
bool log_reopen(struct log *log, struct err *err);
/* Writes every line, at debug level and as JSON, to this descriptor too; -1 takes it back. Borrows. */
void log_copy_to(struct log *log, int fd);
/* The descriptors the log writes to, for a child process that closes all others. Returns how many. */
int log_fds(const struct log *log, int *fds, int max);
/* From now on this value is masked. Copies. Values shorter than 6 bytes are not registered: masking
 * them would shred ordinary text. */
void log_hide(struct log *log, const struct secret *s);
/* Masks what is registered in a text that goes elsewhere. */
void log_mask(const struct log *log, char *text);
bool log_is_on(const struct log *log, enum log_level level);
/* "debug", "info", "warn", "error" (any case, and zap's "warning", "dpanic", "panic", "fatal" as
 * error); anything else is info, as in the SDK. */
enum log_level log_level_from(const char *name);

/* Called for the tests' sake on each line before it is written; NULL takes it back. */
void log_set_tap(struct log *log, void (*tap)(const char *line, size_t n, void *payload),
                 void *payload);

/* `fields` ends with a LOG_K_END entry. A NULL log drops the line. */
void log_write(struct log *log, enum log_level level, const char *file, int line, const char *msg,
               const struct log_field *fields);

#define LOG_AT(log, level, msg, ...)                                                               \
    log_write((log), (level), __FILE__, __LINE__, (msg),                                           \
              (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_K_END}})
#define log_debug(log, ...) LOG_AT(log, LOG_DEBUG, __VA_ARGS__)
#define log_info(log, ...) LOG_AT(log, LOG_INFO, __VA_ARGS__)
#define log_warn(log, ...) LOG_AT(log, LOG_WARN, __VA_ARGS__)
#define log_error(log, ...) LOG_AT(log, LOG_ERROR, __VA_ARGS__)

#endif

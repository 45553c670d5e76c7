/* err: what went wrong, as a value.
 *
 * A function that can fail takes `struct err *err` last and returns false (or NULL). The lowest
 * layer that knows the cause calls err_set(); layers above put context in front with err_wrap().
 * A NULL `err` is allowed everywhere and means "the caller only wants to know that it failed".
 *
 * The codes are the 17 gRPC status codes, because they are also the exit codes of a connector
 * (baton-sdk pkg/exit/exit.go). The value owns nothing: copy it, drop it. A text longer than
 * ERR_MSG_MAX is cut on a UTF-8 boundary. Texts never hold a secret or a response body.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* name in code, number, name as gRPC prints it */
#define ERR_CODES(X)                                                                               \
    X(ERR_OK, 0, "OK")                                                                             \
    X(ERR_CANCELLED, 1, "Canceled")                                                                \
    X(ERR_UNKNOWN, 2, "Unknown")                                                                   \
    X(ERR_INVALID_ARGUMENT, 3, "InvalidArgument")                                                  \
    X(ERR_DEADLINE_EXCEEDED, 4, "DeadlineExceeded")                                                \
    X(ERR_NOT_FOUND, 5, "NotFound")                                                                \
    X(ERR_ALREADY_EXISTS, 6, "AlreadyExists")                                                      \
    X(ERR_PERMISSION_DENIED, 7, "PermissionDenied")                                                \
    X(ERR_RESOURCE_EXHAUSTED, 8, "ResourceExhausted")                                              \
    X(ERR_FAILED_PRECONDITION, 9, "FailedPrecondition")                                            \
    X(ERR_ABORTED, 10, "Aborted")                                                                  \
    X(ERR_OUT_OF_RANGE, 11, "OutOfRange")                                                          \
    X(ERR_UNIMPLEMENTED, 12, "Unimplemented")                                                      \
    X(ERR_INTERNAL, 13, "Internal")                                                                \
    X(ERR_UNAVAILABLE, 14, "Unavailable")                                                          \
    X(ERR_DATA_LOSS, 15, "DataLoss")                                                               \
    X(ERR_UNAUTHENTICATED, 16, "Unauthenticated")

enum err_code {
#define ERR_ENUM(name, number, text) name = number,
    ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
};

enum { ERR_MSG_MAX = 2048 };

struct err {
    enum err_code code;
    /* When trying again may help: Unix time in seconds, 0 if unknown. */
    int64_t retry_at_unix;
    char msg[ERR_MSG_MAX];
};

#define ERR_INIT ((struct err){.code = ERR_OK})

/* Sets code and text. Returns false, so that a caller can `return err_set(...)`. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool err_setv(struct err *err, enum err_code code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* The same, with strerror(errnum) behind the text. */
bool err_set_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "text: " in front of what is there; keeps the code. Returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts the text behind what is there; keeps the code. Returns false. */
bool err_append(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);
const char *err_code_name(enum err_code code);

#endif

#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const char *const names[] = {
#define ERR_NAME(name, number, text) [number] = text,
    ERR_CODES(ERR_NAME)
#undef ERR_NAME
};

/* Writes into dst and cuts on a character boundary when it does not fit. */
static void print_clipped(char *dst, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void print_clipped(char *dst, size_t size, const char *fmt, va_list ap) {
    int n = vsnprintf(dst, size, fmt, ap);
    if (n < 0)
        dst[0] = '\0';
    else if ((size_t)n >= size) {
        /* The byte that would have come next is gone: look for a character without its end. */
        size_t end = size - 1;
        while (end > 0 && ((unsigned char)dst[end - 1] & 0xC0) == 0x80)
            end--;
        if (end > 0 && (unsigned char)dst[end - 1] >= 0xC0)
            end--;
        if (!utf8_valid(dst + end, size - 1 - end))
            dst[end] = '\0';
    }
}

bool err_setv(struct err *err, enum err_code code, const char *fmt, va_list ap) {
    if (!err)
        return false;
    err->code = code;
    err->retry_at_unix = 0;
    print_clipped(err->msg, sizeof err->msg, fmt, ap);
    return false;
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    err_setv(err, code, fmt, ap);
    va_end(ap);
    return false;
}

bool err_set_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...) {
    if (!err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    err_setv(err, code, fmt, ap);
    va_end(ap);
    char buf[128];
    /* glibc's variant: may return a static string instead of filling buf. */
    return err_append(err, ": %s", strerror_r(errnum, buf, sizeof buf));
}

bool err_wrap(struct err *err, const char *fmt, ...) {
    if (!err)
        return false;
    char old[ERR_MSG_MAX];
    memcpy(old, err->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    print_clipped(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    return err_append(err, ": %s", old);
}

bool err_append(struct err *err, const char *fmt, ...) {
    if (!err)
        return false;
    size_t used = strlen(err->msg);
    va_list ap;
    va_start(ap, fmt);
    print_clipped(err->msg + used, sizeof err->msg - used, fmt, ap);
    va_end(ap);
    return false;
}

void err_clear(struct err *err) {
    if (err)
        *err = ERR_INIT;
}

const char *err_code_name(enum err_code code) {
    if ((unsigned)code >= sizeof names / sizeof names[0])
        return "Unknown";
    return names[code];
}

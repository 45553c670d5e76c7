#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static _Atomic int64_t frozen_ns;

static int64_t read_clock(clockid_t id) {
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * CLOCK_NS_PER_S + ts.tv_nsec;
}

int64_t clock_now_ns(void) {
    int64_t frozen = atomic_load_explicit(&frozen_ns, memory_order_relaxed);
    return frozen ? frozen : read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ns(void) {
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void) {
    return clock_mono_ns() / CLOCK_NS_PER_MS;
}

int64_t clock_boot_ms(void) {
    return read_clock(CLOCK_BOOTTIME) / CLOCK_NS_PER_MS;
}

void clock_set_for_test(int64_t unix_ns) {
    atomic_store(&frozen_ns, unix_ns);
}

/* Splits into whole seconds and a fraction that is never negative. */
static void split(int64_t unix_ns, time_t *ret_s, int64_t *ret_ns) {
    int64_t s = unix_ns / CLOCK_NS_PER_S, ns = unix_ns % CLOCK_NS_PER_S;
    if (ns < 0) {
        ns += CLOCK_NS_PER_S;
        s--;
    }
    *ret_s = (time_t)s;
    *ret_ns = ns;
}

void clock_format_sqlite(int64_t unix_ns, char out[CLOCK_TEXT_MAX]) {
    time_t s;
    int64_t ns;
    split(unix_ns, &s, &ns);
    struct tm tm;
    localtime_r(&s, &tm);
    size_t n = strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm);
    if (ns == 0)
        return;
    n += (size_t)snprintf(out + n, CLOCK_TEXT_MAX - n, ".%09lld", (long long)ns);
    while (out[n - 1] == '0')
        out[--n] = '\0';
}

void clock_format_rfc3339(int64_t unix_ns, char out[CLOCK_TEXT_MAX]) {
    time_t s;
    int64_t ns;
    split(unix_ns, &s, &ns);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    long long fraction = ns;
    if (ns == 0)
        snprintf(out + n, CLOCK_TEXT_MAX - n, "Z");
    else if (ns % 1000000 == 0)
        snprintf(out + n, CLOCK_TEXT_MAX - n, ".%03lldZ", fraction / 1000000);
    else if (ns % 1000 == 0)
        snprintf(out + n, CLOCK_TEXT_MAX - n, ".%06lldZ", fraction / 1000);
    else
        snprintf(out + n, CLOCK_TEXT_MAX - n, ".%09lldZ", fraction);
}

void clock_format_log(int64_t unix_ns, char out[CLOCK_TEXT_MAX]) {
    time_t s;
    int64_t ns;
    split(unix_ns, &s, &ns);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, CLOCK_TEXT_MAX - n, ".%03dZ", (int)(ns / CLOCK_NS_PER_MS));
}

/* Reads exactly `digits` decimal digits; advances *p. */
static bool read_number(const char **p, int digits, int *ret) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *p += digits;
    *ret = value;
    return true;
}

static bool read_char(const char **p, char c) {
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* ".123" in nanoseconds; absent is zero; digits beyond the ninth are dropped. */
static bool read_fraction(const char **p, int64_t *ret_ns) {
    *ret_ns = 0;
    if (!read_char(p, '.'))
        return true;
    int64_t unit = CLOCK_NS_PER_S / 10;
    const char *start = *p;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        *ret_ns += unit * (**p - '0');
        unit /= 10;
    }
    return *p > start;
}

/* "Z", "+hh:mm", "-hh:mm" or nothing. */
static bool read_offset(const char **p, int *ret_s) {
    *ret_s = 0;
    if (read_char(p, 'Z') || **p == '\0')
        return true;
    int sign = **p == '-' ? -1 : 1, hours, minutes;
    if (!read_char(p, '+') && !read_char(p, '-'))
        return false;
    if (!read_number(p, 2, &hours) || !read_char(p, ':') || !read_number(p, 2, &minutes))
        return false;
    *ret_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_time_of_day(const char **p, struct tm *tm, int64_t *ret_ns) {
    if (!read_number(p, 2, &tm->tm_hour) || !read_char(p, ':') || !read_number(p, 2, &tm->tm_min))
        return false;
    if (!read_char(p, ':'))
        return true;
    return read_number(p, 2, &tm->tm_sec) && read_fraction(p, ret_ns);
}

static bool in_range(const struct tm *tm) {
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

bool clock_parse_sqlite(const char *text, int64_t *ret_unix_ns) {
    struct tm tm = {0};
    int64_t ns = 0;
    int year, month, offset = 0;
    const char *p = text;
    if (!read_number(&p, 4, &year) || !read_char(&p, '-') || !read_number(&p, 2, &month) ||
        !read_char(&p, '-') || !read_number(&p, 2, &tm.tm_mday))
        return false;
    if (read_char(&p, ' ') || read_char(&p, 'T')) {
        if (!read_time_of_day(&p, &tm, &ns) || !read_offset(&p, &offset))
            return false;
    }
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    /* Years whose nanoseconds do not fit into 64 bits are nobody's sync. */
    if (*p != '\0' || !in_range(&tm) || year < 1700 || year > 2250)
        return false;
    *ret_unix_ns = ((int64_t)timegm(&tm) - offset) * CLOCK_NS_PER_S + ns;
    return true;
}

bool clock_parse_http(const char *text, int64_t *ret_unix_s) {
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        if (end && *end == '\0') {
            *ret_unix_s = timegm(&tm);
            return true;
        }
    }
    return false;
}

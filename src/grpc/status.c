#include "grpc/status.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum err_code grpc_status_from_http(int http_status) {
    static const struct {
        int http;
        enum err_code code;
    } table[] = {
        {400, ERR_INTERNAL},      {401, ERR_UNAUTHENTICATED}, {403, ERR_PERMISSION_DENIED},
        {404, ERR_UNIMPLEMENTED}, {429, ERR_UNAVAILABLE},     {502, ERR_UNAVAILABLE},
        {503, ERR_UNAVAILABLE},   {504, ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].http == http_status)
            return table[i].code;
    return ERR_UNKNOWN;
}

enum err_code grpc_status_from_h2(uint32_t code) {
    switch (code) {
    case NGHTTP2_REFUSED_STREAM:
        return ERR_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return ERR_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return ERR_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return ERR_PERMISSION_DENIED;
    default:
        return code <= NGHTTP2_HTTP_1_1_REQUIRED ? ERR_INTERNAL : ERR_UNKNOWN;
    }
}

enum err_code grpc_status_parse(const char *value, size_t n) {
    unsigned number = 0;
    if (n == 0 || n > 4)
        return ERR_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        if (value[i] < '0' || value[i] > '9')
            return ERR_UNKNOWN;
        number = number * 10 + (unsigned)(value[i] - '0');
    }
    return number <= ERR_UNAUTHENTICATED ? (enum err_code)number : ERR_UNKNOWN;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One decoded byte at *at, which moves on. A percent sign that begins nothing stands for itself. */
static uint8_t decode_byte(const char *value, size_t n, size_t *at) {
    char c = value[(*at)++];
    if (c == '%' && n - *at >= 2) {
        int high = hex_digit(value[*at]), low = hex_digit(value[*at + 1]);
        if (high >= 0 && low >= 0) {
            *at += 2;
            return (uint8_t)(high << 4 | low);
        }
    }
    return (uint8_t)c;
}

/* Length of the character that begins a text of n bytes, 0 if there is none that may be shown. */
static size_t character(const char *text, size_t n) {
    uint8_t c = (uint8_t)text[0];
    if (c < 0x80)
        return (c >= 0x20 && c != 0x7F) || c == '\n' || c == '\t' ? 1 : 0;
    size_t len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    return len <= n && utf8_valid(text, len) ? len : 0;
}

void grpc_status_text(const char *value, size_t n, char *ret_text, size_t size) {
    static const char replacement[] = "\xEF\xBF\xBD";
    char decoded[ERR_MSG_MAX];
    size_t have = 0, used = 0;
    for (size_t at = 0; at < n && have < sizeof decoded;)
        decoded[have++] = (char)decode_byte(value, n, &at);
    for (size_t i = 0; i < have;) {
        size_t len = character(decoded + i, have - i), room = size - used;
        const char *from = len ? decoded + i : replacement;
        size_t take = len ? len : sizeof replacement - 1;
        if (take >= room)
            break;
        memcpy(ret_text + used, from, take);
        used += take;
        i += len ? len : 1;
    }
    ret_text[used] = '\0';
}

void grpc_status_printable(const void *bytes, size_t n, char *ret_text, size_t size) {
    const uint8_t *p = bytes;
    size_t used = 0;
    for (; used < n && used + 1 < size; used++)
        ret_text[used] = p[used] >= 0x20 && p[used] < 0x7F ? (char)p[used] : '?';
    ret_text[used] = '\0';
}

void grpc_status_timeout(int64_t ms, char ret_text[GRPC_TIMEOUT_MAX]) {
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'m', 1}, {'S', 1000}, {'M', 60 * 1000}, {'H', 60 * 60 * 1000}};
    enum { DIGITS_MAX = 99999999 };
    int64_t number = 0;
    char unit = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && !unit; i++) {
        number = ms / units[i].ms + (ms % units[i].ms > 0);
        if (number <= DIGITS_MAX || units[i].unit == 'H')
            unit = units[i].unit;
    }
    if (number > DIGITS_MAX)
        number = DIGITS_MAX;
    snprintf(ret_text, GRPC_TIMEOUT_MAX, "%d%c", number < 0 ? 0 : (int)number, unit);
}

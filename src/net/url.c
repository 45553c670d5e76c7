#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char HOST_CHARS[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
static const char UNRESERVED[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

static bool is_loopback(const char *host) {
    struct in_addr v4;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* Length of the host at p, 0 if it is not one. */
static size_t host_length(const char *p) {
    if (*p != '[')
        return strspn(p, HOST_CHARS);
    size_t n = strcspn(p, "]");
    char inner[INET6_ADDRSTRLEN];
    struct in6_addr v6;
    if (p[n] != ']' || n - 1 >= sizeof inner)
        return 0;
    memcpy(inner, p + 1, n - 1);
    inner[n - 1] = '\0';
    return inet_pton(AF_INET6, inner, &v6) == 1 ? n + 1 : 0;
}

/* Steps over ":port"; false if something else follows the host. */
static bool skip_port(const char **p) {
    if (**p == '\0' || **p == '/')
        return true;
    if (**p != ':')
        return false;
    size_t n = strspn(*p + 1, "0123456789");
    long port = 0;
    for (size_t i = 1; i <= n && n <= 5; i++)
        port = port * 10 + ((*p)[i] - '0');
    *p += 1 + n;
    return port >= 1 && port <= 65535 && (**p == '\0' || **p == '/');
}

static bool is_path(const char *p) {
    for (; *p; p++) {
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]))
            p += 2;
        else if (*p != '/' && !strchr(UNRESERVED, *p))
            return false;
    }
    return true;
}

static bool parse_scheme(const char **p, bool *ret_is_tls) {
    static const char tls[] = "https://", plain[] = "http://";
    *ret_is_tls = strncasecmp(*p, tls, strlen(tls)) == 0;
    if (!*ret_is_tls && strncasecmp(*p, plain, strlen(plain)) != 0)
        return false;
    *p += strlen(*ret_is_tls ? tls : plain);
    return true;
}

bool url_parse(const char *text, struct url *ret_url, struct err *err) {
    struct url url = {0};
    const char *p = text;
    if (strlen(text) > URL_MAX)
        return err_set(err, ERR_INVALID_ARGUMENT, "a URL longer than %d bytes", URL_MAX);
    if (!parse_scheme(&p, &url.is_tls))
        return err_set(err, ERR_INVALID_ARGUMENT, "not a URL: it must begin with https://");
    size_t n = host_length(p);
    if (n == 0 || n >= sizeof url.host)
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "not a URL: a host name of letters, digits, '-' and '.' must follow the //");
    memcpy(url.host, p, n);
    p += n;
    if (!skip_port(&p) || !is_path(p))
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "a URL with more than host, port and plain path: user, query and fragment "
                       "are not accepted");
    url.path_at = (size_t)(p - text);
    url.is_loopback = is_loopback(url.host);
    if (!url.is_tls && !url.is_loopback)
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "plain http:// would send the credentials unencrypted to %s: use https:// "
                       "(http:// is for a loopback address only)",
                       url.host);
    *ret_url = url;
    return true;
}

void url_show_host(const char *text, char *ret_host, size_t size) {
    ret_host[0] = '\0';
    const char *p = strstr(text, "://");
    if (!p)
        return;
    p += 3;
    if (memchr(p, '@', strcspn(p, "/?#")))
        return;
    size_t n = strcspn(p, "/?#:");
    if (*p == '[')
        n = host_length(p);
    if (n == 0 || n >= size || (*p != '[' && strspn(p, HOST_CHARS) < n))
        return;
    memcpy(ret_host, p, n);
    ret_host[n] = '\0';
}

bool url_add_segment(char *out, size_t size, const char *segment) {
    static const char hex[] = "0123456789ABCDEF";
    size_t n = strlen(out);
    for (; *segment; segment++) {
        unsigned char c = (unsigned char)*segment;
        bool is_plain = strchr(UNRESERVED, c) != NULL;
        if (n + (is_plain ? 1 : 3) >= size)
            return false;
        if (is_plain) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = hex[c >> 4];
            out[n++] = hex[c & 15];
        }
        out[n] = '\0';
    }
    return true;
}

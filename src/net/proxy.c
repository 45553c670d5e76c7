#include "net/proxy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "net/basic.h"

/* ---- where to ---- */

struct ip {
    unsigned char bytes[16];
    int len; /* 4 (also for an IPv4 address in IPv6 clothes) or 16 */
};

struct target {
    char host[PROXY_HOST_MAX]; /* small letters */
    char port[8];
    bool is_ip;
    struct ip ip;
};

static bool parse_ip(const char *text, struct ip *ret_ip) {
    struct in6_addr v6;
    struct ip ip = {.len = 4};
    if (inet_pton(AF_INET, text, ip.bytes) == 1) {
        *ret_ip = ip;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    ip.len = IN6_IS_ADDR_V4MAPPED(&v6) ? 4 : 16;
    memcpy(ip.bytes, v6.s6_addr + 16 - ip.len, (size_t)ip.len);
    *ret_ip = ip;
    return true;
}

static bool is_loopback(const struct target *t) {
    static const unsigned char v6_loopback[16] = {[15] = 1};
    if (!t->is_ip)
        return strcmp(t->host, "localhost") == 0;
    return t->ip.len == 4 ? t->ip.bytes[0] == 127 : memcmp(t->ip.bytes, v6_loopback, 16) == 0;
}

static void copy_lower(char *out, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[n] = '\0';
}

static bool target_init(struct target *t, const char *host, int port, struct err *err) {
    char bare[PROXY_HOST_MAX];
    size_t n = strlen(host);
    if (n == 0 || n >= sizeof t->host)
        return err_set(err, ERR_INVALID_ARGUMENT, "a host name must have 1 to %d characters",
                       PROXY_HOST_MAX - 1);
    copy_lower(t->host, host, n);
    snprintf(t->port, sizeof t->port, "%d", port);
    /* "fe80::1%eth0" is the address fe80::1. */
    size_t zone_at = strcspn(t->host, "%");
    memcpy(bare, t->host, n + 1);
    bare[zone_at] = '\0';
    t->is_ip = parse_ip(bare, &t->ip);
    return true;
}

/* ---- NO_PROXY ---- */

enum match { MATCH_NO, MATCH_YES, MATCH_NOT_A_BLOCK };

/* Cuts "host:port" and "[v6]:port"; a text with more colons is a host alone, as in Go. */
static void split_port(char *entry, char **ret_host, const char **ret_port) {
    char *end, *colon = strrchr(entry, ':');
    *ret_host = entry;
    *ret_port = "";
    if (entry[0] == '[') {
        end = strchr(entry, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return;
        *ret_port = end[1] == ':' ? end + 2 : "";
        *end = '\0';
        *ret_host = entry + 1;
    } else if (colon && strchr(entry, ':') == colon) {
        *ret_port = colon + 1;
        *colon = '\0';
    }
}

static bool has_prefix(const struct ip *ip, const struct ip *block, int bits) {
    for (int i = 0; i < bits; i++) {
        int mask = 0x80 >> i % 8;
        if (((ip->bytes[i / 8] ^ block->bytes[i / 8]) & mask) != 0)
            return false;
    }
    return true;
}

static enum match match_block(const char *entry, const struct target *t) {
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(entry, '/');
    struct ip block;
    if (!slash || (size_t)(slash - entry) >= sizeof address)
        return MATCH_NOT_A_BLOCK;
    memcpy(address, entry, (size_t)(slash - entry));
    address[slash - entry] = '\0';
    size_t digits = strspn(slash + 1, "0123456789");
    if (digits == 0 || digits > 3 || slash[1 + digits] != '\0' || !parse_ip(address, &block))
        return MATCH_NOT_A_BLOCK;
    long bits = strtol(slash + 1, NULL, 10);
    if (strchr(address, ':') && block.len == 4)
        bits -= 96;
    if (bits < 0 || bits > block.len * 8)
        return MATCH_NOT_A_BLOCK;
    return t->is_ip && t->ip.len == block.len && has_prefix(&t->ip, &block, (int)bits) ? MATCH_YES
                                                                                      : MATCH_NO;
}

static bool match_name(const char *entry, const struct target *t) {
    if (strncmp(entry, "*.", 2) == 0)
        entry++;
    bool is_suffix_only = entry[0] == '.';
    const char *name = is_suffix_only ? entry + 1 : entry;
    size_t host_len = strlen(t->host), name_len = strlen(name);
    if (t->is_ip || name_len == 0 || host_len < name_len)
        return false;
    const char *tail = t->host + host_len - name_len;
    if (strcmp(tail, name) != 0)
        return false;
    return tail == t->host ? !is_suffix_only : tail[-1] == '.';
}

/* One entry, in small letters and without blanks; it is cut apart. */
static bool match_entry(char *entry, const struct target *t) {
    struct ip ip;
    char *host;
    const char *port;
    if (strcmp(entry, "*") == 0)
        return true;
    enum match block = match_block(entry, t);
    if (block != MATCH_NOT_A_BLOCK)
        return block == MATCH_YES;
    split_port(entry, &host, &port);
    if (port[0] && strcmp(port, t->port) != 0)
        return false;
    if (parse_ip(host, &ip))
        return t->is_ip && ip.len == t->ip.len && memcmp(ip.bytes, t->ip.bytes, (size_t)ip.len) == 0;
    return match_name(host, t);
}

static bool is_excluded(const char *no_proxy, const struct target *t) {
    char entry[PROXY_HOST_MAX + 16];
    for (const char *p = no_proxy ? no_proxy : ""; *p;) {
        size_t n = strcspn(p, ",");
        const char *next = p + n + (p[n] == ',');
        while (n > 0 && isspace((unsigned char)*p))
            p++, n--;
        while (n > 0 && isspace((unsigned char)p[n - 1]))
            n--;
        /* Longer ones match no name that there is. */
        if (n > 0 && n < sizeof entry) {
            copy_lower(entry, p, n);
            if (match_entry(entry, t))
                return true;
        }
        p = next;
    }
    return false;
}

/* ---- HTTPS_PROXY ---- */

#define FORM_HELP "write it as http://host:port or http://user:password@host:port"

struct scheme {
    const char *name;
    bool is_supported;
};

static const struct scheme schemes[] = {
    {"http", true}, {"https", false}, {"socks5", false}, {"socks5h", false}, {"socks4", false},
};

static bool skip_scheme(const char **p, struct err *err) {
    const char *sep = strstr(*p, "://");
    if (!sep)
        return true;
    size_t n = (size_t)(sep - *p);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strlen(schemes[i].name) != n || strncasecmp(*p, schemes[i].name, n) != 0)
            continue;
        if (!schemes[i].is_supported)
            return err_set(err, ERR_INVALID_ARGUMENT,
                           "HTTPS_PROXY names a proxy of kind %s, but only http:// proxies are "
                           "supported; " FORM_HELP, schemes[i].name);
        *p = sep + 3;
        return true;
    }
    return err_set(err, ERR_INVALID_ARGUMENT,
                   "HTTPS_PROXY names a proxy of an unknown kind; " FORM_HELP);
}

static int hex_value(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes %XX in place; false for a broken one and for what C strings or a header cannot hold. */
static bool decode(char *text) {
    char *out = text;
    for (const char *p = text; *p; p++) {
        int c = (unsigned char)*p;
        if (c == '%') {
            int high = hex_value(p[1]), low = high < 0 ? -1 : hex_value(p[2]);
            if (low < 0)
                return false;
            c = high << 4 | low;
            p += 2;
        }
        if (c == '\0')
            return false;
        *out++ = (char)c;
    }
    *out = '\0';
    return true;
}

static bool read_credentials(const char *text, size_t n, struct secret *ret_line, struct err *err) {
    char *user = mem_strndup(text, n), *colon = strchr(user, ':');
    struct secret password = SECRET_INIT, basic = SECRET_INIT;
    if (colon)
        *colon = '\0';
    bool ok = decode(user) && (!colon || decode(colon + 1));
    if (ok) {
        secret_set(&password, colon ? colon + 1 : "", colon ? strlen(colon + 1) : 0);
        basic_header(user, &password, &basic);
        char *line = mem_printf("Proxy-%s", secret_reveal(&basic));
        secret_set(ret_line, line, strlen(line));
        explicit_bzero(line, strlen(line));
        free(line);
    }
    secret_done(&basic);
    secret_done(&password);
    explicit_bzero(user, n);
    free(user);
    return ok || err_set(err, ERR_INVALID_ARGUMENT,
                         "HTTPS_PROXY has a user or password with a broken %%XX in it; write the "
                         "special characters as %%XX");
}

static bool read_port(const char *text, size_t n, int *ret_port) {
    int port = 0;
    if (n > 5)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (text[i] - '0');
    }
    *ret_port = n == 0 ? 80 : port;
    return *ret_port >= 1 && *ret_port <= 65535;
}

/* host, host:port, [v6], [v6]:port */
static bool read_authority(const char *text, size_t n, struct proxy *proxy) {
    static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    bool is_v6 = n > 0 && text[0] == '[';
    struct ip ip;
    size_t host_at = is_v6 ? 1 : 0;
    size_t host_len = is_v6 ? strcspn(text + 1, "]") : strspn(text, name_chars);
    size_t after = host_at + host_len + (is_v6 ? 1 : 0);
    if (after > n || host_len == 0 || host_len >= sizeof proxy->host)
        return false;
    memcpy(proxy->host, text + host_at, host_len);
    proxy->host[host_len] = '\0';
    if (is_v6 && !parse_ip(proxy->host, &ip))
        return false;
    if (after == n)
        return read_port("", 0, &proxy->port);
    return text[after] == ':' && read_port(text + after + 1, n - after - 1, &proxy->port);
}

static bool parse_setting(const char *text, struct proxy *ret_proxy, struct err *err) {
    struct proxy proxy = {.is_direct = false};
    if (strlen(text) > PROXY_SETTING_MAX)
        return err_set(err, ERR_INVALID_ARGUMENT, "HTTPS_PROXY is longer than %d bytes",
                       PROXY_SETTING_MAX);
    if (!skip_scheme(&text, err))
        return false;
    size_t n = strcspn(text, "/?#");
    const char *at = memrchr(text, '@', n);
    const char *authority = at ? at + 1 : text;
    if (!read_authority(authority, n - (size_t)(authority - text), &proxy))
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "HTTPS_PROXY does not name a proxy; " FORM_HELP
                       " (special characters of the password as %%XX)");
    if (at && !read_credentials(text, (size_t)(at - text), &proxy.authorization, err))
        return false;
    *ret_proxy = proxy;
    return true;
}

bool proxy_for(const struct proxy_settings *settings, const char *host, int port,
               struct proxy *ret_proxy, struct err *err) {
    struct target target;
    if (!target_init(&target, host, port, err))
        return false;
    if (!settings->https_proxy || !settings->https_proxy[0] || is_loopback(&target) ||
        is_excluded(settings->no_proxy, &target)) {
        *ret_proxy = PROXY_INIT;
        return true;
    }
    return parse_setting(settings->https_proxy, ret_proxy, err);
}

static const char *either_variable(const char *upper, const char *lower) {
    const char *value = getenv(upper);
    return value && value[0] ? value : getenv(lower);
}

struct proxy_settings proxy_settings_from_environment(void) {
    return (struct proxy_settings){
        .https_proxy = either_variable("HTTPS_PROXY", "https_proxy"),
        .no_proxy = either_variable("NO_PROXY", "no_proxy"),
    };
}

void proxy_done(struct proxy *proxy) {
    if (!proxy)
        return;
    secret_done(&proxy->authorization);
    *proxy = PROXY_INIT;
}

/* ---- the tunnel ---- */

void proxy_request(const struct proxy *proxy, const char *host, int port, struct secret *ret_text) {
    bool is_v6 = strchr(host, ':') != NULL;
    bool has_credentials = secret_is_set(&proxy->authorization);
    const char *open = is_v6 ? "[" : "", *close = is_v6 ? "]" : "";
    char *text = mem_printf("CONNECT %s%s%s:%d HTTP/1.1\r\nHost: %s%s%s:%d\r\n%s%s\r\n", open, host,
                            close, port, open, host, close, port,
                            secret_reveal(&proxy->authorization), has_credentials ? "\r\n" : "");
    size_t n = strlen(text);
    secret_set(ret_text, text, n);
    explicit_bzero(text, n);
    free(text);
}

static bool refuse(struct err *err, const char *what) {
    return err_set(err, ERR_UNAVAILABLE,
                   "%s; check that HTTPS_PROXY names the host and port of an HTTP proxy", what);
}

/* "HTTP/1.1 200 OK": as much of it as is there must fit. */
static bool fits_version(const char *line, size_t n) {
    static const char form[] = "HTTP/1.";
    size_t known = n < sizeof form - 1 ? n : sizeof form - 1;
    return memcmp(line, form, known) == 0;
}

static bool read_status(struct proxy_answer *a, size_t n, struct err *err) {
    static const char start[] = "HTTP/1.1 ";
    const char *p = a->status_line + sizeof start - 1;
    if (n < sizeof start - 1 + 3 || !isdigit((unsigned char)p[-2]) || p[-1] != ' ' ||
        p[0] < '1' || p[0] > '9' || !isdigit((unsigned char)p[1]) ||
        !isdigit((unsigned char)p[2]) || (p[3] != '\0' && p[3] != ' '))
        return refuse(err, "the proxy answered with a broken HTTP status line");
    a->status = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
    return true;
}

/* A line is at its end: of the first one comes the status, an empty one ends the head. */
static bool end_line(struct proxy_answer *a, struct err *err) {
    if (a->status == 0) {
        size_t n = a->line_length;
        if (n > 0 && a->status_line[n - 1] == '\r')
            n--;
        a->status_line[n] = '\0';
        if (!read_status(a, n, err))
            return false;
    } else if (a->line_length == 0)
        a->is_complete = true;
    a->line_length = 0;
    return true;
}

static bool take_byte(struct proxy_answer *a, char c, struct err *err) {
    if (c == '\0')
        return refuse(err, "the proxy's answer is not HTTP");
    if (c == '\n')
        return end_line(a, err);
    if (a->status == 0) {
        if (a->line_length == PROXY_STATUS_LINE_MAX)
            return refuse(err, "the proxy's answer begins with a line that is too long");
        a->status_line[a->line_length++] = c;
        return fits_version(a->status_line, a->line_length) ||
               refuse(err, "the proxy's answer is not HTTP");
    }
    /* An empty line may be "\r\n"; a lone "\r" inside a line does no harm. */
    if (c != '\r')
        a->line_length++;
    return true;
}

bool proxy_answer_feed(struct proxy_answer *a, const char *bytes, size_t n, size_t *ret_used,
                       struct err *err) {
    size_t used = 0;
    while (used < n && !a->is_complete) {
        if (++a->total > PROXY_ANSWER_MAX)
            return err_set(err, ERR_UNAVAILABLE, "the head of the proxy's answer is longer than %d bytes",
                           PROXY_ANSWER_MAX);
        if (!take_byte(a, bytes[used++], err))
            return false;
    }
    *ret_used = used;
    return true;
}

struct status_help {
    int status;
    const char *what;
};

static const struct status_help status_helps[] = {
    {403, "it does not allow this target; ask its administrator to allow it, or name the target in "
          "NO_PROXY"},
    {405, "it does not open tunnels; check that HTTPS_PROXY names an HTTP proxy"},
    {407, "it wants a user and a password, or other ones; put them into HTTPS_PROXY as "
          "http://user:password@host:port"},
    {502, "it cannot reach the target; check the host name and the proxy's network"},
    {503, "it cannot serve now; try again later"},
    {504, "it got no connection to the target in time; check the host name and the proxy's network"},
};

bool proxy_answer_check(const struct proxy_answer *a, const char *target, struct err *err) {
    const char *help = "check HTTPS_PROXY and what the proxy allows";
    if (a->status >= 200 && a->status <= 299)
        return true;
    for (size_t i = 0; i < sizeof status_helps / sizeof status_helps[0]; i++)
        if (status_helps[i].status == a->status)
            help = status_helps[i].what;
    return err_set(err, ERR_UNAVAILABLE, "the proxy refused a tunnel to %s with HTTP status %d: %s",
                   target, a->status, help);
}

#include "baton/health_check.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "baton/gotext.h"

enum { URL_MAX = 512, HEAD_MAX = 64 * 1024, SHOWN_MAX = 200 };

struct check {
    const char *address;
    const char *path;
    char port[8];
    char where[URL_MAX]; /* "127.0.0.1:8081" */
    char url[URL_MAX];
    int64_t deadline_ms; /* 0: none */
    int fd;
};

/* --- failures, as net/http and the SDK's transport put them --- */

static bool fail(const struct check *c, enum err_code code, const char *what, struct err *err) {
    return err_set(err, code, "health check failed: Get \"%s\": %s", c->url, what);
}

static bool fail_rpc(const struct check *c, enum err_code code, const char *what, const char *cause,
                     struct err *err) {
    return err_set(err, code, "health check failed: Get \"%s\": rpc error: code = %s desc = %s\n%s",
                   c->url, err_code_name(code), what, cause);
}

static bool fail_timeout(const struct check *c, struct err *err) {
    return fail_rpc(c, ERR_DEADLINE_EXCEEDED, "network timeout: context deadline exceeded",
                    "context deadline exceeded", err);
}

/* `step` is "connect", "read" or "write". */
static bool fail_errno(const struct check *c, const char *step, int errnum, struct err *err) {
    char space[128], text[160], cause[URL_MAX + 256];
    snprintf(text, sizeof text, "%s", strerror_r(errnum, space, sizeof space));
    if (text[0] >= 'A' && text[0] <= 'Z')
        text[0] = (char)(text[0] - 'A' + 'a'); /* Go's spelling */
    snprintf(cause, sizeof cause, "%s tcp %s: %s: %s", *step == 'c' ? "dial" : step, c->where, step,
             text);
    const char *what = errnum == ECONNREFUSED ? "connection refused"
                       : errnum == ECONNRESET ? "connection reset"
                                              : text;
    return fail_rpc(c, ERR_UNAVAILABLE, what, cause, err);
}

/* --- waiting --- */

static int ms_left(const struct check *c) {
    if (!c->deadline_ms)
        return -1;
    int64_t left = c->deadline_ms - clock_mono_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static bool wait_for(const struct check *c, short events, struct err *err) {
    for (;;) {
        struct pollfd p = {.fd = c->fd, .events = events};
        int n = poll(&p, 1, ms_left(c));
        if (n > 0)
            return true;
        if (n == 0)
            return fail_timeout(c, err);
        if (errno != EINTR)
            return fail_errno(c, "connect", errno, err);
    }
}

/* --- connecting --- */

static bool resolve(const struct check *c, struct addrinfo **ret, struct err *err) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    const char *host = *c->address ? c->address : NULL;
    int rc = getaddrinfo(host, c->port, &hints, ret);
    if (rc == 0)
        return true;
    char cause[URL_MAX + 64];
    snprintf(cause, sizeof cause, "dial tcp: lookup %s: %s", c->address,
             rc == EAI_NONAME ? "no such host" : gai_strerror(rc));
    return fail_rpc(c, ERR_INVALID_ARGUMENT,
                    rc == EAI_NONAME ? "dns lookup failed: NXDOMAIN" : "dns lookup failed", cause,
                    err);
}

static bool connect_to(struct check *c, const struct addrinfo *a, struct err *err) {
    c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return fail_errno(c, "connect", errno, err);
    if (connect(c->fd, a->ai_addr, a->ai_addrlen) == 0)
        return true;
    if (errno != EINPROGRESS)
        return fail_errno(c, "connect", errno, err);
    if (!wait_for(c, POLLOUT, err))
        return false;
    int problem = 0;
    socklen_t len = sizeof problem;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0)
        problem = errno;
    return problem == 0 || fail_errno(c, "connect", problem, err);
}

/* The first address that answers; the error is that of the last one tried. */
static bool open_connection(struct check *c, struct err *err) {
    struct addrinfo *list;
    if (!resolve(c, &list, err))
        return false;
    bool ok = false;
    for (const struct addrinfo *a = list; a && !ok; a = a->ai_next) {
        if (c->fd >= 0)
            close(c->fd);
        ok = connect_to(c, a, err);
    }
    freeaddrinfo(list);
    return ok;
}

/* --- request and answer --- */

static bool send_request(const struct check *c, struct err *err) {
    char text[2 * URL_MAX];
    int n = snprintf(text, sizeof text,
                     "GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: baton-health-check\r\n"
                     "Accept: application/json\r\nConnection: close\r\n\r\n",
                     c->path, c->where);
    for (int sent = 0; sent < n;) {
        ssize_t k = send(c->fd, text + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (k > 0)
            sent += (int)k;
        else if (errno == EAGAIN && !wait_for(c, POLLOUT, err))
            return false;
        else if (errno != EAGAIN && errno != EINTR)
            return fail_errno(c, "write", errno, err);
    }
    return true;
}

/* Reads more of the head; the end of the connection is an error. */
static bool read_more(const struct check *c, struct buf *head, struct err *err) {
    char chunk[4096];
    if (!wait_for(c, POLLIN, err))
        return false;
    ssize_t n = recv(c->fd, chunk, sizeof chunk, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR || fail_errno(c, "read", errno, err);
    if (n == 0 && head->len == 0)
        return fail_rpc(c, ERR_UNAVAILABLE, "connection closed before response", "EOF", err);
    if (n == 0)
        return fail_rpc(c, ERR_UNAVAILABLE, "unexpected EOF", "unexpected EOF", err);
    if (!buf_add(head, chunk, (size_t)n))
        return fail(c, ERR_UNKNOWN, "net/http: server response headers exceeded the limit", err);
    return true;
}

/* "HTTP/1.1 200 OK"; 0 if the line is none. */
static int status_of(const char *line) {
    static const char version[] = "HTTP/1.";
    const char *p = line + sizeof version - 1;
    if (strncmp(line, version, sizeof version - 1) != 0 || (*p != '0' && *p != '1') || p[1] != ' ')
        return 0;
    int status = 0, digits = 0;
    for (p += 2; *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
        status = status * 10 + (*p - '0');
    return digits == 3 && (*p == ' ' || *p == '\r' || *p == '\n') ? status : 0;
}

static bool fail_malformed(const struct check *c, const struct buf *head, struct err *err) {
    char line[SHOWN_MAX];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(head->data, "\r\n"), head->data);
    buf_auto struct buf text;
    buf_init(&text, 4 * SHOWN_MAX + 128);
    buf_adds(&text, "net/http: HTTP/1.x transport connection broken: malformed HTTP response ");
    gotext_quote(&text, line);
    return fail(c, ERR_UNKNOWN, text.data, err);
}

/* The status of the answer; interim ones (1xx) are passed over. */
static bool read_status(const struct check *c, int *ret_status, struct err *err) {
    buf_auto struct buf head;
    buf_init(&head, HEAD_MAX);
    for (;;) {
        const char *end = strchr(head.data, '\n');
        int status = end ? status_of(head.data) : 0;
        if (end && !status)
            return fail_malformed(c, &head, err);
        if (status >= 200) {
            *ret_status = status;
            return true;
        }
        const char *blank = status ? strstr(head.data, "\r\n\r\n") : NULL;
        if (blank)
            buf_drop(&head, (size_t)(blank + 4 - head.data));
        else if (!read_more(c, &head, err))
            return false;
    }
}

static bool run(struct check *c, struct err *err) {
    int status = 0;
    if (!open_connection(c, err) || !send_request(c, err) || !read_status(c, &status, err))
        return false;
    return status == 200 || err_set(err, ERR_UNKNOWN, "health check returned status %d", status);
}

bool health_check(const char *address, int64_t port, const char *endpoint, int64_t timeout_s,
                  struct err *err) {
    if (strcmp(endpoint, "health") != 0 && strcmp(endpoint, "ready") != 0 &&
        strcmp(endpoint, "live") != 0)
        return err_set(err, ERR_UNKNOWN, "invalid endpoint: %s (valid: health, ready, live)",
                       endpoint);
    struct check c = {.address = address, .path = endpoint, .fd = -1};
    bool is_v6 = strchr(address, ':') != NULL;
    snprintf(c.where, sizeof c.where, "%s%.250s%s:%" PRId64, is_v6 ? "[" : "", address,
             is_v6 ? "]" : "", port);
    snprintf(c.url, sizeof c.url, "http://%.300s/%s", c.where, endpoint);
    if (port < 0)
        return err_set(err, ERR_UNKNOWN,
                       "failed to create request: parse \"%s\": invalid port \":%" PRId64
                       "\" after host",
                       c.url, port);
    if (port > 65535) {
        char what[64];
        snprintf(what, sizeof what, "dial tcp: address %" PRId64 ": invalid port", port);
        return fail(&c, ERR_UNKNOWN, what, err);
    }
    snprintf(c.port, sizeof c.port, "%d", (int)port);
    if (timeout_s > 0)
        c.deadline_ms = clock_mono_ms() + (timeout_s > INT_MAX / 1000 ? INT_MAX : timeout_s * 1000);
    bool ok = run(&c, err);
    if (c.fd >= 0)
        close(c.fd);
    return ok;
}

#include "sandbox/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum { BACKLOG = 511 };

static bool is_loopback(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

/* "host:port" in two; brackets around an IPv6 host are dropped. */
static bool split(const char *address, char **ret_host, char **ret_port, struct err *err) {
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;
    bool brackets = n >= 2 && address[0] == '[' && address[n - 1] == ']';
    /* getaddrinfo() takes 99999 for 34463. */
    bool is_port = n > 0 && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
                   strlen(colon + 1) <= 5 && strtol(colon + 1, NULL, 10) <= UINT16_MAX;
    if (!is_port || (!brackets && memchr(address, ':', n)))
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "--listen takes an address and a port, such as 127.0.0.1:0 or [::1]:8080; "
                       "got %.80s",
                       address);
    *ret_host = brackets ? mem_strndup(address + 1, n - 2) : mem_strndup(address, n);
    *ret_port = mem_strdup(colon + 1);
    return true;
}

static int bind_and_listen(const struct sockaddr_storage *address, socklen_t len,
                           const char *name, struct err *err) {
    const int one = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)address, len) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    err_set_errno(err, ERR_UNAVAILABLE, errno, "listen on %s", name);
    if (fd >= 0)
        close(fd);
    return -1;
}

static void write_origin(int fd, char ret_origin[LISTENER_ORIGIN_MAX]) {
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
    getsockname(fd, (struct sockaddr *)&bound, &len);
    getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(ret_origin, LISTENER_ORIGIN_MAX,
             bound.ss_family == AF_INET6 ? "http://[%.90s]:%.8s" : "http://%.90s:%.8s", host, port);
}

int listener_open(const char *address, bool allow_remote, char ret_origin[LISTENER_ORIGIN_MAX],
                  struct err *err) {
    mem_auto char *host = NULL, *port = NULL;
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    struct sockaddr_storage chosen = {0};
    if (!split(address, &host, &port, err))
        return -1;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        err_set(err, ERR_INVALID_ARGUMENT, "--listen %s: %s", address, gai_strerror(rc));
        return -1;
    }
    socklen_t len = found->ai_addrlen;
    memcpy(&chosen, found->ai_addr, len);
    freeaddrinfo(found);
    if (!allow_remote && !is_loopback(&chosen)) {
        err_set(err, ERR_INVALID_ARGUMENT,
                "--listen %s is not a loopback address. The sandbox has well-known credentials and "
                "an open admin API, so other machines must not reach it; use 127.0.0.1:0, or add "
                "--allow-remote if you are sure",
                address);
        return -1;
    }
    int fd = bind_and_listen(&chosen, len, address, err);
    if (fd >= 0)
        write_origin(fd, ret_origin);
    return fd;
}

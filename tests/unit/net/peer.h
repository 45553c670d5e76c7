/* peer: a server for one test, in a child process, on a port of its own.
 *
 * It serves one connection after the other until it is killed: perhaps as a proxy first (which opens
 * the tunnel to itself), then as the plan says. It writes a byte into `told` whenever a client has
 * sent something to a peer that will not answer. */
#ifndef TESTS_UNIT_NET_PEER_H
#define TESTS_UNIT_NET_PEER_H

#include "tests/unit/net/certs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum peer_kind {
    PEER_ECHO,   /* TLS, and sends back what comes */
    PEER_SILENT, /* reads, and says nothing to the client */
    PEER_TEXT,   /* speaks, but not TLS */
    PEER_CLOSE,  /* takes the first bytes and closes */
};

struct peer_plan {
    enum peer_kind kind;
    const char *address; /* NULL: 127.0.0.1 */
    int port;            /* 0: any */
    const struct cert *cert;
    const char *protocol;
    int max_version; /* 0: TLS 1.3 */
    /* As a proxy: */
    const char *proxy_answer; /* NULL: it is none; "": it only reads */
    const char *proxy_wants;  /* a part of the request, without which the answer is 407 */
};

struct peer {
    pid_t pid;
    int port, told;
};

static int peer_listen(const char *address, int port, int backlog, int *ret_port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    socklen_t n = sizeof to;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    inet_pton(AF_INET, address ? address : "127.0.0.1", &to.sin_addr);
    if (bind(fd, (struct sockaddr *)&to, sizeof to) != 0 || listen(fd, backlog) != 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&to, &n);
    *ret_port = ntohs(to.sin_port);
    return fd;
}

/* Reads until the other side closes, so that closing here cannot reset what was sent. */
static void peer_drain(int fd) {
    char bytes[256];
    while (read(fd, bytes, sizeof bytes) > 0)
        continue;
}

static void peer_write(int fd, const char *text) {
    if (write(fd, text, strlen(text)) < 0)
        _exit(4);
}

/* True if the tunnel is open. */
static bool peer_be_proxy(int fd, const struct peer_plan *plan, int told) {
    char head[2048] = "";
    size_t n = 0;
    while (!strstr(head, "\r\n\r\n")) {
        ssize_t got = read(fd, head + n, sizeof head - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        head[n] = '\0';
    }
    if (plan->proxy_answer[0] == '\0') {
        peer_write(told, "p");
        peer_drain(fd);
        return false;
    }
    bool is_known = !plan->proxy_wants || strstr(head, plan->proxy_wants);
    peer_write(fd, is_known ? plan->proxy_answer : "HTTP/1.1 407 Who are you\r\nX: y\r\n\r\n");
    if (is_known && strncmp(plan->proxy_answer, "HTTP/1.1 200", 12) == 0)
        return true;
    shutdown(fd, SHUT_WR);
    peer_drain(fd);
    return false;
}

static void peer_be_echo(int fd, SSL_CTX *context) {
    char bytes[256];
    int n;
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
        while ((n = SSL_read(ssl, bytes, sizeof bytes)) > 0)
            SSL_write(ssl, bytes, n);
    SSL_free(ssl);
    shutdown(fd, SHUT_WR);
    peer_drain(fd);
}

static void peer_serve(int fd, const struct peer_plan *plan, SSL_CTX *context, int told) {
    char bytes[256];
    if (plan->proxy_answer && !peer_be_proxy(fd, plan, told))
        return;
    if (plan->kind == PEER_ECHO) {
        peer_be_echo(fd, context);
    } else if (read(fd, bytes, sizeof bytes) > 0 && plan->kind != PEER_CLOSE) {
        peer_write(plan->kind == PEER_TEXT ? fd : told, "220 mail.test ESMTP\r\n");
        if (plan->kind == PEER_TEXT)
            shutdown(fd, SHUT_WR);
        peer_drain(fd);
    }
}

static struct peer peer_start(const struct peer_plan *plan) {
    struct peer peer = {0};
    int pipe_ends[2];
    int fd = peer_listen(plan->address, plan->port, 16, &peer.port);
    assert_true(fd >= 0);
    assert_int_equal(pipe(pipe_ends), 0);
    peer.pid = fork();
    assert_true(peer.pid >= 0);
    if (peer.pid == 0) {
        /* A test that fails must not leave a server behind. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        SSL_CTX *context = plan->cert ? certs_server(plan->cert, plan->protocol) : NULL;
        if (context && plan->max_version) {
            SSL_CTX_set_security_level(context, 0);
            SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
            SSL_CTX_set_max_proto_version(context, plan->max_version);
        }
        close(pipe_ends[0]);
        for (int client; (client = accept(fd, NULL, NULL)) >= 0; close(client))
            peer_serve(client, plan, context, pipe_ends[1]);
        _exit(1);
    }
    close(fd);
    close(pipe_ends[1]);
    peer.told = pipe_ends[0];
    return peer;
}

static void peer_stop(struct peer *peer) {
    kill(peer->pid, SIGKILL);
    waitpid(peer->pid, NULL, 0);
    close(peer->told);
}

#endif

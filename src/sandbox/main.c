/* crisp-sandbox: a local stand-in for the REST API of Crisp. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/options.h"
#include "sandbox/sandbox.h"
#include "sandbox/server.h"

/* Called before any thread starts, so that all of them inherit the mask. */
static int catch_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* True once standard input is at its end. */
static bool input_closed(void) {
    char bytes[256];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void wait_for_end(int signals, bool watch_input) {
    struct pollfd fds[2] = {{.fd = signals, .events = POLLIN},
                            {.fd = watch_input ? STDIN_FILENO : -1, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        if (fds[0].revents || (fds[1].revents && input_closed()))
            return;
    }
}

/* What a connector needs to use the sandbox, in a form that shells, systemd and others read. The
 * base URL is missing: it is known only when the server listens. */
static char *client_env(const struct options *o, const struct sandbox *sandbox) {
    const struct token *t = &sandbox->tokens[o->env_tier];
    return mem_printf("BATON_CRISP_API_IDENTIFIER=%s\n"
                      "BATON_CRISP_API_KEY=%s\n"
                      "BATON_CRISP_WEBSITE_ID=%s\n"
                      "BATON_CRISP_API_TIER=%s\n",
                      t->identifier, t->key, sandbox->websites[WEBSITE_MAIN].id,
                      tier_name(t->tier));
}

static bool write_whole(int fd, const char *text) {
    size_t n = strlen(text);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;
    return (fd < 0 || close(fd) == 0) && ok;
}

/* Appears whole or not at all: a script waits for the file and reads it at once. */
static bool write_ready_file(const char *path, const char *text, struct err *err) {
    mem_auto char *temporary = mem_printf("%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (write_whole(fd, text) && rename(temporary, path) == 0)
        return true;
    err_set_errno(err, ERR_UNAVAILABLE, errno, "write %s", path);
    if (fd >= 0)
        unlink(temporary);
    return false;
}

/* For `eval "$(crisp-sandbox --print-env)"`; the base URL is known only if a port was chosen. */
static bool print_env(const struct options *o, struct err *err) {
    const char *listen = o->server.listen, *colon = strrchr(listen, ':');
    struct sandbox *sandbox = sandbox_new(&o->sandbox, err);
    if (!sandbox)
        return false;
    mem_auto char *env = client_env(o, sandbox);
    fputs(env, stdout);
    if (colon && strtol(colon + 1, NULL, 10) > 0)
        printf("BATON_CRISP_BASE_URL=http://%s/v1\n", listen);
    sandbox_free(sandbox);
    return true;
}

static bool announce(const struct options *o, const char *env, const char *origin,
                     struct err *err) {
    mem_auto char *whole = mem_printf("%sBATON_CRISP_BASE_URL=%s/v1\n", env, origin);
    if (o->ready_file && !write_ready_file(o->ready_file, whole, err))
        return false;
    printf("crisp-sandbox: listening on %s/v1\n", origin);
    return fflush(stdout) == 0 ||
           err_set_errno(err, ERR_UNAVAILABLE, errno, "write the ready line");
}

static bool run(const struct options *o, struct err *err) {
    int signals = catch_signals();
    struct sandbox *sandbox = sandbox_new(&o->sandbox, err);
    /* From here on the sandbox belongs to the server's threads. */
    mem_auto char *env = sandbox ? client_env(o, sandbox) : NULL;
    struct server *server = sandbox ? server_start(sandbox, &o->server, err) : NULL;
    bool ok = server && announce(o, env, server_origin(server), err);
    if (ok)
        wait_for_end(signals, o->exit_with_parent);
    server_stop(server);
    sandbox_free(sandbox);
    close(signals);
    return ok;
}

int main(int argc, char **argv) {
    struct options o;
    struct err err = ERR_INIT;
    if (!options_parse(argc, argv, &o, &err)) {
        fprintf(stderr, "crisp-sandbox: %s\n", err.msg);
        return 2;
    }
    bool ok = true;
    if (o.action == OPTIONS_HELP)
        options_print_help(stdout);
    else if (o.action == OPTIONS_HELP_FAULTS)
        options_print_faults(stdout);
    else if (o.action == OPTIONS_PRINT_ENV)
        ok = print_env(&o, &err);
    else if (o.action == OPTIONS_VERSION)
        puts("crisp-sandbox " BATON_CRISP_VERSION);
    else
        ok = run(&o, &err);
    if (!ok)
        fprintf(stderr, "crisp-sandbox: %s\n", err.msg);
    options_done(&o);
    return ok ? 0 : 1;
}

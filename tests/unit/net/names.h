/* names: a name server for tests, in the place of the C library's getaddrinfo().
 *
 * A program that includes this answers for every name itself, without a network; IP literals go to
 * the real function. The names are set before the lookup forks. */
#ifndef TESTS_UNIT_NET_NAMES_H
#define TESTS_UNIT_NET_NAMES_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef int names_getaddrinfo(const char *, const char *, const struct addrinfo *,
                              struct addrinfo **);

/* What the names below ".test" have: a list of IP literals. */
static const char *const *names_addresses;
/* A descriptor of the asking process; "alone.test" has addresses only where it is not open. */
static int names_foreign_fd = -1;

__attribute__((visibility("default"))) int getaddrinfo(const char *restrict host,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict list) {
    names_getaddrinfo *real;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof real);
    if (hints && hints->ai_flags & AI_NUMERICHOST)
        return real(host, service, hints, list);
    if (strcmp(host, "again.test") == 0)
        return EAI_AGAIN;
    if (strcmp(host, "system.test") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    if (strcmp(host, "signals.test") == 0) {
        raise(SIGHUP);
        raise(SIGINT);
        raise(SIGTERM);
    }
    if (strcmp(host, "dies.test") == 0)
        _exit(3);
    if (strcmp(host, "hangs.test") == 0)
        for (;;)
            pause();
    if (strcmp(host, "alone.test") == 0 && fcntl(names_foreign_fd, F_GETFD) >= 0)
        return EAI_FAIL;
    if (strcmp(host, "none.test") == 0 || !names_addresses)
        return EAI_NONAME;
    struct addrinfo numeric = *hints, **end = list;
    numeric.ai_flags |= AI_NUMERICHOST;
    for (const char *const *a = names_addresses; *a; a++) {
        if (real(*a, service, &numeric, end) != 0)
            return EAI_FAIL;
        end = &(*end)->ai_next;
    }
    return 0;
}

#endif

/* slow-resolver: a name server that never answers, as a library for LD_PRELOAD. */
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
    (void)service;
    (void)hints;
    (void)res;
    dprintf(STDERR_FILENO, "slow-resolver: %s\n", node);
    sleep(120); /* longer than any test waits */
    return EAI_AGAIN;
}

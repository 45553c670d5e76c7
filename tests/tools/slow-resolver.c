/* slow-resolver: a name server that never answers, as a library for LD_PRELOAD. */
#include <netdb.h>
#include <unistd.h>

__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
    (void)node;
    (void)service;
    (void)hints;
    (void)res;
    sleep(120); /* longer than any test waits */
    return EAI_AGAIN;
}

#include <stdio.h>
#include <unistd.h>

#include "connectors/crisp/crisp.h"
#include "program/program.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

int main(int argc, char **argv) {
    int code = baton_main(argc, argv, &crisp_connector);
#ifndef IS_SANITIZED
    /* libcurl's libraries tidy their memory up at exit, which touches more of it: 0.3 MiB and 3 % of a small
     * sync. We register nothing ourselves; sanitizers report at exit. */
    fflush(NULL);
    _exit(code);
#endif
    return code;
}

#include "net/curl_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

static const char LIBRARY[] = "libcurl.so.4";
static const char ADVICE[] = "install libcurl (Debian, Ubuntu: apt install libcurl4)";

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define CURL_API_ROW(field, function) {#function, offsetof(struct curl_api, field)},
    CURL_API_FUNCTIONS(CURL_API_ROW)
#undef CURL_API_ROW
};

static bool fill(struct curl_api *api, void *library, struct err *err) {
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *address = dlsym(library, functions[i].name);
        if (!address)
            return err_set(err, ERR_FAILED_PRECONDITION, "%s has no %s, it is too old: %s", LIBRARY,
                           functions[i].name, ADVICE);
        /* A copy of the bytes: ISO C has no conversion between object and function pointers. */
        memcpy((char *)api + functions[i].offset, &address, sizeof address);
    }
    return true;
}

static bool open_library(struct curl_api *api, struct err *err) {
    /* Debian's libcurl brings GnuTLS along for RTMP, which would start itself up, with its PKCS#11 modules,
     * when it is loaded: nearly 1 MiB and a millisecond for nothing. libcurl's own TLS is OpenSSL. */
    setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
    /* Lazy: of the thousands of symbols in the 36 libraries, a GET needs few. */
    void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_FAILED_PRECONDITION, "load %s: %s: %s", LIBRARY, dlerror(), ADVICE);
    pages_drop_link_tables(); /* of 45 libraries: more than 1 MiB */
    return fill(api, library, err);
}

static bool init(struct curl_api *api, struct err *err) {
    /* Without this call curl_easy_init() would make it with its default flags; SSL alone is what an
     * HTTPS client needs on this platform. */
    CURLcode code = api->global_init(CURL_GLOBAL_SSL);
    if (code != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "start %s: %s", LIBRARY, api->easy_strerror(code));
    const curl_version_info_data *info = api->version_info(CURLVERSION_NOW);
    if (!(info->features & CURL_VERSION_SSL))
        return err_set(err, ERR_FAILED_PRECONDITION, "%s was built without TLS: %s", LIBRARY,
                       ADVICE);
    api->has_gzip = (info->features & CURL_VERSION_LIBZ) != 0;
    return true;
}

const struct curl_api *curl_api_load(struct err *err) {
    static struct curl_api api;
    static bool is_ready;
    if (is_ready)
        return &api;
    if (!open_library(&api, err) || !init(&api, err))
        return NULL;
    is_ready = true;
    return &api;
}

/* curl_api: libcurl, loaded when the first request is made.
 *
 * The program does not link libcurl. Debian's build of it brings LDAP, Kerberos, SSH, RTMP and
 * more:
 * merely linking it makes the dynamic loader map 36 libraries, which costs 4 ms and 3 MiB in every
 * `--help`, `config` and `capabilities`, none of which speaks to anybody. So the library is opened
 * with dlopen() and reached through this table, which one list makes: the type of each pointer is
 * the declaration in curl's own header, so a call is checked like any other.
 *
 * The library stays loaded until the process ends (OpenSSL registers exit handlers that must not be
 * unmapped). Thread-safe once curl_api_load() has returned; call that from one thread first.
 */
#ifndef NET_CURL_API_H
#define NET_CURL_API_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"

#define CURL_API_FUNCTIONS(X)                                                                      \
    X(global_init, curl_global_init)                                                               \
    X(version_info, curl_version_info)                                                             \
    X(easy_init, curl_easy_init)                                                                   \
    X(easy_setopt, curl_easy_setopt)                                                               \
    X(easy_getinfo, curl_easy_getinfo)                                                             \
    X(easy_strerror, curl_easy_strerror)                                                           \
    X(easy_cleanup, curl_easy_cleanup)                                                             \
    X(multi_init, curl_multi_init)                                                                 \
    X(multi_setopt, curl_multi_setopt)                                                             \
    X(multi_add_handle, curl_multi_add_handle)                                                     \
    X(multi_remove_handle, curl_multi_remove_handle)                                               \
    X(multi_perform, curl_multi_perform)                                                           \
    X(multi_poll, curl_multi_poll)                                                                 \
    X(multi_info_read, curl_multi_info_read)                                                       \
    X(multi_strerror, curl_multi_strerror)                                                         \
    X(multi_cleanup, curl_multi_cleanup)

struct curl_api {
#define CURL_API_POINTER(field, function) typeof(&function) field;
    CURL_API_FUNCTIONS(CURL_API_POINTER)
#undef CURL_API_POINTER
    bool has_gzip;
};

/* The table, or NULL and err (FailedPrecondition, with the package to install) if the library is
 * missing, too old or without TLS. */
const struct curl_api *curl_api_load(struct err *err);

#endif

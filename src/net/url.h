/* url: the address of a REST API, in the narrow form that we send credentials to.
 *
 * `https://host[:port][/path]`, or `http://` where the host is this machine itself. Host names are
 * letters, digits, `-` and `.`, or an IPv6 address in brackets; a path is made of unreserved
 * characters (RFC 3986 2.3), `/` and `%XX`. No user, no query, no fragment, no IDN: what two
 * parsers could read differently is refused, so libcurl talks to the host that was checked here.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { URL_MAX = 2048, URL_HOST_MAX = 256 };

struct url {
    bool is_tls;
    bool is_loopback;       /* 127.0.0.0/8, ::1, localhost */
    char host[URL_HOST_MAX]; /* without port, with the brackets of IPv6 */
    size_t path_at;         /* where the path begins in the text; its length if there is none */
};

/* InvalidArgument for anything else than the above. The text itself is not shown in errors: it may
 * hold a password. */
bool url_parse(const char *text, struct url *ret_url, struct err *err);

/* The host of any URL, to show it: "" if there is none or it has odd characters. */
void url_show_host(const char *text, char *ret_host, size_t size);

/* Appends the percent-encoded form of one path segment to out[0..size), NUL-terminated; false if it
 * does not fit. */
bool url_add_segment(char *out, size_t size, const char *segment);

#endif

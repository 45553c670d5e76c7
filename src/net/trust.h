/* trust: which servers are believed, as an OpenSSL context that follows its files.
 *
 * TLS 1.2 or later, certificates always verified. The system's store is Debian's hashed directory, read
 * one certificate at a time; on a system without it, the bundle. SSL_CERT_FILE or SSL_CERT_DIR (several
 * directories with `:` between them) adds to it, both together take its place, as in Go and libcurl.
 * Of a directory in SSL_CERT_DIR the certificates with a hash for a name are found as they are needed;
 * one that has none of those is read whole, as Go does. A certificate in these files is believed even
 * if it is not a root, and the name must be among the certificate's alternative names; that is Go's
 * way, too.
 *
 * The context is made at the first use and again when a file it came from has changed on disk, so a
 * rotated CA needs no restart. An unreadable new file keeps the old context and is an error only
 * where there is none.
 *
 * Limits: TRUST_FILE_MAX bytes of a file, TRUST_FILES_MAX files of a directory without hashes.
 * Errors: Unknown, naming the file and what to do. One thread.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <openssl/ssl.h>

#include "base/err.h"

enum { TRUST_FILE_MAX = 16 * 1024 * 1024, TRUST_FILES_MAX = 4096 };

struct trust;

/* Looks at the environment now, at the files at the first use. */
struct trust *trust_new(void);
void trust_free(struct trust *trust);

/* A client session that will insist on `host` (SNI and name check; an IP literal gets no SNI and is
 * compared with the certificate's addresses) and on the ALPN protocol. The caller frees it. */
SSL *trust_session(struct trust *trust, const char *host, const char *protocol, struct err *err);
/* Why the handshake of this session failed, in words that name the host and what to do: Unavailable.
 * It looks at the result of the verification, then at the thread's queue of OpenSSL errors. */
void trust_explain(SSL *ssl, const char *host, struct err *err);
/* The same for a caller who has taken the error from the queue; 0: there was none. */
void trust_explain_error(SSL *ssl, const char *host, unsigned long error, struct err *err);

#endif

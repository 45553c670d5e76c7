#include "net/trust.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* The first one that exists is the system's (Go crypto/x509 root_linux.go). */
static const char *const system_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

enum { HASHED_MAX = 8 };

struct trust {
    char *file, *dirs; /* from the environment; both NULL: the system's store */
    SSL_CTX *context;  /* NULL before the first use */
    uint64_t signature; /* of the files that the context came from */
    bool is_partial;    /* one of them could not be read */
    uint64_t hashed[HASHED_MAX]; /* what stat said of each directory with hashes for names; 0: nothing */
};

struct trust *trust_new(void) {
    struct trust *t = mem_zalloc(sizeof *t);
    const char *file = getenv("SSL_CERT_FILE"), *dirs = getenv("SSL_CERT_DIR");
    t->file = file && file[0] ? mem_strdup(file) : NULL;
    t->dirs = dirs && dirs[0] ? mem_strdup(dirs) : NULL;
    return t;
}

void trust_free(struct trust *t) {
    if (!t)
        return;
    SSL_CTX_free(t->context);
    free(t->file);
    free(t->dirs);
    free(t);
}

/* ---- files ---- */

/* While a store is filled: where it comes from, and what has been found so far. */
struct load {
    X509_STORE *store; /* NULL: only the signature is wanted */
    uint64_t signature;
    size_t certificates;
    uint64_t hashed[HASHED_MAX]; /* as in struct trust */
    size_t directories;          /* looked at so far */
    bool has_hashes;  /* the store finds more by itself */
    struct err err;   /* the first file that could not be read */
};

static void mix(uint64_t *signature, uint64_t value) {
    *signature = (*signature ^ value) * UINT64_C(1099511628211);
    *signature ^= *signature >> 29;
}

/* What `stat` says: a file that is replaced, or written again, gives another number. */
static void mix_stat(struct load *load, const char *path) {
    struct stat s;
    if (stat(path, &s) != 0) {
        mix(&load->signature, (uint64_t)errno);
        return;
    }
    const uint64_t facts[] = {
        (uint64_t)s.st_dev,          (uint64_t)s.st_ino,          (uint64_t)s.st_size,
        (uint64_t)s.st_mtim.tv_sec,  (uint64_t)s.st_mtim.tv_nsec, (uint64_t)s.st_ctim.tv_sec,
        (uint64_t)s.st_ctim.tv_nsec,
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        mix(&load->signature, facts[i]);
}

/* The file's bytes, free() them; NULL with errno. */
static char *read_small_file(const char *path, size_t *ret_size) {
    struct stat s;
    size_t got = 0;
    /* Without blocking: a named pipe in a directory of certificates must not stop us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    int problem = fstat(fd, &s) != 0 ? errno
                  : S_ISDIR(s.st_mode) ? EISDIR
                  : !S_ISREG(s.st_mode) ? EINVAL
                  : s.st_size > TRUST_FILE_MAX ? EFBIG : 0;
    char *bytes = problem == 0 ? mem_alloc((size_t)s.st_size + 1) : NULL;
    while (problem == 0 && got < (size_t)s.st_size) {
        ssize_t n = read(fd, bytes + got, (size_t)s.st_size - got);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0)
            break;
        else if (errno != EINTR)
            problem = errno;
    }
    close(fd);
    if (problem != 0) {
        free(bytes);
        bytes = NULL;
    }
    errno = problem;
    *ret_size = got;
    return bytes;
}

/* Blocks that are no certificate, and broken ones, are stepped over: one bad entry must not take the
 * trust in all others away. */
static size_t add_certificates(X509_STORE *store, const char *bytes, size_t n) {
    size_t count = 0;
    BIO *bio = BIO_new_mem_buf(bytes, (int)n);
    if (!bio)
        mem_die();
    for (size_t before = n + 1, left = n; left > 0 && left < before;) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        count += certificate && X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
        before = left;
        left = (size_t)BIO_pending(bio);
    }
    BIO_free(bio);
    ERR_clear_error();
    return count;
}

static void load_file(struct load *load, const char *path, const char *variable) {
    size_t n = 0;
    mix_stat(load, path);
    if (!load->store)
        return;
    char *bytes = read_small_file(path, &n);
    size_t count = bytes ? add_certificates(load->store, bytes, n) : 0;
    if (!bytes && load->err.code == ERR_OK)
        err_set_errno(&load->err, ERR_UNKNOWN, errno,
                      "cannot read the trusted certificates from %s (%s)", path, variable);
    else if (count == 0 && load->err.code == ERR_OK)
        err_set(&load->err, ERR_UNKNOWN, "the file %s (%s) holds no certificate in PEM form", path,
                variable);
    free(bytes);
    load->certificates += count;
}

/* "4a6481c9.0", as c_rehash names them */
static bool is_hash_name(const char *name) {
    size_t hex = strspn(name, "0123456789abcdef");
    return hex == 8 && name[8] == '.' && isdigit((unsigned char)name[9]);
}

static bool has_hash_names(const char *path) {
    DIR *d = opendir(path);
    bool found = false;
    for (const struct dirent *e; d && !found && (e = readdir(d)) != NULL;)
        found = is_hash_name(e->d_name);
    if (d)
        closedir(d);
    return found;
}

static void load_each_file(struct load *load, const char *path) {
    DIR *d = opendir(path);
    int count = 0;
    if (!d) {
        if (load->err.code == ERR_OK)
            err_set_errno(&load->err, ERR_UNKNOWN, errno,
                          "cannot read the trusted certificates of the directory %s (SSL_CERT_DIR)",
                          path);
        return;
    }
    for (const struct dirent *e; count < TRUST_FILES_MAX && (e = readdir(d)) != NULL;) {
        struct load one = {.store = load->store};
        if (e->d_name[0] == '.')
            continue;
        mem_auto char *file = mem_printf("%s/%s", path, e->d_name);
        load_file(&one, file, "SSL_CERT_DIR");
        /* Summed up: the order of a directory's entries says nothing. */
        load->signature += one.signature;
        load->certificates += one.certificates;
        count++;
    }
    closedir(d);
    if (load->certificates == 0 && load->err.code == ERR_OK)
        err_set(&load->err, ERR_UNKNOWN,
                "the directory %s (SSL_CERT_DIR) holds no certificate in PEM form", path);
}

static bool load_hashed(struct load *load, const char *path) {
    struct load one = {0};
    size_t number = load->directories++;
    mix_stat(&one, path);
    /* Reading a directory costs a tenth of a millisecond; one that is as it was need not be read again. */
    bool is_known = number < HASHED_MAX && one.signature == load->hashed[number];
    if (!is_known && !has_hash_names(path))
        return false;
    if (number < HASHED_MAX)
        load->hashed[number] = one.signature;
    mix(&load->signature, one.signature);
    load->has_hashes = true;
    if (load->store && X509_STORE_load_path(load->store, path) != 1)
        mem_die();
    return true;
}

static void load_directories(struct load *load, const char *paths) {
    for (const char *p = paths; *p;) {
        size_t n = strcspn(p, ":");
        mem_auto char *path = mem_strndup(p, n);
        if (n > 0 && !load_hashed(load, path)) {
            mix_stat(load, path);
            load_each_file(load, path);
        }
        p += n + (p[n] == ':');
    }
}

static void load_system(struct load *load) {
    if (load_hashed(load, X509_get_default_cert_dir()))
        return;
    for (size_t i = 0; i < sizeof system_files / sizeof system_files[0]; i++)
        if (access(system_files[i], R_OK) == 0) {
            load_file(load, system_files[i], "the system's store");
            return;
        }
    err_set(&load->err, ERR_UNKNOWN,
            "this machine has no store of trusted certificates; install the package ca-certificates, "
            "or name a PEM file in SSL_CERT_FILE");
}

static void load_all(const struct trust *t, struct load *load) {
    if (t->file)
        load_file(load, t->file, "SSL_CERT_FILE");
    if (t->dirs)
        load_directories(load, t->dirs);
    if (!t->file && !t->dirs) {
        load_system(load);
        return;
    }
    /* One of the two set leaves the system's store as it is. What was named must be good by itself: a
     * typing mistake in the name must not go unnoticed. */
    bool is_named_good = !load->store || load->certificates > 0 || load->has_hashes;
    if (!is_named_good || (t->file && t->dirs))
        return;
    struct err named = load->err;
    load_system(load);
    load->err = named; /* a machine without a store has what was named */
}

/* ---- the context ---- */

static SSL_CTX *new_context(X509_STORE *store) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        mem_die();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set1_cert_store(context, store);
    return context;
}

/* The files are as they were when the context was made. */
static bool is_fresh(const struct trust *t) {
    struct load now = {.err = ERR_INIT};
    if (!t->context)
        return false;
    memcpy(now.hashed, t->hashed, sizeof now.hashed);
    load_all(t, &now);
    return now.signature == t->signature;
}

/* Makes the context if there is none, or if a file has changed and the new ones are good. */
static bool refresh(struct trust *t, struct err *err) {
    if (is_fresh(t))
        return true;
    struct load load = {.store = X509_STORE_new(), .err = ERR_INIT};
    if (!load.store)
        mem_die();
    load_all(t, &load);
    memcpy(t->hashed, load.hashed, sizeof t->hashed);
    /* One of several sources is enough, as in Go; but what was trusted stays so over a bad moment. */
    bool is_partial = load.err.code != ERR_OK;
    bool is_usable = load.certificates > 0 || load.has_hashes;
    if (is_usable && (!t->context || !is_partial || t->is_partial)) {
        SSL_CTX_free(t->context);
        t->context = new_context(load.store);
        t->signature = load.signature;
        t->is_partial = is_partial;
    }
    X509_STORE_free(load.store);
    if (t->context)
        return true;
    if (err) {
        *err = load.err;
        err_append(err, "; put the CA's certificate into a readable PEM file and name it in "
                        "SSL_CERT_FILE");
    }
    return false;
}

/* ---- a session ---- */

/* The name without the dot of a full one, or the address without its zone; false if it is too long. */
static bool bare_host(const char *host, char *out, size_t size, bool *ret_is_ip) {
    unsigned char address[16];
    size_t n = strchr(host, ':') ? strcspn(host, "%") : strlen(host);
    if (n > 1 && host[n - 1] == '.')
        n--;
    if (n == 0 || n >= size)
        return false;
    memcpy(out, host, n);
    out[n] = '\0';
    *ret_is_ip = inet_pton(AF_INET, out, address) == 1 || inet_pton(AF_INET6, out, address) == 1;
    return true;
}

static bool set_host(SSL *ssl, const char *host, bool is_ip) {
    if (is_ip)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    /* The macro SSL_set_tlsext_host_name() casts const away. */
    mem_auto char *name = mem_strdup(host);
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

static bool set_protocol(SSL *ssl, const char *protocol) {
    unsigned char wire[256];
    size_t n = strlen(protocol);
    if (n == 0 || n > 255)
        return false;
    wire[0] = (unsigned char)n;
    memcpy(wire + 1, protocol, n < sizeof wire - 1 ? n : sizeof wire - 1);
    return SSL_set_alpn_protos(ssl, wire, (unsigned)n + 1) == 0;
}

SSL *trust_session(struct trust *t, const char *host, const char *protocol, struct err *err) {
    char name[256];
    bool is_ip = false;
    if (!refresh(t, err))
        return NULL;
    if (!bare_host(host, name, sizeof name, &is_ip)) {
        err_set(err, ERR_UNKNOWN, "a host name must have 1 to 255 characters");
        return NULL;
    }
    SSL *ssl = SSL_new(t->context);
    if (!ssl)
        mem_die();
    if (!set_host(ssl, name, is_ip) || !set_protocol(ssl, protocol)) {
        SSL_free(ssl);
        ERR_clear_error();
        err_set(err, ERR_UNKNOWN, "a certificate cannot be checked against the host name %s; check "
                                  "its spelling", name);
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

/* ---- why it failed ---- */

struct cause {
    int code;
    const char *what, *help;
};

#define HELP_CA                                                                                    \
    "if the server is the right one, put its CA's certificate into a file and name it in "         \
    "SSL_CERT_FILE"
#define HELP_NAME "check the host name, or give the server a certificate for this name"
#define HELP_CLOCK "renew the server's certificate, or check the clock of this machine"
#define HELP_PROTOCOL "let the server speak TLS 1.2 or later"
#define HELP_PORT "check that the host and the port are those of the TLS server"

static const struct cause verify_causes[] = {
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "its certificate is self-signed",
     "put the certificate into a file and name it in SSL_CERT_FILE, or give the server one from a CA"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "its certificate is from an unknown CA", HELP_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "its certificate is from an unknown CA", HELP_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "its certificate is from an unknown CA, or an intermediate certificate is missing", HELP_CA},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "its certificate is from an unknown CA, or an intermediate certificate is missing", HELP_CA},
    {X509_V_ERR_CERT_UNTRUSTED, "its certificate is from a CA that is not trusted for this", HELP_CA},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE,
     "its certificate does not have the signature of the CA that it names", HELP_CA},
    {X509_V_ERR_CERT_HAS_EXPIRED, "its certificate has expired", HELP_CLOCK},
    {X509_V_ERR_CERT_NOT_YET_VALID, "its certificate is not yet valid", HELP_CLOCK},
    {X509_V_ERR_HOSTNAME_MISMATCH, "its certificate is for another name", HELP_NAME},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "its certificate is not for this IP address",
     "use the server's name, or give it a certificate with this address"},
    {X509_V_ERR_INVALID_PURPOSE, "its certificate is not one for a server",
     "give the server a certificate for server authentication"},
    {X509_V_ERR_CERT_REVOKED, "its certificate has been revoked", "give the server a new one"},
};

static const struct cause tls_causes[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "it does not speak TLS on this port", HELP_PORT},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "it does not speak TLS on this port", HELP_PORT},
    {SSL_R_UNEXPECTED_MESSAGE, "it does not speak TLS as it should", HELP_PORT},
    {SSL_R_UNSUPPORTED_PROTOCOL, "its TLS is too old", HELP_PROTOCOL},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "there is no TLS version that both sides speak",
     HELP_PROTOCOL},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "there are no TLS settings that both sides accept",
     "check the TLS versions and ciphers of the server"},
    {SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY, "there are no TLS settings that both sides accept",
     "check the TLS versions and ciphers of the server"},
    {SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, "it does not speak the application protocol asked for",
     HELP_PORT},
    {SSL_R_TLSV1_UNRECOGNIZED_NAME, "it has no certificate for this name", HELP_NAME},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "it wants a client certificate, and we have none",
     HELP_PORT},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "the connection was cut during the handshake",
     "check that the port is the TLS server's, and what stands between (firewall, proxy)"},
};

static const struct cause *find_cause(const struct cause *causes, size_t count, int code) {
    for (size_t i = 0; i < count; i++)
        if (causes[i].code == code)
            return &causes[i];
    return NULL;
}

static void tell(const struct cause *cause, const char *fallback, const char *host, struct err *err) {
    if (cause)
        err_set(err, ERR_UNAVAILABLE, "no secure connection to %s: %s; %s", host, cause->what,
                cause->help);
    else
        err_set(err, ERR_UNAVAILABLE, "no secure connection to %s: %s; %s", host, fallback, HELP_PORT);
}

#define FIND(causes, code) find_cause(causes, sizeof causes / sizeof causes[0], code)

void trust_explain_error(SSL *ssl, const char *host, unsigned long error, struct err *err) {
    long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK) {
        mem_auto char *text = mem_printf("its certificate was refused: %s",
                                         X509_verify_cert_error_string(verified));
        tell(FIND(verify_causes, (int)verified), text, host, err);
        return;
    }
    /* No error, or one of the system, is a connection that ended. */
    if (error == 0 || ERR_GET_LIB(error) != ERR_LIB_SSL) {
        tell(FIND(tls_causes, SSL_R_UNEXPECTED_EOF_WHILE_READING), "", host, err);
        return;
    }
    const char *reason = ERR_reason_error_string(error);
    mem_auto char *text = mem_printf("the TLS handshake failed: %s", reason ? reason : "unknown reason");
    tell(FIND(tls_causes, ERR_GET_REASON(error)), text, host, err);
}

void trust_explain(SSL *ssl, const char *host, struct err *err) {
    trust_explain_error(ssl, host, ERR_peek_last_error(), err);
}

#include "service/hostinfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/utf8.h"

enum { OS_RELEASE_MAX = 16 * 1024 };

static void copy(char out[HOSTINFO_TEXT_MAX], const char *text, size_t n) {
    n = utf8_clip(text, n, HOSTINFO_TEXT_MAX - 1);
    if (!utf8_valid(text, n))
        n = 0; /* protobuf strings are UTF-8 */
    memcpy(out, text, n);
    out[n] = '\0';
}

static void copy_text(char out[HOSTINFO_TEXT_MAX], const char *text) {
    copy(out, text, strlen(text));
}

void hostinfo_os_release(const char *text, const char *key, char out[HOSTINFO_TEXT_MAX]) {
    size_t key_len = strlen(key);
    out[0] = '\0';
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, key_len) != 0 || line[key_len] != '=')
            continue;
        const char *value = line + key_len + 1;
        size_t n = strcspn(value, "\n");
        if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value) {
            value++;
            n -= 2;
        }
        copy(out, value, n);
    }
}

/* Reads a small file; "" if that fails. */
static void slurp(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size - 1) : 0;
    out[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static void read_os_release(struct hostinfo *h) {
    char text[OS_RELEASE_MAX], like[HOSTINFO_TEXT_MAX];
    slurp("/etc/os-release", text, sizeof text);
    if (!*text)
        slurp("/usr/lib/os-release", text, sizeof text);
    hostinfo_os_release(text, "ID", h->platform);
    hostinfo_os_release(text, "VERSION_ID", h->platform_version);
    hostinfo_os_release(text, "ID_LIKE", like);
    copy(h->platform_family, like, strcspn(like, " "));
    char debian[HOSTINFO_TEXT_MAX];
    slurp("/etc/debian_version", debian, sizeof debian); /* knows the point release: 12.11 */
    debian[strcspn(debian, "\n")] = '\0';
    if (strcmp(h->platform, "debian") == 0 && *debian)
        copy_text(h->platform_version, debian);
}

static const char *virtualization(void) {
    static const struct {
        const char *path, *name;
    } signs[] = {
        {"/.dockerenv", "docker"},
        {"/run/.containerenv", "podman"},
        {"/var/run/secrets/kubernetes.io", "kubernetes"},
        {"/proc/xen", "xen"},
    };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (access(signs[i].path, F_OK) == 0)
            return signs[i].name;
    }
    return "none";
}

static void fill_gaps(struct hostinfo *h) {
    struct {
        char *text;
        const char *fallback;
    } order[] = {
        {h->hostname, "unknown"},
        {h->platform, h->os},
        {h->platform_family, h->platform},
        {h->kernel_version, "unknown"},
        {h->platform_version, h->kernel_version},
        {h->kernel_arch, "unknown"},
    };
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (!*order[i].text)
            copy_text(order[i].text, order[i].fallback);
    }
}

static void choose_host_id(struct hostinfo *h, const char *hostname) {
    const char *wish = getenv("BATON_HOST_ID");
    copy_text(h->host_id, wish ? wish : hostname);
    if (!*h->host_id)
        copy_text(h->host_id, "baton-sdk");
}

void hostinfo_read(struct hostinfo *ret_info) {
    struct hostinfo h = {.os = "linux"};
    struct utsname u;
    if (uname(&u) == 0) {
        copy_text(h.hostname, u.nodename);
        copy_text(h.kernel_version, u.release);
        copy_text(h.kernel_arch, u.machine);
    }
    choose_host_id(&h, h.hostname);
    read_os_release(&h);
    copy_text(h.virtualization, virtualization());
    fill_gaps(&h);
    *ret_info = h;
}

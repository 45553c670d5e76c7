/* hostinfo: what C1 is told about the machine (service-mode.md 4.1): eight texts, none of them empty and
 * none longer than 256 characters, because C1 refuses a registration with an empty one. What cannot be
 * found out is filled in the SDK's order: platform from os, platform_family from platform, kernel_version
 * "unknown", platform_version from kernel_version.
 */
#ifndef SERVICE_HOSTINFO_H
#define SERVICE_HOSTINFO_H

enum { HOSTINFO_TEXT_MAX = 257 };

struct hostinfo {
    char hostname[HOSTINFO_TEXT_MAX];
    char os[HOSTINFO_TEXT_MAX];
    char platform[HOSTINFO_TEXT_MAX];
    char platform_version[HOSTINFO_TEXT_MAX];
    char platform_family[HOSTINFO_TEXT_MAX];
    char kernel_version[HOSTINFO_TEXT_MAX];
    char kernel_arch[HOSTINFO_TEXT_MAX];
    char virtualization[HOSTINFO_TEXT_MAX];
    char host_id[HOSTINFO_TEXT_MAX]; /* $BATON_HOST_ID, else the host name, else "baton-sdk" */
};

void hostinfo_read(struct hostinfo *ret_info);
/* The value of KEY in the text of an os-release file, unquoted; "" if it is not there. */
void hostinfo_os_release(const char *text, const char *key, char out[HOSTINFO_TEXT_MAX]);

#endif

#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "service/hostinfo.h"

static const char debian[] = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
                             "ID_LIKE='rhel fedora'\n"
                             "VERSION_ID=\"12\"\nID=debian\nEMPTY=\nLAST=end";

static void test_hostinfo_os_release_reads_values(void **state) {
    (void)state;
    char out[HOSTINFO_TEXT_MAX];
    const struct {
        const char *key, *value;
    } rows[] = {{"ID", "debian"},          {"VERSION_ID", "12"}, {"EMPTY", ""},
                {"ID_LIKE", "rhel fedora"}, {"LAST", "end"},      {"NOT_THERE", ""},
                {"VERSION", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hostinfo_os_release(debian, rows[i].key, out);
        assert_string_equal(out, rows[i].value);
    }
}

static void test_hostinfo_os_release_takes_odd_files(void **state) {
    (void)state;
    char out[HOSTINFO_TEXT_MAX], text[1024] = "ID=";
    hostinfo_os_release("", "ID", out);
    assert_string_equal(out, "");
    hostinfo_os_release("ID=\"", "ID", out);
    assert_string_equal(out, "\"");
    hostinfo_os_release("ID=\xff\xfe\n", "ID", out); /* not UTF-8 */
    assert_string_equal(out, "");
    memset(text + 3, 'x', sizeof text - 4);
    hostinfo_os_release(text, "ID", out);
    assert_int_equal(strlen(out), HOSTINFO_TEXT_MAX - 1);
}

static void assert_text(const char *text) {
    assert_true(strlen(text) > 0 && strlen(text) <= 256);
}

static void test_hostinfo_read_leaves_nothing_empty(void **state) {
    (void)state;
    struct hostinfo h;
    hostinfo_read(&h);
    const char *const all[] = {h.hostname,        h.os,             h.platform,
                               h.platform_version, h.platform_family, h.kernel_version,
                               h.kernel_arch,     h.virtualization, h.host_id};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_text(all[i]);
    assert_string_equal(h.os, "linux");
}

static void test_hostinfo_host_id_follows_the_environment(void **state) {
    (void)state;
    struct hostinfo h;
    setenv("BATON_HOST_ID", "pod-7", 1);
    hostinfo_read(&h);
    assert_string_equal(h.host_id, "pod-7");
    setenv("BATON_HOST_ID", "", 1);
    hostinfo_read(&h);
    assert_string_equal(h.host_id, "baton-sdk");
    unsetenv("BATON_HOST_ID");
    hostinfo_read(&h);
    assert_string_equal(h.host_id, h.hostname);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostinfo_os_release_reads_values),
        cmocka_unit_test(test_hostinfo_os_release_takes_odd_files),
        cmocka_unit_test(test_hostinfo_read_leaves_nothing_empty),
        cmocka_unit_test(test_hostinfo_host_id_follows_the_environment),
    };
    return cmocka_run_group_tests_name("hostinfo", tests, NULL, NULL);
}

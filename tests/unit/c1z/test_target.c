/* target: replacing a file, or leaving it alone. */
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "c1z/target.h"
#include "tests/unit/c1z/scratch.h"

static bool open_at(const char *path, struct target *t, struct err *err) {
    struct target_origin origin;
    if (!target_look(path, &origin, err))
        return false;
    bool ok = target_open(&origin, t, err);
    target_origin_done(&origin);
    return ok;
}

static int set_up(void **state) {
    static struct scratch s;
    scratch_open(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state) {
    scratch_close(*state);
    return 0;
}

static void write_file(const char *path, const char *text) {
    write_bytes(path, text, strlen(text));
}

static void expect_file(const char *path, const char *text) {
    size_t n;
    mem_auto uint8_t *bytes = read_bytes(path, &n);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(bytes, text, n);
}

static void replace(const char *path, const char *text) {
    struct target t;
    struct err err = ERR_INIT;
    assert_true(open_at(path, &t, &err));
    assert_true(target_write(&t, text, strlen(text), &err));
    assert_true(target_commit(&t, &err));
    target_done(&t);
}

static void test_target_makes_a_new_file(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    umask(022);
    replace(path, "new");
    expect_file(path, "new");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(scratch_count(*state), 1);
}

static void test_target_keeps_the_mode_of_the_old_file(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    write_file(path, "old");
    chmod(path, 0600);
    replace(path, "new");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    expect_file(path, "new");
}

static void test_target_without_commit_changes_nothing(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    write_file(path, "old");
    struct target t;
    struct err err = ERR_INIT;
    assert_true(open_at(path, &t, &err));
    assert_true(target_write(&t, "half", 4, &err));
    assert_int_equal(scratch_count(*state), 2);
    target_done(&t);
    expect_file(path, "old");
    assert_int_equal(scratch_count(*state), 1);
}

static void test_target_refuses_a_second_writer(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    struct target first, second;
    struct err err = ERR_INIT;
    assert_true(open_at(path, &first, &err));
    assert_false(open_at(path, &second, &err));
    assert_int_equal(err.code, ERR_FAILED_PRECONDITION);
    assert_non_null(strstr(err.msg, "another program is writing"));
    assert_true(target_write(&first, "first", 5, &err));
    assert_true(target_commit(&first, &err));
    target_done(&first);
    expect_file(path, "first");
}

static void test_target_takes_over_what_a_dead_writer_left(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    mem_auto char *tmp = scratch_path(*state, "a.c1z.tmp");
    write_file(tmp, "a longer rest of a dead writer");
    replace(path, "new");
    expect_file(path, "new");
    assert_int_equal(scratch_count(*state), 1);
}

static void test_target_leaves_strange_things_in_its_way(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    mem_auto char *tmp = scratch_path(*state, "a.c1z.tmp");
    mem_auto char *other = scratch_path(*state, "other");
    struct target t;
    write_file(other, "mine");
    assert_int_equal(symlink(other, tmp), 0);
    struct err err = ERR_INIT;
    assert_false(open_at(path, &t, &err));
    assert_non_null(strstr(err.msg, "is in the way"));
    expect_file(other, "mine");
    unlink(tmp);
    mkdir(tmp, 0700);
    assert_false(open_at(path, &t, &err));
    assert_non_null(strstr(err.msg, "is in the way"));
}

static void test_target_replaces_what_a_link_points_at(void **state) {
    mem_auto char *link = scratch_path(*state, "link.c1z");
    mem_auto char *real = scratch_path(*state, "real.c1z");
    assert_int_equal(symlink("real.c1z", link), 0);
    replace(link, "through a link to nothing yet");
    expect_file(real, "through a link to nothing yet");
    replace(link, "again");
    expect_file(real, "again");
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void test_target_refuses_loops_directories_and_devices(void **state) {
    mem_auto char *a = scratch_path(*state, "a");
    mem_auto char *b = scratch_path(*state, "b");
    mem_auto char *fifo = scratch_path(*state, "fifo");
    assert_int_equal(symlink(a, b), 0);
    assert_int_equal(symlink(b, a), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const struct scratch *s = *state;
    const char *const paths[] = {a, fifo, s->dir, "/dev/null"};
    static const char *const texts[] = {"too many symbolic links", "not a regular file", "a directory",
                                        "not a regular file"};
    for (size_t i = 0; i < 4; i++) {
        struct err err = ERR_INIT;
        struct target t;
        assert_false(target_check(paths[i], &err));
        assert_non_null(strstr(err.msg, texts[i]));
        err_clear(&err);
        assert_false(open_at(paths[i], &t, &err));
        assert_int_equal(err.code, ERR_UNKNOWN);
    }
}

static void test_target_check_says_what_is_missing(void **state) {
    mem_auto char *path = scratch_path(*state, "missing/a.c1z");
    mem_auto char *fine = scratch_path(*state, "a.c1z");
    struct err err = ERR_INIT;
    assert_true(target_check(fine, &err));
    assert_int_equal(scratch_count(*state), 0);
    assert_false(target_check(path, &err));
    assert_non_null(strstr(err.msg, "No such file or directory"));
    assert_false(target_check("", &err));
    assert_int_equal(err.code, ERR_UNKNOWN);
}

/* Another writer was faster: what it has put there must not be lost. */
static void test_target_leaves_a_file_that_has_changed(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    for (int had_file = 0; had_file < 2; had_file++) {
        struct target_origin origin;
        struct target t;
        struct err err = ERR_INIT;
        if (had_file)
            write_file(path, "as it was read");
        assert_true(target_look(path, &origin, &err));
        write_file(path, "by another writer");
        assert_false(target_open(&origin, &t, &err));
        assert_int_equal(err.code, ERR_FAILED_PRECONDITION);
        assert_non_null(strstr(err.msg, "another program has changed"));
        expect_file(path, "by another writer");
        assert_int_equal(scratch_count(*state), 1);
        target_origin_done(&origin);
    }
}

static void test_target_writes_where_the_link_pointed_when_it_was_read(void **state) {
    mem_auto char *link = scratch_path(*state, "link");
    mem_auto char *first = scratch_path(*state, "first");
    mem_auto char *second = scratch_path(*state, "second");
    struct target_origin origin;
    struct target t;
    struct err err = ERR_INIT;
    write_file(first, "first");
    write_file(second, "second");
    assert_int_equal(symlink(first, link), 0);
    assert_true(target_look(link, &origin, &err));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(second, link), 0);
    assert_true(target_open(&origin, &t, &err));
    assert_true(target_write(&t, "new", 3, &err));
    assert_true(target_commit(&t, &err));
    target_done(&t);
    target_origin_done(&origin);
    expect_file(first, "new");
    expect_file(second, "second");
}

static void test_target_does_not_rename_anothers_file(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    mem_auto char *tmp = scratch_path(*state, "a.c1z.tmp");
    struct target t;
    struct err err = ERR_INIT;
    assert_true(open_at(path, &t, &err));
    assert_int_equal(unlink(tmp), 0);
    write_file(tmp, "of a writer that knows no lock");
    assert_false(target_commit(&t, &err));
    target_done(&t);
    expect_file(tmp, "of a writer that knows no lock");
    assert_int_equal(access(path, F_OK), -1);
}

static void test_target_keeps_the_group(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    struct stat st;
    write_file(path, "old");
    chmod(path, 0640);
    if (geteuid() == 0)
        assert_int_equal(chown(path, 0, 1234), 0);
    assert_int_equal(stat(path, &st), 0);
    gid_t group = st.st_gid;
    replace(path, "new");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_gid, group);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_target_knows_the_free_space(void **state) {
    mem_auto char *path = scratch_path(*state, "a.c1z");
    struct target t;
    struct err err = ERR_INIT;
    assert_true(open_at(path, &t, &err));
    assert_true(target_free_bytes(&t) > 0);
    target_done(&t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_target_makes_a_new_file),
        TEST(test_target_keeps_the_mode_of_the_old_file),
        TEST(test_target_without_commit_changes_nothing),
        TEST(test_target_refuses_a_second_writer),
        TEST(test_target_takes_over_what_a_dead_writer_left),
        TEST(test_target_leaves_strange_things_in_its_way),
        TEST(test_target_replaces_what_a_link_points_at),
        TEST(test_target_refuses_loops_directories_and_devices),
        TEST(test_target_check_says_what_is_missing),
        TEST(test_target_knows_the_free_space),
        TEST(test_target_leaves_a_file_that_has_changed),
        TEST(test_target_writes_where_the_link_pointed_when_it_was_read),
        TEST(test_target_does_not_rename_anothers_file),
        TEST(test_target_keeps_the_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

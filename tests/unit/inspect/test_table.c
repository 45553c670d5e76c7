/* table: alignment, two passes, failures; and the chunks of out. */
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "inspect/table.h"

struct rows {
    const char *const (*cells)[3];
    size_t count;
    int passes;
};

static bool make_rows(struct table *t, void *payload, struct err *err) {
    (void)err;
    struct rows *rows = payload;
    rows->passes++;
    for (size_t i = 0; i < rows->count; i++)
        table_row(t, rows->cells[i]);
    return true;
}

static const struct table_column columns[] = {{"Name", false}, {"Count", true}, {"Note", false}};

static void test_table_aligns_and_leaves_no_space_behind(void **state) {
    (void)state;
    static const char *const cells[][3] = {
        {"Ad\u00e8le", "7", "x"},
        {"Bo", "12345678", NULL},
        {"\u6f22\u5b57\u6f22", "", ""},
        {"", "1", "line\n"},
    };
    struct rows rows = {cells, 4, 0};
    struct out out;
    out_init(&out, -1);
    assert_true(table_print(&out, columns, 3, make_rows, &rows, NULL));
    assert_int_equal(rows.passes, 2);
    assert_string_equal(out.buf.data, "Name       Count  Note\n"
                                      "Ad\u00e8le          7  x\n"
                                      "Bo      12345678\n"
                                      "\u6f22\u5b57\u6f22\n"
                                      "               1  line\\n\n");
    out_done(&out);
}

static void test_table_without_rows_has_a_header(void **state) {
    (void)state;
    struct rows rows = {NULL, 0, 0};
    struct out out;
    out_init(&out, -1);
    assert_true(table_print(&out, columns, 3, make_rows, &rows, NULL));
    assert_string_equal(out.buf.data, "Name  Count  Note\n");
    out_done(&out);
}

static bool fail_rows(struct table *t, void *payload, struct err *err) {
    (void)t, (void)payload;
    return err_set(err, ERR_DATA_LOSS, "no rows");
}

static void test_table_prints_nothing_if_the_rows_fail(void **state) {
    (void)state;
    struct out out;
    struct err err = ERR_INIT;
    out_init(&out, -1);
    assert_false(table_print(&out, columns, 3, fail_rows, NULL, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
    assert_int_equal(out.buf.len, 0);
    out_done(&out);
}

static void test_out_writes_chunks_and_the_rest(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    struct out out;
    out_init(&out, fds[1]);
    buf_adds(&out.buf, "small");
    out_flush_some(&out);
    char got[8] = "";
    assert_int_equal(read(fds[0], got, sizeof got), -1);
    assert_int_equal(errno, EAGAIN);
    assert_true(out_finish(&out, NULL));
    assert_int_equal(read(fds[0], got, sizeof got), 5);
    assert_memory_equal(got, "small", 5);
    out_done(&out);
    close(fds[0]);
    close(fds[1]);
}

static void test_out_remembers_a_failure(void **state) {
    (void)state;
    struct out out;
    struct err err = ERR_INIT;
    out_init(&out, -1);
    buf_adds(&out.buf, "lost");
    assert_false(out_finish(&out, &err));
    assert_non_null(strstr(err.msg, "cannot write the output"));
    assert_false(out_finish(&out, NULL));
    out_done(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_aligns_and_leaves_no_space_behind),
        cmocka_unit_test(test_table_without_rows_has_a_header),
        cmocka_unit_test(test_table_prints_nothing_if_the_rows_fail),
        cmocka_unit_test(test_out_writes_chunks_and_the_rest),
        cmocka_unit_test(test_out_remembers_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

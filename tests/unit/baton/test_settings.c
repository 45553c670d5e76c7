/* docs/settings.md holds one row for each setting of baton-crisp, written from the tables. When
 * this test fails it prints the row that should stand there. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "baton/field.h"
#include "baton/slurp.h"
#include "connectors/crisp/fields.h"

enum { DOC_MAX = 256 * 1024, ROW_MAX = 2048 };

static char *read_doc(void) {
    char path[4096];
    struct slurp doc;
    struct err err = ERR_INIT;
    const char *tests = getenv("TEST_FIXTURES");
    snprintf(path, sizeof path, "%s/../docs/settings.md", tests ? tests : "tests");
    if (!slurp_file(path, DOC_MAX, &doc, &err))
        fail_msg("%s %s", path, err.msg);
    return doc.data;
}

static void add_text(struct buf *b, const char *text) {
    for (; *text; text++) {
        if (*text == '<')
            buf_adds(b, "&lt;");
        else
            buf_addc(b, *text);
    }
}

static void add_notes(struct buf *b, const struct field *f) {
    const char *between = ". One of";
    for (const char *const *w = f->one_of; w && *w; w++) {
        if (**w)
            buf_addf(b, "%s `%s`", between, *w);
        between = **w ? "," : between;
    }
    between = ". Also";
    for (const char *const *a = f->aliases; a && *a; a++) {
        buf_addf(b, "%s `--%s`", between, *a);
        between = ",";
    }
    if (f->is_required)
        buf_adds(b, ". **Required**");
    if (f->is_hidden)
        buf_adds(b, ". Not in `--help-all`");
}

/* "| `--file`, `-f` | `BATON_FILE` | string | `sync.c1z` | The c1z file to write |\n" */
static void settings_row(struct buf *b, const struct field *f, bool is_file) {
    buf_addf(b, "| `--%s%s`", f->name, is_file ? "-file" : "");
    if (f->letter)
        buf_addf(b, ", `-%c`", f->letter);
    buf_adds(b, " | `");
    field_add_env_name(b, f->name, is_file ? "-file" : "");
    buf_addf(b, "` | %s | ", f->kind == FIELD_BOOL ? "bool" : field_value_word(f));
    if (f->default_value && !is_file)
        buf_addf(b, "`%s`", f->default_value);
    buf_adds(b, " | ");
    if (is_file) {
        buf_addf(b, "The file that holds `--%s`", f->name);
    } else {
        add_text(b, f->description);
        add_notes(b, f);
    }
    buf_adds(b, " |\n");
}

static int count_rows(const char *doc) {
    int n = 0;
    while ((doc = strstr(doc, "\n| `--")) != NULL) {
        doc++;
        n++;
    }
    return n;
}

static void test_settings_doc_agrees_with_the_tables(void **state) {
    (void)state;
    field_set_auto struct field_set set;
    field_set_init(&set, crisp_fields, CRISP_FIELD_COUNT);
    char *doc = read_doc();
    int wanted = 0, missing = 0;
    for (size_t i = 0; i < set.count; i++) {
        for (int is_file = 0; is_file <= set.items[i]->is_secret; is_file++) {
            buf_auto struct buf row;
            buf_init(&row, ROW_MAX);
            settings_row(&row, set.items[i], is_file);
            assert_true(buf_ok(&row));
            wanted++;
            if (strstr(doc, row.data))
                continue;
            missing++;
            fprintf(stderr, "docs/settings.md lacks under group %d: %s", (int)set.items[i]->group,
                    row.data);
        }
    }
    assert_int_equal(missing, 0);
    assert_int_equal(count_rows(doc), wanted);
    free(doc);
}

/* The connector's rows can make a program together with the SDK's. */
static void test_settings_of_crisp_have_no_fault(void **state) {
    (void)state;
    field_set_auto struct field_set set;
    field_set_init(&set, crisp_fields, CRISP_FIELD_COUNT);
    const char *fault = field_set_fault(&set);
    if (fault)
        fail_msg("%s", fault);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_doc_agrees_with_the_tables),
        cmocka_unit_test(test_settings_of_crisp_have_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

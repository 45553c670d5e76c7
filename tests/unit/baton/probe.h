/* probe: a small connector table and a way to parse a command line in an empty world: its own
 * current directory, no variables. The fields are those of a connector built on the Go SDK from
 * which the expected texts in these tests were taken. */
#ifndef TESTS_UNIT_BATON_PROBE_H
#define TESTS_UNIT_BATON_PROBE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "baton/cli.h"

#define PROBE_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PROBE_ROW(kind_, name_, ...)                                                               \
    { .kind = FIELD_##kind_, .name = name_, __VA_ARGS__ }
#define PROBE_FIELD(kind_, name_, ...)                                                             \
    PROBE_ROW(kind_, name_, .display_name = "", .description = "", .export_to = FIELD_EXPORT_GUI,  \
              __VA_ARGS__)

static const struct field probe_fields[] = {
    PROBE_ROW(STRING, "website-id", .display_name = "Website", .description = "",
              .export_to = FIELD_EXPORT_GUI, .is_required = true, .placeholder = "ph"),
    PROBE_FIELD(STRING, "identifier", .is_required = true, .aliases = PROBE_NAMES("ident", "id")),
    PROBE_FIELD(STRING, "key", .is_required = true, .is_secret = true,
                .aliases = PROBE_NAMES("old-key")),
    PROBE_ROW(STRING, "tier", .display_name = "", .description = "a <b> & \"c\" \xC3\xA9",
              .export_to = FIELD_EXPORT_GUI, .default_value = "plugin",
              .one_of = PROBE_NAMES("plugin", "website", "user")),
    PROBE_FIELD(INT, "page-size", .default_value = "50", .has_min = true, .min = 2, .has_max = true,
                .max = 100),
    PROBE_FIELD(BOOL, "skip-bots", .default_value = "true"),
    PROBE_FIELD(LIST, "tags", .hint = FIELD_HINT_NONE),
    PROBE_FIELD(STRING, "aa", .hint = FIELD_HINT_FILE),
    PROBE_FIELD(STRING, "bb", .hint = FIELD_HINT_DIR),
    PROBE_FIELD(INT, "count", .hint = FIELD_HINT_NONE),
    PROBE_ROW(STRING, "base-url", .display_name = "", .description = "", .is_hidden = true),
};
enum { PROBE_FIELD_COUNT = sizeof probe_fields / sizeof probe_fields[0] };

static const struct baton_connector probe_connector = {
    .name = "baton-probe",
    .version = "dev",
    .display_name = "Probe",
    .help_url = "/h",
    .example = "baton-probe --website-id ID --identifier ID --key-file FILE",
    .fields = probe_fields,
    .field_count = PROBE_FIELD_COUNT,
};

enum { PROBE_ARGS_MAX = 32 };

struct probe {
    char dir[64], home[4096];
    const struct baton_connector *connector;
    struct cli_request request;
    struct err err;
    bool ok;
    int argc;
    char *argv[PROBE_ARGS_MAX + 1]; /* owned copies, as they are after the parse */
};

static inline void probe_forget(struct probe *p) {
    cli_request_done(&p->request);
    for (int i = 0; i < p->argc; i++)
        free(p->argv[i]);
    p->argc = 0;
}

/* Parses the arguments, which end with NULL. */
static inline bool probe_parse(struct probe *p, const char *const *args) {
    probe_forget(p);
    p->argv[p->argc++] = mem_strdup(p->connector->name);
    for (; *args && p->argc < PROBE_ARGS_MAX; args++)
        p->argv[p->argc++] = mem_strdup(*args);
    p->argv[p->argc] = NULL;
    p->err = ERR_INIT;
    p->ok = cli_parse(p->argc, p->argv, p->connector, &p->request, &p->err);
    return p->ok;
}
#define probe_run(p, ...) probe_parse((p), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
/* With the required settings first. */
#define probe_run_ok(p, ...)                                                                       \
    probe_run((p), "--website-id", "w", "--identifier", "i", "--key",                              \
              "s3cret" __VA_OPT__(, ) __VA_ARGS__)

#define assert_fails(p, code_, text)                                                               \
    do {                                                                                           \
        assert_false((p)->ok);                                                                     \
        assert_string_equal((p)->err.msg, (text));                                                 \
        assert_int_equal((p)->err.code, (code_));                                                  \
    } while (0)
#define assert_runs(p)                                                                             \
    do {                                                                                           \
        if (!(p)->ok)                                                                              \
            fail_msg("%s", (p)->err.msg);                                                          \
        assert_int_equal((p)->request.command, CLI_RUN);                                           \
    } while (0)

/* Takes away what could be a setting. */
static inline void probe_clean_environment(void) {
    for (char **e = environ; *e;) {
        mem_auto char *name = mem_strndup(*e, strcspn(*e, "="));
        if (strncmp(name, "BATON_", 6) != 0 && strcmp(name, "CREDENTIALS_DIRECTORY") != 0)
            e++;
        else if (unsetenv(name) != 0)
            abort();
    }
}

static inline int probe_set_up(void **state) {
    struct probe *p = mem_zalloc(sizeof *p);
    p->connector = &probe_connector;
    snprintf(p->dir, sizeof p->dir, "/tmp/test_baton.XXXXXX");
    if (!mkdtemp(p->dir) || !getcwd(p->home, sizeof p->home) || chdir(p->dir) != 0)
        return -1;
    probe_clean_environment();
    *state = p;
    return 0;
}

static inline int probe_tear_down(void **state) {
    struct probe *p = *state;
    probe_forget(p);
    /* Tests create plain files in this directory and directories below it only. */
    mem_auto char *command = mem_printf("/bin/rm -rf -- '%s'", p->dir);
    int rc = chdir(p->home) == 0 && system(command) == 0 ? 0 : -1;
    free(p);
    return rc;
}
#define probe_test(f) cmocka_unit_test_setup_teardown(f, probe_set_up, probe_tear_down)

/* In the current directory. */
static inline void probe_write(const char *name, const char *text) {
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(name, 0600), 0);
}

static inline bool probe_warns(const struct probe *p, const char *part) {
    for (size_t i = 0; i < p->request.warnings.count; i++) {
        if (strstr(p->request.warnings.items[i], part))
            return true;
    }
    return false;
}

/* What the request prints, NUL-terminated; free() it. */
static inline char *probe_answer(struct probe *p) {
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    const struct baton_connector *c = p->connector;
    p->ok = p->ok && cli_answer(&p->request, c, c->version, out, out, &p->err);
    assert_int_equal(fclose(out), 0);
    return text ? text : mem_strdup("");
}

#endif

#include "baton/help.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { LEFT_MAX = 42, LINE_MAX_BYTES = 4096 };

static const char *const group_titles[FIELD_GROUP_COUNT] = {
    [FIELD_GROUP_CONNECTOR] = "Connector",
    [FIELD_GROUP_SYNC] = "Sync",
    [FIELD_GROUP_LOG] = "Log",
    [FIELD_GROUP_SERVICE] = "Service mode",
    [FIELD_GROUP_COMPAT] = "Accepted for compatibility",
};

struct printer {
    const struct help_request *request;
    FILE *out;
    bool is_bold;
    size_t left_width;
    size_t columns;    /* of the terminal; 0: no terminal, lines stay whole for programs */
    bool is_measuring; /* look for the widest left column, print nothing */
};

static void heading(const struct printer *p, const char *text) {
    if (p->is_measuring)
        return;
    fprintf(p->out, p->is_bold ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

/* --- one flag --- */

static void add_description(struct buf *b, const struct field *f, bool is_file, bool is_setting) {
    if (f->is_required && !is_file)
        buf_adds(b, "required: ");
    if (is_file)
        buf_adds(b, "Or the file that holds it");
    else
        buf_adds(b, f->description);
    if (is_setting) {
        buf_adds(b, *f->description || is_file ? " ($" : "($");
        field_add_env_name(b, f->name, is_file ? "-file" : "");
        buf_addc(b, ')');
    }
    if (!f->default_value || is_file)
        return;
    if (f->kind == FIELD_STRING)
        buf_addf(b, " (default \"%s\")", f->default_value);
    else
        buf_addf(b, " (default %s)", f->default_value);
}

/* Breaks at spaces and goes on below the first word. */
static void put_wrapped(const struct printer *p, size_t column, const char *text) {
    size_t indent = p->left_width + 3, at = column;
    bool is_line_start = true;
    while (*text) {
        size_t n = strcspn(text, " "), width = utf8_columns(text, n);
        if (!is_line_start && at + 1 + width > p->columns) {
            fprintf(p->out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!is_line_start) {
            fputc(' ', p->out);
            at++;
        }
        fwrite(text, 1, n, p->out);
        is_line_start = false;
        at += width;
        text += n + (text[n] == ' ');
    }
    fputc('\n', p->out);
}

static void flag_line(struct printer *p, const struct field *f, bool is_file, bool is_setting) {
    buf_auto struct buf left, right;
    buf_init(&left, LINE_MAX_BYTES);
    buf_init(&right, LINE_MAX_BYTES);
    if (f->letter && !is_file)
        buf_addf(&left, "  -%c, --%s", f->letter, f->name);
    else
        buf_addf(&left, "      --%s%s", f->name, is_file ? "-file" : "");
    if (f->kind != FIELD_BOOL)
        buf_addf(&left, " %s", field_value_word(f));
    if (p->is_measuring) {
        if (left.len <= LEFT_MAX && left.len > p->left_width)
            p->left_width = left.len;
        return;
    }
    add_description(&right, f, is_file, is_setting);
    /* A name wider than the column pushes its own text to the right and nobody else's. */
    size_t pad = left.len < p->left_width ? p->left_width - left.len : 0;
    fprintf(p->out, "%s%*s   ", left.data, (int)pad, "");
    if (p->columns)
        put_wrapped(p, left.len + pad + 3, right.data);
    else
        fprintf(p->out, "%s\n", right.data);
}

static void field_lines(struct printer *p, const struct field *f, bool with_file) {
    flag_line(p, f, false, true);
    if (f->is_secret && with_file)
        flag_line(p, f, true, true);
}

/* --- lists of flags --- */

static bool is_also_common(const struct cli_word *topic, const char *name) {
    for (const char *const *n = topic->also_common; n && *n; n++) {
        if (strcmp(*n, name) == 0)
            return true;
    }
    return false;
}

static bool is_shown(const struct help_request *r, size_t index) {
    const struct field *f = r->fields->items[index];
    if (f->is_hidden)
        return false;
    return r->want_all || !field_set_is_sdk(r->fields, index) || f->is_common ||
           is_also_common(r->topic, f->name);
}

/* Required first, then as the table has them. */
static void group_lines(struct printer *p, enum field_group group) {
    const struct help_request *r = p->request;
    bool has_title = false;
    for (int required = 1; required >= 0; required--) {
        for (size_t i = 0; i < r->fields->count; i++) {
            const struct field *f = r->fields->items[i];
            bool is_connector = !field_set_is_sdk(r->fields, i);
            if (f->group != group || f->is_required != required || !is_shown(r, i) ||
                (is_connector && *r->topic->name))
                continue;
            if (r->want_all && !has_title) {
                if (!p->is_measuring)
                    fprintf(p->out, "\n  %s\n", group_titles[group]);
                has_title = true;
            }
            field_lines(p, f, r->want_all || is_connector);
        }
    }
}

static void setting_lines(struct printer *p) {
    for (enum field_group g = 0; g < FIELD_GROUP_COUNT; g++)
        group_lines(p, g);
}

static void own_lines(struct printer *p) {
    for (size_t i = 0; i < cli_flag_count; i++) {
        if (cli_word_has_flag(p->request->topic, &cli_flags[i]))
            flag_line(p, &cli_flags[i].row, false, false);
    }
}

static void all_flags(struct printer *p) {
    bool is_root = !*p->request->topic->name;
    if (!p->is_measuring)
        fputc('\n', p->out);
    heading(p, "Flags:");
    if (is_root)
        setting_lines(p);
    if (is_root && p->request->want_all && !p->is_measuring)
        fprintf(p->out, "\n  Program\n");
    own_lines(p);
    if (is_root)
        return;
    if (!p->is_measuring)
        fputc('\n', p->out);
    heading(p, "Global Flags:");
    setting_lines(p);
}

/* --- the rest of the page --- */

static bool has_children(const struct cli_word *topic) {
    return topic->is_group || !*topic->name;
}

static void usage(const struct printer *p) {
    const struct cli_word *t = p->request->topic;
    const char *name = p->request->connector->name, *space = *t->path ? " " : "";
    fputc('\n', p->out);
    heading(p, "Usage:");
    if (!t->is_group)
        fprintf(p->out, "  %s%s%s%s%s [flags]\n", name, space, t->path, *t->arguments ? " " : "",
                t->arguments);
    if (has_children(t))
        fprintf(p->out, "  %s%s%s [command]\n", name, space, t->path);
}

static void commands(const struct printer *p) {
    if (!has_children(p->request->topic))
        return;
    fputc('\n', p->out);
    heading(p, "Available Commands:");
    for (size_t i = 1; i < cli_word_count; i++) {
        const struct cli_word *w = &cli_words[i];
        if (strcmp(w->parent, p->request->topic->name) == 0)
            fprintf(p->out, "  %-12s   %s\n", w->name, w->brief);
    }
}

static void example(const struct printer *p) {
    const struct cli_word *t = p->request->topic;
    const struct baton_connector *c = p->request->connector;
    const char *text = *t->name ? t->example : c->example;
    if (!text)
        return;
    fputc('\n', p->out);
    heading(p, "Example:");
    fputs("  ", p->out);
    if (*t->name)
        fprintf(p->out, "%s ", c->name);
    /* %s in a command's example is the program's name */
    for (const char *s = text; *s; s++) {
        if (s[0] == '%' && s[1] == 's')
            fputs(c->name, p->out), s++;
        else
            fputc(*s, p->out);
    }
    fputc('\n', p->out);
}

static void closing(const struct printer *p) {
    const char *name = p->request->connector->name;
    bool is_root = !*p->request->topic->name;
    if (!has_children(p->request->topic))
        return;
    fputc('\n', p->out);
    if (is_root)
        fprintf(p->out,
                "Every flag can also be set by its variable ($BATON_...) or, by its name, in "
                ".baton.yaml.\n");
    fprintf(p->out, "Use \"%s%s%s [command] --help\" for more information about a command.\n", name,
            is_root ? "" : " ", p->request->topic->path);
}

/* 0 if `fd` is no terminal, or one too narrow to care. */
static size_t terminal_columns(int fd) {
    enum { NARROWEST = 60 };
    struct winsize size;
    if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < NARROWEST)
        return 0;
    return size.ws_col;
}

void help_print(const struct help_request *request, FILE *out) {
    const char *no_color = getenv("NO_COLOR");
    int fd = fileno(out);
    struct printer p = {.request = request,
                        .out = out,
                        .columns = terminal_columns(fd),
                        .is_bold = fd >= 0 && isatty(fd) && !(no_color && *no_color),
                        .is_measuring = true};
    all_flags(&p);
    p.is_measuring = false;
    const struct cli_word *t = request->topic;
    fprintf(out, "%s\n", !*t->name ? request->connector->name : t->about ? t->about : t->brief);
    usage(&p);
    commands(&p);
    all_flags(&p);
    example(&p);
    closing(&p);
}

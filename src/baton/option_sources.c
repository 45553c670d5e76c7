#include "baton/option_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "baton/near.h"
#include "baton/yaml_file.h"

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* --- config file --- */

bool option_sources_config_path(const char **ret_path, struct err *err) {
    const char *path = getenv("BATON_CONFIG_PATH");
    *ret_path = path && *path ? path : NULL;
    if (*ret_path && !ends_with(path, ".yaml") && !ends_with(path, ".yml"))
        return err_set(err, ERR_UNKNOWN, "expected config file to have .yaml or .yml extension");
    return true;
}

/* A key that is nearly a setting is most likely a slip; others may belong to another program. */
static void warn_of_near_miss(struct options *o, const char *path, const struct yaml_entry *e) {
    char dashed[FIELD_NAME_MAX];
    if (snprintf(dashed, sizeof dashed, "%s", e->key) >= (int)sizeof dashed)
        return;
    for (char *p = dashed; *p; p++) {
        if (*p == '_')
            *p = '-';
    }
    const struct field_set *set = options_fields(o);
    for (size_t i = 0; i < set->count; i++) {
        if (near_distance(dashed, set->items[i]->name) <= NEAR_MAX) {
            options_warn(o, "%s line %d: there is no setting %s; did you mean %s?", path, e->line,
                         e->key, set->items[i]->name);
            return;
        }
    }
}

static void take_entry(struct options *o, const char *path, const struct yaml_entry *e,
                       bool *holds_secret) {
    struct field_ref ref;
    if (!field_set_find(options_fields(o), e->key, strlen(e->key), true, &ref)) {
        warn_of_near_miss(o, path, e);
        return;
    }
    const struct field *f = options_fields(o)->items[ref.index];
    mem_auto char *where = mem_printf("%s line %d", path, e->line);
    if (f->is_secret && !ref.is_file && e->kind == YAML_SCALAR)
        *holds_secret = true;
    if (e->kind == YAML_SCALAR)
        options_take(o, &ref, ref.is_file ? OPTION_CONFIG_FILE : OPTION_CONFIG, e->items.items[0],
                     where);
    else if (e->kind == YAML_LIST && f->kind == FIELD_LIST)
        options_take_list(o, &ref, strlist_items(&e->items), e->items.count);
    else if (e->kind != YAML_NULL)
        options_warn(o, "%s: %s takes one value, not a list or mapping; it was left out", where,
                     f->name);
}

/* Returns false if there is no such file. */
static bool take_config(struct options *o, const char *path) {
    yaml_file_auto struct yaml_file file = {0};
    struct err err = ERR_INIT;
    if (!yaml_file_read(path, &file, &err)) {
        if (err.code != ERR_NOT_FOUND)
            options_warn(o, "the config file %s was not used: %s", path, err.msg);
        return err.code != ERR_NOT_FOUND;
    }
    bool holds_secret = false;
    for (size_t i = 0; i < file.count; i++)
        take_entry(o, path, &file.entries[i], &holds_secret);
    if (holds_secret && S_ISREG(file.mode) && (file.mode & S_IROTH))
        options_warn(o,
                     "%s holds a secret and can be read by every user of this machine: "
                     "chmod 600 it",
                     path);
    return true;
}

/* The SDK looks for either ending, whichever was named. */
static char *other_ending(const char *path) {
    size_t n = strlen(path) - strlen(strrchr(path, '.'));
    return mem_printf("%.*s.%s", (int)n, path, ends_with(path, ".yaml") ? "yml" : "yaml");
}

static void read_config(struct options *o, const char *path) {
    if (!path) {
        if (!take_config(o, ".baton.yaml"))
            take_config(o, ".baton.yml");
        return;
    }
    mem_auto char *other = other_ending(path);
    if (!take_config(o, path) && !take_config(o, other))
        options_warn(o, "BATON_CONFIG_PATH names %s, which does not exist", path);
}

/* --- environment --- */

/* "BATON_CRISP_API_KEY=..." to "crisp-api-key"; false for anything that cannot be a field. */
static bool field_name_of(const char *entry, char name[FIELD_NAME_MAX], size_t *ret_len) {
    static const char prefix[] = "BATON_";
    if (strncmp(entry, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *p = entry + sizeof prefix - 1;
    size_t n = 0;
    for (; *p && *p != '='; p++) {
        bool is_letter = *p >= 'A' && *p <= 'Z', is_digit = *p >= '0' && *p <= '9';
        if ((!is_letter && !is_digit && *p != '_') || n + 1 == FIELD_NAME_MAX)
            return false;
        name[n++] = *p == '_' ? '-' : is_letter ? (char)(*p - 'A' + 'a') : *p;
    }
    name[n] = '\0';
    *ret_len = n;
    return *p == '=' && p[1]; /* an empty variable counts as unset */
}

static void read_environment(struct options *o) {
    for (char **e = environ; e && *e; e++) {
        char name[FIELD_NAME_MAX];
        size_t len;
        struct field_ref ref;
        if (!field_name_of(*e, name, &len) ||
            !field_set_find(options_fields(o), name, len, false, &ref))
            continue;
        const char *value = strchr(*e, '=') + 1;
        mem_auto char *variable = mem_strndup(*e, (size_t)(value - 1 - *e));
        options_take(o, &ref, ref.is_file ? OPTION_ENV_FILE : OPTION_ENV, value, variable);
    }
}

/* --- systemd credentials (systemd.exec(5), LoadCredential=) --- */

static void read_credentials(struct options *o) {
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    if (!dir || !*dir)
        return;
    const struct field_set *set = options_fields(o);
    for (size_t i = 0; i < set->count; i++) {
        if (!set->items[i]->is_secret)
            continue;
        mem_auto char *path = mem_printf("%s/%s", dir, set->items[i]->name);
        struct field_ref ref = {.index = i, .is_file = true};
        if (access(path, F_OK) == 0)
            options_take(o, &ref, OPTION_CREDENTIAL, path, "CREDENTIALS_DIRECTORY");
    }
}

void option_sources_read(struct options *o, const char *config_path) {
    read_config(o, config_path);
    read_environment(o);
    read_credentials(o);
}

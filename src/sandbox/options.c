#include "sandbox/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/fault_kind.h"

/* ---- values ---- */

static bool set_listen(struct options *o, const char *value, struct err *err) {
    (void)err;
    o->server.listen = value;
    return true;
}

static bool set_allow_remote(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    return o->server.allow_remote = true;
}

static bool parse_number(const char *text, int64_t min, int64_t max, int64_t *ret,
                         struct err *err) {
    char *end;
    long long n = strtoll(text, &end, 10);
    if (!*text || *end || strlen(text) > 18 || n < min || n > max)
        return err_set(err, ERR_INVALID_ARGUMENT, "must be a number from %lld to %lld",
                       (long long)min, (long long)max);
    *ret = n;
    return true;
}

static bool parse_size(const char *text, int64_t min, size_t *ret, struct err *err) {
    int64_t n;
    if (!parse_number(text, min, TEAM_MAX, &n, err))
        return false;
    *ret = (size_t)n;
    return true;
}

static bool set_operators(struct options *o, const char *value, struct err *err) {
    return parse_size(value, 1, &o->sandbox.operators, err);
}

static bool set_owners(struct options *o, const char *value, struct err *err) {
    return parse_size(value, 1, &o->sandbox.owners, err);
}

static bool set_invites(struct options *o, const char *value, struct err *err) {
    o->sandbox.has_invites = true;
    return parse_size(value, 0, &o->sandbox.invites, err);
}

static bool set_website_id(struct options *o, const char *value, struct err *err) {
    (void)err;
    o->sandbox.website_id = value;
    return true;
}

static bool set_website_name(struct options *o, const char *value, struct err *err) {
    (void)err;
    o->sandbox.website_name = value;
    return true;
}

static bool set_scenario(struct options *o, const char *value, struct err *err) {
    (void)err;
    o->sandbox.scenario = value;
    return true;
}

static bool set_scopes(struct options *o, const char *value, struct err *err) {
    (void)err;
    o->sandbox.scopes = value;
    return true;
}

static bool set_quota(struct options *o, const char *value, struct err *err) {
    return parse_number(value, 0, INT64_C(1000000000), &o->sandbox.quota, err);
}

static bool set_cache(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    return o->sandbox.cache = true;
}

static bool set_cache_ttl(struct options *o, const char *value, struct err *err) {
    int64_t seconds;
    if (!parse_number(value, 1, 1000000, &seconds, err))
        return false;
    o->sandbox.cache = true;
    o->sandbox.cache_ttl_ms = seconds * 1000;
    return true;
}

static bool add_fault(struct options *o, const char *value, struct err *err) {
    (void)err;
    size_t n = o->sandbox.fault_count++;
    o->faults = mem_realloc_array(o->faults, n + 1, sizeof *o->faults);
    /* The list is read only; argv's strings just happen not to be const. */
    memcpy(&o->faults[n], &value, sizeof value);
    o->sandbox.faults = o->faults;
    return true;
}

static bool set_log(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    return o->server.log = true;
}

static bool set_ready_file(struct options *o, const char *value, struct err *err) {
    (void)err;
    o->ready_file = value;
    return true;
}

static bool set_print_env(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    o->action = OPTIONS_PRINT_ENV;
    return true;
}

static bool set_tier(struct options *o, const char *value, struct err *err) {
    return tier_parse(value, &o->env_tier) ||
           err_set(err, ERR_INVALID_ARGUMENT, "must be plugin, website or user");
}

static bool set_exit_with_parent(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    return o->exit_with_parent = true;
}

static bool set_help(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    o->action = OPTIONS_HELP;
    return true;
}

static bool set_help_faults(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    o->action = OPTIONS_HELP_FAULTS;
    return true;
}

static bool set_version(struct options *o, const char *value, struct err *err) {
    (void)value;
    (void)err;
    o->action = OPTIONS_VERSION;
    return true;
}

/* ---- the table ---- */

static const struct option {
    const char *name, *value; /* NULL: takes none */
    const char *help;         /* (what it is without the option) */
    bool (*set)(struct options *o, const char *value, struct err *err);
} table[] = {
    {"--listen", "ADDR:PORT", "where to listen; port 0 is any free one (127.0.0.1:0)", set_listen},
    {"--allow-remote", NULL, "let --listen take what other machines can reach", set_allow_remote},
    {"--operators", "N", "N generated operators (the six seeded ones)", set_operators},
    {"--owners", "N", "the first N of them are owners (every 50th)", set_owners},
    {"--invites", "N", "pending invitations (1; with --operators 0)", set_invites},
    {"--website-id", "UUID", "id of the website (5f0c1a2b-...-abcdef000001)", set_website_id},
    {"--website-name", "NAME", "its name (" WEBSITE_MAIN_NAME ")", set_website_name},
    {"--scenario", "FILE", "start from a state written as JSON", set_scenario},
    {"--scopes", "LIST", "scopes of the plugin token, or none (all)", set_scopes},
    {"--quota", "N", "daily requests of plugin and website token (no limit)", set_quota},
    {"--cache", NULL, "behave like Crisp's cache: ETag, 304, stale 401 and 404", set_cache},
    {"--cache-ttl", "SECONDS", "how long it keeps an answer (600); implies --cache", set_cache_ttl},
    {"--fault", "SPEC", "answer wrongly, see --help-faults; may be repeated", add_fault},
    {"--log", NULL, "write one line to stderr for each request", set_log},
    {"--print-env", NULL, "print a connector's settings as shell lines and exit", set_print_env},
    {"--tier", "TIER", "whose token they hold: plugin, website, user (plugin)", set_tier},
    {"--ready-file", "PATH", "write them to PATH once listening, with the base URL",
     set_ready_file},
    {"--exit-with-parent", NULL, "end when standard input closes", set_exit_with_parent},
    {"--help-faults", NULL, "explain --fault", set_help_faults},
    {"--help", NULL, "this text", set_help},
    {"--version", NULL, "print the version", set_version},
};
enum { OPTIONS = sizeof table / sizeof table[0] };

/* The option of which arg is "--name" or "--name=value"; *ret_value is NULL in the first case. */
static const struct option *find(const char *arg, const char **ret_value) {
    size_t n = strcspn(arg, "=");
    *ret_value = arg[n] == '=' ? arg + n + 1 : NULL;
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strlen(table[i].name) == n && memcmp(table[i].name, arg, n) == 0)
            return &table[i];
    }
    return NULL;
}

static bool parse_one(struct options *o, int argc, char **argv, int *i, struct err *err) {
    const char *value;
    const char *arg = strcmp(argv[*i], "-h") == 0 ? "--help" : argv[*i];
    const struct option *found = find(arg, &value);
    if (!found)
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "unknown argument %.80s; crisp-sandbox --help lists them", arg);
    if (!found->value && value)
        return err_set(err, ERR_INVALID_ARGUMENT, "%s takes no value", found->name);
    if (found->value && !value) {
        if (*i + 1 >= argc)
            return err_set(err, ERR_INVALID_ARGUMENT, "%s needs a value: %s %s", found->name,
                           found->name, found->value);
        value = argv[++*i];
    }
    return found->set(o, value, err) || err_wrap(err, "%s", found->name);
}

bool options_parse(int argc, char **argv, struct options *ret, struct err *err) {
    struct options o = {
        .sandbox = {.quota = -1},
        .server = {.listen = "127.0.0.1:0"},
        .env_tier = TIER_PLUGIN,
    };
    for (int i = 1; i < argc; i++) {
        if (!parse_one(&o, argc, argv, &i, err)) {
            options_done(&o);
            return false;
        }
    }
    *ret = o;
    return true;
}

void options_done(struct options *o) {
    free(o->faults);
    o->faults = NULL;
}

void options_print_help(FILE *out) {
    fputs("Usage: crisp-sandbox [option]...\n"
          "A stand-in for the REST API of Crisp, for trying out and testing clients.\n\n",
          out);
    for (size_t i = 0; i < OPTIONS; i++) {
        mem_auto char *left = mem_printf("%s %s", table[i].name,
                                         table[i].value ? table[i].value : "");
        fprintf(out, "  %-22s %s\n", left, table[i].help);
    }
    fputs("\nMade-up credentials, identifier and key, for each value of X-Crisp-Tier:\n", out);
    for (int i = 0; i < TIER_COUNT; i++) {
        struct token t;
        token_init(&t, (enum tier)i);
        fprintf(out, "  %-8s %s\n           %s\n", tier_name(t.tier), t.identifier, t.key);
        token_done(&t);
    }
    fputs("While it runs, /_sandbox/ shows requests, changes state and orders faults:\n"
          "crisp-sandbox(1), docs/sandbox.md.\n",
          out);
}

void options_print_faults(FILE *out) {
    const struct fault_kind *kind;
    fputs("--fault PATH:KIND[:NAME=VALUE]...\n\n"
          "PATH is the end of a path without its ids (website, operators/list, operator), a whole\n"
          "path from /v1/ on, or *. KIND is a status (429, 503; 2xx keeps the body), or:\n\n",
          out);
    for (size_t i = 0; (kind = fault_kind_at(i)); i++)
        fprintf(out, "  %-18s %s\n", kind->name, kind->text);
    fputs("\nWith any kind: count=N times (0: always), skip=N first, method=GET, delay-ms=N,\n"
          "status=N, reason=TEXT, message=TEXT, body=TEXT, content-type=TYPE, header=Name: value,\n"
          "retry-after=SECONDS or text, retry-after-date=SECONDS from now as a date, chunked=1,\n"
          "close=1, bytes=N with every-ms=N.\n\n"
          "  --fault operators/list:503:count=2            two 503, then the list\n"
          "  --fault operators/list:429:retry-after=2:count=1\n"
          "  --fault website:slow:bytes=1:every-ms=20      a byte every 20 ms\n"
          "  --fault '*:offline'                           the proxy cannot reach the API\n",
          out);
}

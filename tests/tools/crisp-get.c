/* crisp-get: makes one crisp_fetch() and prints what came of it as JSON. Built for the tests only.
 *
 *     crisp-get --base-url URL --website-id ID --identifier ID --key KEY [--tier plugin]
 *               [--timeout-s 30] [--stall-ms 0] [--retry-unit-ms 1000] [--last-active] [--debug]
 *               [--no-list]
 *
 * Exit 0 with the snapshot, or the code of the error. SIGINT and SIGTERM cancel. --no-list leaves
 * the operators out of the output, for measurements. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "crisp/client.h"

enum { OUTPUT_MAX = 512 * 1024 * 1024 };

struct wish {
    struct crisp_config config;
    struct secret key;
    bool is_debug, is_without_list;
};

static int parse_number(const char *text) {
    return (int)strtol(text, NULL, 10);
}

static bool parse(int argc, char **argv, struct wish *w) {
    static const struct option options[] = {
        {"base-url", required_argument, NULL, 'b'},   {"website-id", required_argument, NULL, 'w'},
        {"identifier", required_argument, NULL, 'i'}, {"key", required_argument, NULL, 'k'},
        {"tier", required_argument, NULL, 't'},       {"timeout-s", required_argument, NULL, 'T'},
        {"stall-ms", required_argument, NULL, 's'},   {"retry-unit-ms", required_argument, NULL, 'r'},
        {"last-active", no_argument, NULL, 'l'},      {"debug", no_argument, NULL, 'd'},
        {"no-list", no_argument, NULL, 'n'},          {0},
    };
    struct crisp_config *c = &w->config;
    for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (letter) {
        case 'b':
            c->base_url = optarg;
            break;
        case 'w':
            c->website_id = optarg;
            break;
        case 'i':
            c->identifier = optarg;
            break;
        case 'k':
            secret_set(&w->key, optarg, strlen(optarg));
            break;
        case 't':
            c->tier = optarg;
            break;
        case 'T':
            c->timeout_s = parse_number(optarg);
            break;
        case 's':
            c->stall_ms = parse_number(optarg);
            break;
        case 'r':
            c->retry.unit_ms = parse_number(optarg);
            break;
        case 'l':
            c->want_last_active = true;
            break;
        case 'd':
            w->is_debug = true;
            break;
        case 'n':
            w->is_without_list = true;
            break;
        default:
            return false;
        }
    }
    return c->base_url && c->website_id && c->identifier;
}

static void print_error(struct jsonw *w, const char *key, const struct err *err) {
    jsonw_key(w, key);
    jsonw_object(w);
    jsonw_kv_int(w, "code", err->code);
    jsonw_kv(w, "name", err_code_name(err->code));
    jsonw_kv(w, "message", err->msg);
    jsonw_kv_int(w, "retry_at_unix", err->retry_at_unix);
    jsonw_object_end(w);
}

static void print_operator(struct jsonw *w, const struct crisp_operator *o) {
    static const char *const facts[] = {
        [CRISP_UNKNOWN] = "unknown", [CRISP_NO] = "no", [CRISP_YES] = "yes"};
    jsonw_object(w);
    jsonw_kv(w, "type", o->type);
    jsonw_kv(w, "user_id", o->user_id);
    jsonw_kv(w, "email", o->email);
    jsonw_kv(w, "first_name", o->first_name);
    jsonw_kv(w, "last_name", o->last_name);
    jsonw_kv(w, "role", o->role);
    jsonw_kv(w, "title", o->title);
    jsonw_kv(w, "has_token", facts[o->has_token]);
    jsonw_kv_int(w, "last_active_ms", o->last_active_ms);
    jsonw_object_end(w);
}

static void print_snapshot(struct jsonw *w, const struct crisp_snapshot *s, bool is_without_list) {
    jsonw_key(w, "website");
    jsonw_object(w);
    jsonw_kv(w, "website_id", s->website.website_id);
    jsonw_kv(w, "name", s->website.name);
    jsonw_kv(w, "domain", s->website.domain);
    jsonw_kv(w, "logo", s->website.logo);
    jsonw_object_end(w);
    print_error(w, "team_error", &s->team_err);
    jsonw_kv_int(w, "requests", s->requests);
    jsonw_kv_int(w, "retries", s->retries);
    jsonw_kv_int(w, "count", (int64_t)s->team.count);
    jsonw_kv_int(w, "invitations", (int64_t)s->team.invitations);
    jsonw_kv_int(w, "without_id", (int64_t)s->team.without_id);
    jsonw_key(w, "operators");
    jsonw_array(w);
    for (size_t i = 0; i < s->team.count && !is_without_list; i++)
        print_operator(w, &s->team.operators[i]);
    jsonw_array_end(w);
}

/* The peak of this process's memory; getrusage() would count the parent's before exec(). */
static int64_t peak_kib(void) {
    char line[256];
    int64_t kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

static int run(const struct wish *wish, struct buf *out) {
    struct err err = ERR_INIT;
    struct crisp_snapshot snapshot = {0};
    struct arena arena;
    arena_init(&arena);
    int64_t began_ns = clock_mono_ns();
    struct crisp_client *client = crisp_client_new(&wish->config, &err);
    bool ok = client && crisp_fetch(client, &arena, &snapshot, &err);
    crisp_client_free(client);

    struct jsonw w;
    jsonw_init(&w, out, false);
    jsonw_object(&w);
    jsonw_kv_int(&w, "took_us", (clock_mono_ns() - began_ns) / 1000);
    jsonw_kv_int(&w, "peak_kib", peak_kib());
    print_error(&w, "error", &err);
    if (ok)
        print_snapshot(&w, &snapshot, wish->is_without_list);
    jsonw_object_end(&w);
    arena_done(&arena);
    return ok ? 0 : (int)err.code;
}

int main(int argc, char **argv) {
    struct wish wish = {.config = {.tier = "plugin",
                                   .user_agent = "crisp-get/" BATON_CRISP_VERSION,
                                   .timeout_s = 30,
                                   .retry = RETRY_POLICY_DEFAULT}};
    if (!parse(argc, argv, &wish)) {
        fprintf(stderr, "crisp-get: --base-url, --website-id, --identifier and --key are needed\n");
        return 2;
    }
    struct err err = ERR_INIT;
    struct cancel *cancel = cancel_new(&err);
    if (!cancel)
        return (int)err.code;
    cancel_on_signals(cancel);
    wish.config.key = &wish.key;
    wish.config.cancel = cancel;
    wish.config.log = log_new(wish.is_debug ? LOG_DEBUG : LOG_WARN, LOG_JSON);

    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    int code = run(&wish, &out);
    puts(out.data);
    buf_done(&out);
    log_free(wish.config.log);
    secret_done(&wish.key);
    cancel_on_signals(NULL);
    cancel_free(cancel);
    return code;
}

#include "program/program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program/capabilities.h"
#include "baton/cli.h"
#include "program/oneshot.h"
#include "service/service.h"
#include "base/mem.h"

enum { EXIT_SIGTERM = 128 + SIGTERM, CAPABILITIES_MAX = 1024 * 1024 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

/* A core dump would hold the key. Sanitizers need to trace their own process, so not under them. */
static void refuse_core_dumps(void) {
#ifndef IS_SANITIZED
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static bool print_capabilities(const struct baton_connector *connector, struct err *err) {
    buf_auto struct buf out;
    buf_init(&out, CAPABILITIES_MAX);
    if (!capabilities_print(connector, &out, err))
        return false;
    if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
        return err_set(err, ERR_UNKNOWN, "cannot write to standard output");
    return true;
}

/* --- the log --- */

static enum log_format format_from(const char *name) {
    if (!*name) /* the SDK looks at stdout, although the log goes to stderr */
        return isatty(STDOUT_FILENO) == 1 ? LOG_CONSOLE : LOG_JSON;
    return strcmp(name, "console") == 0 ? LOG_CONSOLE : LOG_JSON;
}

static void hide_secrets(struct log *log, const struct baton_connector *connector,
                         const struct options *options) {
    for (size_t i = 0; i < connector->field_count; i++) {
        if (connector->fields[i].is_secret)
            log_hide(log, options_secret(options, connector->fields[i].name));
    }
    log_hide(log, options_secret(options, "client-secret"));
}

static struct log *open_log(const struct baton_connector *connector, const struct options *options,
                            struct err *err) {
    struct log *log = log_new(log_level_from(options_str(options, "log-level")),
                              format_from(options_str(options, "log-format")));
    hide_secrets(log, connector, options);
    const char *const *paths;
    size_t count = options_list(options, "log-path", &paths);
    for (size_t i = 0; i < count; i++) {
        if (!log_open_path(log, paths[i], err)) {
            log_free(log);
            return NULL;
        }
    }
    const char *const *warnings;
    count = options_warnings(options, &warnings);
    for (size_t i = 0; i < count; i++)
        log_warn(log, "settings", LOG_STR("warning", warnings[i]));
    return log;
}

/* --- running --- */

static bool run_in(const struct baton_connector *connector, const struct baton_env *env,
                   struct err *err) {
    if (*options_str(env->options, "client-id"))
        return service_run(connector, env, err);
    if (options_bool(env->options, "list-action-schemas")) { /* there are none */
        log_info(env->log, "Action Schemas", LOG_INT("count", 0), LOG_RAW("schemas", "null"));
        return true;
    }
    return oneshot_sync(connector, env, err);
}

static bool run(const struct baton_connector *connector, const struct options *options,
                const struct cancel *cancel, struct err *err) {
    struct log *log = open_log(connector, options, err);
    if (!log)
        return false;
    mem_auto char *user_agent = mem_printf("%s/%s", connector->name, connector->version);
    struct baton_env env = {
        .options = options, .user_agent = user_agent, .log = log, .cancel = cancel};
    bool ok = run_in(connector, &env, err);
    if (!ok && err->code != ERR_CANCELLED)
        log_error(log, "error running connector", LOG_ERROR_FIELD(err));
    log_mask(log, err->msg);
    log_free(log);
    return ok;
}

static bool run_until_signal(const struct baton_connector *connector, const struct options *options,
                             int *ret_signal, struct err *err) {
    struct cancel *cancel = cancel_new(err);
    if (!cancel)
        return false;
    cancel_on_signals(cancel);
    bool ok = run(connector, options, cancel, err);
    *ret_signal = cancel_reason(cancel);
    cancel_on_signals(NULL);
    cancel_free(cancel);
    return ok;
}

static bool dispatch(const struct cli_request *request, const struct baton_connector *connector,
                     int *ret_signal, struct err *err) {
    switch (request->command) {
    case CLI_RUN:
        return run_until_signal(connector, request->options, ret_signal, err);
    case CLI_CAPABILITIES:
        return print_capabilities(connector, err);
    default:
        return cli_answer(request, connector, connector->version, stdout, stderr, err);
    }
}

static int exit_code(bool ok, int signal_number, const struct err *err) {
    if (ok)
        return EXIT_SUCCESS;
    fprintf(stderr, "%s\n", err->msg);
    if (err->code != ERR_CANCELLED)
        return (int)err->code;
    return signal_number == SIGTERM ? EXIT_SIGTERM : EXIT_SUCCESS;
}

/* A config file that could not be used explains a setting that is missing. */
static void explain_settings(const struct cli_request *request) {
    struct log *log = log_new(LOG_INFO, format_from(""));
    for (size_t i = 0; i < request->warnings.count; i++)
        log_warn(log, "settings", LOG_STR("warning", request->warnings.items[i]));
    log_free(log);
}

/* libcurl's libraries tidy their memory up at exit, which touches more of it: 0.3 MiB and 3 % of a small
 * sync. We register nothing ourselves; sanitizers report at exit. */
static int leave(int code) {
#ifndef IS_SANITIZED
    fflush(NULL);
    _exit(code);
#endif
    return code;
}

int baton_main(int argc, char **argv, const struct baton_connector *connector) {
    refuse_core_dumps();
    struct err err = ERR_INIT;
    struct cli_request request;
    int signal_number = 0;
    if (!cli_parse(argc, argv, connector, &request, &err)) {
        explain_settings(&request);
        cli_request_done(&request);
        return leave(exit_code(false, 0, &err));
    }
    bool ok = dispatch(&request, connector, &signal_number, &err);
    cli_request_done(&request);
    return leave(exit_code(ok, signal_number, &err));
}

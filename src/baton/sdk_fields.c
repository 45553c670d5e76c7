#include "baton/sdk_fields.h"

static const char *const storage_engines[] = {"", "sqlite", "pebble", NULL};
static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"json", "console", NULL};

static const char one_source[] =
    "this connector reads one source; match its users with other directories in ConductorOne";

/* The table is read by people: one line a row, columns by macro. */
/* clang-format off */
#define ROW(kind_, name_, text_, ...)                                                              \
    {.kind = FIELD_##kind_, .name = name_, .description = text_, .display_name = "", __VA_ARGS__}
#define IN(group_) .group = FIELD_GROUP_##group_
#define HIDDEN .is_hidden = true
#define OPS .export_to = FIELD_EXPORT_OPS
#define COMMON .is_common = true
#define DEFAULT(text_) .default_value = text_
#define RANGE(min_, max_) .has_min = true, .has_max = true, .min = min_, .max = max_
#define COMPLETES(hint_) .hint = FIELD_HINT_##hint_
#define ONE_SHOT IN(COMPAT), HIDDEN, .effect = FIELD_UNIMPLEMENTED
#define NO_EFFECT IN(COMPAT), .effect = FIELD_IGNORED
#define HIDDEN_NO_EFFECT NO_EFFECT, HIDDEN
#define REFUSED(why_) IN(COMPAT), .effect = FIELD_REFUSED, .refusal = why_

const struct field sdk_fields[] = {
    ROW(BOOL, "create-ticket", "Create a ticket; not available", ONE_SHOT),
    ROW(BOOL, "bulk-create-ticket", "Create several tickets; not available", ONE_SHOT),
    ROW(STRING, "bulk-ticket-template-path", "JSON file for --bulk-create-ticket",
        HIDDEN_NO_EFFECT, COMPLETES(FILE)),
    ROW(BOOL, "get-ticket", "Show a ticket; not available", ONE_SHOT),
    ROW(BOOL, "list-ticket-schemas", "List ticket schemas; not available", ONE_SHOT),
    ROW(BOOL, "provisioning", "No effect: this connector only reads", NO_EFFECT, .letter = 'p'),
    ROW(BOOL, "ticketing", "No effect: there are no tickets here", NO_EFFECT),
    ROW(STRING, "c1z-temp-dir", "Directory for temporary files", IN(SYNC), HIDDEN, COMPLETES(DIR)),
    ROW(STRING, "client-id", "Run as a service for this C1 client id",
        IN(SERVICE), COMMON),
    ROW(STRING, "client-secret", "The secret of --client-id",
        IN(SERVICE), .is_secret = true),
    ROW(STRING, "create-account-email", "E-mail address for --create-account-login",
        HIDDEN_NO_EFFECT),
    ROW(STRING, "create-account-login", "Create an account; not available", ONE_SHOT),
    ROW(STRING, "create-account-profile", "Create an account from JSON; not available", ONE_SHOT),
    ROW(STRING, "create-account-resource-type", "Resource type for --create-account-login",
        HIDDEN_NO_EFFECT),
    ROW(STRING, "delete-resource", "Delete a resource; not available", ONE_SHOT),
    ROW(STRING, "delete-resource-type", "Resource type for --delete-resource", HIDDEN_NO_EFFECT),
    ROW(STRING, "event-feed", "Print events; not available", ONE_SHOT),
    ROW(STRING, "event-feed-id", "Feed for --event-feed", HIDDEN_NO_EFFECT),
    ROW(STRING, "event-feed-start-at", "First moment for --event-feed", HIDDEN_NO_EFFECT),
    ROW(STRING, "event-feed-cursor", "Where --event-feed goes on", HIDDEN_NO_EFFECT),
    ROW(STRING, "file", "The c1z file to write",
        IN(SYNC), COMMON, DEFAULT("sync.c1z"), COMPLETES(FILE), .letter = 'f'),
    ROW(STRING, "grant-entitlement", "Grant an entitlement; not available", ONE_SHOT),
    ROW(STRING, "grant-principal", "Who gets --grant-entitlement", HIDDEN_NO_EFFECT),
    ROW(STRING, "grant-principal-type", "Resource type of --grant-principal", HIDDEN_NO_EFFECT),
    ROW(STRING, "log-format", "Form of the lines: json or console",
        IN(LOG), .offers = log_formats),
    ROW(LIST, "log-path", "Write log lines to these files, not stderr", IN(LOG), COMPLETES(FILE)),
    ROW(STRING, "revoke-grant", "Revoke a grant; not available", ONE_SHOT),
    ROW(STRING, "rotate-credentials", "Rotate credentials; not available", ONE_SHOT),
    ROW(STRING, "rotate-credentials-type", "Resource type for --rotate-credentials",
        HIDDEN_NO_EFFECT),
    ROW(STRING, "ticket-id", "Ticket for --get-ticket", HIDDEN_NO_EFFECT),
    ROW(STRING, "ticket-template-path", "JSON file for --create-ticket",
        HIDDEN_NO_EFFECT, COMPLETES(FILE)),
    ROW(STRING, "log-level", "Debug, info, warn or error",
        IN(LOG), OPS, COMMON, DEFAULT("info"), .offers = log_levels),
    ROW(STRING, "log-level-debug-expires-at", "No effect: only AWS Lambda reads it",
        NO_EFFECT, OPS),
    ROW(BOOL, "skip-full-sync", "Answer full-sync tasks with an empty sync", IN(SERVICE)),
    ROW(LIST, "sync-resources", "Refused: a sync is always whole",
        REFUSED("a sync reads the source whole; narrow it with --sync-resource-types")),
    ROW(LIST, "sync-resource-types", "Sync only these resource types", IN(SYNC)),
    ROW(BOOL, "skip-entitlements-and-grants", "Sync resources only", IN(SYNC)),
    ROW(BOOL, "skip-grants", "With --sync-resources: no grants", IN(SYNC), HIDDEN),
    ROW(STRING, "external-resource-c1z", "Refused: there is one source",
        REFUSED(one_source), COMPLETES(FILE)),
    ROW(STRING, "external-resource-entitlement-id-filter", "Refused: there is one source",
        REFUSED(one_source)),
    ROW(LIST, "external-resource-traits", "Refused: there is one source", REFUSED(one_source)),
    ROW(BOOL, "keep-previous-sync-c1z", "No effect: every sync is complete", NO_EFFECT),
    ROW(BOOL, "diff-syncs", "Refused: use the baton CLI",
        REFUSED("compare syncs with the baton CLI, `baton diff`"), HIDDEN),
    ROW(STRING, "base-sync-id", "First sync for --diff-syncs", HIDDEN_NO_EFFECT),
    ROW(STRING, "applied-sync-id", "Second sync for --diff-syncs", HIDDEN_NO_EFFECT),
    ROW(LIST, "compact-sync-ids", "Sync ids for --compact-syncs", HIDDEN_NO_EFFECT),
    ROW(LIST, "compact-file-paths", "Files for --compact-syncs", HIDDEN_NO_EFFECT, COMPLETES(FILE)),
    ROW(STRING, "compact-output-path", "Directory for --compact-syncs",
        HIDDEN_NO_EFFECT, COMPLETES(DIR)),
    ROW(BOOL, "compact-syncs", "Refused: use the baton CLI",
        REFUSED("merge files with the compactor of the baton SDK"), HIDDEN),
    ROW(STRING, "invoke-action", "Run an action; there are none", ONE_SHOT),
    ROW(STRING, "invoke-action-args", "JSON arguments for --invoke-action",
        HIDDEN_NO_EFFECT, DEFAULT("{}")),
    ROW(STRING, "invoke-action-resource-type", "Resource type for --invoke-action",
        HIDDEN_NO_EFFECT),
    ROW(BOOL, "list-action-schemas", "List actions; there are none", IN(COMPAT), HIDDEN),
    ROW(STRING, "list-action-schemas-resource-type", "Resource type for --list-action-schemas",
        HIDDEN_NO_EFFECT),
    ROW(STRING, "list-resource-actions", "No effect, as in the SDK", HIDDEN_NO_EFFECT),
    ROW(STRING, "invoke-resource-action", "No effect, as in the SDK", HIDDEN_NO_EFFECT),
    ROW(STRING, "invoke-resource-action-resource-type", "No effect, as in the SDK",
        HIDDEN_NO_EFFECT),
    ROW(STRING, "invoke-resource-action-args", "No effect, as in the SDK",
        HIDDEN_NO_EFFECT, DEFAULT("{}")),
    ROW(INT, "session-store-maximum-size", "No effect: nothing is cached between syncs",
        HIDDEN_NO_EFFECT, OPS, DEFAULT("15728640")),
    ROW(INT, "workers", "No effect: one worker is fast enough", NO_EFFECT),
    ROW(BOOL, "parallel-sync", "No effect; deprecated, see --workers", NO_EFFECT),
    ROW(STRING, "otel-collector-endpoint", "No effect: no OpenTelemetry here", NO_EFFECT, OPS),
    ROW(STRING, "otel-collector-endpoint-tls-cert-path", "No effect: no OpenTelemetry here",
        HIDDEN_NO_EFFECT, OPS, COMPLETES(FILE)),
    ROW(STRING, "otel-collector-endpoint-tls-cert", "No effect: no OpenTelemetry here",
        HIDDEN_NO_EFFECT, OPS),
    ROW(BOOL, "otel-collector-endpoint-tls-insecure", "No effect: no OpenTelemetry here",
        HIDDEN_NO_EFFECT, OPS),
    ROW(BOOL, "otel-tracing-disabled", "No effect: no OpenTelemetry here", HIDDEN_NO_EFFECT, OPS),
    ROW(BOOL, "otel-logging-disabled", "No effect: no OpenTelemetry here", HIDDEN_NO_EFFECT, OPS),
    ROW(STRING, "auth-method", "No effect: there is one way to authenticate", NO_EFFECT),
    ROW(BOOL, "health-check", "Answer /health, /ready, /live and /metrics",
        IN(SERVICE), OPS),
    ROW(INT, "health-check-port", "Port of the health checks", IN(SERVICE), OPS, DEFAULT("8081")),
    ROW(STRING, "health-check-bind-address", "Address of the health checks",
        IN(SERVICE), HIDDEN, OPS, DEFAULT("127.0.0.1")),
    ROW(INT, "http-timeout-seconds", "Limit of one request, 1 to 1800",
        IN(SYNC), OPS, RANGE(1, 1800), DEFAULT("300")),
    ROW(STRING, "storage-engine", "Engine of a new c1z file", IN(SYNC), .one_of = storage_engines),
    ROW(INT, "task-concurrency", "Tasks at once, 1 to 100",
        IN(SERVICE), RANGE(1, 100), DEFAULT("3")),
};
/* clang-format on */
const size_t sdk_field_count = sizeof sdk_fields / sizeof sdk_fields[0];

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* cobra checks all groups that need each other before all that exclude each other, both sorted by
 * their text; a test keeps this order. */
const struct field_relation sdk_relations[] = {
    {FIELD_TOGETHER, NAMES("bulk-create-ticket", "bulk-ticket-template-path"), NULL},
    {FIELD_TOGETHER, NAMES("client-id", "client-secret"), NULL},
    {FIELD_TOGETHER,
     NAMES("compact-syncs", "compact-sync-ids", "compact-file-paths", "compact-output-path"), NULL},
    {FIELD_TOGETHER, NAMES("create-ticket", "ticket-template-path"), NULL},
    {FIELD_TOGETHER, NAMES("diff-syncs", "base-sync-id", "applied-sync-id"), NULL},
    {FIELD_TOGETHER, NAMES("get-ticket", "ticket-id"), NULL},
    {FIELD_TOGETHER, NAMES("grant-entitlement", "grant-principal"), NULL},
    {FIELD_EXCLUSIVE,
     NAMES("grant-entitlement", "revoke-grant", "create-account-email", "delete-resource-type",
           "rotate-credentials-type", "event-feed", "diff-syncs", "compact-syncs",
           "list-ticket-schemas"),
     NULL},
    {FIELD_EXCLUSIVE,
     NAMES("grant-entitlement", "revoke-grant", "create-account-login", "delete-resource",
           "rotate-credentials", "event-feed", "create-ticket", "get-ticket", "list-ticket-schemas",
           "bulk-create-ticket"),
     NULL},
};
const size_t sdk_relation_count = sizeof sdk_relations / sizeof sdk_relations[0];

/* Texts as the SDK's own connectors give them, observed with v0.25.0. */
static const char no_accounts[] = "connector does not have account manager configured";
static const char no_tickets[] = "ticket manager not implemented";
static const char no_provisioner[] = " does not have provisioner configured";

const struct sdk_one_shot sdk_one_shots[] = {
    {"grant-entitlement", ERR_UNIMPLEMENTED, "resource type ", "grant-entitlement", "",
     no_provisioner, true},
    {"revoke-grant", ERR_UNIMPLEMENTED, "resource type ", "revoke-grant", "", no_provisioner, true},
    {"event-feed", ERR_NOT_FOUND, "error: event feed id ", "event-feed-id", "baton_feed_event",
     " not found", false},
    {"create-account-profile", ERR_UNIMPLEMENTED, no_accounts, NULL, "", "", false},
    {"create-account-login", ERR_UNIMPLEMENTED, no_accounts, NULL, "", "", false},
    {"invoke-action", ERR_NOT_FOUND,
     "error: invoking action failed: rpc error: code = NotFound desc = handler for action ",
     "invoke-action", "", " not found", false},
    {"delete-resource", ERR_UNIMPLEMENTED, "resource type ", "delete-resource-type", "",
     " does not have resource Delete() configured", false},
    {"rotate-credentials", ERR_UNIMPLEMENTED,
     "resource type does not have credential manager configured", NULL, "", "", false},
    {"create-ticket", ERR_UNIMPLEMENTED, no_tickets, NULL, "", "", false},
    {"bulk-create-ticket", ERR_UNIMPLEMENTED, no_tickets, NULL, "", "", false},
    {"list-ticket-schemas", ERR_UNIMPLEMENTED, no_tickets, NULL, "", "", false},
    {"get-ticket", ERR_UNIMPLEMENTED, no_tickets, NULL, "", "", false},
};
const size_t sdk_one_shot_count = sizeof sdk_one_shots / sizeof sdk_one_shots[0];

#include "service/answer.h"

#include <stddef.h>
#include <string.h>

#include "base/utf8.h"
#include "connector.pb-c.h"
#include "pb/pack.h"

enum { SUBJECT_MAX = 256 };

/* NULL: all is there. */
typedef const char *check(const Api__Task *task);
typedef void subject(const Api__Task *task, char out[SUBJECT_MAX]);

struct rule {
    Api__Task__TaskTypeCase type;
    const char *name;
    check *malformed;
    bool malformed_is_retryable;
    bool needs_provisioning;
    enum err_code code; /* OK: an empty response of type `response` */
    const char *response;
    const char *text;    /* after "rpc error: code = ... desc = ", or alone if it is_bare */
    bool is_bare;
    subject *subject;    /* a name between text and text_end; NULL: none */
    const char *text_again; /* between the name and the name again; NULL: it is named once */
    const char *text_end;
    bool is_retryable;
};

/* --- is everything there? --- */

static const char *grant_check(const Api__Task *t) {
    return t->grant->entitlement && t->grant->principal ? NULL : "malformed grant task";
}
static const char *revoke_check(const Api__Task *t) {
    return t->revoke->grant ? NULL : "invalid task type";
}
static const char *create_account_check(const Api__Task *t) {
    return t->create_account->account_info ? NULL : "malformed create account task";
}
static const char *create_resource_check(const Api__Task *t) {
    return t->create_resource->resource ? NULL : "malformed create resource task";
}
static const char *delete_resource_check(const Api__Task *t) {
    const C1__ResourceId *id = t->delete_resource->resource_id;
    return id && *id->resource_type && *id->resource ? NULL : "malformed delete resource task";
}
static const char *rotate_check(const Api__Task *t) {
    return t->rotate_credentials->resource_id ? NULL : "malformed rotate credentials task";
}
static const char *issue_check(const Api__Task *t) {
    const Api__Task__IssueCredentialTask *i = t->issue_credential;
    return i->identity_id && i->credential_options && i->n_encryption_configs > 0
               ? NULL
               : "malformed issue credential task";
}
static const char *create_ticket_check(const Api__Task *t) {
    return t->create_ticket_task->ticket_request ? NULL : "malformed create ticket task";
}
static const char *get_ticket_check(const Api__Task *t) {
    return *t->get_ticket->ticket_id ? NULL : "malformed get ticket task";
}
static const char *bulk_create_check(const Api__Task *t) {
    return t->bulk_create_tickets->n_ticket_requests ? NULL : "malformed bulk create ticket task";
}
static const char *bulk_get_check(const Api__Task *t) {
    return t->bulk_get_tickets->n_ticket_requests ? NULL : "malformed bulk get tickets task";
}
static const char *get_schema_check(const Api__Task *t) {
    return *t->action_get_schema->name ? NULL : "action name required";
}
static const char *invoke_check(const Api__Task *t) {
    return *t->action_invoke->name ? NULL : "action name required";
}
static const char *status_check(const Api__Task *t) {
    return *t->action_status->id ? NULL : "action id required";
}

/* --- what it is about --- */

static void copy_subject(const char *text, char out[SUBJECT_MAX]) {
    size_t n = utf8_clip(text, strlen(text), SUBJECT_MAX - 1);
    memcpy(out, text, n);
    out[n] = '\0';
}

/* A message that was kept unread, as what it is; NULL if it is none. */
static ProtobufCMessage *read_as(const Api__Unread *kept, const ProtobufCMessageDescriptor *type,
                                 struct arena *arena) {
    size_t n;
    const uint8_t *bytes = pb_pack(&kept->base, arena, &n);
    return pb_unpack(type, bytes, n, arena, NULL);
}

static void subject_of_resource(const C1__Resource *r, char out[SUBJECT_MAX]) {
    copy_subject(r && r->id ? r->id->resource_type : "", out);
}

static void grant_subject(const Api__Task *t, char out[SUBJECT_MAX]) {
    arena_auto struct arena arena;
    arena_init(&arena);
    const C1__Entitlement *e = (const C1__Entitlement *)read_as(
        t->grant->entitlement, &c1__entitlement__descriptor, &arena);
    subject_of_resource(e ? e->resource : NULL, out);
}

static void revoke_subject(const Api__Task *t, char out[SUBJECT_MAX]) {
    arena_auto struct arena arena;
    arena_init(&arena);
    const C1__Grant *g =
        (const C1__Grant *)read_as(t->revoke->grant, &c1__grant__descriptor, &arena);
    subject_of_resource(g && g->entitlement ? g->entitlement->resource : NULL, out);
}

static void create_subject(const Api__Task *t, char out[SUBJECT_MAX]) {
    arena_auto struct arena arena;
    arena_init(&arena);
    subject_of_resource((const C1__Resource *)read_as(t->create_resource->resource,
                                                      &c1__resource__descriptor, &arena), out);
}

static void delete_subject(const Api__Task *t, char out[SUBJECT_MAX]) {
    copy_subject(t->delete_resource->resource_id->resource_type, out);
}

static void invoke_subject(const Api__Task *t, char out[SUBJECT_MAX]) {
    copy_subject(t->action_invoke->name, out);
}

static void schema_subject(const Api__Task *t, char out[SUBJECT_MAX]) {
    copy_subject(t->action_get_schema->name, out);
}

static void action_subject(const Api__Task *t, char out[SUBJECT_MAX]) {
    copy_subject(t->action_status->id, out);
}

/* --- the rules --- */

#define TYPE(case_, name_) .type = API__TASK__TASK_TYPE_##case_, .name = name_
#define PROVISIONING .needs_provisioning = true, .code = ERR_UNIMPLEMENTED
#define TICKETS .code = ERR_UNIMPLEMENTED, .text = "ticket manager not implemented"
#define NO_WORK .code = ERR_OK
#define EMPTY(type_) .code = ERR_OK, .response = "type.googleapis.com/c1.connector.v2." type_

static const struct rule rules[] = {
    {TYPE(HELLO, "hello"), NO_WORK},
    {TYPE(SYNC_FULL, "sync_full"), NO_WORK},
    {TYPE(NONE, "none"), NO_WORK},
    {TYPE(GRANT, "grant"), PROVISIONING, .malformed = grant_check, .text = "resource type ",
     .subject = grant_subject, .text_end = " does not have provisioner configured"},
    {TYPE(REVOKE, "revoke"), PROVISIONING, .malformed = revoke_check, .text = "resource type ",
     .subject = revoke_subject, .text_end = " does not have provisioner configured"},
    {TYPE(CREATE_ACCOUNT, "create_account"), PROVISIONING, .malformed = create_account_check,
     .text = "connector does not have account manager configured"},
    {TYPE(CREATE_RESOURCE, "create_resource"), PROVISIONING, .malformed = create_resource_check,
     .text = "resource type ", .subject = create_subject,
     .text_end = " does not have resource Create() configured"},
    {TYPE(DELETE_RESOURCE, "delete_resource"), PROVISIONING, .malformed = delete_resource_check,
     .text = "resource type ", .subject = delete_subject,
     .text_end = " does not have resource Delete() configured"},
    {TYPE(ROTATE_CREDENTIALS, "rotate_credentials"), PROVISIONING, .malformed = rotate_check,
     .text = "resource type does not have credential manager configured"},
    {TYPE(ISSUE_CREDENTIAL, "issue_credential"), PROVISIONING, .malformed = issue_check,
     .text = "resource type does not have credential issuer configured"},
    {TYPE(CREATE_TICKET_TASK, "create_ticket"), TICKETS, .malformed = create_ticket_check},
    {TYPE(GET_TICKET, "get_ticket"), TICKETS, .malformed = get_ticket_check},
    {TYPE(BULK_CREATE_TICKETS, "bulk_create_tickets"), TICKETS, .malformed = bulk_create_check},
    {TYPE(BULK_GET_TICKETS, "bulk_get_tickets"), TICKETS, .malformed = bulk_get_check},
    {TYPE(LIST_TICKET_SCHEMAS, "list_ticket_schemas"), TICKETS},
    {TYPE(LIST_EVENT_FEEDS, "list_event_feeds"), EMPTY("ListEventFeedsResponse")},
    {TYPE(LIST_EVENTS, "list_events"), .code = ERR_NOT_FOUND,
     .text = "error: event feed id baton_feed_event not found"},
    {TYPE(ACTION_LIST_SCHEMAS, "action_list_schemas"), EMPTY("ListActionSchemasResponse")},
    {TYPE(ACTION_GET_SCHEMA, "action_get_schema"), .malformed = get_schema_check,
     .malformed_is_retryable = true, .code = ERR_NOT_FOUND,
     .text = "error: action schema ", .subject = schema_subject,
     .text_again = " not found: rpc error: code = NotFound desc = action ", .text_end = " not found",
     .is_bare = true, .is_retryable = true},
    {TYPE(ACTION_INVOKE, "action_invoke"), .malformed = invoke_check, .malformed_is_retryable = true,
     .code = ERR_NOT_FOUND,
     .text = "error: invoking action failed: rpc error: code = NotFound desc = handler for action ",
     .subject = invoke_subject, .text_end = " not found", .is_bare = true, .is_retryable = true},
    {TYPE(ACTION_STATUS, "action_status"), .malformed = status_check, .malformed_is_retryable = true,
     .code = ERR_NOT_FOUND,
     .text = "error: action status for id ", .subject = action_subject,
     .text_again = " not found: rpc error: code = NotFound desc = action id ", .text_end = " not found",
     .is_bare = true, .is_retryable = true},
    {TYPE(EVENT_FEED, "event_feed"), .code = ERR_UNKNOWN},
    {TYPE(CREATE_SYNC_DIFF, "create_sync_diff"), .code = ERR_UNKNOWN},
    {TYPE(COMPACT_SYNCS, "compact_syncs"), .code = ERR_UNKNOWN},
};

static const struct rule *rule_of(const Api__Task *task) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].type == task->task_type_case)
            return &rules[i];
    }
    return NULL;
}

const char *answer_type_name(const Api__Task *task) {
    const struct rule *rule = rule_of(task);
    return rule ? rule->name : "unknown";
}

void answer_make_non_retryable(struct answer *a) {
    a->is_non_retryable = true;
    err_append(&a->err, "\ntask failed and is non-retryable");
}

static void refuse(const struct rule *rule, const Api__Task *task, bool is_provisioning,
                   struct answer *a) {
    char about[SUBJECT_MAX] = "";
    if (rule->needs_provisioning && !is_provisioning) {
        err_set(&a->err, ERR_FAILED_PRECONDITION,
                "rpc error: code = FailedPrecondition desc = provisioning is not enabled");
    } else {
        if (rule->subject)
            rule->subject(task, about);
        err_set(&a->err, rule->code, "%s%s%s%s%s", rule->text, about,
                rule->text_again ? rule->text_again : "", rule->text_again ? about : "",
                rule->text_end ? rule->text_end : "");
        if (!rule->is_bare) {
            /* As the SDK prints a status inside a text. */
            struct err plain = a->err;
            err_set(&a->err, rule->code, "rpc error: code = %s desc = %s",
                    err_code_name(rule->code), plain.msg);
        }
    }
    if (!rule->is_retryable)
        answer_make_non_retryable(a);
}

bool answer_for(const Api__Task *task, bool is_provisioning, struct answer *ret_answer) {
    const struct rule *rule = rule_of(task);
    struct answer a = {.err = ERR_INIT};
    const char *problem = rule && rule->malformed ? rule->malformed(task) : NULL;
    if (!rule || rule->code == ERR_UNKNOWN) {
        err_set(&a.err, ERR_UNKNOWN, "unsupported task type");
    } else if (problem) {
        err_set(&a.err, ERR_UNKNOWN, "%s", problem);
        if (!rule->malformed_is_retryable)
            answer_make_non_retryable(&a);
    } else if (rule->code == ERR_OK) {
        a.response_type = rule->response;
        if (!a.response_type)
            return false;
    } else {
        refuse(rule, task, is_provisioning, &a);
    }
    *ret_answer = a;
    return true;
}

/* Routes about the operators of a website. */
#include <string.h>

#include "base/mem.h"
#include "sandbox/api.h"

static void serve_view(struct api_call *call, enum roster_view view) {
    answer_text(call->answer, 200, ANSWER_JSON, "");
    answer_body(call->answer, roster_render(&call->website->roster, view));
}

void api_operators_list(struct api_call *call) {
    serve_view(call, ROSTER_LIST);
}

void api_operators_active(struct api_call *call) {
    serve_view(call, ROSTER_ACTIVE);
}

void api_operators_availability(struct api_call *call) {
    serve_view(call, ROSTER_AVAILABILITY);
}

void api_operators_flush(struct api_call *call) {
    if (!api_charge(call))
        return;
    roster_flush_active(&call->website->roster);
    answer_ok(call->answer, 200, "flushed", NULL);
}

/* ---- bodies ---- */

static const char *text_in(json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : NULL;
}

/* A non-empty string, or 400 and NULL. The wording is that of error_400_invalid_data.json. */
static const char *require_text(struct api_call *call, json_t *object, const char *prefix,
                                const char *key) {
    const char *text = text_in(object, key);
    if (text)
        return text;
    mem_auto char *message = mem_printf("%s should have required property '%s'", prefix, key);
    api_invalid(call, "body", message);
    return NULL;
}

static bool one_of(const char *text, const char *const *values) {
    for (; *values; values++) {
        if (strcmp(text, *values) == 0)
            return true;
    }
    return false;
}

static const char *const roles[] = {"owner", "member", NULL};
static const char *const verify_methods[] = {"password", "token", "google", NULL};

static bool check_role(struct api_call *call, const char *role) {
    if (one_of(role, roles))
        return true;
    api_invalid(call, "body", "data.role should be equal to one of the allowed values");
    return false;
}

static bool check_body(struct api_call *call) {
    if (json_is_object(call->body))
        return true;
    api_invalid(call, "body", "data should be object");
    return false;
}

void api_operators_email(struct api_call *call) {
    if (!check_body(call) || !require_text(call, call->body, "data", "recipient") ||
        !require_text(call, call->body, "data", "subject") ||
        !require_text(call, call->body, "data", "message"))
        return;
    if (api_charge(call)) /* nobody is written to */
        answer_ok(call->answer, 202, "dispatched", NULL);
}

/* ---- one operator ---- */

/* The index of the operator in the path, or SIZE_MAX after answering 404. */
static size_t find_operator(struct api_call *call) {
    size_t index = roster_find(&call->website->roster, call->params[1]);
    if (index == SIZE_MAX)
        answer_error(call->answer, 404, "operator_not_found");
    return index;
}

void api_operator_get(struct api_call *call) {
    size_t index = find_operator(call);
    if (index == SIZE_MAX)
        return;
    answer_text(call->answer, 200, ANSWER_JSON, "");
    answer_body(call->answer, roster_render_one(&call->website->roster, index));
}

static bool check_verify(struct api_call *call) {
    json_t *verify = json_object_get(call->body, "verify");
    if (!json_is_object(verify)) {
        api_invalid(call, "body", "data.verify should be object");
        return false;
    }
    const char *method = require_text(call, verify, "data.verify", "method");
    if (!method || !require_text(call, verify, "data.verify", "secret"))
        return false;
    if (one_of(method, verify_methods))
        return true;
    api_invalid(call, "body", "data.verify.method should be equal to one of the allowed values");
    return false;
}

static bool check_invite(struct api_call *call) {
    if (!check_body(call))
        return false;
    const char *email = require_text(call, call->body, "data", "email");
    const char *role = email ? require_text(call, call->body, "data", "role") : NULL;
    if (!role || !check_role(call, role))
        return false;
    if (!strchr(email, '@')) {
        api_invalid(call, "body", "data.email should match format \"email\"");
        return false;
    }
    return check_verify(call);
}

/* What Crisp answers for somebody who is there already is not known; refusing keeps lists clean. */
static bool check_new(struct api_call *call, const char *email) {
    const struct roster *r = &call->website->roster;
    if (roster_find_email(r, email, true) == SIZE_MAX &&
        roster_find_email(r, email, false) == SIZE_MAX)
        return true;
    answer_error(call->answer, 409, "already_exists");
    return false;
}

void api_operator_invite(struct api_call *call) {
    if (!check_invite(call))
        return;
    const char *email = text_in(call->body, "email"), *role = text_in(call->body, "role");
    struct team_invite made;
    if (!check_new(call, email) || !api_charge(call))
        return;
    sandbox_make_invite(call->sandbox, &made);
    json_auto_t *entry = json_pack("{s:s, s:{s:s, s:s, s:s, s:s}}", "type", "invite", "details",
                                   "email", email, "role", role, "identifier", made.identifier,
                                   "key", made.key);
    if (roster_add(&call->website->roster, entry, 0, NULL))
        answer_ok(call->answer, 201, "invited", NULL);
    else
        api_invalid(call, "body", "the invitation is too large");
}

/* role and title, each if present; at least one. */
static bool check_change(struct api_call *call) {
    if (!check_body(call))
        return false;
    json_t *role = json_object_get(call->body, "role");
    json_t *title = json_object_get(call->body, "title");
    if (!role && !title) {
        api_invalid(call, "body", "data should have required property 'role'");
        return false;
    }
    if (role && !check_role(call, json_is_string(role) ? json_string_value(role) : ""))
        return false;
    if (title && !json_is_string(title) && !json_is_null(title)) {
        api_invalid(call, "body", "data.title should be string");
        return false;
    }
    return true;
}

void api_operator_change(struct api_call *call) {
    struct roster *r = &call->website->roster;
    size_t index = find_operator(call);
    if (index == SIZE_MAX || !check_change(call) || !api_charge(call))
        return;
    static const char *const keys[] = {"role", "title"};
    json_auto_t *entry = roster_get(r, index);
    json_t *details = json_object_get(entry, "details");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_t *value = json_object_get(call->body, keys[i]);
        if (value)
            json_object_set(details, keys[i], value);
    }
    if (roster_replace(r, index, entry, r->entries[index].last_active_ms, NULL))
        answer_ok(call->answer, 200, "updated", NULL);
    else
        api_invalid(call, "body", "data.title is too large");
}

/* The last operator stays: go-crisp-api crisp/website_operator.go:186 says so in a comment. */
void api_operator_unlink(struct api_call *call) {
    struct roster *r = &call->website->roster;
    size_t index = find_operator(call);
    if (index == SIZE_MAX)
        return;
    if (r->operators <= 1) {
        answer_error(call->answer, 409, "last_operator");
        return;
    }
    if (!api_charge(call))
        return;
    roster_remove(r, index);
    answer_ok(call->answer, 200, "unlinked", NULL);
}

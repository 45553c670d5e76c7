#include "sandbox/admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/scenario.h"
#include "sandbox/target.h"

struct admin_call {
    struct sandbox *sandbox;
    const struct request *request;
    const struct target *target;
    const char *rest; /* the decoded path behind the route's name: an id; "" if there is none */
    json_t *body;     /* parsed, NULL if there is none */
    struct website *website;
    struct answer *answer;
};

static void refuse(struct admin_call *c, int status, const char *text) {
    answer_json(c->answer, status, json_pack("{s:o}", "error", journal_text(text)));
}

static void refuse_err(struct admin_call *c, const struct err *err) {
    refuse(c, err->code == ERR_ALREADY_EXISTS ? 409 : err->code == ERR_NOT_FOUND ? 404 : 400,
           err->msg);
}

static void reply(struct admin_call *c, int status, json_t *value) {
    answer_json(c->answer, status, value);
}

static void reply_done(struct admin_call *c) {
    reply(c, 200, json_object());
}

/* ---- state ---- */

static void get_state(struct admin_call *c) {
    reply(c, 200, scenario_describe(c->sandbox));
}

static void patch_state(struct admin_call *c) {
    struct err err = ERR_INIT;
    if (scenario_apply(c->sandbox, c->body, &err))
        get_state(c);
    else
        refuse_err(c, &err);
}

static void post_reset(struct admin_call *c) {
    struct err err = ERR_INIT;
    if (!sandbox_reset(c->sandbox, &err) ||
        (c->body && !scenario_apply(c->sandbox, c->body, &err)))
        refuse_err(c, &err);
    else
        get_state(c);
}

static void delete_cache(struct admin_call *c) {
    cache_clear(&c->sandbox->cache);
    reply_done(c);
}

/* ---- people ---- */

/* The entry with that user id, or SIZE_MAX after answering 404. */
static size_t find_operator(struct admin_call *c) {
    size_t index = roster_find(&c->website->roster, c->rest);
    if (index == SIZE_MAX)
        refuse(c, 404, "there is no operator with this user_id on the website");
    return index;
}

static void get_operators(struct admin_call *c) {
    if (*c->rest) {
        size_t index = find_operator(c);
        if (index != SIZE_MAX)
            reply(c, 200, roster_get(&c->website->roster, index));
        return;
    }
    struct blob *list = roster_render(&c->website->roster, ROSTER_LIST);
    answer_header(c->answer, "Content-Type", ANSWER_JSON);
    c->answer->status = 200;
    answer_body(c->answer, list);
}

static void post_operators(struct admin_call *c) {
    struct err err = ERR_INIT;
    size_t index;
    if (scenario_add_operator(c->sandbox, c->website, c->body, &index, &err))
        reply(c, 201, roster_get(&c->website->roster, index));
    else
        refuse_err(c, &err);
}

static void patch_operator(struct admin_call *c) {
    struct err err = ERR_INIT;
    size_t index = find_operator(c);
    if (index == SIZE_MAX)
        return;
    if (scenario_change_operator(c->website, index, c->body, &err))
        reply(c, 200, roster_get(&c->website->roster, index));
    else
        refuse_err(c, &err);
}

static void delete_operators(struct admin_call *c) {
    if (*c->rest) {
        size_t index = find_operator(c);
        if (index == SIZE_MAX)
            return;
        roster_remove(&c->website->roster, index);
    } else {
        roster_clear(&c->website->roster);
    }
    reply_done(c);
}

static size_t find_invite(struct admin_call *c) {
    size_t index = roster_find_email(&c->website->roster, c->rest, true);
    if (index == SIZE_MAX)
        refuse(c, 404, "there is no invitation to this address on the website");
    return index;
}

static void post_invites(struct admin_call *c) {
    struct err err = ERR_INIT;
    size_t index;
    if (scenario_add_invite(c->sandbox, c->website, c->body, &index, &err))
        reply(c, 201, roster_get(&c->website->roster, index));
    else
        refuse_err(c, &err);
}

static void delete_invite(struct admin_call *c) {
    size_t index = find_invite(c);
    if (index == SIZE_MAX)
        return;
    roster_remove(&c->website->roster, index);
    reply_done(c);
}

/* The invited person follows the link: an operator with the role of the invitation appears. */
static void post_accept(struct admin_call *c) {
    struct err err = ERR_INIT;
    size_t index = find_invite(c), added;
    if (index == SIZE_MAX)
        return;
    json_auto_t *entry = roster_get(&c->website->roster, index);
    json_t *details = json_object_get(entry, "details");
    json_object_del(details, "identifier");
    json_object_del(details, "key");
    if (!scenario_add_operator(c->sandbox, c->website, details, &added, &err)) {
        refuse_err(c, &err);
        return;
    }
    reply(c, 201, roster_get(&c->website->roster, added));
    roster_remove(&c->website->roster, index);
}

/* ---- requests ---- */

static void get_requests(struct admin_call *c) {
    mem_auto char *pattern = target_param(c->target, "path", 0);
    reply(c, 200, journal_to_json(&c->sandbox->journal, pattern));
}

static void delete_requests(struct admin_call *c) {
    journal_clear(&c->sandbox->journal);
    reply_done(c);
}

/* ---- faults ---- */

static void get_faults(struct admin_call *c) {
    reply(c, 200, json_pack("{s:o}", "faults", faults_to_json(&c->sandbox->faults)));
}

static void post_faults(struct admin_call *c) {
    struct err err = ERR_INIT;
    json_auto_t *ids = json_array();
    json_auto_t *orders = json_is_array(c->body) ? json_incref(c->body)
                                                 : json_pack("[O]", c->body);
    json_t *order;
    size_t i;
    json_array_foreach(orders, i, order) {
        unsigned id;
        if (!scenario_add_fault(c->sandbox, order, &id, &err)) {
            refuse_err(c, &err);
            return;
        }
        json_array_append_new(ids, json_integer(id));
    }
    reply(c, 201, json_pack("{s:O}", "ids", ids));
}

static void delete_faults(struct admin_call *c) {
    if (!*c->rest) {
        faults_clear(&c->sandbox->faults);
        reply_done(c);
    } else if (faults_remove(&c->sandbox->faults, (unsigned)strtoul(c->rest, NULL, 10))) {
        reply_done(c);
    } else {
        refuse(c, 404, "there is no fault with this id");
    }
}

/* ---- answers ---- */

static void get_answers(struct admin_call *c) {
    reply(c, 200, json_pack("{s:o}", "answers", canned_to_json(&c->sandbox->canned)));
}

static void post_answers(struct admin_call *c) {
    struct err err = ERR_INIT;
    if (scenario_add_answer(c->sandbox, c->body, &err))
        get_answers(c);
    else
        refuse_err(c, &err);
}

static bool add_query_headers(struct admin_call *c, struct answer *a) {
    for (size_t n = 0; n < ANSWER_HEADERS_MAX; n++) {
        mem_auto char *header = target_param(c->target, "header", n);
        char *colon = header ? strchr(header, ':') : NULL;
        if (!header)
            return true;
        if (!colon || colon == header)
            return false;
        *colon = '\0';
        answer_header(a, header, colon + 1 + strspn(colon + 1, " "));
    }
    return true;
}

/* The body of the request, byte for byte, is what will be served. */
static void put_answer(struct admin_call *c) {
    struct err err = ERR_INIT;
    struct answer a;
    mem_auto char *status = target_param(c->target, "status", 0);
    mem_auto char *method = target_param(c->target, "method", 0);
    mem_auto char *pattern = strncmp(c->rest, "v1/", 3) == 0 ? mem_printf("/%s", c->rest)
                                                              : mem_strdup(c->rest);
    const char *type = request_header(c->request, "Content-Type");
    long code = status ? strtol(status, NULL, 10) : 200;
    if (!*pattern || code < 200 || code > 599) {
        refuse(c, 400, "PUT /_sandbox/answers/<path>?status=200..599&method=M&header=Name:value");
        return;
    }
    answer_init(&a);
    answer_text(&a, (int)code, type && *type ? type : NULL, "");
    answer_body(&a, blob_copy(c->request->body, c->request->body_len));
    if (!add_query_headers(c, &a)) {
        answer_done(&a);
        refuse(c, 400, "header= must be like header=Name:value");
    } else if (canned_put(&c->sandbox->canned, pattern, method, &a, &err)) {
        get_answers(c);
    } else {
        refuse_err(c, &err);
    }
}

static void delete_answers(struct admin_call *c) {
    mem_auto char *pattern = strncmp(c->rest, "v1/", 3) == 0 ? mem_printf("/%s", c->rest)
                                                              : mem_strdup(c->rest);
    if (!*pattern)
        canned_clear(&c->sandbox->canned);
    else if (canned_remove(&c->sandbox->canned, pattern) == 0) {
        refuse(c, 404, "there is no answer for this path");
        return;
    }
    reply_done(c);
}

/* ---- routes ---- */

enum rest { REST_NONE, REST_ALLOWED, REST_NEEDED, REST_ACCEPT };
enum payload { PAYLOAD_NONE, PAYLOAD_JSON, PAYLOAD_MAYBE_JSON, PAYLOAD_RAW };

static const struct admin_route {
    const char *method, *name;
    enum rest rest;
    enum payload payload;
    void (*serve)(struct admin_call *c);
} routes[] = {
    {"GET", "state", REST_NONE, PAYLOAD_NONE, get_state},
    {"PATCH", "state", REST_NONE, PAYLOAD_JSON, patch_state},
    {"POST", "reset", REST_NONE, PAYLOAD_MAYBE_JSON, post_reset},
    {"GET", "operators", REST_ALLOWED, PAYLOAD_NONE, get_operators},
    {"POST", "operators", REST_NONE, PAYLOAD_JSON, post_operators},
    {"PATCH", "operators", REST_NEEDED, PAYLOAD_JSON, patch_operator},
    {"DELETE", "operators", REST_ALLOWED, PAYLOAD_NONE, delete_operators},
    {"POST", "invites", REST_NONE, PAYLOAD_JSON, post_invites},
    {"POST", "invites", REST_ACCEPT, PAYLOAD_NONE, post_accept},
    {"DELETE", "invites", REST_NEEDED, PAYLOAD_NONE, delete_invite},
    {"GET", "requests", REST_NONE, PAYLOAD_NONE, get_requests},
    {"DELETE", "requests", REST_NONE, PAYLOAD_NONE, delete_requests},
    {"GET", "faults", REST_NONE, PAYLOAD_NONE, get_faults},
    {"POST", "faults", REST_NONE, PAYLOAD_JSON, post_faults},
    {"DELETE", "faults", REST_ALLOWED, PAYLOAD_NONE, delete_faults},
    {"GET", "answers", REST_NONE, PAYLOAD_NONE, get_answers},
    {"POST", "answers", REST_NONE, PAYLOAD_JSON, post_answers},
    {"PUT", "answers", REST_NEEDED, PAYLOAD_RAW, put_answer},
    {"DELETE", "answers", REST_ALLOWED, PAYLOAD_NONE, delete_answers},
    {"DELETE", "cache", REST_NONE, PAYLOAD_NONE, delete_cache},
};

/* Segments from the third on, joined again: an id, an address, a path. To be freed. */
static char *join_rest(const struct target *t, size_t end) {
    char *rest = mem_strdup("");
    for (size_t i = 2; i < end; i++) {
        char *longer = mem_printf("%s%s%s", rest, i > 2 ? "/" : "", t->segment[i]);
        free(rest);
        rest = longer;
    }
    return rest;
}

static bool rest_fits(const struct admin_route *r, const struct target *t) {
    bool accept = t->count == 4 && strcmp(t->segment[3], "accept") == 0;
    switch (r->rest) {
    case REST_NONE:
        return t->count == 2;
    case REST_ALLOWED:
        return true;
    case REST_NEEDED:
        return t->count > 2;
    case REST_ACCEPT:
        return accept;
    }
    return false;
}

static const struct admin_route *find_route(const struct request *req, const struct target *t) {
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct admin_route *r = &routes[i];
        if (t->count >= 2 && strcmp(r->method, req->method) == 0 &&
            strcmp(r->name, t->segment[1]) == 0 && rest_fits(r, t))
            return r;
    }
    return NULL;
}

/* Parses the body where the route takes JSON. False after answering 400. */
static bool read_body(struct admin_call *c, enum payload payload) {
    json_error_t where;
    if (payload == PAYLOAD_NONE || payload == PAYLOAD_RAW ||
        (payload == PAYLOAD_MAYBE_JSON && c->request->body_len == 0))
        return true;
    c->body = json_loadb(c->request->body, c->request->body_len,
                         JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (c->body)
        return true;
    mem_auto char *text =
        mem_printf("the body is not JSON (line %d: %s)", where.line, where.text);
    refuse(c, 400, text);
    return false;
}

/* ?website_id= chooses another website than the main one. False after answering 404. */
static bool choose_website(struct admin_call *c) {
    mem_auto char *id = target_param(c->target, "website_id", 0);
    c->website = id ? sandbox_website(c->sandbox, id) : &c->sandbox->websites[WEBSITE_MAIN];
    if (c->website)
        return true;
    refuse(c, 404, "there is no website with this website_id");
    return false;
}

void admin_serve(struct sandbox *s, const struct request *req, struct answer *a) {
    struct target target;
    struct admin_call c = {.sandbox = s, .request = req, .target = &target, .answer = a};
    if (!target_parse(req->target, &target)) {
        refuse(&c, 400, "the path does not parse");
        return;
    }
    const struct admin_route *route = find_route(req, &target);
    bool accept = route && route->rest == REST_ACCEPT;
    mem_auto char *rest = join_rest(&target, accept ? 3 : target.count);
    c.rest = rest;
    if (!route)
        refuse(&c, 404, "the sandbox has no such route of its own; see docs/sandbox.md");
    else if (choose_website(&c) && read_body(&c, route->payload))
        route->serve(&c);
    json_decref(c.body);
    target_done(&target);
}

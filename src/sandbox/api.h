/* api: the routes of Crisp's REST API that the sandbox serves.
 *
 * A route is a row of one table: method, path, the tiers it is open to, the scope a plugin token
 * needs, whether a user must be an owner, and its function. api_serve() makes the checks of
 * crisp-api.md section 10 in order and then calls the function.
 */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include <jansson.h>
#include <stddef.h>

#include "sandbox/answer.h"
#include "sandbox/request.h"
#include "sandbox/sandbox.h"
#include "sandbox/target.h"

enum { API_PARAMS_MAX = 3, API_NAME_MAX = 128 };

struct api_route;

/* One request on its way through the checks. */
struct api_call {
    struct sandbox *sandbox;
    const struct request *request;
    const struct target *target;
    const struct api_route *route;         /* NULL: there is none */
    const char *params[API_PARAMS_MAX];    /* the ids of the path, in order */
    size_t param_count;
    struct token *token;
    struct website *website; /* of params[0], where the route has one */
    json_t *body; /* parsed; NULL where the route takes none, or if it is no JSON */
    bool charged; /* the request was counted against the quota */
    struct answer *answer;
};

/* Finds the route of call->request and its params. */
void api_route(struct api_call *call);
/* The path of the route without ids, "website/operators/list"; "" if there is no route. */
void api_route_name(const struct api_call *call, char out[API_NAME_MAX]);

void api_serve(struct api_call *call);

/* The functions of the table, by file. */
void api_website_get(struct api_call *call);
void api_settings_get(struct api_call *call);
void api_settings_update(struct api_call *call);
void api_availability_status(struct api_call *call);
void api_inboxes_list(struct api_call *call);
void api_inbox_get(struct api_call *call);
void api_website_endpoints(struct api_call *call);
void api_plan_get(struct api_call *call);

void api_operators_list(struct api_call *call);
void api_operators_active(struct api_call *call);
void api_operators_flush(struct api_call *call);
void api_operators_email(struct api_call *call);
void api_operators_availability(struct api_call *call);
void api_operator_get(struct api_call *call);
void api_operator_invite(struct api_call *call);
void api_operator_change(struct api_call *call);
void api_operator_unlink(struct api_call *call);

void api_plugin_session(struct api_call *call);
void api_plugin_account(struct api_call *call);
void api_plugin_websites_all(struct api_call *call);
void api_plugin_websites_since(struct api_call *call);
void api_plugin_endpoints(struct api_call *call);
void api_plugin_settings(struct api_call *call);

/* Counts the request against the token's quota, once. The quota is the last check (crisp-api.md
 * section 10): a function that has an effect calls this just before it, and returns if it is false
 * (the answer is then 429). For all others it is called after a good answer. */
bool api_charge(struct api_call *call);
/* For the functions: 400 invalid_data with this message. */
void api_invalid(struct api_call *call, const char *space, const char *message);
/* The page number of the path (from 1), or 0 after answering 400. */
size_t api_page(struct api_call *call, const char *text);
/* A new array of the elements on that page. */
json_t *api_page_of(json_t *all, size_t page);

enum { API_PAGE_SIZE = 20 };

#endif

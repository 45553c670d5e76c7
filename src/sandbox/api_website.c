/* Routes of one website that are not about its operators. */
#include <string.h>

#include "base/mem.h"
#include "sandbox/api.h"

void api_website_get(struct api_call *call) {
    answer_ok(call->answer, 200, "resolved", json_incref(call->website->profile));
}

void api_settings_get(struct api_call *call) {
    answer_ok(call->answer, 200, "resolved", website_settings(call->website));
}

void api_settings_update(struct api_call *call) {
    if (!json_is_object(call->body)) {
        api_invalid(call, "body", "data should be object");
        return;
    }
    if (!api_charge(call))
        return;
    website_update_settings(call->website, call->body);
    answer_ok(call->answer, 200, "updated", NULL);
}

/* Online as soon as one operator is; the moment is made up (fixtures). */
void api_availability_status(struct api_call *call) {
    struct roster *r = &call->website->roster;
    struct blob *rows = roster_render(r, ROSTER_AVAILABILITY);
    bool online = strstr(rows->data, "\"type\":\"online\"") != NULL;
    blob_unref(rows);
    answer_ok(call->answer, 200, "resolved",
              json_pack("{s:s, s:I}", "status", online ? "online" : "away", "since",
                        (json_int_t)(TEAM_EPOCH_MS - 1800000)));
}

void api_inboxes_list(struct api_call *call) {
    size_t page = api_page(call, call->params[1]);
    if (page > 0)
        answer_ok(call->answer, 200, "listed", api_page_of(call->website->inboxes, page));
}

void api_inbox_get(struct api_call *call) {
    json_t *inbox;
    size_t i;
    json_array_foreach(call->website->inboxes, i, inbox) {
        const char *id = json_string_value(json_object_get(inbox, "inbox_id"));
        if (id && strcmp(id, call->params[1]) == 0) {
            answer_ok(call->answer, 200, "resolved", json_incref(inbox));
            return;
        }
    }
    answer_error(call->answer, 404, "inbox_not_found");
}

void api_website_endpoints(struct api_call *call) {
    answer_ok(call->answer, 200, "resolved",
              json_pack("{s:{s:s, s:s}}", "socket", "app", "wss://rtm.example.com/w/def/",
                        "stream", "wss://stream.example.com/"));
}

void api_plan_get(struct api_call *call) {
    if (call->website->plan)
        answer_ok(call->answer, 200, "resolved", website_plan(call->website));
    else
        answer_error(call->answer, 404, "subscription_not_found");
}

/* Routes of the plugin that owns the plugin token. */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/api.h"

#define PLUGIN_ID "9b000000-0000-4000-8000-0000000000aa"

void api_plugin_session(struct api_call *call) {
    call->answer->status = 200;
}

void api_plugin_account(struct api_call *call) {
    answer_ok(call->answer, 200, "resolved", json_pack("{s:s}", "plugin_id", PLUGIN_ID));
}

void api_plugin_endpoints(struct api_call *call) {
    answer_ok(call->answer, 200, "resolved",
              json_pack("{s:{s:s}, s:{s:{s:s}}}", "socket", "app", "wss://rtm.example.com/w/abc/",
                        "rescue", "socket", "app", "wss://rtm-rescue.example.com/"));
}

/* One installation; `token` is a secret of it. */
static json_t *installation(const struct api_call *call, const struct website *w) {
    json_t *row = json_pack("{s:s, s:i, s:s, s:O}", "website_id", w->id, "price", 0, "token",
                            w->plugin_token, "settings", w->plugin_settings);
    if (w->plan && target_flag(call->target, "include_plan"))
        json_object_set_new(row, "plan", website_plan_short(w));
    return row;
}

static bool is_wanted(const struct api_call *call, const struct website *w) {
    return !target_flag(call->target, "filter_configured") ||
           json_object_size(w->plugin_settings) > 0;
}

void api_plugin_websites_all(struct api_call *call) {
    size_t page = api_page(call, call->params[0]);
    if (page == 0)
        return;
    json_auto_t *all = json_array();
    for (size_t i = 0; i < WEBSITE_SEEDS; i++) {
        const struct website *w = &call->sandbox->websites[i];
        if (w->plugin_installed && is_wanted(call, w))
            json_array_append_new(all, installation(call, w));
    }
    answer_ok(call->answer, 200, "listed", api_page_of(all, page));
}

void api_plugin_websites_since(struct api_call *call) {
    mem_auto char *text = target_param(call->target, "date_since", 0);
    int64_t since_ns;
    if (!text || !clock_parse_sqlite(text, &since_ns)) {
        api_invalid(call, "query", "date_since should be a date-time");
        return;
    }
    json_t *changed = json_array();
    for (size_t i = 0; i < WEBSITE_SEEDS; i++) {
        const struct website *w = &call->sandbox->websites[i];
        if (w->plugin_changed_ms < since_ns / CLOCK_NS_PER_MS || !is_wanted(call, w))
            continue;
        json_t *row = installation(call, w);
        json_object_set_new(row, "difference",
                            json_string(w->plugin_installed ? "bound" : "unbound"));
        json_array_append_new(changed, row);
    }
    answer_ok(call->answer, 200, "listed", changed);
}

void api_plugin_settings(struct api_call *call) {
    const struct website *w = call->website;
    if (strcasecmp(call->params[1], PLUGIN_ID) != 0) {
        answer_error(call->answer, 403, "not_allowed");
        return;
    }
    answer_ok(call->answer, 200, "resolved",
              json_pack("{s:s, s:s, s:s, s:{}, s:O, s:n, s:n}", "plugin_id", PLUGIN_ID,
                        "website_id", w->id, "token", w->plugin_token, "schema", "settings",
                        w->plugin_settings, "settings_form_url", "callback_url"));
}

#include "connectors/crisp/fields.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct field crisp_fields[CRISP_FIELD_COUNT] = {
    {
        .name = "crisp-website-id",
        .kind = FIELD_STRING,
        .display_name = "Crisp Website ID",
        .description = "The website to govern: the id in app.crisp.chat/website/<ID>/",
        .placeholder = "00000000-0000-0000-0000-000000000000",
        .is_required = true,
        .export_to = FIELD_EXPORT_GUI,
    },
    {
        .name = "crisp-api-identifier",
        .kind = FIELD_STRING,
        .display_name = "Crisp API identifier",
        .description = "The identifier half of the Crisp token pair",
        .is_required = true,
        .export_to = FIELD_EXPORT_GUI,
        .aliases = NAMES("crisp-identifier"),
    },
    {
        .name = "crisp-api-key",
        .kind = FIELD_STRING,
        .display_name = "Crisp API key",
        .description = "The key half of the Crisp token pair",
        .is_required = true,
        .is_secret = true,
        .export_to = FIELD_EXPORT_GUI,
        .aliases = NAMES("crisp-key"),
    },
    {
        .name = "crisp-api-tier",
        .kind = FIELD_STRING,
        .display_name = "Crisp API tier",
        .description = "The kind of token: plugin, website or user",
        .default_value = "plugin",
        .export_to = FIELD_EXPORT_GUI,
        .one_of = NAMES("plugin", "website", "user"),
        .aliases = NAMES("crisp-tier"),
    },
    {
        .name = "crisp-sync-last-active",
        .kind = FIELD_BOOL,
        .display_name = "Sync last activity",
        .description = "Also ask when each operator was last active (one more request)",
        .export_to = FIELD_EXPORT_GUI,
    },
    {
        .name = "crisp-base-url",
        .kind = FIELD_STRING,
        .display_name = "",
        .description = "Base URL of the Crisp REST API; http:// only to a loopback address",
        .default_value = "https://api.crisp.chat/v1",
        .is_hidden = true,
        .export_to = FIELD_EXPORT_NONE,
        .aliases = NAMES("base-url"),
    },
};

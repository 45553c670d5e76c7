#include "crisp/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "crisp/active.h"
#include "crisp/problem.h"
#include "crisp/team.h"
#include "crisp/website.h"
#include "net/basic.h"
#include "net/http.h"
#include "net/url.h"

enum { WEBSITE_ID_MAX = 128, QUESTION_MAX = 256, TIER_HEADER_MAX = 64 };

/* The three questions; the first is the one without which there is nothing. */
enum route { ROUTE_WEBSITE, ROUTE_OPERATORS, ROUTE_ACTIVE, ROUTE_COUNT };

static const struct {
    const char *suffix; /* behind website/{id} */
    const char *path;   /* for debug lines */
    const char *what;   /* for errors; the website's id follows */
    size_t body_max;
} routes[ROUTE_COUNT] = {
    [ROUTE_WEBSITE] = {"", "website/{id}", "ask Crisp for website", CRISP_WEBSITE_BODY_MAX},
    [ROUTE_OPERATORS] = {"/operators/list", "website/{id}/operators/list",
                         "ask Crisp for the operators of website", CRISP_LIST_BODY_MAX},
    [ROUTE_ACTIVE] = {"/operators/active", "website/{id}/operators/active",
                      "ask Crisp for the last active operators of website", CRISP_LIST_BODY_MAX},
};

static const char *const tiers[] = {"plugin", "website", "user"};

struct crisp_client {
    struct crisp_config config; /* strings: copies */
    char host[URL_HOST_MAX];
    char *urls[ROUTE_COUNT];
    char what[ROUTE_COUNT][QUESTION_MAX];
};

/* --- settings --- */

static bool is_plain(const char *s) {
    for (; *s; s++)
        if (*s <= 0x20 || *s > 0x7E)
            return false;
    return true;
}

static bool check_website_id(const char *id, struct err *err) {
    if (!id || !*id)
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "no website id: copy it from app.crisp.chat/website/<ID>/");
    if (strlen(id) > WEBSITE_ID_MAX || !is_plain(id) || strchr(id, '/') || strcmp(id, ".") == 0 ||
        strcmp(id, "..") == 0)
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "not a website id: copy it from app.crisp.chat/website/<ID>/");
    return true;
}

static bool check_pair(const char *identifier, const struct secret *key, struct err *err) {
    if (!identifier || !*identifier || !key || !secret_is_set(key))
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "a Crisp token is a pair: both identifier and key are needed");
    if (strchr(identifier, ':') || !is_plain(identifier))
        return err_set(err, ERR_INVALID_ARGUMENT,
                       "not a token identifier: it may not hold ':', blanks or control characters");
    return true;
}

static const char *find_tier(const char *tier, struct err *err) {
    if (!tier || !*tier)
        return tiers[0];
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++)
        if (strcmp(tiers[i], tier) == 0)
            return tiers[i];
    err_set(err, ERR_INVALID_ARGUMENT, "unknown tier: it must be plugin, website or user");
    return NULL;
}

/* The base may end in slashes or not. */
static void build_urls(struct crisp_client *c, size_t base_len) {
    char segment[3 * WEBSITE_ID_MAX + 1] = "";
    url_add_segment(segment, sizeof segment, c->config.website_id);
    for (int i = 0; i < ROUTE_COUNT; i++) {
        c->urls[i] = mem_printf("%.*s/website/%s%s", (int)base_len, c->config.base_url, segment,
                                routes[i].suffix);
        snprintf(c->what[i], sizeof c->what[i], "%s %s", routes[i].what, c->config.website_id);
    }
}

bool crisp_prepare(struct err *err) {
    return http_prepare(err);
}

struct crisp_client *crisp_client_new(const struct crisp_config *config, struct err *err) {
    struct url url;
    const char *tier = find_tier(config->tier, err);
    if (!tier || !check_pair(config->identifier, config->key, err) ||
        !check_website_id(config->website_id, err))
        return NULL;
    if (!url_parse(config->base_url, &url, err)) {
        err_wrap(err, "the base URL of Crisp");
        return NULL;
    }
    if (!is_plain(config->user_agent) || config->timeout_s < 1) {
        err_set(err, ERR_INTERNAL, "a Crisp client needs a user agent and a timeout");
        return NULL;
    }
    struct crisp_client *c = mem_zalloc(sizeof *c);
    c->config = *config;
    c->config.tier = tier;
    c->config.base_url = mem_strdup(config->base_url);
    c->config.website_id = mem_strdup(config->website_id);
    c->config.identifier = mem_strdup(config->identifier);
    c->config.user_agent = mem_strdup(config->user_agent);
    if (config->retry.tries == 0)
        c->config.retry = RETRY_POLICY_DEFAULT;
    snprintf(c->host, sizeof c->host, "%s", url.host);
    size_t base_len = strlen(config->base_url);
    while (base_len > url.path_at && config->base_url[base_len - 1] == '/')
        base_len--;
    build_urls(c, base_len);
    return c;
}

static void free_text(const char *s) {
    const void *p = s;
    free((void *)(uintptr_t)p);
}

void crisp_client_free(struct crisp_client *c) {
    if (!c)
        return;
    free_text(c->config.base_url);
    free_text(c->config.website_id);
    free_text(c->config.identifier);
    free_text(c->config.user_agent);
    for (int i = 0; i < ROUTE_COUNT; i++)
        free(c->urls[i]);
    free(c);
}

/* --- one fetch --- */

struct fetch {
    struct crisp_client *client;
    struct http_get requests[ROUTE_COUNT];
    size_t count;
    struct secret header;
    struct crisp_website_decoder website;
    struct crisp_team_decoder team;
    struct crisp_active_decoder active;
};

static void fetch_init(struct fetch *f, struct crisp_client *c) {
    *f = (struct fetch){.client = c, .count = c->config.want_last_active ? 3 : 2};
    crisp_website_decoder_init(&f->website);
    crisp_team_decoder_init(&f->team);
    crisp_active_decoder_init(&f->active);
    const struct http_sink sinks[ROUTE_COUNT] = {
        {crisp_website_begin, crisp_website_body, crisp_website_end, &f->website},
        {crisp_team_begin, crisp_team_body, crisp_team_end, &f->team},
        {crisp_active_begin, crisp_active_body, crisp_active_end, &f->active},
    };
    for (size_t i = 0; i < f->count; i++)
        f->requests[i] = (struct http_get){.url = c->urls[i],
                                       .what = routes[i].path,
                                       .sink = sinks[i],
                                       .body_max = routes[i].body_max,
                                       .is_essential = i == ROUTE_WEBSITE};
}

static void fetch_done(struct fetch *f) {
    for (size_t i = 0; i < f->count; i++)
        http_get_done(&f->requests[i]);
    secret_done(&f->header);
    crisp_website_decoder_done(&f->website);
    crisp_team_decoder_done(&f->team);
    crisp_active_decoder_done(&f->active);
}

static bool ask(struct fetch *f, struct err *err) {
    const struct crisp_config *config = &f->client->config;
    char tier[TIER_HEADER_MAX];
    snprintf(tier, sizeof tier, "X-Crisp-Tier: %s", config->tier);
    basic_header(config->identifier, config->key, &f->header);
    const char *headers[] = {secret_reveal(&f->header), tier, "Accept: application/json"};
    const struct http_options options = {
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .user_agent = config->user_agent,
        .timeout_s = config->timeout_s,
        .stall_ms = config->stall_ms,
        .retry = config->retry,
        .log = config->log,
        .cancel = config->cancel,
        .on_answer = config->on_answer,
        .on_answer_payload = config->on_answer_payload,
    };
    return http_get_all(&options, f->requests, f->count, err);
}

/* The text of errors: the pair itself, and the header without its name. */
static bool explain(struct fetch *f, enum route route, struct err *err) {
    const struct crisp_client *c = f->client;
    struct secret pair = SECRET_INIT;
    const char *value = strrchr(secret_reveal(&f->header), ' ');
    if (value)
        secret_set(&pair, value + 1, strlen(value + 1));
    const struct crisp_question question = {
        .what = c->what[route],
        .host = c->host,
        .website_id = c->config.website_id,
        .tier = c->config.tier,
        .key = c->config.key,
        .header = &pair,
    };
    crisp_problem(&question, &f->requests[route], err);
    secret_done(&pair);
    return false;
}

static bool check_website(struct fetch *f, struct err *err) {
    if (!f->requests[ROUTE_WEBSITE].is_ok)
        return explain(f, ROUTE_WEBSITE, err);
    const char *wanted = f->client->config.website_id;
    if (strcasecmp(f->website.website.website_id, wanted) != 0)
        return err_set(err, ERR_INTERNAL,
                       "%s: unexpected answer from Crisp: it is about another website. Check the "
                       "base URL, and whether a proxy in between answers",
                       f->client->what[ROUTE_WEBSITE]);
    return true;
}

static void take_team(struct fetch *f, struct arena *arena, struct crisp_snapshot *s) {
    for (size_t i = ROUTE_OPERATORS; i < f->count; i++)
        if (!f->requests[i].is_ok) {
            explain(f, (enum route)i, &s->team_err);
            return;
        }
    s->team = crisp_team_take(&f->team, arena);
    crisp_active_join(&f->active, &s->team);
}

bool crisp_fetch(struct crisp_client *c, struct arena *arena, struct crisp_snapshot *ret_snapshot,
                 struct err *err) {
    struct fetch f;
    fetch_init(&f, c);
    bool ok = ask(&f, err) && check_website(&f, err);
    if (ok) {
        struct crisp_snapshot s = {0};
        for (size_t i = 0; i < f.count; i++) {
            s.requests += f.requests[i].tries;
            s.retries += f.requests[i].tries - 1;
        }
        s.website = crisp_website_take(&f.website, arena);
        take_team(&f, arena, &s);
        *ret_snapshot = s;
    }
    fetch_done(&f);
    return ok;
}

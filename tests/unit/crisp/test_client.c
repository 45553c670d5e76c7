/* client: which settings are refused before anything is sent. */
#include "tests/unit/test.h"

#include <string.h>

#include "crisp/client.h"

#define ID "5f0c1a2b-1111-4222-8333-abcdef000001"

static struct secret key;

static struct crisp_config good(void) {
    return (struct crisp_config){.base_url = "https://api.crisp.chat/v1",
                                 .website_id = ID,
                                 .tier = "plugin",
                                 .identifier = "an-identifier",
                                 .key = &key,
                                 .user_agent = "test/1",
                                 .timeout_s = 30};
}

static void assert_refused(const struct crisp_config *config, const char *says) {
    struct err err = ERR_INIT;
    assert_null(crisp_client_new(config, &err));
    assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
    if (!strstr(err.msg, says))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
    assert_null(strstr(err.msg, "very-secret"));
}

static void test_client_takes_every_tier(void **state) {
    (void)state;
    static const char *const tiers[] = {"plugin", "website", "user", "", NULL};
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        struct crisp_config config = good();
        struct err err = ERR_INIT;
        config.tier = tiers[i];
        struct crisp_client *client = crisp_client_new(&config, &err);
        assert_non_null(client);
        crisp_client_free(client);
    }
    crisp_client_free(NULL);
}

static void test_client_refuses_other_tiers(void **state) {
    (void)state;
    static const char *const tiers[] = {"Plugin", "admin", "plugin ", "plugin\r\nX: y"};
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        struct crisp_config config = good();
        config.tier = tiers[i];
        assert_refused(&config, "plugin, website or user");
    }
}

static void test_client_refuses_half_a_pair(void **state) {
    (void)state;
    struct secret none = SECRET_INIT;
    struct crisp_config config = good();
    config.identifier = "";
    assert_refused(&config, "both identifier and key");
    config.identifier = NULL;
    assert_refused(&config, "both identifier and key");
    config = good();
    config.key = &none;
    assert_refused(&config, "both identifier and key");
    config.key = NULL;
    assert_refused(&config, "both identifier and key");
    config = good();
    config.identifier = "an:identifier";
    assert_refused(&config, "':'");
    config.identifier = "line\nbreak";
    assert_refused(&config, "identifier");
}

static void test_client_refuses_an_odd_website_id(void **state) {
    (void)state;
    static const char *const ids[] = {"", NULL, ".", "..", "a b", "caf\xC3\xA9", "\x1b[31m"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct crisp_config config = good();
        config.website_id = ids[i];
        assert_refused(&config, "app.crisp.chat/website/");
    }
    char longest[256];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    struct crisp_config config = good();
    config.website_id = longest;
    assert_refused(&config, "not a website id");
}

static void test_client_refuses_an_unsafe_base_url(void **state) {
    (void)state;
    static const char *const urls[] = {"", "http://api.crisp.chat/v1", "https://u:p@api.crisp.chat/v1",
                                       "ftp://127.0.0.1/v1", "https://api.crisp.chat/v1?x"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct crisp_config config = good();
        config.base_url = urls[i];
        assert_refused(&config, "the base URL of Crisp: ");
    }
}

/* An already cancelled token: no library is loaded, nothing is sent. */
static void test_client_fetch_obeys_a_fired_token(void **state) {
    (void)state;
    struct crisp_config config = good();
    struct cancel *cancel = cancel_new(NULL);
    cancel_fire(cancel, 15);
    config.cancel = cancel;
    struct crisp_client *client = crisp_client_new(&config, NULL);
    struct crisp_snapshot snapshot = {.requests = 77};
    struct err err = ERR_INIT;
    arena_auto struct arena arena;
    arena_init(&arena);
    assert_false(crisp_fetch(client, &arena, &snapshot, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_int_equal(snapshot.requests, 77);
    crisp_client_free(client);
    cancel_free(cancel);
}

static int make_key(void **state) {
    (void)state;
    secret_set(&key, "very-secret", 11);
    return 0;
}

static int drop_key(void **state) {
    (void)state;
    secret_done(&key);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_takes_every_tier),
        cmocka_unit_test(test_client_refuses_other_tiers),
        cmocka_unit_test(test_client_refuses_half_a_pair),
        cmocka_unit_test(test_client_refuses_an_odd_website_id),
        cmocka_unit_test(test_client_refuses_an_unsafe_base_url),
        cmocka_unit_test(test_client_fetch_obeys_a_fired_token),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}

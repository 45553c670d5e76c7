/* cache, canned and journal: what is kept of answers and requests. */
#include "tests/unit/test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/cache.h"
#include "sandbox/canned.h"
#include "sandbox/journal.h"

static struct cache cache;
static struct answer answer;

static int make_cache(void **state) {
    (void)state;
    cache_init(&cache);
    cache.enabled = true;
    answer_init(&answer);
    return 0;
}

static int drop_cache(void **state) {
    (void)state;
    cache_done(&cache);
    answer_done(&answer);
    return 0;
}

static const struct request_header headers[] = {
    {"Authorization", "Basic abc"}, {"X-Crisp-Tier", "plugin"}, {"If-None-Match", ""}};

static struct request get(const char *target) {
    return (struct request){.method = "GET", .target = target, .version = "HTTP/1.1",
                            .headers = headers, .header_count = 2, .body = ""};
}

/* Stores an answer with this status at that time; returns its Bloom-Status. */
static const char *store(const char *target, int status, int64_t now_ms) {
    struct request req = get(target);
    answer_done(&answer);
    answer_text(&answer, status, ANSWER_JSON, target);
    cache_store(&cache, &req, now_ms, &answer);
    return answer_get_header(&answer, "Bloom-Status");
}

static bool serve(const char *target, int64_t now_ms) {
    struct request req = get(target);
    answer_done(&answer);
    return cache_serve(&cache, &req, now_ms, &answer);
}

static void test_cache_serves_until_the_entry_is_old(void **state) {
    (void)state;
    assert_false(serve("/a", 0));
    assert_string_equal(store("/a", 200, 1000), "MISS");
    assert_true(serve("/a", 1000 + CACHE_TTL_DEFAULT_MS - 1));
    assert_string_equal(answer_get_header(&answer, "Bloom-Status"), "HIT");
    assert_string_equal(answer_get_header(&answer, "Content-Type"), ANSWER_JSON);
    assert_string_equal(answer.body->data, "/a");
    assert_false(serve("/a", 1000 + CACHE_TTL_DEFAULT_MS));
    assert_int_equal(cache.count, 0);
}

static void test_cache_keeps_only_some_statuses(void **state) {
    (void)state;
    static const struct {
        int status;
        bool is_kept;
    } cases[] = {{200, true},  {201, false}, {202, false}, {204, true},  {206, true},
                 {400, false}, {401, true},  {403, false}, {404, true},  {409, false},
                 {420, false}, {429, false}, {500, false}, {502, false}, {503, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cache_clear(&cache);
        assert_string_equal(store("/a", cases[i].status, 0), cases[i].is_kept ? "MISS" : "DIRECT");
        assert_int_equal(serve("/a", 0), cases[i].is_kept);
    }
}

static void test_cache_does_not_keep_what_never_arrives_whole(void **state) {
    (void)state;
    struct request req = get("/a");
    answer_text(&answer, 200, ANSWER_JSON, "x");
    answer.delivery.end = END_CUT;
    cache_store(&cache, &req, 0, &answer);
    assert_int_equal(cache.count, 0);
}

static void test_cache_is_off_by_default(void **state) {
    (void)state;
    cache.enabled = false;
    assert_string_equal(store("/a", 200, 0), "DIRECT");
    assert_false(serve("/a", 0));
}

static void test_cache_drops_the_oldest(void **state) {
    (void)state;
    char target[16];
    for (int i = 0; i <= CACHE_ENTRIES_MAX; i++) {
        snprintf(target, sizeof target, "/%d", i);
        store(target, 200, 0);
    }
    assert_int_equal(cache.count, CACHE_ENTRIES_MAX);
    assert_false(serve("/0", 0));
    assert_true(serve("/1", 0));
    assert_true(serve(target, 0));
}

static void test_cache_etag_follows_the_body(void **state) {
    (void)state;
    char first[24];
    store("/a", 200, 0);
    snprintf(first, sizeof first, "%s", answer_get_header(&answer, "ETag"));
    store("/b", 200, 0);
    assert_string_not_equal(answer_get_header(&answer, "ETag"), first);
    assert_int_equal(first[0], '"');
}

static void test_canned_newest_wins_and_replaces_its_like(void **state) {
    (void)state;
    struct canned_list list;
    struct answer a;
    canned_init(&list);
    static const struct {
        const char *pattern, *method, *body;
    } orders[] = {{"*", NULL, "1"}, {"website", NULL, "2"}, {"website", "POST", "3"},
                  {"website", NULL, "4"}};
    for (size_t i = 0; i < 4; i++) {
        answer_init(&a);
        answer_text(&a, 200, NULL, orders[i].body);
        assert_true(canned_put(&list, orders[i].pattern, orders[i].method, &a, NULL));
    }
    assert_int_equal(list.count, 3);
    assert_true(canned_find(&list, "GET", "website", "/v1/website/1", &answer));
    assert_string_equal(answer.body->data, "4");
    assert_true(canned_find(&list, "GET", "", "/x", &answer));
    assert_string_equal(answer.body->data, "1");
    assert_int_equal(canned_remove(&list, "website"), 2);
    assert_int_equal(canned_remove(&list, "*"), 1);
    assert_false(canned_find(&list, "GET", "website", "/v1/website/1", &answer));
    canned_done(&list);
}

static void test_canned_has_a_limit(void **state) {
    (void)state;
    struct canned_list list;
    struct answer a;
    struct err err = ERR_INIT;
    char pattern[16];
    canned_init(&list);
    for (int i = 0; i <= CANNED_MAX; i++) {
        answer_init(&a);
        snprintf(pattern, sizeof pattern, "%d", i);
        assert_int_equal(canned_put(&list, pattern, NULL, &a, &err), i < CANNED_MAX);
    }
    assert_int_equal(err.code, ERR_RESOURCE_EXHAUSTED);
    canned_done(&list);
}

static void test_journal_hides_credentials_and_survives_any_bytes(void **state) {
    (void)state;
    struct journal j;
    struct request_header odd[] = {{"Authorization", "Basic c2VjcmV0"},
                                   {"authorization", "Bearer t0k"},
                                   {"Cookie", "c00kie"},
                                   {"X-\xff", "\xfe"}};
    struct request req = {.method = "G\xffT", .target = "/\xff?q\xfe", .version = "HTTP/1.1",
                          .headers = odd, .header_count = 4, .body = ""};
    journal_init(&j);
    answer.status = 200;
    assert_int_equal(journal_add(&j, &req, "website", &answer, 5), 1);
    journal_finish(&j, 1, "aborted");
    json_auto_t *value = journal_to_json(&j, NULL);
    char *text = json_dumps(value, 0);
    assert_non_null(text);
    assert_null(strstr(text, "c2VjcmV0"));
    assert_null(strstr(text, "t0k"));
    assert_null(strstr(text, "c00kie"));
    assert_non_null(strstr(text, "aborted"));
    free(text);
    journal_done(&j);
}

static void test_journal_keeps_the_last_ones(void **state) {
    (void)state;
    struct journal j;
    struct request req = get("/a?b");
    journal_init(&j);
    for (int i = 0; i < JOURNAL_MAX + 3; i++)
        journal_add(&j, &req, "", &answer, 0);
    journal_finish(&j, 1, "completed"); /* dropped already */
    journal_finish(&j, 99999999, "completed");
    json_auto_t *value = journal_to_json(&j, "a");
    json_t *list = json_object_get(value, "requests");
    assert_int_equal(json_integer_value(json_object_get(value, "total")), JOURNAL_MAX + 3);
    assert_int_equal(json_array_size(list), JOURNAL_MAX);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "number")), 4);
    journal_clear(&j);
    assert_int_equal(journal_add(&j, &req, "", &answer, 0), JOURNAL_MAX + 4);
    json_auto_t *after = journal_to_json(&j, NULL);
    assert_int_equal(json_integer_value(json_object_get(after, "total")), 1);
    journal_done(&j);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_cache, drop_cache)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_cache_serves_until_the_entry_is_old),
        CASE(test_cache_keeps_only_some_statuses),
        CASE(test_cache_does_not_keep_what_never_arrives_whole),
        CASE(test_cache_is_off_by_default),
        CASE(test_cache_drops_the_oldest),
        CASE(test_cache_etag_follows_the_body),
        CASE(test_canned_newest_wins_and_replaces_its_like),
        CASE(test_canned_has_a_limit),
        CASE(test_journal_hides_credentials_and_survives_any_bytes),
        CASE(test_journal_keeps_the_last_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

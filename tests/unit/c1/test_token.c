/* token: one fetch for all who ask, kept for as long as it is good, dropped when it is not. */
#include "tests/unit/test.h"

#include "base/clock.h"
#include "c1/token.h"
#include "tests/unit/c1/endpoint.h"

/* Somebody who asks. */
struct asker {
    struct c1_token *token;
    int told;
    char authorization[64];
    struct err err;
    struct c1_token_wait *victim; /* cancelled when this one is told */
    bool is_dropping, is_asking_again;
};

static void on_told(const char *authorization, const struct err *err, void *payload) {
    struct asker *asker = payload;
    asker->told++;
    assert_true(!authorization != !err);
    snprintf(asker->authorization, sizeof asker->authorization, "%s",
             authorization ? authorization : "");
    asker->err = err ? *err : ERR_INIT;
    c1_token_cancel(asker->victim);
    asker->victim = NULL;
    if (asker->is_dropping)
        c1_token_drop(asker->token, authorization);
    if (asker->is_asking_again && asker->told == 1)
        c1_token_get(asker->token, on_told, asker);
}

static struct c1_token *make_token(int timeout_ms) {
    return c1_token_new(&(struct c1_token_fetch_options){
        .base = world.base, .credential = &world.credential, .timeout_ms = timeout_ms});
}

static void ask_and_wait(struct c1_token *token, struct asker *asker) {
    *asker = (struct asker){.token = token};
    c1_token_get(token, on_told, asker);
    assert_int_equal(asker->told, 0);
    run_until(&asker->told, 1);
}

static void expect_error(const struct asker *asker, enum err_code code, const char *text) {
    assert_int_equal(asker->err.code, code);
    if (strcmp(asker->err.msg, text) != 0)
        fail_msg("\"%s\" instead of \"%s\"", asker->err.msg, text);
}

static void test_token_is_fetched_once_for_all(void **state) {
    (void)state;
    world_begin();
    struct c1_token *token = make_token(0);
    struct asker askers[4] = {{.token = token}};
    assert_null(c1_token_peek(token));
    for (int i = 0; i < 3; i++)
        c1_token_get(token, on_told, &askers[i]);
    for (int i = 0; i < 3; i++) {
        run_until(&askers[i].told, 1);
        assert_string_equal(askers[i].authorization, "Bearer t1");
    }
    assert_string_equal(c1_token_peek(token), "Bearer t1");
    ask_and_wait(token, &askers[3]);
    assert_string_equal(askers[3].authorization, "Bearer t1");
    assert_int_equal(world.dials, 1);
    static const char head[] = "POST /auth/v1/token HTTP/1.1\r\nHost: 127.0.0.1:18443\r\n";
    assert_memory_equal(world.request, head, sizeof head - 1);
    c1_token_free(token);
    world_end();
}

static void test_token_of_a_short_life_is_not_kept(void **state) {
    (void)state;
    world_begin();
    world.answer = TOKEN("  10");
    struct c1_token *token = make_token(0);
    struct asker asker;
    for (int i = 1; i <= 2; i++) {
        ask_and_wait(token, &asker);
        assert_int_equal(world.dials, i);
        assert_null(c1_token_peek(token));
    }
    assert_string_equal(asker.authorization, "Bearer t2");
    c1_token_free(token);
    world_end();
}

static void test_token_ends_ten_seconds_early(void **state) {
    (void)state;
    world_begin();
    world.answer = TOKEN("  11");
    struct c1_token *token = make_token(0);
    struct asker asker;
    int64_t start_ms = clock_boot_ms();
    ask_and_wait(token, &asker);
    assert_non_null(c1_token_peek(token));
    while (c1_token_peek(token) && clock_boot_ms() < start_ms + PATIENCE_MS) {
        const struct timeval tick = {0, 20000};
        event_base_loopexit(world.base, &tick);
        event_base_dispatch(world.base);
    }
    assert_in_range(clock_boot_ms() - start_ms, 1000, PATIENCE_MS - 1);
    ask_and_wait(token, &asker);
    assert_string_equal(asker.authorization, "Bearer t2");
    c1_token_free(token);
    world_end();
}

static void test_token_is_dropped_by_name(void **state) {
    (void)state;
    world_begin();
    struct c1_token *token = make_token(0);
    struct asker asker, late = {.token = token};
    ask_and_wait(token, &asker);
    c1_token_drop(token, "Bearer t0");
    assert_non_null(c1_token_peek(token));
    /* Asked while it was there, gone before the answer: the next one is fetched. */
    c1_token_get(token, on_told, &late);
    c1_token_drop(token, "Bearer t1");
    assert_null(c1_token_peek(token));
    run_until(&late.told, 1);
    assert_string_equal(late.authorization, "Bearer t2");
    c1_token_free(token);
    world_end();
}

static void test_token_is_told_to_all_whatever_they_do(void **state) {
    (void)state;
    world_begin();
    struct c1_token *token = make_token(0);
    struct asker first = {.token = token, .is_dropping = true, .is_asking_again = true};
    struct asker second = {.token = token}, third = {.token = token};
    c1_token_get(token, on_told, &first);
    first.victim = c1_token_get(token, on_told, &second);
    c1_token_get(token, on_told, &third);
    run_until(&third.told, 1);
    assert_string_equal(third.authorization, "Bearer t1");
    run_until(&first.told, 2);
    assert_string_equal(first.authorization, "Bearer t2");
    assert_int_equal(second.told, 0);
    c1_token_free(token);
    world_end();
}

static void test_token_is_fetched_for_the_next_one_after_a_cancel(void **state) {
    (void)state;
    world_begin();
    struct c1_token *token = make_token(0);
    struct asker asker = {.token = token};
    c1_token_warm_up(token);
    c1_token_cancel(c1_token_get(token, on_told, &asker));
    ask_and_wait(token, &asker);
    c1_token_warm_up(token);
    assert_int_equal(world.dials, 1);
    c1_token_cancel(c1_token_get(token, on_told, &asker));
    run_dry();
    assert_int_equal(asker.told, 1);
    c1_token_cancel(NULL);
    c1_token_free(token);
    world_end();
}

static void test_token_tells_why_there_is_none(void **state) {
    (void)state;
    static const struct {
        const char *answer;
        bool is_hanging_up;
        enum err_code code;
        const char *text;
    } cases[] = {
        {"HTTP/1.1 401 No\r\n\r\n", false, ERR_UNAUTHENTICATED,
         "failed to get token: 401 Unauthorized: the client secret may have been rotated or revoked: "
         "make a new one in C1 and set it"},
        {"HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\n", true, ERR_UNAVAILABLE,
         "failed to get token: 503 Service Unavailable"},
        {"HTTP/1.1 200 OK\r\n\r\n{}", true, ERR_UNAUTHENTICATED,
         "failed to get token: empty access token"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", true, ERR_UNAVAILABLE,
         "failed to get token: the server closed the connection in the middle of its answer"},
        {"ICY 200 OK\r\n", false, ERR_UNAVAILABLE,
         "failed to get token: the server did not answer in HTTP/1.1: is something else in its place, "
         "or a proxy between?"},
        {NULL, true, ERR_UNAVAILABLE,
         "failed to get token: the server closed the connection without an answer"},
        {NULL, false, ERR_UNAVAILABLE,
         "failed to get token: 127.0.0.1:18443: no answer within 100 ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world_begin();
        world.answer = cases[i].answer;
        world.is_hanging_up = cases[i].is_hanging_up;
        struct c1_token *token = make_token(cases[i].answer || cases[i].is_hanging_up ? 0 : 100);
        struct asker asker;
        ask_and_wait(token, &asker);
        expect_error(&asker, cases[i].code, cases[i].text);
        /* The next one who asks has better luck. */
        world.answer = TOKEN("3600");
        world.is_hanging_up = false;
        ask_and_wait(token, &asker);
        assert_string_equal(asker.authorization, "Bearer t2");
        c1_token_free(token);
        world_end();
    }
}

static void test_token_needs_a_connection(void **state) {
    (void)state;
    world_begin();
    struct c1_token *token = make_token(100);
    struct asker asker;
    world.is_dial_failing = true;
    ask_and_wait(token, &asker);
    expect_error(&asker, ERR_UNAVAILABLE, "failed to get token: nobody listens there");
    world.is_dial_hanging = true;
    ask_and_wait(token, &asker);
    expect_error(&asker, ERR_UNAVAILABLE,
                 "failed to get token: 127.0.0.1:18443: no connection within 100 ms");
    assert_int_equal(world.cancelled_dials, 1);
    c1_token_free(token);
    world_end();
}

static void test_token_leaves_nothing_behind(void **state) {
    (void)state;
    world_begin();
    struct c1_token *token = make_token(0);
    struct asker asker = {.token = token};
    c1_token_get(token, on_told, &asker);
    c1_token_get(token, on_told, &asker);
    c1_token_free(token); /* dialing */
    assert_int_equal(world.cancelled_dials, 1);
    world.answer = NULL;
    token = make_token(0);
    c1_token_get(token, on_told, &asker);
    while (!*world.request)
        event_base_loop(world.base, EVLOOP_ONCE);
    c1_token_free(token); /* waiting for the answer */
    run_dry();
    assert_int_equal(asker.told, 0);
    c1_token_free(NULL);
    world_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_is_fetched_once_for_all),
        cmocka_unit_test(test_token_of_a_short_life_is_not_kept),
        cmocka_unit_test(test_token_ends_ten_seconds_early),
        cmocka_unit_test(test_token_is_dropped_by_name),
        cmocka_unit_test(test_token_is_told_to_all_whatever_they_do),
        cmocka_unit_test(test_token_is_fetched_for_the_next_one_after_a_cancel),
        cmocka_unit_test(test_token_tells_why_there_is_none),
        cmocka_unit_test(test_token_needs_a_connection),
        cmocka_unit_test(test_token_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

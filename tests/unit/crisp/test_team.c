/* team and active: operators/list and operators/active, from the sample answers. */
#include "tests/unit/test.h"

#include "tests/unit/crisp/fixture.h"

#include "crisp/active.h"
#include "crisp/team.h"

static bool decode(struct crisp_team_decoder *d, const char *text, size_t n, size_t step,
                   struct err *err) {
    return fixture_feed(d, crisp_team_begin, crisp_team_body, crisp_team_end, text, n, step, err);
}

/* Decodes and hands over to the arena; fails the test if that is refused. */
static struct crisp_team team_of(const char *text, size_t n, struct arena *arena) {
    struct crisp_team_decoder d;
    struct err err = ERR_INIT;
    crisp_team_decoder_init(&d);
    if (!decode(&d, text, n, 7, &err))
        fail_msg("refused: %s", err.msg);
    struct crisp_team team = crisp_team_take(&d, arena);
    crisp_team_decoder_done(&d);
    return team;
}

static struct crisp_team team_of_fixture(const char *name, struct arena *arena) {
    struct buf text = fixture_read(name);
    struct crisp_team team = team_of(text.data, text.len, arena);
    buf_done(&text);
    return team;
}

static void assert_operator(const struct crisp_operator *o, const char *type, const char *last_of_id,
                            const char *email, const char *role, enum crisp_fact has_token) {
    assert_string_equal(o->type, type);
    assert_string_equal(o->user_id + strlen(o->user_id) - 3, last_of_id);
    assert_string_equal(o->email, email);
    assert_string_equal(o->role, role);
    assert_int_equal(o->has_token, has_token);
    assert_int_equal(o->last_active_ms, 0);
}

static void test_team_reads_the_usual_list(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_team team = team_of_fixture("operators_list_200.json", &arena);
    assert_int_equal(team.count, 3);
    assert_int_equal(team.invitations, 0);
    assert_int_equal(team.without_id, 0);
    assert_operator(&team.operators[0], "operator", "001", "ada.fictive@example.com", "owner",
                    CRISP_YES);
    assert_string_equal(team.operators[0].user_id, "0a000000-0000-4000-8000-000000000001");
    assert_string_equal(team.operators[0].first_name, "Ada");
    assert_string_equal(team.operators[0].last_name, "Fictive");
    assert_string_equal(team.operators[0].title, "Head of Support");
    assert_string_equal(team.operators[2].first_name, "Chlo\xC3\xA9");
    assert_string_equal(team.operators[2].title, "");
}

/* crisp-api.md appendix A, at the level of this layer: nothing is judged, only sorted. */
static void test_team_reads_the_edge_cases(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_team team = team_of_fixture("operators_list_200_edge.json", &arena);
    assert_int_equal(team.count, 10);
    assert_int_equal(team.invitations, 0);
    assert_int_equal(team.without_id, 2);
    const struct crisp_operator *o = team.operators;
    assert_operator(&o[0], "operator", "001", "ada.fictive@example.com", "owner", CRISP_YES);
    assert_operator(&o[1], "operator", "004", "norole.operator@example.com", "", CRISP_NO);
    assert_operator(&o[2], "operator", "005", "", "member", CRISP_NO);
    assert_operator(&o[3], "operator", "006", "future.role@example.com", "admin", CRISP_YES);
    assert_operator(&o[4], "operator", "007", "Upper.Case@Example.com", "OWNER", CRISP_YES);
    assert_operator(&o[5], "sandbox", "008", "sandbox.bot@example.com", "member", CRISP_UNKNOWN);
    assert_operator(&o[6], "operator", "002", "ben.sample@example.com", "member", CRISP_NO);
    assert_operator(&o[7], "operator", "002", "ben.sample@example.com", "owner", CRISP_NO);
    assert_operator(&o[8], "operator", "009", "blank.names@example.com", "member", CRISP_NO);
    assert_operator(&o[9], "operator", "00a", "extra.fields@example.com", "member", CRISP_YES);
    assert_string_equal(o[8].first_name, "");
    /* Equal roles and types are one string. */
    assert_ptr_equal(o[2].role, o[6].role);
    assert_ptr_equal(o[0].type, o[9].type);
}

static bool arena_holds(const struct crisp_team *team, const char *needle) {
    for (size_t i = 0; i < team->count; i++) {
        const struct crisp_operator *o = &team->operators[i];
        const char *const texts[] = {o->type,      o->user_id, o->email, o->first_name,
                                     o->last_name, o->role,    o->title};
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
            if (strstr(texts[j], needle))
                return true;
    }
    return false;
}

/* True if the bytes stand in any block of the decoder. */
static bool pool_holds(const struct textpool *pool, const char *needle) {
    for (size_t i = 0; i < pool->count; i++) {
        size_t n = i + 1 == pool->count ? pool->used : pool->size;
        if (memmem(pool->blocks[i], n, needle, strlen(needle)))
            return true;
    }
    return false;
}

static void test_team_counts_invitations_and_keeps_nothing_of_them(void **state) {
    (void)state;
    static const char *const secrets[] = {"pending.invitee", "beef", "feedface"};
    struct buf text = fixture_read("operators_list_200_with_invite.json");
    for (size_t step = 1; step <= text.len; step += step < 64 ? 1 : 111) {
        struct crisp_team_decoder d;
        arena_auto struct arena arena;
        arena_init(&arena);
        crisp_team_decoder_init(&d);
        assert_true(decode(&d, text.data, text.len, step, NULL));
        for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
            assert_false(pool_holds(&d.texts, secrets[i]));
        struct crisp_team team = crisp_team_take(&d, &arena);
        assert_int_equal(team.count, 2);
        assert_int_equal(team.invitations, 1);
        assert_false(arena_holds(&team, "pending"));
    }
    buf_done(&text);
}

static void test_team_reads_an_empty_list(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_team team = team_of_fixture("operators_list_200_empty.json", &arena);
    assert_int_equal(team.count, 0);
    assert_int_equal(team.invitations + team.without_id, 0);
}

/* The table of team.h, and members of other types than they should be. */
static void test_team_sorts_every_entry(void **state) {
    (void)state;
    static const struct {
        const char *entry;
        size_t operators, invitations, without_id;
    } cases[] = {
        {"{\"type\":\"operator\",\"details\":{\"user_id\":\"u\"}}", 1, 0, 0},
        {"{\"details\":{\"user_id\":\"u\"},\"type\":\"operator\"}", 1, 0, 0},
        {"{\"details\":{\"user_id\":\"u\"}}", 1, 0, 0},
        {"{\"type\":null,\"details\":{\"user_id\":\"u\"}}", 1, 0, 0},
        {"{\"type\":\"bot\",\"details\":{\"user_id\":\"u\"}}", 1, 0, 0},
        {"{\"t\\u0079pe\":\"oper\\u0061tor\",\"details\":{\"user\\u005fid\":\"\\u0075\"}}", 1, 0, 0},
        /* an account that has access is not hidden by an odd member */
        {"{\"type\":\"operator\",\"details\":{\"user_id\":\"u\",\"key\":\"k\"}}", 1, 0, 0},
        {"{\"type\":\"operator\",\"details\":{\"user_id\":\"u\",\"identifier\":null,\"key\":\"\"}}", 1,
         0, 0},
        {"{\"type\":\"bot\",\"details\":{\"user_id\":\"u\",\"identifier\":\"i\"}}", 0, 1, 0},
        {"{\"type\":\"operator\",\"details\":{\"identifier\":\"i\",\"key\":\"k\"}}", 0, 1, 0},
        {"{\"details\":{\"key\":\"k\"}}", 0, 1, 0},
        {"{\"type\":\"invite\",\"details\":{\"email\":\"e@x\"}}", 0, 1, 0},
        {"{\"type\":\"invite\",\"details\":null}", 0, 1, 0},
        {"{\"type\":\"invite\"}", 0, 1, 0},
        {"{\"type\":\"operator\",\"details\":{\"email\":\"e@x\"}}", 0, 0, 1},
        {"{\"type\":\"operator\",\"details\":{\"user_id\":\"\"}}", 0, 0, 1},
        {"{\"type\":\"operator\",\"details\":{\"user_id\":null}}", 0, 0, 1},
        {"{\"type\":\"operator\",\"details\":{\"user_id\":42}}", 0, 0, 1},
        {"{\"type\":\"operator\",\"details\":{\"user_id\":[\"u\"]}}", 0, 0, 1},
        {"{\"type\":\"operator\",\"details\":[]}", 0, 0, 1},
        {"{\"type\":\"operator\",\"details\":\"u\"}", 0, 0, 1},
        {"{\"type\":\"operator\"}", 0, 0, 1},
        {"{}", 0, 0, 1},
        {"null", 0, 0, 1},
        {"[]", 0, 0, 1},
        {"\"u\"", 0, 0, 1},
        {"7", 0, 0, 1},
        /* of two members of one name the last counts, as for any JSON library */
        {"{\"type\":\"operator\",\"details\":{\"user_id\":\"u\"},\"details\":{}}", 0, 0, 1},
        {"{\"type\":\"operator\",\"details\":{\"user_id\":\"u\",\"user_id\":null}}", 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        arena_auto struct arena arena;
        arena_init(&arena);
        char text[512];
        int n = snprintf(text, sizeof text, "{\"data\":[%s]}", cases[i].entry);
        struct crisp_team team = team_of(text, (size_t)n, &arena);
        if (team.count != cases[i].operators || team.invitations != cases[i].invitations ||
            team.without_id != cases[i].without_id)
            fail_msg("%s: %zu %zu %zu", cases[i].entry, team.count, team.invitations,
                     team.without_id);
    }
}

static void test_team_takes_wrong_types_as_missing(void **state) {
    (void)state;
    static const char text[] =
        "{\"data\":[{\"type\":\"operator\",\"details\":{\"user_id\":\"u\",\"email\":5,"
        "\"first_name\":{\"a\":\"b\"},\"last_name\":[1],\"role\":true,\"title\":null,"
        "\"has_token\":\"yes\"}},{\"type\":\"operator\",\"details\":{\"user_id\":\"v\","
        "\"has_token\":null,\"first_name\":\"a\\ud83d\"}}]}";
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_team team = team_of(text, strlen(text), &arena);
    assert_int_equal(team.count, 2);
    const struct crisp_operator *o = team.operators;
    const char *const empty[] = {o->email, o->first_name, o->last_name, o->role, o->title};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        assert_string_equal(empty[i], "");
    assert_int_equal(o[0].has_token, CRISP_UNKNOWN);
    assert_int_equal(o[1].has_token, CRISP_UNKNOWN);
    assert_string_equal(o[1].first_name, "a\xEF\xBF\xBD");
}

static void test_team_refuses_a_wrong_answer(void **state) {
    (void)state;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"{\"error\":true,\"reason\":\"maintenance\",\"data\":[]}", "`error` is true (maintenance)"},
        {"{\"error\":true,\"reason\":\"\\u001b[31m\",\"data\":[]}", "`error` is true"},
        {"{\"error\":\"no\",\"data\":[]}", "`error` is a string, not a boolean"},
        {"{\"error\":false,\"reason\":\"listed\"}", "`data` is missing"},
        {"{\"error\":false,\"data\":{}}", "`data` is an object, not a list"},
        {"{\"data\":[{\"details\":{\"user_id\":\"\xFF\"}}]}", "not UTF-8"},
        {"{\"data\":[{\"brand_new\":\"\xFF\"}]}", "not UTF-8"},
        {"{\"data\":[{\"details\":{]}]}", "a string was expected"},
        {"{\"data\":[{\"type\":\"operator\"", "breaks off"},
        {"{\"data\":[{\"type\":\"x\" \"details\":{}}]}", "a comma or a closing bracket"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct crisp_team_decoder d;
        struct err err = ERR_INIT;
        crisp_team_decoder_init(&d);
        assert_false(decode(&d, cases[i].text, strlen(cases[i].text), 64, &err));
        assert_int_equal(err.code, ERR_INTERNAL);
        if (!strstr(err.msg, cases[i].problem) || strchr(err.msg, '\x1b'))
            fail_msg("%s: %s", cases[i].text, err.msg);
        crisp_team_decoder_done(&d);
    }
}

/* A second try begins anew. */
static void test_team_begin_forgets_an_earlier_try(void **state) {
    (void)state;
    struct buf text = fixture_read("operators_list_200.json");
    struct crisp_team_decoder d;
    arena_auto struct arena arena;
    arena_init(&arena);
    crisp_team_decoder_init(&d);
    crisp_team_begin(&d);
    assert_true(crisp_team_body(&d, text.data, text.len - 5, NULL));
    assert_int_equal(d.team.count, 3);
    assert_true(decode(&d, text.data, text.len, 100, NULL));
    struct crisp_team team = crisp_team_take(&d, &arena);
    assert_int_equal(team.count, 3);
    buf_done(&text);
}

/* More than one block of texts, and more operators than the first array holds. */
static void test_team_keeps_a_long_list(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    struct crisp_team_decoder d;
    arena_auto struct arena arena;
    arena_init(&arena);
    crisp_team_decoder_init(&d);
    crisp_team_begin(&d);
    assert_true(crisp_team_body(&d, "{\"data\":[", 9, NULL));
    for (int i = 0; i < COUNT; i++) {
        char entry[256];
        int n = snprintf(entry, sizeof entry,
                         "%s{\"type\":\"operator\",\"details\":{\"user_id\":\"id-%d\",\"email\":"
                         "\"user.%d@example.com\",\"role\":\"role-%d\"}}",
                         i ? "," : "", i, i, i % 40);
        assert_true(crisp_team_body(&d, entry, (size_t)n, NULL));
    }
    assert_true(crisp_team_body(&d, "]}", 2, NULL) && crisp_team_end(&d, NULL));
    struct crisp_team team = crisp_team_take(&d, &arena);
    assert_int_equal(team.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        char id[32], email[64], role[16];
        snprintf(id, sizeof id, "id-%d", i);
        snprintf(email, sizeof email, "user.%d@example.com", i);
        snprintf(role, sizeof role, "role-%d", i % 40);
        assert_string_equal(team.operators[i].user_id, id);
        assert_string_equal(team.operators[i].email, email);
        assert_string_equal(team.operators[i].role, role);
    }
}

static bool decode_active(struct crisp_active_decoder *d, const char *text, size_t n,
                          struct err *err) {
    return fixture_feed(d, crisp_active_begin, crisp_active_body, crisp_active_end, text, n, 11, err);
}

static void test_active_joins_by_user_id(void **state) {
    (void)state;
    arena_auto struct arena arena;
    arena_init(&arena);
    struct crisp_team team = team_of_fixture("operators_list_200.json", &arena);
    struct buf text = fixture_read("operators_active_200.json");
    struct crisp_active_decoder d;
    crisp_active_decoder_init(&d);
    assert_true(decode_active(&d, text.data, text.len, NULL));
    crisp_active_join(&d, &team);
    crisp_active_decoder_done(&d);
    buf_done(&text);
    assert_true(team.operators[0].last_active_ms == 1763789940000);
    assert_true(team.operators[1].last_active_ms == 0);
    assert_true(team.operators[2].last_active_ms == 1763703600000);
}

static void test_active_passes_over_odd_entries_and_takes_the_latest(void **state) {
    (void)state;
    static const char text[] =
        "{\"data\":[{\"user_id\":\"u\",\"timestamp\":5},{\"user_id\":\"u\",\"timestamp\":9},"
        "{\"user_id\":\"u\",\"timestamp\":7},{\"user_id\":\"v\",\"timestamp\":\"9\"},"
        "{\"user_id\":\"v\",\"timestamp\":1.5},{\"user_id\":\"v\",\"timestamp\":-1},"
        "{\"user_id\":5,\"timestamp\":8},{\"timestamp\":8},null,[],{\"user_id\":\"w\"}]}";
    struct crisp_operator operators[] = {{.user_id = "u"}, {.user_id = "v"}, {.user_id = "w"}};
    struct crisp_team team = {.operators = operators, .count = 3};
    struct crisp_active_decoder d;
    crisp_active_decoder_init(&d);
    assert_true(decode_active(&d, text, strlen(text), NULL));
    crisp_active_join(&d, &team);
    crisp_active_decoder_done(&d);
    assert_int_equal(operators[0].last_active_ms, 9);
    assert_int_equal(operators[1].last_active_ms, 0);
    assert_int_equal(operators[2].last_active_ms, 0);
}

static void test_active_refuses_a_wrong_answer(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"data\":{}}", "{\"error\":true,\"data\":[]}", "{\"data\":[{]}]}", "{\"data\":[1", "{}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct crisp_active_decoder d;
        struct err err = ERR_INIT;
        crisp_active_decoder_init(&d);
        assert_false(decode_active(&d, texts[i], strlen(texts[i]), &err));
        assert_int_equal(err.code, ERR_INTERNAL);
        crisp_active_decoder_done(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_team_reads_the_usual_list),
        cmocka_unit_test(test_team_reads_the_edge_cases),
        cmocka_unit_test(test_team_counts_invitations_and_keeps_nothing_of_them),
        cmocka_unit_test(test_team_reads_an_empty_list),
        cmocka_unit_test(test_team_sorts_every_entry),
        cmocka_unit_test(test_team_takes_wrong_types_as_missing),
        cmocka_unit_test(test_team_refuses_a_wrong_answer),
        cmocka_unit_test(test_team_begin_forgets_an_earlier_try),
        cmocka_unit_test(test_team_keeps_a_long_list),
        cmocka_unit_test(test_active_joins_by_user_id),
        cmocka_unit_test(test_active_passes_over_odd_entries_and_takes_the_latest),
        cmocka_unit_test(test_active_refuses_a_wrong_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* operators/list and operators/active from a stranger. What Jansson can read as such a list, we
 * sort into as many entries as it counts; and all that is kept is text. */
#include <assert.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "crisp/active.h"
#include "crisp/team.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool feed(void *decoder, void (*begin)(void *),
                 bool (*body)(void *, const char *, size_t, struct err *),
                 bool (*end)(void *, struct err *), const char *text, size_t n, size_t step) {
    begin(decoder);
    for (size_t i = 0; i < n; i += step)
        if (!body(decoder, text + i, n - i < step ? n - i : step, NULL))
            return false;
    return end(decoder, NULL);
}

static void check_text(const char *s) {
    assert(s && utf8_valid(s, strlen(s)));
}

static void check_operator(const struct crisp_operator *o) {
    check_text(o->type);
    check_text(o->user_id);
    check_text(o->email);
    check_text(o->first_name);
    check_text(o->last_name);
    check_text(o->role);
    check_text(o->title);
    assert(o->user_id[0]);
}

static void check_count(const struct crisp_team *team, const char *text, size_t n) {
    json_t *tree = json_loadb(text, n, JSON_ALLOW_NUL, NULL);
    const json_t *list = json_object_get(tree, "data");
    assert(!json_is_array(list) ||
           json_array_size(list) == team->count + team->invitations + team->without_id);
    json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    size_t step = data[0] % 64 + 1, n = size - 1;
    const char *text = (const char *)data + 1;
    struct crisp_team_decoder d;
    struct crisp_active_decoder active;
    struct crisp_team team = {0};
    struct arena arena;
    arena_init(&arena);
    crisp_team_decoder_init(&d);
    crisp_active_decoder_init(&active);
    if (feed(&d, crisp_team_begin, crisp_team_body, crisp_team_end, text, n, step)) {
        team = crisp_team_take(&d, &arena);
        check_count(&team, text, n);
    }
    for (size_t i = 0; i < team.count; i++)
        check_operator(&team.operators[i]);
    if (feed(&active, crisp_active_begin, crisp_active_body, crisp_active_end, text, n, step))
        crisp_active_join(&active, &team);
    for (size_t i = 0; i < team.count; i++)
        assert(team.operators[i].last_active_ms >= 0);
    crisp_active_decoder_done(&active);
    crisp_team_decoder_done(&d);
    arena_done(&arena);
    return 0;
}

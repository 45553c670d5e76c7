/* The answer of a token endpoint, from its first byte to a header value. The first byte of the input
 * says how long the pieces are in which it comes; in one piece it must mean the same. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "c1/http_answer.h"
#include "c1/token_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool feed(struct c1_http_answer *a, const uint8_t *data, size_t size, size_t step) {
    bool ok = true;
    c1_http_answer_init(a);
    for (size_t i = 0; ok && i < size; i += step)
        ok = c1_http_answer_feed(a, data + i, size - i < step ? size - i : step, NULL);
    ok = ok && c1_http_answer_end(a, NULL);
    assert(!ok || (a->part == C1_ANSWER_COMPLETE && a->status >= 200 &&
                   a->body_len <= C1_ANSWER_BODY_MAX));
    return ok;
}

static void judge(const struct c1_http_answer *a) {
    struct c1_token_reply reply = {.status = a->status,
                                   .date = a->date,
                                   .retry_after = a->retry_after,
                                   .body = a->body,
                                   .body_len = a->body_len,
                                   .now_unix_s = 1795326310};
    struct c1_token_answer answer;
    struct err err = ERR_INIT;
    if (!c1_token_answer_read(&reply, &answer, &err)) {
        assert(err.code == ERR_UNAUTHENTICATED || err.code == ERR_UNAVAILABLE);
        assert(strncmp(err.msg, "failed to get token: ", 21) == 0);
        return;
    }
    const char *value = secret_reveal(&answer.authorization);
    assert(a->status == 200 && answer.expires_in_s >= 0);
    assert(answer.expires_in_s <= C1_TOKEN_LIFE_MAX_S);
    assert(strchr(value, ' ') == strrchr(value, ' ') && strchr(value, ' ')[1]);
    for (; *value; value++)
        assert(*value >= ' ' && *value < 0x7F);
    c1_token_answer_done(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct c1_http_answer *pieces = malloc(sizeof *pieces), *whole = malloc(sizeof *whole);
    assert(pieces && whole);
    bool ok = feed(pieces, data + 1, size - 1, (size_t)data[0] + 1);
    bool whole_ok = feed(whole, data + 1, size - 1, size);
    assert(ok == whole_ok);
    if (ok) {
        assert(pieces->status == whole->status && pieces->body_len == whole->body_len);
        assert(memcmp(pieces->body, whole->body, whole->body_len) == 0);
        judge(whole);
    }
    c1_http_answer_done(pieces);
    c1_http_answer_done(whole);
    free(pieces);
    free(whole);
    return 0;
}

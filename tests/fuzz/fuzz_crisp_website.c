/* `GET website/{id}` from a stranger, as an answer and as a refusal. What is kept is text with an
 * id; what an error text shows is printable ASCII without the credentials. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "crisp/problem.h"
#include "crisp/website.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const char *text, size_t n, size_t step) {
    struct crisp_website_decoder d;
    struct arena arena;
    bool ok = true;
    arena_init(&arena);
    crisp_website_decoder_init(&d);
    crisp_website_begin(&d);
    for (size_t i = 0; ok && i < n; i += step)
        ok = crisp_website_body(&d, text + i, n - i < step ? n - i : step, NULL);
    if (ok && crisp_website_end(&d, NULL)) {
        struct crisp_website w = crisp_website_take(&d, &arena);
        const char *const texts[] = {w.website_id, w.name, w.domain, w.logo};
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            assert(utf8_valid(texts[i], strlen(texts[i])));
        assert(w.website_id[0]);
    }
    crisp_website_decoder_done(&d);
    arena_done(&arena);
}

static void check_refusal(const char *text, size_t n, int status) {
    static const char key_text[] = "a_key_of_tests", header_text[] = "aGVhZGVy";
    struct secret key = SECRET_INIT, header = SECRET_INIT;
    secret_set(&key, key_text, strlen(key_text));
    secret_set(&header, header_text, strlen(header_text));
    const struct crisp_question question = {.what = "ask",
                                            .host = "host",
                                            .website_id = "W",
                                            .tier = "plugin",
                                            .key = &key,
                                            .header = &header};
    struct http_get get = {.tries = 1, .answer = {.status = status}};
    get.answer.error_body = mem_strndup(text, n);
    get.answer.error_body_len = n;
    struct err err = ERR_INIT;
    assert(!crisp_problem(&question, &get, &err) && err.code != ERR_OK);
    for (const char *p = err.msg; *p; p++)
        assert(*p >= 0x20 && *p < 0x7F);
    assert(!secret_is_in(&key, err.msg) && !secret_is_in(&header, err.msg));
    http_get_done(&get);
    secret_done(&key);
    secret_done(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int statuses[] = {301, 400, 401, 403, 404, 420, 429, 500, 502, 700};
    if (size < 1 || size > HTTP_ERROR_BODY_MAX)
        return 0;
    size_t step = data[0] % 64 + 1, n = size - 1;
    const char *text = (const char *)data + 1;
    check_answer(text, n, step);
    check_refusal(text, n, statuses[data[0] % (sizeof statuses / sizeof statuses[0])]);
    return 0;
}

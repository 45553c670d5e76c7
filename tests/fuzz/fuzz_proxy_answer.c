/* The head of a proxy's answer, from a stranger. In whatever pieces it comes, it is read the same
 * way; nothing behind the head is taken; and a tunnel opens for nothing but a 2xx. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
    struct proxy_answer answer;
    bool ok;
    size_t used;
};

static struct reading read_in_pieces(const char *bytes, size_t n, size_t step) {
    struct reading r = {.answer = PROXY_ANSWER_INIT, .ok = true};
    while (r.ok && !r.answer.is_complete && r.used < n) {
        size_t used = 0, piece = n - r.used < step ? n - r.used : step;
        r.ok = proxy_answer_feed(&r.answer, bytes + r.used, piece, &used, NULL);
        assert(used <= piece);
        assert(!r.ok || used == piece || r.answer.is_complete);
        r.used += used;
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    size_t n = size - 1;
    struct reading whole = read_in_pieces(bytes, n, n + 1);
    struct reading pieces = read_in_pieces(bytes, n, data[0] % 64 + 1U);
    assert(whole.ok == pieces.ok);
    assert(whole.answer.is_complete == pieces.answer.is_complete);
    assert(whole.answer.status == pieces.answer.status);
    assert(whole.answer.total == pieces.answer.total);
    if (!whole.ok || !whole.answer.is_complete)
        return 0;
    struct err err = ERR_INIT;
    assert(whole.used == pieces.used && whole.used == whole.answer.total);
    assert(whole.used <= PROXY_ANSWER_MAX && bytes[whole.used - 1] == '\n');
    assert(memcmp(bytes, "HTTP/1.", 7) == 0);
    bool is_open = proxy_answer_check(&whole.answer, "example.com:443", &err);
    assert(is_open == (bytes[9] == '2'));
    assert(is_open || err.code == ERR_UNAVAILABLE);
    return 0;
}

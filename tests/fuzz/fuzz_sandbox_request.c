/* A request of any shape to the sandbox, then two ordinary ones, which meet whatever faults,
 * answers and people the first has ordered. The input is a request in text: "METHOD TARGET", lines
 * of "Name: value", an empty line, the body. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, HEADERS_MAX = 16, DIGITS_MAX = 4 };

#define PLUGIN_PAIR                                                                                \
    "Basic MWQwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDBjMGRlOjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5" \
    "YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

/* Orders for millions of operators or bytes are allowed, and only slow. */
static bool has_large_number(const char *s) {
    for (; *s; s++) {
        if (strchr(":= [", *s) && strspn(s + 1, "0123456789") > DIGITS_MAX)
            return true;
    }
    return false;
}

/* Cuts the text at the separator and returns what follows it, or the end. */
static char *cut(char *text, const char *separator) {
    char *at = strstr(text, separator);
    if (!at)
        return text + strlen(text);
    *at = '\0';
    return at + strlen(separator);
}

static size_t take_headers(char *text, struct request_header *headers) {
    size_t n = 0;
    while (*text && n < HEADERS_MAX) {
        char *next = cut(text, "\n");
        headers[n].value = cut(text, ": ");
        headers[n++].name = text;
        text = next;
    }
    return n;
}

static void ask(struct sandbox *s, const struct request *req) {
    struct answer a;
    sandbox_handle(s, req, &a);
    if (a.status < 200 || a.status > 599)
        abort();
    /* What the sandbox makes itself is JSON. */
    const char *type = answer_get_header(&a, "Content-Type");
    bool is_own = a.fault_id == 0 && s->canned.count == 0;
    if (is_own && a.body && type && strcmp(type, ANSWER_JSON) == 0) {
        json_t *value = json_loadb(a.body->data, a.body->len, 0, NULL);
        if (!value)
            abort();
        json_decref(value);
    }
    answer_done(&a);
}

static void ask_plainly(struct sandbox *s, const char *target) {
    const struct request_header headers[] = {{"Authorization", PLUGIN_PAIR},
                                             {"X-Crisp-Tier", "plugin"}};
    const struct request req = {.method = "GET", .target = target, .version = "HTTP/1.1",
                                .headers = headers, .header_count = 2, .body = ""};
    ask(s, &req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sandbox *s;
    struct request_header headers[HEADERS_MAX];
    const struct sandbox_options options = {.quota = -1};
    if (size > INPUT_MAX)
        return 0;
    mem_auto char *text = mem_strndup((const char *)data, size);
    if (has_large_number(text))
        return 0;
    if (!s)
        s = sandbox_new(&options, NULL);
    else if (!sandbox_reset(s, NULL))
        abort();
    char *body = cut(text, "\n\n"), *rest = cut(text, "\n"), *target = cut(text, " ");
    struct request req = {.method = text, .target = target, .version = "HTTP/1.1",
                          .headers = headers, .header_count = take_headers(rest, headers),
                          .body = body, .body_len = strlen(body)};
    ask(s, &req);
    ask_plainly(s, "/v1/website/" WEBSITE_MAIN_ID "/operators/list");
    ask_plainly(s, "/v1/website/" WEBSITE_MAIN_ID);
    json_decref(fault_parse_spec(body, NULL));
    return 0;
}

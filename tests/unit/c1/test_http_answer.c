/* http_answer: the same outcome however the bytes are cut. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "c1/http_answer.h"

struct outcome {
    bool is_good;
    struct err err;
};

/* Feeds the text in pieces of that size, then the end of the connection if asked. */
static struct outcome feed(struct c1_http_answer *a, const char *text, size_t n, size_t step,
                           bool is_ended) {
    struct outcome outcome = {.is_good = true};
    c1_http_answer_init(a);
    for (size_t i = 0; outcome.is_good && i < n; i += step)
        outcome.is_good =
            c1_http_answer_feed(a, text + i, n - i < step ? n - i : step, &outcome.err);
    if (outcome.is_good && is_ended)
        outcome.is_good = c1_http_answer_end(a, &outcome.err);
    return outcome;
}

static const size_t steps[] = {1, 2, 7, 4096};
enum { STEPS = sizeof steps / sizeof *steps };

static void test_http_answer_reads(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is_ended;
        int status;
        const char *body, *date;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: now\r\n\r\n{}", false, 200, "{}", "now"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}trash", true, 200, "{}", ""},
        {"HTTP/1.0 200\r\ncontent-type: x\r\n\r\n{}", true, 200, "{}", ""},
        {"HTTP/1.1 200 OK\nTransfer-encoding:chunked\n\n1\n{\n1;x=y\n}\n0\n\n", false, 200, "{}", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n"
         "2\r\n{}\r\n0\r\nDate: no\r\n\r\n", false, 200, "{}", ""},
        {"HTTP/1.1 103 Early\r\nDate: a\r\n\r\nHTTP/1.1 401 No\r\nDATE:  b \r\nContent-Length: 0\r\n\r\n",
         false, 401, "", "b"},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, "", ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", false, 200, "{}", ""},
    };
    struct c1_http_answer *a = mem_alloc(sizeof *a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases * STEPS; i++) {
        const char *text = cases[i / STEPS].text;
        struct outcome outcome =
            feed(a, text, strlen(text), steps[i % STEPS], cases[i / STEPS].is_ended);
        if (!outcome.is_good)
            fail_msg("%s: %s", text, outcome.err.msg);
        assert_int_equal(a->part, C1_ANSWER_COMPLETE);
        assert_true(c1_http_answer_has_head(a));
        assert_int_equal(a->status, cases[i / STEPS].status);
        assert_int_equal(a->body_len, strlen(cases[i / STEPS].body));
        assert_memory_equal(a->body, cases[i / STEPS].body, a->body_len);
        assert_string_equal(a->date, cases[i / STEPS].date);
        c1_http_answer_done(a);
    }
    free(a);
}

static void test_http_answer_refuses(void **state) {
    (void)state;
    static const char other[] = "the server did not answer in HTTP/1.1";
    static const char large[] = "the server sent more than an answer may have";
    static const char cut[] = "the server closed the connection in the middle of its answer";
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "the server closed the connection without an answer"},
        {"HTTP/1.1 200 OK\r\n", cut},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", cut},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", cut},
        {"SSH-2.0-OpenSSH_9.2\r\n", other},
        {"HTTP/2 200\r\n", other},
        {"HTTP/1.1 20 OK\r\n", other},
        {"HTTP/1.1 2000\r\n", other},
        {"HTTP/1.1 099 OK\r\n", other},
        {"HTTP/1.1 101 Switching\r\n\r\n", other},
        {"HTTP/1.1 200 OK\r\nno colon\r\n", other},
        {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n", other},
        {"HTTP/1.1 200 OK\r\nContent-Length: \r\n", other},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", other},
        {"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", large},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", large},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", other},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", other},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n", other},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", large},
    };
    struct c1_http_answer *a = mem_alloc(sizeof *a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases * STEPS; i++) {
        const char *text = cases[i / STEPS].text, *problem = cases[i / STEPS].problem;
        struct outcome outcome = feed(a, text, strlen(text), steps[i % STEPS], true);
        assert_false(outcome.is_good);
        assert_int_equal(outcome.err.code, ERR_UNAVAILABLE);
        if (strncmp(outcome.err.msg, problem, strlen(problem)) != 0)
            fail_msg("%s: %s", text, outcome.err.msg);
    }
    free(a);
}

static void test_http_answer_has_ceilings(void **state) {
    (void)state;
    static const struct {
        const char *start, *again;
        size_t most;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nX: ", "x", C1_ANSWER_LINE_MAX},
        {"HTTP/1.1 200 OK\r\n", "X: y\r\n", C1_ANSWER_HEAD_MAX},
        {"", "HTTP/1.1 100 Continue\r\n\r\n", C1_ANSWER_HEAD_MAX},
        {"HTTP/1.1 200 OK\r\n\r\n", "x", C1_ANSWER_BODY_MAX + 32},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n",
         C1_ANSWER_BODY_MAX * 6 + 64},
    };
    struct c1_http_answer *a = mem_alloc(sizeof *a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t fed = 0, n = strlen(cases[i].again);
        c1_http_answer_init(a);
        assert_true(c1_http_answer_feed(a, cases[i].start, strlen(cases[i].start), NULL));
        while (fed <= cases[i].most && c1_http_answer_feed(a, cases[i].again, n, NULL))
            fed += n;
        if (fed > cases[i].most)
            fail_msg("no end to \"%s\"", cases[i].again);
    }
    free(a);
}

static void test_http_answer_wipes_what_it_read(void **state) {
    (void)state;
    static const char text[] = "HTTP/1.1 200 OK\r\nX: sesame\r\n\r\nsesame";
    struct c1_http_answer *a = mem_alloc(sizeof *a);
    assert_true(feed(a, text, sizeof text - 1, 3, true).is_good);
    c1_http_answer_done(a);
    assert_null(memmem(a, sizeof *a, "sesame", 6));
    free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_answer_reads),
        cmocka_unit_test(test_http_answer_refuses),
        cmocka_unit_test(test_http_answer_has_ceilings),
        cmocka_unit_test(test_http_answer_wipes_what_it_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

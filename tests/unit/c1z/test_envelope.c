/* envelope: frames of every kind in and out, and what is refused. */
#include "tests/unit/test.h"

#include <zstd.h>

#include "base/buf.h"
#include "c1z/envelope.h"
#include "tests/unit/c1z/scratch.h"

static bool collect(void *out, const void *bytes, size_t n, struct err *err) {
    return buf_add(out, bytes, n) || err_set(err, ERR_INTERNAL, "the test's buffer is full");
}

static const struct envelope_limits roomy = {.max_window = 128 << 20, .max_decoded = 64 << 20};

/* Feeds pieces of `piece` bytes. */
static bool decode(const void *bytes, size_t n, size_t piece, const struct envelope_limits *limits,
                   struct buf *out, struct err *err) {
    struct envelope_reader *r = envelope_reader_new(limits, collect, out, err);
    const uint8_t *p = bytes;
    bool ok = r != NULL;
    for (size_t at = 0; ok && at < n; at += piece)
        ok = envelope_reader_feed(r, p + at, n - at < piece ? n - at : piece, err);
    uint64_t decoded = 0;
    ok = ok && envelope_reader_end(r, &decoded, err);
    if (ok)
        assert_int_equal(decoded, out->len);
    envelope_reader_free(r);
    return ok;
}

static void encode(const void *bytes, size_t n, struct buf *out) {
    struct err err = ERR_INIT;
    struct envelope_writer *w = envelope_writer_new(n, collect, out, &err);
    assert_non_null(w);
    assert_true(envelope_writer_feed(w, bytes, n / 3, &err));
    assert_true(envelope_writer_feed(w, (const char *)bytes + n / 3, n - n / 3, &err));
    uint64_t written;
    assert_true(envelope_writer_end(w, &written, &err));
    assert_int_equal(written, out->len);
    envelope_writer_free(w);
}

static void fill(uint8_t *bytes, size_t n) {
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 28);
    }
}

static void test_envelope_knows_magics(void **state) {
    (void)state;
    assert_int_equal(envelope_kind((const uint8_t *)"C1ZF\0"), ENVELOPE_V1);
    assert_int_equal(envelope_kind((const uint8_t *)"C1Z3\0"), ENVELOPE_V3);
    assert_int_equal(envelope_kind((const uint8_t *)"C1ZFx"), ENVELOPE_UNKNOWN);
    assert_int_equal(envelope_kind((const uint8_t *)"\0\0\0\0\0"), ENVELOPE_UNKNOWN);
}

static void test_envelope_round_trips_in_any_pieces(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 4096, 300000};
    static const size_t pieces[] = {1, 7, 4096, 1000000};
    for (size_t i = 0; i < 4; i++) {
        mem_auto uint8_t *bytes = mem_alloc(sizes[i]);
        fill(bytes, sizes[i]);
        buf_auto struct buf packed;
        buf_init(&packed, 1 << 20);
        encode(bytes, sizes[i], &packed);
        assert_memory_equal(packed.data, "C1ZF\0", ENVELOPE_MAGIC_LEN);
        for (size_t j = 0; j < 4; j++) {
            buf_auto struct buf out;
            buf_init(&out, 1 << 20);
            struct err err = ERR_INIT;
            assert_true(decode(packed.data + 5, packed.len - 5, pieces[j], &roomy, &out, &err));
            assert_int_equal(out.len, sizes[i]);
            assert_memory_equal(out.data, bytes, sizes[i]);
        }
    }
}

/* Checklist 1 and 2 of c1z.md: one frame, with size, checksum and a window of at most 8 MiB. */
static void test_envelope_writes_size_checksum_and_small_window(void **state) {
    (void)state;
    size_t n = 16 << 20;
    mem_auto uint8_t *bytes = mem_zalloc(n);
    buf_auto struct buf packed;
    buf_init(&packed, n);
    encode(bytes, n, &packed);
    const uint8_t *frame = (const uint8_t *)packed.data + 5;
    assert_int_equal(ZSTD_getFrameContentSize(frame, packed.len - 5), n);
    assert_int_equal(ZSTD_findFrameCompressedSize(frame, packed.len - 5), packed.len - 5);
    assert_true(frame[4] & 0x04);           /* checksum */
    assert_int_equal(frame[4] & 0x20, 0);   /* has a window */
    assert_true((frame[5] >> 3) + 10 <= 23); /* of at most 8 MiB */
    assert_int_equal(frame[4] & 3, 0);      /* no dictionary */
}

static void test_envelope_writer_refuses_another_size(void **state) {
    (void)state;
    buf_auto struct buf out;
    buf_init(&out, 1 << 20);
    struct err err = ERR_INIT;
    uint64_t written;
    struct envelope_writer *w = envelope_writer_new(10, collect, &out, &err);
    assert_true(envelope_writer_feed(w, "abc", 3, &err));
    assert_false(envelope_writer_end(w, &written, &err));
    envelope_writer_free(w);
}

static void expect_failure(const void *bytes, size_t n, const struct envelope_limits *limits,
                           const char *text) {
    static const size_t pieces[] = {1, 100000};
    for (size_t i = 0; i < 2; i++) {
        buf_auto struct buf out;
        buf_init(&out, 64 << 20);
        struct err err = ERR_INIT;
        assert_false(decode(bytes, n, pieces[i], limits, &out, &err));
        if (!strstr(err.msg, text))
            fail_msg("\"%s\" is not in \"%s\"", text, err.msg);
        assert_int_equal(err.code, ERR_UNKNOWN);
    }
}

static void test_envelope_refuses_damage(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"reject/badcheck.c1z", "CRC check failed"},
        /* libzstd decodes the damaged block, and the checksum tells; the Go decoder stops earlier. */
        {"reject/flip.c1z", "CRC check failed"},
        {"reject/tailgarbage.c1z", "invalid input: magic number mismatch"},
        {"reject/trunc.c1z", "unexpected EOF"},
        {"reject/long28.c1z",
         "c1z: window size (134217728) exceeded:  window size exceeded: c1z: window size exceeded, "
         "increase DecoderMaxMemory using BATON_DECODER_MAX_MEMORY_MB  environment variable"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mem_auto char *path = golden_path(cases[i].name);
        size_t n;
        mem_auto uint8_t *bytes = read_bytes(path, &n);
        expect_failure(bytes + 5, n - 5, &roomy, cases[i].text);
    }
}

static void test_envelope_refuses_a_block_of_no_kind(void **state) {
    (void)state;
    buf_auto struct buf packed;
    buf_init(&packed, 1 << 20);
    mem_auto uint8_t *bytes = mem_alloc(300000);
    fill(bytes, 300000);
    encode(bytes, 300000, &packed);
    /* magic 5, frame magic 4, descriptor, window, size 4: then the first block, whose kind is in bits 1
     * and 2. */
    packed.data[5 + 4 + 1 + 1 + 4] |= 6;
    expect_failure(packed.data + 5, packed.len - 5, &roomy, "corruption detected: ");
}

static void test_envelope_fails_at_every_cut(void **state) {
    (void)state;
    mem_auto char *path = golden_path("three-operators.v1.c1z");
    size_t n;
    mem_auto uint8_t *bytes = read_bytes(path, &n);
    for (size_t cut = 6; cut < n; cut++) {
        buf_auto struct buf out;
        buf_init(&out, 1 << 20);
        struct err err = ERR_INIT;
        assert_false(decode(bytes + 5, cut - 5, 100000, &roomy, &out, &err));
        assert_non_null(strstr(err.msg, "unexpected EOF"));
    }
}

static void test_envelope_takes_what_go_takes(void **state) {
    (void)state;
    static const char *const names[] = {"base",  "lvl19",   "multiframe", "nocheck",
                                        "nofcs", "long27", "wal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        mem_auto char *name = mem_printf("accept/%s.c1z", names[i]);
        mem_auto char *path = golden_path(name);
        size_t n;
        mem_auto uint8_t *bytes = read_bytes(path, &n);
        buf_auto struct buf out;
        buf_init(&out, 1 << 20);
        struct err err = ERR_INIT;
        assert_true(decode(bytes + 5, n - 5, 11, &roomy, &out, &err));
        assert_memory_equal(out.data, "SQLite format 3", 16);
    }
}

static void test_envelope_skips_skippable_frames(void **state) {
    (void)state;
    buf_auto struct buf packed, out;
    buf_init(&packed, 1 << 20);
    buf_init(&out, 1 << 20);
    encode("abcdef", 6, &packed);
    static const char skippable[] = {0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};
    buf_add(&packed, skippable, sizeof skippable);
    struct err err = ERR_INIT;
    assert_true(decode(packed.data + 5, packed.len - 5, 1, &roomy, &out, &err));
    assert_int_equal(out.len, 6);
}

static void test_envelope_caps_the_decoded_size(void **state) {
    (void)state;
    size_t n = 1 << 20;
    mem_auto uint8_t *bytes = mem_zalloc(n);
    buf_auto struct buf packed;
    buf_init(&packed, n);
    encode(bytes, n, &packed);
    struct envelope_limits small = {.max_window = 128 << 20, .max_decoded = n - 1};
    expect_failure(packed.data + 5, packed.len - 5, &small,
                   "c1z: declared decoded size 1048576 exceeds cap 1048575: c1z: max decoded size "
                   "exceeded, increase DecoderMaxDecodedSize using BATON_DECODER_MAX_DECODED_SIZE_MB "
                   "environment variable");
    small.trust_no_size = true;
    expect_failure(packed.data + 5, packed.len - 5, &small, "c1z: max decoded size exceeded: ");
    expect_failure(packed.data + 5, packed.len - 5, &small, " (declared: 1048576)");
    /* Two frames that fit one by one and not together. */
    small = (struct envelope_limits){.max_window = 128 << 20, .max_decoded = n + n / 2};
    buf_auto struct buf twice;
    buf_init(&twice, n);
    buf_add(&twice, packed.data + 5, packed.len - 5);
    buf_add(&twice, packed.data + 5, packed.len - 5);
    expect_failure(twice.data, twice.len, &small, "exceeds cap 1572864");
}

static void test_envelope_reads_limits_from_the_environment(void **state) {
    (void)state;
    struct envelope_limits l;
    struct err err = ERR_INIT;
    unsetenv("BATON_DECODER_MAX_MEMORY_MB");
    unsetenv("BATON_DECODER_MAX_DECODED_SIZE_MB");
    unsetenv("BATON_DISABLE_FCS_FAIL_FAST");
    assert_true(envelope_limits_init(&l, &err));
    assert_int_equal(l.max_window, INT64_C(128) << 20);
    assert_int_equal(l.max_decoded, INT64_C(10) << 30);
    assert_false(l.trust_no_size);
    setenv("BATON_DECODER_MAX_MEMORY_MB", "256", 1);
    setenv("BATON_DECODER_MAX_DECODED_SIZE_MB", "99999999999999999999", 1);
    setenv("BATON_DISABLE_FCS_FAIL_FAST", "1", 1);
    assert_true(envelope_limits_init(&l, &err));
    assert_int_equal(l.max_window, INT64_C(256) << 20);
    assert_int_equal(l.max_decoded, INT64_C(10) << 30); /* not a number of 64 bits: ignored */
    assert_true(l.trust_no_size);
    setenv("BATON_DECODER_MAX_DECODED_SIZE_MB", "0", 1);
    assert_false(envelope_limits_init(&l, &err));
    assert_non_null(strstr(err.msg, "BATON_DECODER_MAX_DECODED_SIZE_MB is 0"));
    unsetenv("BATON_DECODER_MAX_MEMORY_MB");
    unsetenv("BATON_DECODER_MAX_DECODED_SIZE_MB");
    unsetenv("BATON_DISABLE_FCS_FAIL_FAST");
}

static bool refuse(void *payload, const void *bytes, size_t n, struct err *err) {
    (void)payload;
    (void)bytes;
    (void)n;
    return err_set(err, ERR_ABORTED, "enough");
}

static void test_envelope_stops_when_the_sink_does(void **state) {
    (void)state;
    buf_auto struct buf packed;
    buf_init(&packed, 1 << 20);
    encode("abcdef", 6, &packed);
    struct err err = ERR_INIT;
    struct envelope_reader *r = envelope_reader_new(&roomy, refuse, NULL, &err);
    assert_false(envelope_reader_feed(r, packed.data + 5, packed.len - 5, &err));
    assert_int_equal(err.code, ERR_ABORTED);
    envelope_reader_free(r);
    struct envelope_writer *w = envelope_writer_new(6, refuse, NULL, &err);
    err_clear(&err);
    assert_false(envelope_writer_feed(w, "abcdef", 6, &err));
    assert_int_equal(err.code, ERR_ABORTED);
    envelope_writer_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope_knows_magics),
        cmocka_unit_test(test_envelope_round_trips_in_any_pieces),
        cmocka_unit_test(test_envelope_writes_size_checksum_and_small_window),
        cmocka_unit_test(test_envelope_writer_refuses_another_size),
        cmocka_unit_test(test_envelope_refuses_damage),
        cmocka_unit_test(test_envelope_refuses_a_block_of_no_kind),
        cmocka_unit_test(test_envelope_fails_at_every_cut),
        cmocka_unit_test(test_envelope_takes_what_go_takes),
        cmocka_unit_test(test_envelope_skips_skippable_frames),
        cmocka_unit_test(test_envelope_caps_the_decoded_size),
        cmocka_unit_test(test_envelope_reads_limits_from_the_environment),
        cmocka_unit_test(test_envelope_stops_when_the_sink_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

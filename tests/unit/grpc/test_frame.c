/* Messages in and out of bytes, whole, in pieces, and wrong. */
#include "tests/unit/test.h"

#include <string.h>

#include "grpc/frame.h"

static void test_frame_prefix_is_that_of_the_specification(void **state) {
    (void)state;
    static const uint8_t four[] = {0, 0, 0, 0, 4}, large[] = {0, 0x01, 0x02, 0x03, 0x04};
    uint8_t prefix[GRPC_FRAME_PREFIX];
    grpc_frame_prefix(4, prefix);
    assert_memory_equal(prefix, four, sizeof four);
    grpc_frame_prefix(0x01020304, prefix);
    assert_memory_equal(prefix, large, sizeof large);
}

static const uint8_t two_messages[] = {0, 0, 0, 0, 4, 10, 2, 'h', '1', 0, 0, 0, 0, 0};

static void test_frame_is_read_in_pieces_of_any_size(void **state) {
    (void)state;
    for (size_t step = 1; step <= sizeof two_messages; step++) {
        struct grpc_frame_reader reader;
        grpc_frame_reader_init(&reader, 16);
        size_t lengths[3] = {99, 99, 99}, count = 0;
        for (size_t i = 0; i < sizeof two_messages; i += step) {
            const uint8_t *data = two_messages + i;
            size_t len = sizeof two_messages - i < step ? sizeof two_messages - i : step;
            while (len > 0) {
                assert_true(grpc_frame_read(&reader, &data, &len, NULL));
                if (reader.is_whole) {
                    lengths[count++] = reader.message.len;
                    if (count == 1)
                        assert_memory_equal(reader.message.data, two_messages + 5, 4);
                    grpc_frame_reader_next(&reader);
                }
            }
        }
        assert_int_equal(count, 2);
        assert_int_equal(lengths[0], 4);
        assert_int_equal(lengths[1], 0);
        assert_false(grpc_frame_is_cut(&reader));
        grpc_frame_reader_done(&reader);
    }
}

static void test_frame_takes_nothing_behind_a_whole_message(void **state) {
    (void)state;
    struct grpc_frame_reader reader;
    const uint8_t *data = two_messages;
    size_t len = sizeof two_messages;
    grpc_frame_reader_init(&reader, 16);
    assert_true(grpc_frame_read(&reader, &data, &len, NULL));
    assert_true(reader.is_whole);
    assert_int_equal(len, 5);
    assert_true(grpc_frame_read(&reader, &data, &len, NULL));
    assert_int_equal(len, 5);
    grpc_frame_reader_done(&reader);
}

static void test_frame_knows_when_it_is_cut(void **state) {
    (void)state;
    for (size_t n = 0; n <= 9; n++) {
        struct grpc_frame_reader reader;
        const uint8_t *data = two_messages;
        size_t len = n;
        grpc_frame_reader_init(&reader, 16);
        assert_true(grpc_frame_read(&reader, &data, &len, NULL));
        assert_int_equal(grpc_frame_is_cut(&reader), n > 0 && n < 9);
        grpc_frame_reader_done(&reader);
    }
}

static void test_frame_refuses_what_is_compressed_or_too_large(void **state) {
    (void)state;
    static const struct {
        uint8_t bytes[5];
        enum err_code code;
    } cases[] = {
        {{1, 0, 0, 0, 4}, ERR_UNIMPLEMENTED},
        {{255, 0, 0, 0, 0}, ERR_UNIMPLEMENTED},
        {{0, 0, 0, 0, 17}, ERR_RESOURCE_EXHAUSTED},
        {{0, 0xFF, 0xFF, 0xFF, 0xFF}, ERR_RESOURCE_EXHAUSTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct grpc_frame_reader reader;
        struct err err = ERR_INIT;
        const uint8_t *data = cases[i].bytes;
        size_t len = 5;
        grpc_frame_reader_init(&reader, 16);
        assert_false(grpc_frame_read(&reader, &data, &len, &err));
        assert_int_equal(err.code, cases[i].code);
        grpc_frame_reader_done(&reader);
    }
}

static void test_frame_holds_no_memory_for_what_is_only_promised(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0, 0x7F, 0xFF, 0xFF, 0xFF, 'x'};
    struct grpc_frame_reader reader;
    const uint8_t *data = bytes;
    size_t len = sizeof bytes;
    grpc_frame_reader_init(&reader, SIZE_MAX / 2);
    assert_true(grpc_frame_read(&reader, &data, &len, NULL));
    assert_true(reader.message.cap < 1024);
    grpc_frame_reader_done(&reader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_prefix_is_that_of_the_specification),
        cmocka_unit_test(test_frame_is_read_in_pieces_of_any_size),
        cmocka_unit_test(test_frame_takes_nothing_behind_a_whole_message),
        cmocka_unit_test(test_frame_knows_when_it_is_cut),
        cmocka_unit_test(test_frame_refuses_what_is_compressed_or_too_large),
        cmocka_unit_test(test_frame_holds_no_memory_for_what_is_only_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

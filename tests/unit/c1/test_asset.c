/* asset: the messages of an upload, against the bytes of service-mode.md 5.8. */
#include "tests/unit/test.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "baton_api.pb-c.h"
#include "base/mem.h"
#include "c1/asset.h"
#include "pb/pack.h"

#define TASK "2EkNWZFDMw8Cm1Yp0cXcvjSTq1x"

static uint8_t *make_bytes(size_t n) {
    uint8_t *bytes = mem_alloc(n + 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    return bytes;
}

static int make_file(const uint8_t *bytes, size_t n) {
    int fd = memfd_create("asset", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    return fd;
}

static bool next(struct c1_asset *asset, struct buf *message, bool *ret_is_last) {
    struct err err = ERR_INIT;
    buf_reset(message);
    if (!c1_asset_next(asset, message, ret_is_last, &err))
        fail_msg("%s", err.msg);
    return !*ret_is_last;
}

/* Collects the data messages of one pass; checks what stands around them. */
static size_t collect(struct c1_asset *asset, struct buf *content, size_t chunks[8]) {
    buf_auto struct buf message;
    bool is_last = false;
    size_t count = 0;
    buf_init(&message, C1_CHUNK_MESSAGE_MAX);
    assert_true(next(asset, &message, &is_last));
    while (next(asset, &message, &is_last)) {
        struct arena arena;
        arena_init(&arena);
        Api__BatonServiceUploadAssetRequest *request = (void *)pb_unpack(
            &api__baton_service_upload_asset_request__descriptor, (uint8_t *)message.data,
            message.len, &arena, NULL);
        assert_non_null(request);
        assert_int_equal(request->msg_case, API__BATON_SERVICE_UPLOAD_ASSET_REQUEST__MSG_DATA);
        chunks[count++] = request->data->data.len;
        buf_add(content, request->data->data.data, request->data->data.len);
        arena_done(&arena);
    }
    uint8_t digest[32];
    SHA256((uint8_t *)content->data, content->len, digest);
    assert_int_equal(message.len, 3 + 34);
    assert_memory_equal(message.data, "\xb2\x06\x22\x0a\x20", 5);
    assert_memory_equal(message.data + 5, digest, 32);
    return count;
}

static void test_asset_cuts_a_file_into_chunks(void **state) {
    (void)state;
    static const struct {
        size_t size, count, first, last;
    } cases[] = {
        {0, 0, 0, 0},
        {1, 1, 1, 1},
        {C1_CHUNK, 1, C1_CHUNK, C1_CHUNK},
        {C1_CHUNK + 1, 2, C1_CHUNK, 1},
        {1107150, 3, C1_CHUNK, 58574},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = cases[i].size, chunks[8] = {0};
        uint8_t *bytes = make_bytes(size);
        int fd = make_file(bytes, size);
        buf_auto struct buf content;
        struct c1_asset asset;
        buf_init(&content, 2 * 1024 * 1024);
        c1_asset_init(&asset, "vm", TASK, fd);
        /* Twice: another attempt begins anew. */
        for (int pass = 0; pass < 2; pass++) {
            buf_reset(&content);
            assert_int_equal(collect(&asset, &content, chunks), cases[i].count);
            assert_int_equal(content.len, size);
            assert_memory_equal(content.data, bytes, size);
            assert_int_equal(chunks[0], cases[i].first);
            assert_int_equal(chunks[cases[i].count ? cases[i].count - 1 : 0], cases[i].last);
            c1_asset_rewind(&asset);
        }
        c1_asset_done(&asset);
        close(fd);
        free(bytes);
    }
}

static void test_asset_writes_the_bytes_of_the_specification(void **state) {
    (void)state;
    uint8_t *bytes = make_bytes(29492);
    int fd = make_file(bytes, 29492);
    buf_auto struct buf message;
    struct c1_asset asset;
    bool is_last;
    buf_init(&message, C1_CHUNK_MESSAGE_MAX);
    c1_asset_init(&asset, "vm", TASK, fd);
    next(&asset, &message, &is_last);
    assert_int_equal(message.len, 0x24);
    assert_memory_equal(message.data, "\xa2\x06\x21\x0a\x02vm\x12\x1b" TASK, 0x24);
    next(&asset, &message, &is_last);
    assert_int_equal(message.len, 0x733d);
    assert_memory_equal(message.data, "\xaa\x06\xb8\xe6\x01\x0a\xb4\xe6\x01", 9);
    assert_false(is_last);
    c1_asset_done(&asset);
    close(fd);
    free(bytes);
}

static void test_asset_takes_the_size_of_the_start(void **state) {
    (void)state;
    uint8_t *bytes = make_bytes(100);
    int fd = make_file(bytes, 100);
    buf_auto struct buf message;
    struct c1_asset asset;
    struct err err = ERR_INIT;
    bool is_last = false;
    buf_init(&message, C1_CHUNK_MESSAGE_MAX);
    c1_asset_init(&asset, "vm", TASK, fd);
    next(&asset, &message, &is_last);
    assert_int_equal(write(fd, bytes, 100), 100);
    next(&asset, &message, &is_last);
    assert_int_equal(message.len, 2 + 1 + 2 + 100); /* what was written later is not in it */

    c1_asset_rewind(&asset);
    c1_asset_grow(&asset, 100);
    next(&asset, &message, &is_last);
    c1_asset_complete(&asset, -1); /* from a writer that has lost its mind */
    buf_reset(&message);
    assert_false(c1_asset_next(&asset, &message, &is_last, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);

    c1_asset_rewind(&asset);
    next(&asset, &message, &is_last);
    assert_int_equal(ftruncate(fd, 50), 0);
    buf_reset(&message);
    assert_false(c1_asset_next(&asset, &message, &is_last, &err));
    assert_int_equal(err.code, ERR_DATA_LOSS);
    c1_asset_done(&asset);
    close(fd);
    free(bytes);
}

/* Sizes that the writer tells, one after the other; the last is the end. */
static void grow(struct c1_asset *asset, struct buf *content, const int64_t *sizes, size_t count) {
    buf_auto struct buf message;
    bool is_last = false;
    buf_init(&message, C1_CHUNK_MESSAGE_MAX);
    c1_asset_grow(asset, 0);
    assert_true(c1_asset_is_ready(asset));
    next(asset, &message, &is_last); /* metadata */
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count)
            c1_asset_grow(asset, sizes[i]);
        else
            c1_asset_complete(asset, sizes[i]);
        while (!is_last && c1_asset_is_ready(asset)) {
            if (!next(asset, &message, &is_last))
                continue;
            size_t head = message.len > 16384 + 9 ? 9 : 5; /* lengths of three bytes, or of one */
            buf_add(content, message.data + head, message.len - head);
        }
        assert_int_equal(is_last, i + 1 == count);
    }
    uint8_t digest[32];
    SHA256((uint8_t *)content->data, content->len, digest);
    assert_memory_equal(message.data + 5, digest, 32);
}

static void test_asset_follows_a_file_that_grows(void **state) {
    (void)state;
    static const struct {
        int64_t sizes[4];
        size_t count;
    } cases[] = {
        {{0}, 1},
        {{C1_CHUNK - 1, C1_CHUNK, C1_CHUNK}, 3},
        {{1, 3 * C1_CHUNK, 3 * C1_CHUNK + 1, 3 * C1_CHUNK + 20000}, 4},
        {{C1_CHUNK + 1, C1_CHUNK + 1}, 2},
    };
    uint8_t *bytes = make_bytes(4 * C1_CHUNK);
    int fd = make_file(bytes, 4 * C1_CHUNK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t size = cases[i].sizes[cases[i].count - 1];
        buf_auto struct buf content;
        struct c1_asset asset;
        buf_init(&content, 4 * 1024 * 1024);
        c1_asset_init(&asset, "vm", TASK, fd);
        assert_int_equal(ftruncate(fd, size), 0);
        for (int pass = 0; pass < 2; pass++) { /* another attempt begins anew */
            buf_reset(&content);
            grow(&asset, &content, cases[i].sizes, cases[i].count);
            assert_int_equal(content.len, size);
            c1_asset_rewind(&asset);
        }
        c1_asset_done(&asset);
        assert_int_equal(pwrite(fd, bytes, 4 * C1_CHUNK, 0), 4 * C1_CHUNK);
    }
    close(fd);
    free(bytes);
}

static void test_asset_tells_what_it_cannot_read(void **state) {
    (void)state;
    buf_auto struct buf message;
    struct c1_asset asset;
    struct err err = ERR_INIT;
    bool is_last;
    buf_init(&message, C1_CHUNK_MESSAGE_MAX);
    c1_asset_init(&asset, "vm", TASK, -1);
    assert_false(c1_asset_next(&asset, &message, &is_last, &err));
    assert_int_equal(err.code, ERR_UNKNOWN);
    c1_asset_done(&asset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asset_cuts_a_file_into_chunks),
        cmocka_unit_test(test_asset_writes_the_bytes_of_the_specification),
        cmocka_unit_test(test_asset_takes_the_size_of_the_start),
        cmocka_unit_test(test_asset_follows_a_file_that_grows),
        cmocka_unit_test(test_asset_tells_what_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "c1/asset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "baton_api.pb-c.h"
#include "base/mem.h"
#include "pb/pack.h"

enum { DIGEST_LEN = 32 };

void c1_asset_init(struct c1_asset *a, const char *host_id, const char *task_id, int fd) {
    *a = (struct c1_asset){.host_id = mem_strdup(host_id),
                           .task_id = mem_strdup(task_id),
                           .fd = fd,
                           .digest = EVP_MD_CTX_new()};
    if (!a->digest)
        mem_die();
    c1_asset_rewind(a);
}

void c1_asset_done(struct c1_asset *a) {
    if (!a)
        return;
    free(a->host_id);
    free(a->task_id);
    EVP_MD_CTX_free(a->digest);
    *a = (struct c1_asset){.fd = -1};
}

void c1_asset_rewind(struct c1_asset *a) {
    a->step = C1_ASSET_METADATA;
    a->offset = 0;
}

void c1_asset_grow(struct c1_asset *a, int64_t size) {
    a->is_growing = true;
    a->size = size;
}

void c1_asset_complete(struct c1_asset *a, int64_t size) {
    a->is_growing = false;
    a->size = size;
    if (a->step == C1_ASSET_DATA && a->offset == size)
        a->step = C1_ASSET_EOF;
}

bool c1_asset_is_ready(const struct c1_asset *a) {
    return !a->is_growing || a->step != C1_ASSET_DATA || a->size - a->offset >= C1_CHUNK;
}

static bool fail_size(struct err *err) {
    return err_set(err, ERR_INTERNAL, "a message of the upload does not fit its buffer");
}

/* What can go wrong with the file does so here, where there is a caller to tell. */
static bool begin(struct c1_asset *a, struct err *err) {
    struct stat st;
    if (!a->is_growing && fstat(a->fd, &st) != 0)
        return err_set_errno(err, ERR_UNKNOWN, errno, "cannot read the file to upload");
    if (EVP_DigestInit_ex(a->digest, EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_INTERNAL, "OpenSSL has no SHA-256");
    if (!a->is_growing)
        a->size = st.st_size;
    return true;
}

static bool put_metadata(struct c1_asset *a, struct buf *message, struct err *err) {
    Api__BatonServiceUploadAssetRequest__UploadMetadata metadata;
    Api__BatonServiceUploadAssetRequest request;
    api__baton_service_upload_asset_request__upload_metadata__init(&metadata);
    api__baton_service_upload_asset_request__init(&request);
    metadata.host_id = a->host_id;
    metadata.task_id = a->task_id;
    request.msg_case = API__BATON_SERVICE_UPLOAD_ASSET_REQUEST__MSG_METADATA;
    request.metadata = &metadata;
    if (!begin(a, err))
        return false;
    a->step = a->size > 0 || a->is_growing ? C1_ASSET_DATA : C1_ASSET_EOF;
    return pb_pack_buf(&request.base, message) || fail_size(err);
}

/* -- data ------------------------------------------------------------------------------------------ */

static size_t add_varint(uint8_t *out, size_t value) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    return n;
}

/* What stands before the bytes: `data` (101) of the request, in it `data` (1). Written by hand, because
 * protobuf-c wants the chunk in one place and copies it to another. */
static size_t put_prefix(uint8_t out[16], size_t chunk) {
    uint8_t inner[8];
    size_t inner_len = 0, n = 0;
    inner[inner_len++] = 1 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    inner_len += add_varint(inner + inner_len, chunk);
    n += add_varint(out, 101 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    n += add_varint(out + n, inner_len + chunk);
    memcpy(out + n, inner, inner_len);
    return n + inner_len;
}

static bool read_all(const struct c1_asset *a, uint8_t *out, size_t n, struct err *err) {
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(a->fd, out + done, n - done, a->offset + (int64_t)done);
        if (got == 0)
            return err_set(err, ERR_DATA_LOSS,
                           "the file became shorter while it was uploaded: %lld of %lld bytes",
                           (long long)a->offset + (long long)done, (long long)a->size);
        if (got < 0 && errno != EINTR)
            return err_set_errno(err, ERR_UNKNOWN, errno, "cannot read the file to upload");
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool put_data(struct c1_asset *a, struct buf *message, struct err *err) {
    int64_t left = a->size - a->offset;
    if (left <= 0)
        return err_set(err, ERR_DATA_LOSS, "%lld bytes were uploaded of a file of %lld",
                       (long long)a->offset, (long long)a->size);
    size_t chunk = left < C1_CHUNK ? (size_t)left : C1_CHUNK;
    uint8_t prefix[16];
    buf_add(message, prefix, put_prefix(prefix, chunk));
    uint8_t *room = buf_extend(message, chunk);
    if (!room)
        return fail_size(err);
    if (!read_all(a, room, chunk, err))
        return false;
    if (EVP_DigestUpdate(a->digest, room, chunk) != 1)
        return err_set(err, ERR_INTERNAL, "OpenSSL cannot make a digest");
    a->offset += (int64_t)chunk;
    if (a->offset == a->size && !a->is_growing)
        a->step = C1_ASSET_EOF;
    return true;
}

/* -------------------------------------------------------------------------------------------------- */

static bool put_eof(struct c1_asset *a, struct buf *message, struct err *err) {
    uint8_t digest[DIGEST_LEN];
    Api__BatonServiceUploadAssetRequest__UploadEOF eof;
    Api__BatonServiceUploadAssetRequest request;
    api__baton_service_upload_asset_request__upload_eof__init(&eof);
    api__baton_service_upload_asset_request__init(&request);
    if (EVP_DigestFinal_ex(a->digest, digest, NULL) != 1)
        return err_set(err, ERR_INTERNAL, "OpenSSL cannot make a digest");
    eof.sha256_checksum = (ProtobufCBinaryData){.data = digest, .len = sizeof digest};
    request.msg_case = API__BATON_SERVICE_UPLOAD_ASSET_REQUEST__MSG_EOF;
    request.eof = &eof;
    a->step = C1_ASSET_COMPLETE;
    return pb_pack_buf(&request.base, message) || fail_size(err);
}

bool c1_asset_next(struct c1_asset *asset, struct buf *message, bool *ret_is_last,
                   struct err *err) {
    bool ok = false;
    switch (asset->step) {
    case C1_ASSET_METADATA:
        ok = put_metadata(asset, message, err);
        break;
    case C1_ASSET_DATA:
        ok = put_data(asset, message, err);
        break;
    case C1_ASSET_EOF:
        ok = put_eof(asset, message, err);
        break;
    case C1_ASSET_COMPLETE:
        return err_set(err, ERR_INTERNAL, "the upload has been asked for more than there is");
    }
    if (ok)
        *ret_is_last = asset->step == C1_ASSET_COMPLETE;
    return ok;
}

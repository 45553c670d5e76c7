/* asset: a file as the messages of an UploadAsset stream (service-mode.md 5.8).
 *
 * metadata, then the file in data messages of 512 KiB, the last one shorter, none for an empty file,
 * then eof with the SHA-256 of what was sent. The digest is made on the way; the file is read with
 * pread() as far as it reached at the start of the attempt, so that a log may grow meanwhile. Or the
 * file is sent while it is written: then its writer says how far it is, and what is there goes out in
 * whole chunks until that says that it is complete. Borrows the descriptor, copies the names. No more
 * than one chunk is held, in the caller's buffer.
 *
 * Errors: DataLoss if the file became shorter, Unknown if it cannot be read, Internal if a message
 * does not fit the buffer.
 */
#ifndef C1_ASSET_H
#define C1_ASSET_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    C1_CHUNK = 512 * 1024,
    C1_CHUNK_MESSAGE_MAX = C1_CHUNK + 16, /* one data message, packed */
};

enum c1_asset_step { C1_ASSET_METADATA, C1_ASSET_DATA, C1_ASSET_EOF, C1_ASSET_COMPLETE };

struct c1_asset {
    char *host_id, *task_id;
    int fd;
    bool is_growing;
    int64_t size, offset;
    EVP_MD_CTX *digest;
    enum c1_asset_step step; /* what c1_asset_next() gives next */
};

void c1_asset_init(struct c1_asset *asset, const char *host_id, const char *task_id, int fd);
void c1_asset_done(struct c1_asset *asset);

/* The file is being written and has so many bytes: before the first message, and then as it grows. */
void c1_asset_grow(struct c1_asset *asset, int64_t size);
/* It is complete, and has so many. */
void c1_asset_complete(struct c1_asset *asset, int64_t size);
/* Begins from the start. The size is what the file has at the first message, or what its writer told. */
void c1_asset_rewind(struct c1_asset *asset);
/* False: the next message waits for the file to grow. */
bool c1_asset_is_ready(const struct c1_asset *asset);
/* The next message, packed, into the empty buffer. *ret_is_last: it was eof. */
bool c1_asset_next(struct c1_asset *asset, struct buf *message, bool *ret_is_last,
                   struct err *err);

#endif

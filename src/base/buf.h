/* buf: bytes that grow up to a ceiling given at the start.
 *
 * The buffer owns its memory. `data` is never NULL after buf_init() and always NUL-terminated
 * behind `len` (it may hold NULs before that). When an append would pass the ceiling, the buffer
 * keeps what it has, sets `overflow`, and refuses all later appends: a caller may append many times
 * and look once, with buf_ok().
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len, cap, max;
    bool overflow;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_done(struct buf *b);
/* Empties it and clears `overflow`; keeps the memory. */
void buf_reset(struct buf *b);

bool buf_add(struct buf *b, const void *p, size_t n);
bool buf_adds(struct buf *b, const char *s);
bool buf_addc(struct buf *b, char c);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends n bytes that the caller fills in; NULL if the ceiling would be passed. */
void *buf_extend(struct buf *b, size_t n);
static inline bool buf_ok(const struct buf *b) {
    return !b->overflow;
}
/* Drops the first n bytes. */
void buf_drop(struct buf *b, size_t n);
/* Hands the memory over (free with free()); the buffer is empty afterwards. */
char *buf_detach(struct buf *b);

#define buf_auto __attribute__((cleanup(buf_done)))

#endif

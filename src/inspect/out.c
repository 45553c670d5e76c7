#include "inspect/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void out_init(struct out *out, int fd) {
    *out = (struct out){.fd = fd};
    buf_init(&out->buf, OUT_ITEM_MAX);
}

void out_done(struct out *out) {
    if (out)
        buf_done(&out->buf);
}

static void write_all(struct out *out) {
    size_t done = 0;
    while (done < out->buf.len && !out->failed_errno) {
        ssize_t n = write(out->fd, out->buf.data + done, out->buf.len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            out->failed_errno = errno;
    }
    if (buf_ok(&out->buf))
        buf_reset(&out->buf);
}

void out_flush_some(struct out *out) {
    if (out->buf.len >= OUT_CHUNK)
        write_all(out);
}

bool out_finish(struct out *out, struct err *err) {
    write_all(out);
    if (out->failed_errno)
        return err_set_errno(err, ERR_UNKNOWN, out->failed_errno, "cannot write the output");
    if (!buf_ok(&out->buf))
        return err_set(err, ERR_UNKNOWN, "one item of the output is larger than %d MiB",
                       OUT_ITEM_MAX / (1024 * 1024));
    return true;
}

bool out_is_styled(const struct out *out) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_color && *no_color)
        return false;
    return term && strcmp(term, "dumb") != 0 && isatty(out->fd);
}

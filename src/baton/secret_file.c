#include "baton/secret_file.h"

#include <string.h>
#include <sys/stat.h>

#include "baton/slurp.h"

bool secret_file_read(const char *path, struct secret *ret_secret,
                      struct secret_file_facts *ret_facts, struct err *err) {
    if (!*path)
        return err_set(err, ERR_UNKNOWN, "has no name: give the path of a file");
    struct slurp text;
    if (!slurp_file(path, SECRET_MAX, &text, err)) {
        if (err)
            err->code = ERR_UNKNOWN;
        return false;
    }
    size_t len = text.len;
    if (len > 0 && text.data[len - 1] == '\n')
        len--;
    bool ok = true;
    if (len == 0)
        ok = err_set(err, ERR_UNKNOWN, "is empty: write the secret into it");
    else if (memchr(text.data, '\0', len))
        ok = err_set(err, ERR_UNKNOWN, "holds a NUL character: it must be plain text");
    if (ok) {
        secret_set(ret_secret, text.data, len);
        *ret_facts = (struct secret_file_facts){
            .is_readable_by_others = S_ISREG(text.mode) && (text.mode & S_IROTH) != 0,
            .has_odd_end = strchr(" \t\r\n", text.data[len - 1]) != NULL,
        };
    }
    slurp_done(&text);
    return ok;
}

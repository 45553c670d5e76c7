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
    if (len > 0 && len < text.len && text.data[len - 1] == '\r')
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
        };
    }
    slurp_done(&text);
    return ok;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

const char *secret_file_fault(const char *value, size_t len) {
    static const char bom[] = "\xEF\xBB\xBF";
    if (len == 0)
        return NULL;
    if (strncmp(value, bom, sizeof bom - 1) == 0)
        return "begins with a byte order mark: save the file as UTF-8 without one";
    if (is_blank(value[0]))
        return "begins with a blank: take it away";
    if (value[len - 1] == '\r')
        return "ends with a carriage return: was the file made on Windows?";
    if (value[len - 1] == '\n')
        return "ends with a line feed: give one line and nothing behind it";
    if (is_blank(value[len - 1]))
        return "ends with a blank: take it away";
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7F)
            return "holds a control character: it must be one line of plain text";
    }
    return NULL;
}

#include "base/ksuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum { BASE = 62, EPOCH = 1400000000 };

void ksuid_encode(const uint8_t bytes[KSUID_BYTES], char ret_text[KSUID_LEN + 1]) {
    uint8_t n[KSUID_BYTES];
    memcpy(n, bytes, sizeof n);
    for (int pos = KSUID_LEN - 1; pos >= 0; pos--) {
        unsigned rest = 0;
        for (int i = 0; i < KSUID_BYTES; i++) {
            unsigned cur = rest << 8 | n[i];
            n[i] = (uint8_t)(cur / BASE);
            rest = cur % BASE;
        }
        ret_text[pos] = digits[rest];
    }
    ret_text[KSUID_LEN] = '\0';
}

bool ksuid_decode(const char *text, uint8_t ret_bytes[KSUID_BYTES]) {
    if (strlen(text) != KSUID_LEN)
        return false;
    uint8_t n[KSUID_BYTES] = {0};
    for (int pos = 0; pos < KSUID_LEN; pos++) {
        const char *d = strchr(digits, text[pos]);
        if (!d)
            return false;
        unsigned carry = (unsigned)(d - digits);
        for (int i = KSUID_BYTES - 1; i >= 0; i--) {
            unsigned cur = (unsigned)n[i] * BASE + carry;
            n[i] = (uint8_t)cur;
            carry = cur >> 8;
        }
        if (carry)
            return false;
    }
    memcpy(ret_bytes, n, sizeof n);
    return true;
}

bool ksuid_new(int64_t unix_s, char ret_text[KSUID_LEN + 1], struct err *err) {
    uint8_t b[KSUID_BYTES];
    uint32_t t = (uint32_t)(unix_s - EPOCH);
    for (int i = 0; i < 4; i++)
        b[i] = (uint8_t)(t >> (24 - 8 * i));
    if (getrandom(b + 4, sizeof b - 4, 0) != (ssize_t)(sizeof b - 4))
        return err_set_errno(err, ERR_INTERNAL, errno, "make a sync id: no random bytes");
    ksuid_encode(b, ret_text);
    return true;
}

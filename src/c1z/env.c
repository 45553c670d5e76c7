#include "c1z/env.h"

#include <stdlib.h>
#include <string.h>

bool c1z_env_number(const char *name, uint64_t *ret_value) {
    const char *text = getenv(name);
    if (!text || !*text)
        return false;
    uint64_t value = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool c1z_env_true(const char *name) {
    static const char *const yes[] = {"1", "t", "T", "true", "True", "TRUE"};
    const char *text = getenv(name);
    for (size_t i = 0; text && i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0)
            return true;
    }
    return false;
}

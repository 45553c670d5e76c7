/* env: the settings that a c1z takes from the environment, read as the Go tools read them
 * (c1z.md section 11; baton-sdk v0.25.0 pkg/dotc1z/decoder.go:348, finalize_timeout.go,
 * c1zstore/cleanup_policy.go). */
#ifndef C1Z_ENV_H
#define C1Z_ENV_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number without sign; false if unset, empty or anything else. */
bool c1z_env_number(const char *name, uint64_t *ret_value);

/* strconv.ParseBool: 1, t, T, true, True, TRUE are true; all else is false. */
bool c1z_env_true(const char *name);

#endif

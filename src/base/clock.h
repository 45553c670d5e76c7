/* clock: the one place that reads the time, and the forms in which we print it.
 *
 * Times are Unix nanoseconds (int64_t, good until 2262). A test may freeze the wall clock with
 * clock_set_for_test(); the monotonic clock is never faked.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_NS_PER_S INT64_C(1000000000)
#define CLOCK_NS_PER_MS INT64_C(1000000)

/* Large enough for every text form below. */
enum { CLOCK_TEXT_MAX = 48 };

int64_t clock_now_ns(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);
/* Monotonic too, and counts the time in which the machine is suspended. */
int64_t clock_boot_ms(void);

/* Freezes clock_now_ns() at this value; 0 thaws it. */
void clock_set_for_test(int64_t unix_ns);

/* "2026-11-22 05:43:24.40516318": local time, trailing zeros of the fraction dropped, no fraction
 * if it is zero (c1z.md 2.6). */
void clock_format_sqlite(int64_t unix_ns, char out[CLOCK_TEXT_MAX]);
/* Reads that form, and its variants with 'T', 'Z', "+hh:mm", without seconds or time, as UTC
 * (or with the given offset), as the readers of a c1z do. */
bool clock_parse_sqlite(const char *text, int64_t *ret_unix_ns);

/* RFC 3339 UTC with `Z`, fraction of 0, 3, 6 or 9 digits as needed (protojson). */
void clock_format_rfc3339(int64_t unix_ns, char out[CLOCK_TEXT_MAX]);
/* "2026-11-22T05:44:48.048Z": always milliseconds, UTC. */
void clock_format_log(int64_t unix_ns, char out[CLOCK_TEXT_MAX]);
/* IMF-fixdate or RFC 850/asctime HTTP date; false if it is none. */
bool clock_parse_http(const char *text, int64_t *ret_unix_s);

#endif

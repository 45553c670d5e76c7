/* status: how a call ended, out of what the server or the way to it said.
 *
 * Pure functions. The tables are grpc's: doc/http-grpc-status-mapping.md for HTTP, PROTOCOL-HTTP2.md
 * ("Errors") for the codes of RST_STREAM, and its grammar for grpc-status, grpc-message and
 * grpc-timeout.
 */
#ifndef GRPC_STATUS_H
#define GRPC_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* For an answer without grpc-status. */
enum err_code grpc_status_from_http(int http_status);
/* For a stream that ended with this HTTP/2 error code instead of an answer. */
enum err_code grpc_status_from_h2(uint32_t code);

/* The value of grpc-status; a number that we do not know, and what is no number, is Unknown. */
enum err_code grpc_status_parse(const char *value, size_t n);
/* The value of grpc-message as UTF-8: percent signs decoded, where they make sense. What is not UTF-8,
 * and control characters but line feed and tab, become U+FFFD. Cut where `size` ends. */
void grpc_status_text(const char *value, size_t n, char *ret_text, size_t size);
/* Foreign bytes to be shown in a text: printable ASCII stays, the rest becomes '?'. */
void grpc_status_printable(const void *bytes, size_t n, char *ret_text, size_t size);

enum { GRPC_TIMEOUT_MAX = 12 };
/* The value of grpc-timeout: at most eight digits and a unit, never less than asked for. */
void grpc_status_timeout(int64_t ms, char ret_text[GRPC_TIMEOUT_MAX]);

#endif

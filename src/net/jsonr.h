/* jsonr: reads one JSON text that is in memory, member by member, without building a tree.
 *
 * Strict RFC 8259 with well-formed UTF-8; what is stepped over is checked too. Strings are handed
 * out as slices of the text (borrowed), already checked, and decoded where the caller has room for
 * them. As Go's encoding/json does, a lone surrogate escape (which JavaScript servers do send when
 * a name was cut inside an emoji) becomes U+FFFD instead of spoiling the whole text; so does \u0000,
 * which C strings cannot hold.
 *
 * Why not a packaged library: measured for 100,000 operators (29 MB), one element at a time, on the
 * machine of docs/benchmarks.md. Jansson 430 ms and json-c 530 ms, for trees nobody needs; cJSON
 * 140 ms, but it takes control characters and bytes that are no UTF-8; yajl 2.1, which streams and
 * needs 90 ms for all of it, has no upstream any more and, although asked to validate, passes
 * overlong forms and surrogates (C0 AF, ED A0 80) and writes the latter itself for a lone escape. A
 * c1z with such a string cannot be read. This and the splitting of jsonlist together need
 * 90 ms. Jansson is the yardstick in the unit test and in the fuzz target.
 *
 * Errors stick: after the first, every call says no, and `problem` names it.
 *
 *     struct jsonr r;
 *     struct jsonr_string key;
 *     jsonr_init(&r, text, n);
 *     if (jsonr_enter_object(&r))
 *         while (jsonr_next_member(&r, &key))
 *             jsonr_skip(&r);
 *     bool ok = jsonr_is_complete(&r);
 */
#ifndef NET_JSONR_H
#define NET_JSONR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { JSONR_DEPTH_MAX = 64 };

enum jsonr_kind {
    JSONR_BAD,
    JSONR_NULL,
    JSONR_BOOL,
    JSONR_NUMBER,
    JSONR_STRING,
    JSONR_ARRAY,
    JSONR_OBJECT,
};

struct jsonr {
    const char *at, *end;
    int depth;
    bool is_first;       /* nothing has been read yet of the container we are in */
    const char *problem; /* static text; NULL: none */
};

/* What stands between the quotes. */
struct jsonr_string {
    const char *bytes;
    size_t len;
    bool is_escaped;
};

void jsonr_init(struct jsonr *r, const char *text, size_t n);
/* Nothing but blanks is left, and all was well. */
bool jsonr_is_complete(struct jsonr *r);

/* What comes next; does not step over it. */
enum jsonr_kind jsonr_peek(struct jsonr *r);
/* "null", "a string", "an object" … for error texts. */
const char *jsonr_kind_name(enum jsonr_kind kind);

/* Each of these steps over one value, and says no (a problem) if it is of another kind. */
bool jsonr_string(struct jsonr *r, struct jsonr_string *ret_string);
bool jsonr_bool(struct jsonr *r, bool *ret_value);
/* A number that is no whole one or does not fit gives *ret_is_int false, which is no problem. */
bool jsonr_int(struct jsonr *r, int64_t *ret_value, bool *ret_is_int);
bool jsonr_skip(struct jsonr *r);

/* Then jsonr_next_member() until it says no, stepping over the value after each yes. */
bool jsonr_enter_object(struct jsonr *r);
bool jsonr_next_member(struct jsonr *r, struct jsonr_string *ret_key);
bool jsonr_enter_array(struct jsonr *r);
bool jsonr_next_element(struct jsonr *r);

/* Steps over bytes of a string, eight at a time, that need no second look: no quote, no backslash,
 * no control character. Stops somewhere before the first that does, or near the end; ORs every byte
 * it passes into *seen. */
const char *jsonr_skip_plain(const char *p, const char *end, uint64_t *seen);

/* Writes the decoded string and a NUL to out, at most s->len + 1 bytes; returns its length. */
size_t jsonr_decode(const struct jsonr_string *s, char *out);
/* True if the decoded string equals the n bytes. */
bool jsonr_equals_n(const struct jsonr_string *s, const char *bytes, size_t n);
static inline bool jsonr_equals(const struct jsonr_string *s, const char *text) {
    return jsonr_equals_n(s, text, strlen(text));
}

#endif

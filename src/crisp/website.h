/* website: the answer to `GET website/{id}` (crisp-api.md 4.1), decoded as it arrives.
 *
 * The functions have the form of an http_sink. The decoder owns what it has gathered until
 * crisp_website_take(). Errors are Internal: the answer is not what it should be.
 */
#ifndef CRISP_WEBSITE_H
#define CRISP_WEBSITE_H

#include <stdbool.h>
#include <stddef.h>

#include "crisp/client.h"
#include "crisp/envelope.h"
#include "crisp/textpool.h"
#include "net/jsonlist.h"

struct crisp_website_decoder {
    struct jsonlist *splitter;
    struct crisp_envelope envelope;
    struct textpool texts;
    struct crisp_website website;
    bool has_data;
};

void crisp_website_decoder_init(struct crisp_website_decoder *d);
void crisp_website_decoder_done(struct crisp_website_decoder *d);

void crisp_website_begin(void *decoder);
bool crisp_website_body(void *decoder, const char *bytes, size_t n, struct err *err);
/* Fails if `data` is no object with a string `website_id`. */
bool crisp_website_end(void *decoder, struct err *err);

/* After crisp_website_end() said yes. */
struct crisp_website crisp_website_take(struct crisp_website_decoder *d, struct arena *arena);

#endif

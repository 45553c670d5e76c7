/* active: the answer to `GET website/{id}/operators/active` (crisp-api.md 3.4), decoded as it
 * arrives.
 *
 * A list of who worked lately, by user id, with the time of the last sign of life in Unix
 * milliseconds. It is partial: absence proves nothing. Entries without a string `user_id` and a
 * positive whole `timestamp` are passed over. The functions have the form of an http_sink.
 */
#ifndef CRISP_ACTIVE_H
#define CRISP_ACTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crisp/client.h"
#include "crisp/envelope.h"
#include "crisp/textpool.h"
#include "net/jsonlist.h"

struct crisp_active_entry {
    const char *user_id;
    int64_t at_ms;
};

struct crisp_active_decoder {
    struct jsonlist *splitter;
    struct crisp_envelope envelope;
    struct textpool texts;
    struct crisp_active_entry *entries;
    size_t count, capacity;
};

void crisp_active_decoder_init(struct crisp_active_decoder *d);
void crisp_active_decoder_done(struct crisp_active_decoder *d);

void crisp_active_begin(void *decoder);
bool crisp_active_body(void *decoder, const char *bytes, size_t n, struct err *err);
bool crisp_active_end(void *decoder, struct err *err);

/* Sets last_active_ms of every operator that is listed; of several entries the latest counts. */
void crisp_active_join(struct crisp_active_decoder *d, struct crisp_team *team);

#endif

/* team: the answer to `GET website/{id}/operators/list` (crisp-api.md 3.1), decoded as it arrives.
 *
 * Each entry becomes a crisp_operator, an invitation (counted), or an entry without id (counted):
 *
 *     type "operator", with user_id                  operator
 *     otherwise, with an `identifier` or a `key`     invitation: these two are its secret
 *     otherwise, with user_id                        operator; the connector judges its type
 *     otherwise, with another type than "operator"   invitation
 *     anything else, also what is no object          without id
 *
 * Only the allow-listed members are decoded; `identifier` and `key` are noticed and stepped over. A
 * member that is not of its type counts as missing. The functions have the form of an http_sink.
 * The decoder owns what it has gathered until crisp_team_take(). Errors are Internal.
 */
#ifndef CRISP_TEAM_H
#define CRISP_TEAM_H

#include <stdbool.h>
#include <stddef.h>

#include "crisp/client.h"
#include "crisp/envelope.h"
#include "crisp/textpool.h"
#include "net/jsonlist.h"

struct crisp_team_decoder {
    struct jsonlist *splitter;
    struct crisp_envelope envelope;
    struct textpool texts;
    struct crisp_team team; /* operators: from malloc() */
    size_t capacity;
};

void crisp_team_decoder_init(struct crisp_team_decoder *d);
void crisp_team_decoder_done(struct crisp_team_decoder *d);

void crisp_team_begin(void *decoder);
bool crisp_team_body(void *decoder, const char *bytes, size_t n, struct err *err);
bool crisp_team_end(void *decoder, struct err *err);

/* After crisp_team_end() said yes. */
struct crisp_team crisp_team_take(struct crisp_team_decoder *d, struct arena *arena);

#endif

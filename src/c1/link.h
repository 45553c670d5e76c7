/* link: what a client's calls and uploads share; for client.c and upload.c only.
 *
 * Owned by the client, borrowed by what runs on it.
 */
#ifndef C1_LINK_H
#define C1_LINK_H

#include "c1/exchange.h"

#define C1_SERVICE "/c1.connectorapi.baton.v1.BatonService/"

struct c1_client {
    struct c1_link link;
    int stall_ms, verdict_ms; /* of an upload */
    int running; /* calls and uploads that have not ended */
};

#endif

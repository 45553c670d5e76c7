/* jsonlist: takes an object with one long list in it apart while it arrives.
 *
 * `{"error": false, "reason": "listed", "data": [element, element, …]}`: bytes go in as the network
 * gives them, each complete element comes out as soon as its last byte is there. Members may stand
 * in any order; every member other than the list comes out whole, checked. Nothing is kept of an
 * element once its callback has returned, so memory does not grow with the list; one element or
 * member may have `value_max` bytes. An element is well bracketed when it comes out, but only its
 * reader (jsonr) can say whether it is JSON.
 *
 * Without a list name the object is taken apart member by member, and nothing is a list.
 * Errors are Internal: the other side sent what it should not.
 */
#ifndef NET_JSONLIST_H
#define NET_JSONLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/jsonr.h"

/* The text is borrowed for the call. A false return ends the feed with that error. */
struct jsonlist_handler {
    bool (*element)(void *payload, const char *text, size_t n, struct err *err);
    bool (*member)(void *payload, const struct jsonr_string *key, const char *text, size_t n,
                   struct err *err);
    void *payload;
};

struct jsonlist;

/* Borrows the name (NULL: no list) and copies the handler. */
struct jsonlist *jsonlist_new(const char *list_name, size_t value_max,
                              const struct jsonlist_handler *handler);
void jsonlist_free(struct jsonlist *l);

/* After a false return only jsonlist_free() is allowed. */
bool jsonlist_feed(struct jsonlist *l, const char *bytes, size_t n, struct err *err);
/* All bytes are there: fails if the object is not closed, or had no list. */
bool jsonlist_end(struct jsonlist *l, struct err *err);

#endif

/* scenario: a state of the sandbox written as JSON, and the pieces of which it is made.
 *
 * The same members serve --scenario FILE and the admin API. All of them are optional:
 *
 *   {"website":  {"name":…, "logo":null, "plugin_installed":false, "unset":["verified"], …},
 *    "websites": {"<id>": {as above}},
 *    "operators": 2000 | [{details} | {"type":…,"details":…}, …],
 *    "invites":   3 | [{"email":…,"role":…}, …],
 *    "tokens":   {"plugin": {"identifier":…,"key":…,"scopes":"…","quota":100,"used":0}},
 *    "session":  {"user_id": whose session the user token is},
 *    "cache":    {"enabled":true,"ttl_ms":1000},
 *    "clock":    {"advance_ms":600000},
 *    "faults":   ["operators/list:429:count=1" | {…}, …],
 *    "answers":  [{"path":…,"method":…,"status":200,"headers":{…},"body":…}, …]}
 *
 * Lists replace what was there; objects are merged. Values are borrowed.
 */
#ifndef SANDBOX_SCENARIO_H
#define SANDBOX_SCENARIO_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "sandbox/sandbox.h"

enum { SCENARIO_BYTES_MAX = 64 * 1024 * 1024 };

/* Merges the members that are there, in the order above; stops at the first that does not fit. */
bool scenario_apply(struct sandbox *s, json_t *scenario, struct err *err);
bool scenario_load(struct sandbox *s, const char *path, struct err *err);

/* Adds an operator to the website: an entry as it is, or details whose missing members get
 * believable values. *ret_index may be NULL. */
bool scenario_add_operator(struct sandbox *s, struct website *w, json_t *operator,
                           size_t *ret_index, struct err *err);
/* Merges changes into the details of an entry; "unset" lists members to drop, "last_active_ms" is
 * kept beside them. */
bool scenario_change_operator(struct website *w, size_t index, json_t *changes, struct err *err);
/* Adds an invitation; identifier and key are made up unless given. */
bool scenario_add_invite(struct sandbox *s, struct website *w, json_t *invite, size_t *ret_index,
                         struct err *err);
/* A fault order or its command-line form. */
bool scenario_add_fault(struct sandbox *s, json_t *order, unsigned *ret_id, struct err *err);
bool scenario_add_answer(struct sandbox *s, json_t *answer, struct err *err);

/* What GET /_sandbox/state shows. */
json_t *scenario_describe(const struct sandbox *s);

#endif

/* edge: an operator list of odd entries, each of which a careful client must survive. */
#ifndef SANDBOX_EDGE_H
#define SANDBOX_EDGE_H

/* The whole answer. The same value as tests/fixtures/crisp/operators_list_200_edge.json: missing
 * role, null email, unknown role, upper-case role, unknown type, one user twice with two roles,
 * blank names, missing user_id, unknown fields, null details. */
extern const char edge_list[];

#endif

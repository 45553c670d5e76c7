/* session: what every command of baton-inspect works with. Owned by main(). */
#ifndef INSPECT_SESSION_H
#define INSPECT_SESSION_H

#include "inspect/args.h"
#include "inspect/out.h"
#include "inspect/refs.h"
#include "inspect/view.h"

struct session {
    const struct args *args;
    struct out *out;
    struct view *view;
    struct refs *refs;
};

#endif

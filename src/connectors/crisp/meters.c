#include "connectors/crisp/meters.h"

enum row {
    ROW_200,
    ROW_401,
    ROW_403,
    ROW_404,
    ROW_420,
    ROW_429,
    ROW_OTHER_2XX,
    ROW_3XX,
    ROW_OTHER_4XX,
    ROW_5XX,
    ROW_NONE,
    ROW_RETRIES,
    ROW_OPERATORS,
    ROW_OWNERS,
    ROW_MEMBERS,
    ROW_INVITATIONS,
    ROW_COUNT,
};

#define REQUESTS(status_) {.name = "crisp_requests_total", .labels = "status=\"" status_ "\""}

const struct meter_row meters_rows[METERS_COUNT] = {
    [ROW_200] = {.name = "crisp_requests_total",
                 .help = "Requests to Crisp by HTTP status; none: no answer came.",
                 .labels = "status=\"200\""},
    [ROW_401] = REQUESTS("401"),
    [ROW_403] = REQUESTS("403"),
    [ROW_404] = REQUESTS("404"),
    [ROW_420] = REQUESTS("420"),
    [ROW_429] = REQUESTS("429"),
    [ROW_OTHER_2XX] = REQUESTS("2xx"),
    [ROW_3XX] = REQUESTS("3xx"),
    [ROW_OTHER_4XX] = REQUESTS("4xx"),
    [ROW_5XX] = REQUESTS("5xx"),
    [ROW_NONE] = REQUESTS("none"),
    [ROW_RETRIES] = {.name = "crisp_retries_total", .help = "Requests that were a second try or later."},
    [ROW_OPERATORS] = {.name = "crisp_operators", .help = "Operators that Crisp listed last.",
                       .is_gauge = true},
    [ROW_OWNERS] = {.name = "crisp_owners", .help = "How many of them are owners.", .is_gauge = true},
    [ROW_MEMBERS] = {.name = "crisp_members", .help = "How many of them are members.", .is_gauge = true},
    [ROW_INVITATIONS] = {.name = "crisp_pending_invitations",
                         .help = "Invitations that were pending then.", .is_gauge = true},
};
_Static_assert((int)ROW_COUNT == (int)METERS_COUNT, "the header says how many rows there are");

static enum row row_of(int status) {
    switch (status) {
    case 200:
        return ROW_200;
    case 401:
        return ROW_401;
    case 403:
        return ROW_403;
    case 404:
        return ROW_404;
    case 420:
        return ROW_420;
    case 429:
        return ROW_429;
    default:
        break;
    }
    switch (status / 100) {
    case 2:
        return ROW_OTHER_2XX;
    case 3:
        return ROW_3XX;
    case 4:
        return ROW_OTHER_4XX;
    case 5:
        return ROW_5XX;
    default:
        return ROW_NONE;
    }
}

void meters_add_answer(const struct meter *meter, int status, int try) {
    meter_add(meter, row_of(status), 1);
    if (try > 1)
        meter_add(meter, ROW_RETRIES, 1);
}

void meters_set_roster(const struct meter *meter, const struct roster *roster) {
    meter_set(meter, ROW_OPERATORS, (int64_t)roster->count);
    meter_set(meter, ROW_OWNERS, (int64_t)roster->owners);
    meter_set(meter, ROW_MEMBERS, (int64_t)roster->members);
    meter_set(meter, ROW_INVITATIONS, (int64_t)roster->invitations);
}

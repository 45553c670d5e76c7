"""The routes of the pretended Crisp: shapes, tiers, the order of the checks, errors, writes."""

import http.client
import json

import pytest

import sandbox as sandbox_module

ADA = "0a000000-0000-4000-8000-000000000001"
BEN = "0a000000-0000-4000-8000-000000000002"
DEAD = "0a000000-0000-4000-8000-00000000dead"
SECOND = "5f0c1a2b-1111-4222-8333-abcdef000002"
NO_PLUGIN = "5f0c1a2b-1111-4222-8333-abcdef000003"
UNKNOWN = "5f0c1a2b-1111-4222-8333-abcdef00dead"
PLUGIN_ID = "9b000000-0000-4000-8000-0000000000aa"

INVITE = {"email": "new.hire@example.com", "role": "member", "verify": {"method": "password", "secret": "x"}}


def fixture(name):
    return json.loads((sandbox_module.FIXTURES / name).read_text())


def same_shape(got, wanted):
    """Same keys and same kinds of values, element 0 standing for a list."""
    if isinstance(wanted, dict):
        assert got.keys() == wanted.keys()
        for key in wanted:
            same_shape(got[key], wanted[key])
    elif isinstance(wanted, list):
        assert isinstance(got, list)
        if wanted and got:
            same_shape(got[0], wanted[0])
    elif wanted is not None and got is not None:
        assert type(got) is type(wanted)


# ---- successful answers ----

# Route (of the main website unless it begins with /), tier, fixture of the answer.
READS = [
    ("", "plugin", "website_get_200.json"),
    ("", "website", "website_get_200.json"),
    ("", "user", "website_get_200.json"),
    ("settings", "plugin", "website_settings_200.json"),
    ("operators/list", "plugin", "operators_list_200.json"),
    ("operators/list", "website", "operators_list_200.json"),
    ("operators/list", "user", "operators_list_200.json"),
    ("operators/active", "plugin", "operators_active_200.json"),
    ("operator/" + ADA, "plugin", "operator_get_200.json"),
    ("availability/status", "plugin", "availability_status_200.json"),
    ("availability/operators", "website", "availability_operators_200.json"),
    ("inboxes/list/1", "user", "inboxes_list_200.json"),
    ("connect/endpoints", "website", "website_connect_endpoints_200.json"),
    ("/v1/plans/subscription/{site}", "plugin", "plan_subscription_200.json"),
    ("/v1/plugin/connect/account", "plugin", "plugin_connect_account_200.json"),
    ("/v1/plugin/connect/endpoints", "plugin", "plugin_connect_endpoints_200.json"),
    ("/v1/plugin/connect/websites/all/1?include_plan=1", "plugin", "plugin_connect_websites_all_1_200.json"),
    ("/v1/plugin/connect/websites/all/2?include_plan=1", "plugin", "plugin_connect_websites_all_2_200.json"),
]


def path_of(crisp, route):
    return route.format(site=crisp.website_id) if route.startswith("/") else crisp.site(route)


@pytest.mark.parametrize("route,tier,name", READS)
def test_answer_has_the_shape_of_the_fixture(sandbox, route, tier, name):
    answer = sandbox.get(path_of(sandbox, route), tier=tier)
    wanted = fixture(name)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json["reason"] == wanted["reason"]
    same_shape(answer.json, wanted)


def test_same_values_as_the_fixtures_where_the_seeds_are_theirs(sandbox):
    for route, name in [
        ("", "website_get_200.json"),
        ("operator/" + ADA, "operator_get_200.json"),
        ("inboxes/list/1", "inboxes_list_200.json"),
        ("/v1/plans/subscription/{site}", "plan_subscription_200.json"),
        ("/v1/plugin/connect/account", "plugin_connect_account_200.json"),
        ("/v1/plugin/connect/websites/all/1?filter_configured=0&include_plan=1",
         "plugin_connect_websites_all_1_200.json"),
    ]:
        assert sandbox.get(path_of(sandbox, route)).json == fixture(name)
    listed = sandbox.get(sandbox.site("operators/list")).data
    assert listed[:3] == fixture("operators_list_200.json")["data"]


def test_seeded_team_is_believable(sandbox):
    entries = sandbox.get(sandbox.site("operators/list")).data
    operators = [e["details"] for e in entries if e["type"] == "operator"]
    invites = [e["details"] for e in entries if e["type"] != "operator"]
    assert [o["role"] for o in operators].count("owner") == 2
    assert len(operators) == 6
    assert any(o["title"] is None for o in operators)
    assert any(not o["first_name"].isascii() for o in operators)
    assert [o["has_token"] for o in operators].count(False) == 1
    assert len(invites) == 1 and entries[-1]["type"] == "invite"
    assert "user_id" not in invites[0] and len(invites[0]["key"]) == 64


def test_session_check_has_no_body(sandbox):
    answer = sandbox.request("HEAD", "/v1/plugin/connect/session")
    assert (answer.status, answer.body) == (200, b"")
    answer = sandbox.request("HEAD", "/v1/plugin/connect/session", tier=None)
    assert (answer.status, answer.body) == (401, b"")


def test_installations_since_a_date(sandbox):
    since = "/v1/plugin/connect/websites/since"
    [row] = sandbox.get(since + "?date_since=2026-11-01T00%3A00%3A00Z").data
    assert (row["website_id"], row["difference"]) == (SECOND, "bound")
    assert len(sandbox.get(since + "?date_since=2025-01-01T00:00:00Z").data) == 2
    assert sandbox.get(since).status == 400
    assert sandbox.get(since + "?date_since=yesterday").status == 400


def test_only_configured_installations(sandbox):
    rows = sandbox.get("/v1/plugin/connect/websites/all/1?filter_configured=1").data
    assert [r["website_id"] for r in rows] == [SECOND]


def test_plugin_settings_of_a_website(sandbox):
    path = f"/v1/plugins/subscription/{sandbox.website_id}/"
    answer = sandbox.get(path + PLUGIN_ID + "/settings")
    assert answer.data["plugin_id"] == PLUGIN_ID and "callback_url" in answer.data
    assert sandbox.get(path + ADA + "/settings").status == 403


@pytest.mark.parametrize("page", ["0", "-1", "x", "1x", "99999999999999999999"])
def test_page_must_be_a_number_from_one(sandbox, page):
    answer = sandbox.get(sandbox.site("inboxes/list/" + page))
    assert (answer.status, answer.reason) == (400, "invalid_data")


def test_page_past_the_end_is_empty(sandbox):
    assert sandbox.get(sandbox.site("inboxes/list/2")).data == []


def test_single_inbox(sandbox):
    inbox = sandbox.get(sandbox.site("inboxes/list/1")).data[0]
    assert sandbox.get(sandbox.site("inbox/" + inbox["inbox_id"])).data == inbox
    assert sandbox.get(sandbox.site("inbox/" + ADA)).reason == "inbox_not_found"


def test_website_id_is_compared_without_case(sandbox):
    assert sandbox.get(sandbox.site(website_id=sandbox.website_id.upper())).status == 200


# ---- the order of the checks: route, credentials, tier, reach, scope, object, body, quota ----


def outcome(answer):
    return answer.status, answer.reason


def test_route_is_checked_before_credentials(sandbox):
    answer = sandbox.get("/v1/website/" + sandbox.website_id + "/operatorz/list", tier=None)
    assert answer.status == 404
    assert answer.json == fixture("error_404_route_not_found.json")


def test_credentials_are_checked_before_tier_and_website(sandbox):
    for path in (sandbox.site(), sandbox.site(website_id=UNKNOWN), "/v1/plugin/connect/account"):
        answer = sandbox.get(path, tier=None)
        assert answer.status == 401
        assert answer.json == fixture("error_401_invalid_session.json")


def test_tier_is_checked_before_website_and_body(sandbox):
    for tier in ("plugin", "website"):
        for site in (None, UNKNOWN):
            path = sandbox.site("operator", website_id=site)
            assert outcome(sandbox.request("POST", path, b"{", tier)) == (403, "restricted_route_tier")


def test_reach_is_checked_before_scope_and_object(sandbox):
    sandbox.change(tokens={"plugin": {"scopes": "none"}})
    path = sandbox.site("operator/" + DEAD, website_id=NO_PLUGIN)
    assert outcome(sandbox.get(path)) == (404, "not_subscribed")
    assert outcome(sandbox.get(path, tier="website")) == (403, "not_allowed")


def test_scope_is_checked_before_object_and_body(sandbox):
    sandbox.change(tokens={"plugin": {"scopes": "website:operators:read"}})
    assert outcome(sandbox.request("PATCH", sandbox.site("settings"), b"{")) == (403, "not_allowed")
    assert outcome(sandbox.get(sandbox.site("operator/" + DEAD))) == (404, "operator_not_found")
    sandbox.change(tokens={"plugin": {"scopes": "none"}})
    assert outcome(sandbox.get(sandbox.site("operator/" + DEAD))) == (403, "not_allowed")


def test_object_is_checked_before_body(sandbox):
    path = sandbox.site("operator/" + DEAD)
    assert outcome(sandbox.request("PATCH", path, {"role": "boss"}, "user")) == (404, "operator_not_found")


def test_body_is_checked_before_quota(sandbox):
    sandbox.change(tokens={"plugin": {"quota": 0}})
    assert outcome(sandbox.request("PATCH", sandbox.site("settings"), [])) == (400, "invalid_data")
    assert outcome(sandbox.request("PATCH", sandbox.site("settings"), {"name": "X"})) == (429, "quota_limit_exceeded")
    assert sandbox.get(sandbox.site(), tier="website").data["name"] == "Fictive Widgets (test)"


# ---- credentials and tiers ----


@pytest.mark.parametrize("tier", ["plugin", "website", "user"])
def test_pair_and_tier_must_match_together(sandbox, tier):
    for other in ("plugin", "website", "user", "owner", ""):
        headers = {**sandbox.auth(tier), "X-Crisp-Tier": other}
        status = sandbox.get(sandbox.site(), tier=None, headers=headers).status
        assert status == (200 if other == tier else 401)


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic ", "Bearer abc", "Basic !!!!", "Basic YWJj", "Basic YTpi", "Basic " + "A" * 8000,
     "Basic OjA=", "Basic ====", "Digest x"],
)
def test_bad_authorization_is_401(sandbox, authorization):
    headers = {"Authorization": authorization, "X-Crisp-Tier": "plugin"}
    answer = sandbox.get(sandbox.site(), tier=None, headers=headers)
    assert outcome(answer) == (401, "invalid_session")


def test_scheme_is_compared_without_case(sandbox):
    headers = sandbox.auth()
    headers["Authorization"] = headers["Authorization"].replace("Basic", "bAsIc")
    assert sandbox.get(sandbox.site(), tier=None, headers=headers).status == 200


def test_missing_tier_header_is_401(sandbox):
    headers = sandbox.auth()
    del headers["X-Crisp-Tier"]
    assert sandbox.get(sandbox.site(), tier=None, headers=headers).status == 401


USER_ONLY = [
    ("DELETE", "operators/active"),
    ("POST", "operator"),
    ("PATCH", "operator/" + BEN),
    ("DELETE", "operator/" + BEN),
]


@pytest.mark.parametrize("method,route", USER_ONLY)
@pytest.mark.parametrize("tier", ["plugin", "website"])
def test_user_only_routes(sandbox, method, route, tier):
    answer = sandbox.request(method, sandbox.site(route), {}, tier)
    assert answer.status == 403
    assert answer.json == fixture("error_403_restricted_route_tier.json")


@pytest.mark.parametrize(
    "route,open_to",
    [
        ("/v1/plugin/connect/account", {"plugin"}),
        ("/v1/plugin/connect/websites/all/1", {"plugin"}),
        ("/v1/plugin/connect/endpoints", {"plugin"}),
        ("connect/endpoints", {"website"}),
        ("inboxes/list/1", {"plugin", "user"}),
        ("/v1/plans/subscription/{site}", {"plugin", "user"}),
        ("operators/list", {"plugin", "user", "website"}),
    ],
)
def test_tiers_of_routes(sandbox, route, open_to):
    path = path_of(sandbox, route)
    assert {t for t in sandbox.tokens if sandbox.get(path, tier=t).status == 200} == open_to


def test_plugin_that_is_not_installed(sandbox):
    for site in (NO_PLUGIN, UNKNOWN):
        answer = sandbox.get(sandbox.site("operators/list", website_id=site))
        assert (answer.status, answer.json) == (404, fixture("error_404_not_subscribed.json"))


def test_website_token_is_bound_to_one_website(sandbox):
    answer = sandbox.get(sandbox.site(website_id=SECOND), tier="website")
    assert (answer.status, answer.json) == (403, fixture("error_403_not_allowed.json"))


def test_user_sees_their_websites_only(sandbox):
    assert sandbox.get(sandbox.site(website_id=SECOND), tier="user").status == 200
    assert outcome(sandbox.get(sandbox.site(website_id=NO_PLUGIN), tier="user")) == (403, "not_allowed")
    answer = sandbox.get(sandbox.site(website_id=UNKNOWN), tier="user")
    assert (answer.status, answer.json) == (404, fixture("error_404_website_not_found.json"))


def test_website_id_must_be_a_uuid(sandbox):
    for tier in sandbox.tokens:
        answer = sandbox.get(sandbox.site(website_id="acme"), tier=tier)
        assert outcome(answer) == (400, "invalid_data")
        assert "UUID" in answer.data["message"]


def test_scopes_of_a_plugin_token(sandbox):
    needed = {
        "operators/list": "website:operators:read",
        "operators/active": "website:operators:read",
        "operator/" + ADA: "website:operators:read",
        "settings": "website:settings:read",
        "availability/status": "website:availability:read",
    }
    for route, scope in needed.items():
        sandbox.change(tokens={"plugin": {"scopes": [scope]}})
        assert sandbox.get(sandbox.site(route)).status == 200
        others = sorted(set(needed.values()) - {scope})
        sandbox.change(tokens={"plugin": {"scopes": others}})
        assert outcome(sandbox.get(sandbox.site(route))) == (403, "not_allowed")
        assert sandbox.get(sandbox.site(route), tier="user").status == 200


# ---- unknown routes ----


@pytest.mark.parametrize(
    "method,path",
    [
        # Written in third-party code, and wrong.
        ("GET", "/v1/website/{site}/operators"),
        ("POST", "/v1/website/{site}/operators"),
        ("DELETE", "/v1/website/{site}/operators/" + ADA),
        ("GET", "/v1/website/{site}/operator"),
        ("GET", "/v1/website/{site}/"),
        ("GET", "/v1/website//operators/list"),
        ("GET", "/v2/website/{site}"),
        ("GET", "/website/{site}"),
        ("GET", "/"),
        ("GET", "/v1"),
        ("PUT", "/v1/website/{site}"),
        ("HEAD", "/v1/website/{site}"),
        ("OPTIONS", "/v1/website/{site}"),
        ("GET", "/v1/plugin/connect/session"),
        ("GET", "/v1/website/{site}/operators%2Flist"),
        ("GET", "/v1/website/%zz"),
        ("GET", "/v1/website/%00"),
        ("GET", "/v1/" + "a/" * 40),
    ],
)
def test_unknown_route(sandbox, method, path):
    answer = sandbox.request(method, path.format(site=sandbox.website_id))
    assert answer.status == 404
    if method != "HEAD":
        assert answer.json == fixture("error_404_route_not_found.json")


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "FOO"])
def test_other_methods_are_rejected_by_the_cache(sandbox, method):
    answer = sandbox.request(method, sandbox.site())
    assert (answer.status, answer.body) == (405, b"")
    assert answer.headers["Bloom-Status"] == "REJECT"


def test_escaped_ids_are_decoded(sandbox):
    escaped = "".join(f"%{ord(c):02x}" for c in sandbox.website_id)
    assert sandbox.get("/v1/website/" + escaped).status == 200


# ---- writes of a user ----


def roles(crisp):
    return {e["details"].get("user_id"): e["details"]["role"] for e in crisp.operators()}


def test_invite(sandbox):
    answer = sandbox.request("POST", sandbox.site("operator"), INVITE, "user")
    assert answer.status == 201
    assert answer.json == fixture("operator_invite_201.json")
    entry = sandbox.get(sandbox.site("operators/list")).data[-1]
    assert entry["type"] == "invite"
    assert entry["details"]["email"] == INVITE["email"]
    assert entry["details"].keys() == {"email", "role", "identifier", "key"}
    assert outcome(sandbox.request("POST", sandbox.site("operator"), INVITE, "user")) == (409, "already_exists")


def test_invitation_pairs_differ(sandbox):
    pairs = set()
    for n in range(3):
        sandbox.request("POST", sandbox.site("operator"), {**INVITE, "email": f"n{n}@example.com"}, "user")
        details = sandbox.operators()[-1]["details"]
        pairs.add((details["identifier"], details["key"]))
    assert len(pairs) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"x"', {}, {**INVITE, "email": ""}, {**INVITE, "email": 7},
        {**INVITE, "email": "nobody"}, {**INVITE, "role": "admin"}, {**INVITE, "role": None},
        {"email": "a@example.com", "role": "member"}, {**INVITE, "verify": "secret"},
        {**INVITE, "verify": {"method": "password"}}, {**INVITE, "verify": {"method": "magic", "secret": "x"}},
        b'{"email":"a@example.com","email":"b@example.com"}', b"\xff\xfe{}",
    ],
)
def test_bad_invite(sandbox, body):
    before = sandbox.operators()
    answer = sandbox.request("POST", sandbox.site("operator"), body, "user")
    assert outcome(answer) == (400, "invalid_data")
    assert answer.data["namespace"] == "body" and answer.data["message"]
    assert sandbox.operators() == before


def test_change_membership(sandbox):
    path = sandbox.site("operator/" + BEN)
    answer = sandbox.request("PATCH", path, fixture("operator_change_membership_request.json"), "user")
    assert (answer.status, answer.json) == (200, fixture("operator_change_membership_200.json"))
    details = sandbox.get(path).data
    assert (details["role"], details["title"]) == ("owner", "Team Lead")
    assert sandbox.request("PATCH", path, {"title": None}, "user").status == 200
    details = sandbox.get(path).data
    assert (details["role"], details["title"]) == ("owner", None)


@pytest.mark.parametrize(
    "body", [{}, {"role": "admin"}, {"role": None}, {"title": 7}, [], b"{", {"role": "member", "title": {}}]
)
def test_bad_change_of_membership(sandbox, body):
    before = sandbox.operators()
    answer = sandbox.request("PATCH", sandbox.site("operator/" + BEN), body, "user")
    assert outcome(answer) == (400, "invalid_data")
    assert sandbox.operators() == before


def test_bad_role_is_told_as_in_the_fixture(sandbox):
    answer = sandbox.request("PATCH", sandbox.site("operator/" + BEN), {"role": "admin"}, "user")
    assert answer.json == fixture("error_400_invalid_data.json")


def test_unlink(sandbox):
    path = sandbox.site("operator/" + BEN)
    answer = sandbox.request("DELETE", path, tier="user")
    assert (answer.status, answer.json) == (200, fixture("operator_unlink_200.json"))
    answer = sandbox.get(path)
    assert (answer.status, answer.json) == (404, fixture("operator_get_404.json"))
    assert BEN not in roles(sandbox)


def test_last_operator_stays(sandbox):
    others = [e["details"]["user_id"] for e in sandbox.operators() if e["type"] == "operator"][1:]
    for user_id in others:
        assert sandbox.request("DELETE", sandbox.site("operator/" + user_id), tier="user").status == 200
    answer = sandbox.request("DELETE", sandbox.site("operator/" + ADA), tier="user")
    assert (answer.status, answer.json) == (409, fixture("operator_unlink_last_409.json"))
    assert ADA in roles(sandbox)


def test_only_owners_write(sandbox):
    sandbox.change(session={"user_id": BEN})
    for method, route in USER_ONLY:
        assert outcome(sandbox.request(method, sandbox.site(route), INVITE, "user")) == (403, "not_allowed")
    assert sandbox.get(sandbox.site("operators/list"), tier="user").status == 200
    sandbox.change_operator(BEN, role="owner")
    assert sandbox.request("POST", sandbox.site("operator"), INVITE, "user").status == 201


def test_user_who_unlinks_themselves_loses_access(sandbox):
    assert sandbox.request("DELETE", sandbox.site("operator/" + ADA), tier="user").status == 200
    assert outcome(sandbox.get(sandbox.site(), tier="user")) == (403, "not_allowed")


def test_flush_active(sandbox):
    assert len(sandbox.get(sandbox.site("operators/active")).data) == 4
    answer = sandbox.request("DELETE", sandbox.site("operators/active"), tier="user")
    assert (answer.status, answer.json) == (200, fixture("operators_active_flush_200.json"))
    assert sandbox.get(sandbox.site("operators/active")).data == []


@pytest.mark.parametrize("tier", ["user", "plugin", "website"])
def test_email(sandbox, tier):
    path = sandbox.site("operators/email")
    answer = sandbox.request("POST", path, fixture("operators_email_request.json"), tier)
    assert (answer.status, answer.json) == (202, fixture("operators_email_202.json"))
    assert outcome(sandbox.request("POST", path, {"recipient": "owners"}, tier)) == (400, "invalid_data")


def test_update_settings(sandbox):
    changes = {"name": "Renamed", "inbox": {"force_operator_token": True}, "website_id": UNKNOWN}
    answer = sandbox.request("PATCH", sandbox.site("settings"), changes)
    assert (answer.status, answer.json) == (200, {"error": False, "reason": "updated", "data": {}})
    settings = sandbox.get(sandbox.site("settings")).data
    assert settings["name"] == "Renamed"
    assert settings["inbox"] == {"lock_removal": True, "force_operator_token": True, "locale": "en"}
    assert settings["website_id"] == sandbox.website_id
    assert sandbox.get(sandbox.site()).data["name"] == "Renamed"


# ---- quota ----


def test_daily_quota(start_sandbox):
    crisp = start_sandbox("--quota", 3)
    statuses = [crisp.get(crisp.site()).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert crisp.get(crisp.site()).json == fixture("error_429_quota.json")
    assert crisp.get(crisp.site(), tier="website").status == 200
    assert crisp.get(crisp.site(), tier="user").status == 200
    crisp.advance_clock(24 * 3600)
    assert crisp.get(crisp.site()).status == 200


def test_refusals_cost_no_quota(start_sandbox):
    crisp = start_sandbox("--quota", 1)
    for path in (crisp.site("operator/" + DEAD), crisp.site(website_id=UNKNOWN), "/v1/nothing"):
        assert crisp.get(path).status == 404
    assert crisp.get(crisp.site()).status == 200


# ---- sizes ----


def test_body_limit(sandbox):
    path = sandbox.site("settings")
    assert sandbox.request("PATCH", path, {"name": "x" * 60000}).status == 200
    answer = sandbox.request("PATCH", path, {"name": "x" * 70000})
    assert outcome(answer) == (413, "payload_too_large")
    assert sandbox.get(sandbox.site()).status == 200


def test_generated_team_is_the_same_everywhere(start_sandbox):
    bodies = {n: start_sandbox("--operators", n) for n in (3, 1000)}
    again = start_sandbox("--operators", 1000)
    lists = {n: c.get(c.site("operators/list")) for n, c in bodies.items()}
    assert again.get(again.site("operators/list")).body == lists[1000].body
    assert lists[1000].data[:3] == lists[3].data
    details = [e["details"] for e in lists[1000].data]
    assert len({d["user_id"] for d in details}) == len({d["email"] for d in details}) == 1000
    assert [i for i, d in enumerate(details) if d["role"] == "owner"] == list(range(0, 1000, 50))
    assert {d["has_token"] for d in details} == {True, False}
    assert {d["availability"] for d in details} == {"online", "away", "offline"}
    assert any(d["title"] is None for d in details) and any(d["avatar"] is None for d in details)
    operator = sandbox_module.FIXTURES / "operator_get_200.json"
    assert details[0].keys() == json.loads(operator.read_text())["data"].keys()


def test_owners_and_invites_can_be_counted_out(start_sandbox):
    crisp = start_sandbox("--operators", 20, "--owners", 7, "--invites", 5)
    entries = crisp.get(crisp.site("operators/list")).data
    assert [e["type"] for e in entries] == ["operator"] * 20 + ["invite"] * 5
    assert [e["details"]["role"] for e in entries[:20]] == ["owner"] * 7 + ["member"] * 13
    assert len({e["details"]["key"] for e in entries[20:]}) == 5


def test_connections_are_kept_and_counted(sandbox):
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=sandbox_module.PATIENCE_S)
    for _ in range(2):
        connection.request("GET", sandbox.site(), headers=sandbox.auth())
        assert connection.getresponse().read()
    connection.close()
    sandbox.get(sandbox.site())
    numbers = [r["connection"] for r in sandbox.requests("website")]
    assert numbers[0] == numbers[1] != numbers[2]

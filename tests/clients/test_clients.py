"""Crisp's official clients against the sandbox: they decode what it answers, report its errors with
the right status and reason, and their own behaviour (retries, headers) is what we think it is."""

import json

import pytest

from sandbox import FIXTURE_INDEX, FIXTURES, Token

SITE = "5f0c1a2b-1111-4222-8333-abcdef000001"
SECOND = "5f0c1a2b-1111-4222-8333-abcdef000002"
NO_PLUGIN = "5f0c1a2b-1111-4222-8333-abcdef000003"
UNKNOWN = "5f0c1a2b-1111-4222-8333-abcdef00dead"
ADA = "0a000000-0000-4000-8000-000000000001"
BEN = "0a000000-0000-4000-8000-000000000002"
DEAD = "0a000000-0000-4000-8000-00000000dead"
INBOX = "8e000000-0000-4000-8000-000000000001"
PLUGIN = "9b000000-0000-4000-8000-0000000000aa"
VERIFY = {"method": "password", "secret": "not-a-real-password"}

SITE_PATH = "/v1/website/" + SITE

# What reads: the call, its tier, the path it must ask for.
READS = [
    (["get_website", SITE], "plugin", SITE_PATH),
    (["get_website", SITE], "website", SITE_PATH),
    (["get_website", SITE], "user", SITE_PATH),
    (["get_settings", SITE], "plugin", SITE_PATH + "/settings"),
    (["list_operators", SITE], "plugin", SITE_PATH + "/operators/list"),
    (["list_operators", SITE], "website", SITE_PATH + "/operators/list"),
    (["list_operators", SITE], "user", SITE_PATH + "/operators/list"),
    (["list_active", SITE], "plugin", SITE_PATH + "/operators/active"),
    (["get_operator", SITE, ADA], "plugin", SITE_PATH + "/operator/" + ADA),
    (["availability_status", SITE], "plugin", SITE_PATH + "/availability/status"),
    (["availability_operators", SITE], "plugin", SITE_PATH + "/availability/operators"),
    (["list_inboxes", SITE, 1], "user", SITE_PATH + "/inboxes/list/1"),
    (["get_inbox", SITE, INBOX], "plugin", SITE_PATH + "/inbox/" + INBOX),
    (["website_endpoints", SITE], "website", SITE_PATH + "/connect/endpoints"),
    (["get_plan", SITE], "plugin", "/v1/plans/subscription/" + SITE),
    (["plugin_account"], "plugin", "/v1/plugin/connect/account"),
    (["plugin_websites", 1], "plugin", "/v1/plugin/connect/websites/all/1"),
    (["plugin_websites_since", "2026-11-01T00:00:00Z"], "plugin", "/v1/plugin/connect/websites/since"),
    (["plugin_endpoints"], "plugin", "/v1/plugin/connect/endpoints"),
    (["plugin_settings", SITE, PLUGIN], "plugin", f"/v1/plugins/subscription/{SITE}/{PLUGIN}/settings"),
]

# The call for a success fixture, by its file.
FIXTURE_CALLS = {
    "website_get_200.json": ["get_website", SITE],
    "website_get_200_minimal.json": ["get_website", SITE],
    "website_get_200_blank_strings.json": ["get_website", SITE],
    "operators_list_200.json": ["list_operators", SITE],
    "operators_list_200_empty.json": ["list_operators", SITE],
    "operators_list_200_with_invite.json": ["list_operators", SITE],
    "operators_list_200_edge.json": ["list_operators", SITE],
    "operators_active_200.json": ["list_active", SITE],
    "operators_active_flush_200.json": ["flush_active", SITE],
    "operator_get_200.json": ["get_operator", SITE, ADA],
    "operator_invite_201.json": ["invite_operator", SITE, "new.hire@example.com", "member", VERIFY],
    "operator_change_membership_200.json": ["change_operator", SITE, BEN, "owner", "Team Lead"],
    "operator_unlink_200.json": ["unlink_operator", SITE, BEN],
    "operators_email_202.json": ["send_email", SITE, {"recipient": "owners", "subject": "s", "message": "m"}],
    "availability_operators_200.json": ["availability_operators", SITE],
    "availability_status_200.json": ["availability_status", SITE],
    "website_settings_200.json": ["get_settings", SITE],
    "plugin_connect_account_200.json": ["plugin_account"],
    "plugin_connect_websites_all_1_200.json": ["plugin_websites", 1],
    "plugin_connect_websites_all_2_200.json": ["plugin_websites", 2],
    "plugin_connect_websites_since_200.json": ["plugin_websites_since", "2026-11-01T00:00:00Z"],
    "plugin_connect_endpoints_200.json": ["plugin_endpoints"],
    "website_connect_endpoints_200.json": ["website_endpoints", SITE],
    "plan_subscription_200.json": ["get_plan", SITE],
    "inboxes_list_200.json": ["list_inboxes", SITE, 1],
}

SUCCESS = sorted(n for n, e in FIXTURE_INDEX.items() if e["kind"] == "response" and e["status"] < 300)
ERRORS = sorted(n for n, e in FIXTURE_INDEX.items() if e["kind"] == "response" and e["status"] >= 400)


def known_to_go(value):
    """What the structs of the client for Go can hold: no nulls, and not the members it lacks."""
    if isinstance(value, dict):
        lacking = {"verified", "institutional", "brand_new_field", "brand_new_sibling", "stream"}
        # Its struct has "app" where the wire has "rescue": {"socket"} (crisp-api.md 4.3).
        pairs = {k: known_to_go(v) for k, v in value.items() if v is not None and k not in lacking}
        if pairs.keys() == {"socket", "rescue"}:
            pairs["rescue"] = {}
        return pairs
    if isinstance(value, list):
        return [known_to_go(v) for v in value]
    return value


def check_data(client, got, wanted):
    if client.name == "go":
        got, wanted = known_to_go(got), known_to_go(wanted)
    assert got == wanted


def test_a_call_for_every_success_fixture():
    assert sorted(FIXTURE_CALLS) == SUCCESS


def test_reads_agree_with_the_wire(client, crisp):
    for tier in crisp.tokens:
        reads = [(call, path) for call, t, path in READS if t == tier and client.can(call[0])]
        crisp.clear_requests()
        answers = client.calls(crisp, [call for call, _ in reads], tier)
        asked = crisp.requests()
        assert sorted(r["path"] for r in asked) == sorted(path for _, path in reads)
        for (call, path), answer in zip(reads, answers):
            [request] = [r for r in asked if r["path"] == path]
            query = "?" + request["query"] if request["query"] else ""
            wire = crisp.get(path + query, tier=tier)
            assert wire.status == request["status"] == 200, call
            check_data(client, answer["data"], wire.data)


def test_headers_are_as_documented(client, crisp):
    client.call(crisp, "get_website", SITE)
    [request] = crisp.requests()
    headers = {k.lower(): v for k, v in request["headers"].items()}
    assert (request["method"], request["query"], request["body_bytes"]) == ("GET", "", 0)
    assert headers["x-crisp-tier"] == "plugin"
    assert headers["authorization"] == "Basic ***"
    version = {"node": "node-crisp-api/10.10.6", "python": "python-crisp-api/1.1.21", "go": "go-crisp-api/3.73.1"}
    assert headers["user-agent"] == version[client.name]


def test_session(client, crisp):
    assert client.call(crisp, "plugin_session") == {"data": {}}
    answer = client.call(crisp, "plugin_session", token=Token("plugin", "x", "y"))
    # There is no body under HEAD: each client has a name of its own for the refusal.
    assert answer["status"] == 401
    assert answer.get("reason", "") == {"node": "route_error", "python": "unauthorized", "go": ""}[client.name]


@pytest.mark.parametrize("name", SUCCESS)
def test_success_fixture_decodes(client, crisp, name):
    call = FIXTURE_CALLS[name]
    if not client.can(call[0]):
        assert client.call(crisp, *call) == {"missing": True}
        return
    entry = FIXTURE_INDEX[name]
    crisp.fixture(entry["path"].split("?")[0], name)
    answer = client.call(crisp, *call)
    [request] = crisp.requests()
    assert (request["method"], request["path"]) == (entry["method"], entry["path"].split("?")[0])
    check_data(client, answer["data"], json.loads((FIXTURES / name).read_text())["data"])


def reported(client, status, reason):
    """How a client reports an error answer with this status and reason."""
    if client.name == "go" and status >= 500:
        return {"reason": "all request attempts were exhausted"}
    return {"status": status, "reason": reason}


def test_error_fixtures_are_reported(client, crisp):
    """All at once, each at a website of its own, because some clients wait between retries."""
    sites = {name: f"5f0c1a2b-1111-4222-8333-{i:012x}" for i, name in enumerate(ERRORS, 0xbad0000)}
    for name, site in sites.items():
        crisp.fixture("/v1/website/" + site, name)
        if "Retry-After" in FIXTURE_INDEX[name].get("headers", {}):  # its 2 seconds teach us nothing here
            crisp.answer("/v1/website/" + site, (FIXTURES / name).read_bytes(), FIXTURE_INDEX[name]["status"])
    answers = client.calls(crisp, [["get_website", site] for site in sites.values()])
    for name, answer in zip(sites, answers):
        status = FIXTURE_INDEX[name]["status"]
        answer.pop("text", None)
        if name.endswith(".json"):
            reason = json.loads((FIXTURES / name).read_text())["reason"]
            assert answer == reported(client, status, reason), name
        elif client.name == "node":
            assert answer == {"status": status, "reason": "http_error"}
        elif client.name == "python":
            assert answer == {"status": 0, "reason": "not JSON"}
        else:
            assert answer.get("status", status) == status


def test_error_messages_are_passed_on(client, crisp):
    crisp.fixture("website", "error_404_route_not_found.json")
    answer = client.call(crisp, "get_website", SITE)
    assert "the route does not exist" in answer["text"]


def test_refusals_of_the_sandbox_are_reported(client, crisp):
    cases = [
        (["list_operators", NO_PLUGIN], "plugin", 404, "not_subscribed"),
        (["get_website", SECOND], "website", 403, "not_allowed"),
        (["get_website", UNKNOWN], "user", 404, "website_not_found"),
        (["get_website", "acme"], "plugin", 400, "invalid_data"),
        (["get_operator", SITE, DEAD], "plugin", 404, "operator_not_found"),
        (["flush_active", SITE], "plugin", 403, "restricted_route_tier"),
        (["invite_operator", SITE, "a@example.com", "member", VERIFY], "plugin", 403, "restricted_route_tier"),
        (["change_operator", SITE, BEN, "owner", None], "website", 403, "restricted_route_tier"),
        (["unlink_operator", SITE, BEN], "plugin", 403, "restricted_route_tier"),
        (["plugin_account"], "website", 403, "restricted_route_tier"),
        (["list_inboxes", SITE, 0], "plugin", 400, "invalid_data"),
        (["change_operator", SITE, BEN, "admin", None], "user", 400, "invalid_data"),
    ]
    for tier in crisp.tokens:
        mine = [(call, status, reason) for call, t, status, reason in cases if t == tier and client.can(call[0])]
        answers = client.calls(crisp, [call for call, _, _ in mine], tier) if mine else []
        for (call, status, reason), answer in zip(mine, answers):
            assert (answer["status"], answer["reason"]) == (status, reason), call


def test_wrong_pair_or_tier_is_401(client, crisp):
    wrong_key = Token("plugin", crisp.tokens["plugin"].identifier, "0" * 64)
    wrong_tier = Token("user", *crisp.tokens["plugin"][1:])
    for token in (wrong_key, wrong_tier):
        for answer in client.calls(crisp, [["get_website", SITE], ["list_operators", SITE]], token=token):
            assert (answer["status"], answer["reason"]) == (401, "invalid_session")


def test_writes_of_a_user(client, crisp):
    if not client.can("invite_operator"):
        assert client.call(crisp, "unlink_operator", SITE, BEN) == {"missing": True}
        return
    calls = [
        ["invite_operator", SITE, "new.hire@example.com", "member", VERIFY],
        ["change_operator", SITE, BEN, "owner", "Team Lead"],
        ["unlink_operator", SITE, ADA.replace("01", "03")],
        ["flush_active", SITE],
        ["update_settings", SITE, {"name": "Renamed"}],
        ["send_email", SITE, {"recipient": "owners", "subject": "s", "message": "m"}],
    ]
    assert client.calls(crisp, calls, tier="user") == [{"data": {}}] * len(calls)
    entries = crisp.operators()
    details = {e["details"]["email"]: e["details"] for e in entries}
    assert entries[-1]["type"] == "invite" and entries[-1]["details"]["email"] == "new.hire@example.com"
    ben = details["ben.sample@example.com"]
    assert (ben["role"], ben["title"]) == ("owner", "Team Lead")
    assert "chloe.placeholder@example.com" not in details
    assert crisp.get(crisp.site("operators/active")).data == []
    assert crisp.get(crisp.site()).data["name"] == "Renamed"


def test_the_last_operator_stays(client, crisp):
    if not client.can("unlink_operator"):
        assert client.call(crisp, "unlink_operator", SITE, BEN) == {"missing": True}
        return
    crisp.change(operators=[{"user_id": ADA, "role": "owner"}])
    answer = client.call(crisp, "unlink_operator", SITE, ADA, tier="user")
    assert (answer["status"], answer["reason"]) == (409, "last_operator")


TRIES = {
    503: {"node": 3, "python": 1, "go": 2},
    429: {"node": 3, "python": 1, "go": 1},
    420: {"node": 1, "python": 1, "go": 1},
}


@pytest.mark.parametrize("status", TRIES)
def test_retries(client, crisp, status):
    crisp.fault("website", status)
    client.call(crisp, "get_website", SITE)
    assert [r["status"] for r in crisp.requests()] == [status] * TRIES[status][client.name]


def test_one_failure_then_success(client, crisp):
    crisp.fault("website", 503, count=1)
    answer = client.call(crisp, "get_website", SITE)
    if client.name == "python":
        assert answer["status"] == 503
    else:
        assert answer["data"]["website_id"] == SITE
        assert len(crisp.requests()) == 2


def test_error_under_200_is_overlooked(client, crisp):
    """None of the three looks at "error": a strict reader has to."""
    crisp.fault("website", "error-true", reason="invalid_session")
    assert client.call(crisp, "get_website", SITE)["data"]["website_id"] == SITE


def test_large_team(client, crisp):
    crisp.change(operators=3000)
    answer = client.call(crisp, "list_operators", SITE)
    check_data(client, answer["data"], crisp.get(crisp.site("operators/list")).data)

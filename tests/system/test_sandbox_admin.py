"""The sandbox's own API: people, websites, answers, the record of requests, reset, scenarios."""

import http.client
import json

import pytest

from sandbox import AdminError, FIXTURE_INDEX, FIXTURES

LIST = "operators/list"
ADA = "0a000000-0000-4000-8000-000000000001"
BEN = "0a000000-0000-4000-8000-000000000002"
SECOND = "5f0c1a2b-1111-4222-8333-abcdef000002"


def listed(crisp):
    return crisp.get(crisp.site(LIST)).data


# ---- people ----


def test_add_operator_fills_in_the_rest(sandbox):
    details = sandbox.add_operator(email="zed@example.com", role="owner")
    assert listed(sandbox)[-1] == {"type": "operator", "details": details}
    assert details.keys() == listed(sandbox)[0]["details"].keys()
    assert (details["email"], details["role"], details["has_token"]) == ("zed@example.com", "owner", False)
    assert sandbox.add_operator()["user_id"] != details["user_id"]


def test_add_entry_of_any_shape(sandbox):
    for entry in (
        {"type": "operator", "details": None},
        {"type": "robot", "details": {"user_id": 7}, "brother": {"details": {}}},
        {"details": []},
        {"type": 3, "details": "text", "zz": 1.5},
        {"a": {"details": 1}, "details": {"x": '"details":'}},
    ):
        assert sandbox.add_entry(entry) == entry
        assert listed(sandbox)[-1] == entry
    assert len(sandbox.get(sandbox.site("operators/active")).data) == 4


def test_same_operator_twice_must_be_meant(sandbox):
    with pytest.raises(AdminError) as error:
        sandbox.add_operator(user_id=BEN)
    assert error.value.status == 409 and BEN in error.value.text
    sandbox.add_entry({"type": "operator", "details": {"user_id": BEN, "role": "owner"}})
    assert [e["details"].get("user_id") for e in listed(sandbox)].count(BEN) == 2


def test_change_operator(sandbox):
    sandbox.change_operator(BEN, role="owner", title=None, email="b@example.com", shoe_size=44)
    details = sandbox.get(sandbox.site("operator/" + BEN)).data
    assert (details["role"], details["title"]) == ("owner", None)
    assert (details["email"], details["shoe_size"]) == ("b@example.com", 44)
    sandbox.change_operator(BEN, unset=["role", "has_token"])
    details = sandbox.get(sandbox.site("operator/" + BEN)).data
    assert "role" not in details and "has_token" not in details


def test_last_active_is_kept_beside(sandbox):
    details = sandbox.change_operator(BEN, last_active_ms=1763000000000)
    assert "last_active_ms" not in details
    rows = {r["user_id"]: r for r in sandbox.get(sandbox.site("operators/active")).data}
    assert rows[BEN] == {"user_id": BEN, "avatar": None, "nickname": "Ben Sample", "timestamp": 1763000000000}
    sandbox.change_operator(ADA, last_active_ms=0)
    assert ADA not in {r["user_id"] for r in sandbox.get(sandbox.site("operators/active")).data}


def test_remove_operator(sandbox):
    sandbox.remove_operator(BEN)
    assert BEN not in {e["details"].get("user_id") for e in listed(sandbox)}
    with pytest.raises(AdminError) as error:
        sandbox.remove_operator(BEN)
    assert error.value.status == 404


def test_remove_everybody(sandbox):
    sandbox.admin("DELETE", "operators")
    assert listed(sandbox) == []


def test_one_operator(sandbox):
    assert sandbox.admin("GET", "operators/" + BEN) == listed(sandbox)[1]


def test_invite_and_accept(sandbox):
    invite = sandbox.invite("a.b+c@example.com", "owner")
    assert invite["identifier"] and len(invite["key"]) == 64
    assert listed(sandbox)[-1] == {"type": "invite", "details": invite}
    details = sandbox.accept_invite("A.B+C@example.com")
    assert (details["email"], details["role"]) == ("a.b+c@example.com", "owner")
    assert "key" not in details and details["user_id"]
    emails = [e["details"]["email"] for e in listed(sandbox)]
    assert emails.count("a.b+c@example.com") == 1


def test_withdraw_invite(sandbox):
    sandbox.admin("DELETE", "invites/pending.invitee@example.com")
    assert all(e["type"] == "operator" for e in listed(sandbox))
    with pytest.raises(AdminError):
        sandbox.admin("DELETE", "invites/pending.invitee@example.com")


def test_other_websites(sandbox):
    sandbox.admin("POST", "operators?website_id=" + SECOND, {"email": "x@example.com"})
    second = sandbox.get(sandbox.site(LIST, website_id=SECOND)).data
    assert [e["details"]["email"] for e in second][-1] == "x@example.com"
    assert "x@example.com" not in json.dumps(listed(sandbox))
    with pytest.raises(AdminError) as error:
        sandbox.admin("GET", "operators?website_id=" + ADA)
    assert error.value.status == 404


# ---- state ----


def test_change_website(sandbox):
    unset = ["verified", "institutional"]
    sandbox.change(website={"name": "", "logo": None, "domain": "blank.example.com", "unset": unset})
    assert sandbox.get(sandbox.site()).data == {
        "website_id": sandbox.website_id, "name": "", "domain": "blank.example.com", "logo": None,
    }
    new_id = "aaaaaaaa-1111-4222-8333-abcdef000009"
    sandbox.change(website={"website_id": new_id})
    assert sandbox.get(sandbox.site(website_id=new_id)).data["website_id"] == new_id
    assert sandbox.get(sandbox.site()).status == 404


def test_install_and_remove_the_plugin(sandbox):
    sandbox.change(website={"plugin_installed": False})
    assert sandbox.get(sandbox.site(LIST)).reason == "not_subscribed"
    assert sandbox.get(sandbox.site(LIST), tier="user").status == 200
    rows = sandbox.get("/v1/plugin/connect/websites/since?date_since=2026-11-20T00:00:00Z").data
    assert [(r["website_id"], r["difference"]) for r in rows] == [(sandbox.website_id, "unbound")]


def test_roll_a_token(sandbox):
    sandbox.change(tokens={"plugin": {"key": "new-key"}})
    assert sandbox.get(sandbox.site()).status == 401
    state = sandbox.state()
    assert state["tokens"]["plugin"]["key"] == "new-key"


def test_replace_the_team(sandbox):
    sandbox.change(operators=[{"email": "only@example.com", "role": "owner"}], invites=[])
    assert [e["details"]["email"] for e in listed(sandbox)] == ["only@example.com"]
    sandbox.change(operators=250, invites=2)
    assert len(listed(sandbox)) == 252
    assert sandbox.get(sandbox.site(), tier="user").status == 200


def test_plan_and_inboxes(sandbox):
    sandbox.change(website={"plan": None, "inboxes": [{"inbox_id": str(i)} for i in range(45)]})
    assert sandbox.get("/v1/plans/subscription/" + sandbox.website_id).status == 404
    pages = [len(sandbox.get(sandbox.site(f"inboxes/list/{n}")).data) for n in (1, 2, 3, 4)]
    assert pages == [20, 20, 5, 0]


def test_reset(start_sandbox):
    crisp = start_sandbox("--operators", 4, "--fault", "website:503:count=1")
    start = listed(crisp)
    crisp.get(crisp.site())
    crisp.add_operator()
    crisp.fault("*", 500)
    crisp.answer("website", {"x": 1})
    crisp.change(tokens={"plugin": {"key": "k"}})
    crisp.advance_clock(1000)
    crisp.reset()
    assert listed(crisp) == start
    assert crisp.get(crisp.site()).status == 503
    assert crisp.get(crisp.site()).status == 200
    assert len(crisp.requests()) == 3
    crisp.reset(website={"name": "Other"})
    assert crisp.get(crisp.site()).status == 503
    assert crisp.get(crisp.site()).data["name"] == "Other"


@pytest.mark.parametrize(
    "members,says",
    [
        ({"websit": {}}, "websit"),
        ({"website": 7}, "website"),
        ({"website": {"website_id": "x"}}, "UUID"),
        ({"website": {"plugin_installed": 1}}, "plugin_installed"),
        ({"websites": {"x": {}}}, "there is no website"),
        ({"operators": 0}, "operators"),
        ({"operators": "all"}, "operators"),
        ({"operators": [7]}, "operator 0"),
        ({"invites": -1}, "invites"),
        ({"invites": [{}]}, "email"),
        ({"tokens": {"admin": {}}}, "tokens"),
        ({"tokens": {"plugin": {"key": 7}}}, "token"),
        ({"tokens": {"plugin": {"scopes": "website"}}}, "scope"),
        ({"session": {}}, "user_id"),
        ({"cache": {"enabled": 1}}, "cache"),
        ({"clock": {"advance_ms": -1}}, "clock"),
        ({"faults": {}}, "faults"),
        ({"faults": ["x"]}, "fault 0"),
        ({"answers": [{}]}, "answer 0"),
    ],
)
def test_changes_that_make_no_sense_are_explained(sandbox, members, says):
    with pytest.raises(AdminError) as error:
        sandbox.change(**members)
    assert error.value.status in (400, 404)
    assert says in error.value.text


@pytest.mark.parametrize(
    "method,path,body,status",
    [
        ("GET", "", None, 404),
        ("GET", "nothing", None, 404),
        ("PUT", "state", {}, 404),
        ("GET", "state/x", None, 404),
        ("PATCH", "operators", {}, 404),
        ("PATCH", "operators/" + BEN, b"{", 400),
        ("POST", "faults", b"", 400),
        ("POST", "operators", b"\xff", 400),
        ("POST", "invites/nobody@example.com/accept", None, 404),
        ("DELETE", "faults/99", None, 404),
        ("DELETE", "answers/website", None, 404),
        ("GET", "%zz", None, 400),
        ("PUT", "answers/website?status=99", b"", 400),
        ("PUT", "answers/website?header=x", b"", 400),
    ],
)
def test_bad_calls_are_explained(sandbox, method, path, body, status):
    with pytest.raises(AdminError) as error:
        sandbox.admin(method, path, body)
    assert error.value.status == status
    assert len(error.value.text) > 10


# ---- answers ----


@pytest.mark.parametrize("name", sorted(n for n, e in FIXTURE_INDEX.items() if e["kind"] == "response"))
def test_every_fixture_can_be_served(sandbox, name):
    entry = FIXTURE_INDEX[name]
    sandbox.fixture(entry["path"].split("?")[0], name)
    answer = sandbox.request(entry["method"], entry["path"], tier=None)
    assert answer.status == entry["status"]
    assert answer.body == (FIXTURES / name).read_bytes()
    for header, value in entry["headers"].items():
        assert answer.headers[header] == value


def test_answer_by_method_and_pattern(sandbox):
    sandbox.answer("settings", b"\x00\xffraw", 206, "GET", {"Content-Type": "image/png", "X-A": "1"})
    answer = sandbox.get(sandbox.site("settings"), tier=None)
    assert (answer.status, answer.body, answer.headers["X-A"]) == (206, b"\x00\xffraw", "1")
    assert answer.headers["Content-Type"] == "image/png"
    assert sandbox.request("PATCH", sandbox.site("settings"), {}).reason == "updated"
    sandbox.answer("settings", "newer", method="GET")
    assert sandbox.get(sandbox.site("settings")).body == b"newer"
    sandbox.admin("DELETE", "answers/settings")
    assert sandbox.get(sandbox.site("settings")).status == 200


def test_answers_as_json(sandbox):
    sandbox.admin("POST", "answers", {"path": LIST, "status": 201, "headers": {"X-B": "2"}, "body": {"data": []}})
    answer = sandbox.get(sandbox.site(LIST))
    assert (answer.status, answer.json, answer.headers["X-B"]) == (201, {"data": []}, "2")
    sandbox.admin("DELETE", "answers")
    assert len(listed(sandbox)) == 7


def test_faults_apply_to_ordered_answers(sandbox):
    sandbox.answer("website", {"data": {"website_id": "q"}})
    sandbox.fault("website", "slow", bytes=4, every_ms=1, count=1)
    sandbox.fault("website", 503, count=1)
    assert sandbox.get(sandbox.site()).json == {"data": {"website_id": "q"}}
    assert sandbox.get(sandbox.site()).status == 503


def test_large_answer(sandbox):
    body = b'{"x":"' + b"y" * (20 << 20) + b'"}'
    sandbox.answer("website", body)
    assert sandbox.get(sandbox.site()).body == body


# ---- the record of requests ----


def test_requests_are_recorded_without_credentials(sandbox):
    sandbox.get(sandbox.site(LIST) + "?a=%20b", headers={"X-Test": "Grüße".encode()})
    sandbox.request("PATCH", sandbox.site("operator/" + BEN), {"role": "owner"}, "user")
    sandbox.get("/v1/unknown", headers={"Cookie": "secret=1", "Authorization": "Bearer verysecret"})
    first, second, third = sandbox.requests()
    assert (first["method"], first["path"], first["query"], first["route"]) == (
        "GET", sandbox.site(LIST), "a=%20b", "website/operators/list",
    )
    assert (first["status"], first["tier"], first["outcome"]) == (200, "plugin", "completed")
    assert first["headers"]["Authorization"] == "Basic ***"
    assert first["headers"]["X-Crisp-Tier"] == "plugin"
    assert first["version"] == "HTTP/1.1" and first["body_bytes"] == 0
    assert (second["tier"], second["body_bytes"]) == ("user", 17)
    assert (third["status"], third["route"]) == (404, "")
    text = json.dumps(sandbox.requests())
    for token in sandbox.tokens.values():
        assert token.key not in text
        assert sandbox.auth(token.tier)["Authorization"].split()[1] not in text
    assert "secret=1" not in text and "verysecret" not in text


def test_requests_by_route(sandbox):
    sandbox.get(sandbox.site())
    sandbox.get(sandbox.site(LIST))
    assert [r["route"] for r in sandbox.requests("website")] == ["website"]
    assert [r["route"] for r in sandbox.requests(LIST)] == ["website/operators/list"]
    sandbox.clear_requests()
    assert sandbox.requests() == []
    sandbox.get(sandbox.site())
    assert sandbox.admin("GET", "requests")["total"] == 1


def test_own_api_is_not_recorded(sandbox):
    sandbox.state()
    assert sandbox.requests() == []


def test_record_has_a_limit(sandbox):
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    for _ in range(5010):
        connection.request("GET", "/v1/x")
        connection.getresponse().read()
    connection.close()
    record = sandbox.admin("GET", "requests")
    assert (record["total"], record["kept"]) == (5010, 5000)
    assert record["requests"][-1]["number"] == 5010


# ---- scenarios ----


def test_scenario_file(start_sandbox, tmp_path):
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps({
        "website": {"name": "Tiny", "logo": None},
        "operators": [{"email": "a@example.com", "role": "owner"}, {"type": "operator", "details": None}],
        "invites": [{"email": "b@example.com"}],
        "tokens": {"plugin": {"scopes": "website:operators:read"}},
        "cache": {"enabled": True, "ttl_ms": 5},
        "faults": ["operators/list:429:count=1", {"path": "settings", "kind": 500}],
        "answers": [{"path": "account", "body": {"data": 1}}],
    }))
    crisp = start_sandbox("--scenario", path)
    assert crisp.get(crisp.site()).data["name"] == "Tiny"
    assert crisp.get(crisp.site(LIST)).status == 429
    assert [e["type"] for e in listed(crisp)] == ["operator", "operator", "invite"]
    assert crisp.get(crisp.site("settings")).status == 500
    assert crisp.get("/v1/plugin/connect/account").json == {"data": 1}
    assert crisp.state()["cache"]["enabled"] is True

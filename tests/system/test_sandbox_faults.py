"""Each way in which the pretended Crisp can go wrong, as a client sees it."""

import email.utils
import http.client
import json
import socket
import time

import pytest

import sandbox as sandbox_module

LIST = "operators/list"


def fixture(name):
    return (sandbox_module.FIXTURES / name).read_bytes()


def ask(crisp, route=LIST):
    return crisp.get(crisp.site(route))


def connect(crisp, route=LIST):
    """A connection with a request on its way."""
    connection = http.client.HTTPConnection("127.0.0.1", crisp.port, timeout=sandbox_module.PATIENCE_S)
    connection.request("GET", crisp.site(route), headers=crisp.auth())
    return connection


# ---- which requests ----


@pytest.mark.parametrize(
    "pattern,hit",
    [
        ("website", {""}),
        ("operators/list", {"operators/list"}),
        ("list", {"operators/list"}),
        ("website/operators/list", {"operators/list"}),
        ("operators", set()),
        ("perators/list", set()),
        ("operator", {"operator/0a000000-0000-4000-8000-000000000001"}),
        ("*", {"", "operators/list", "operator/0a000000-0000-4000-8000-000000000001"}),
        ("/v1/website/5f0c1a2b-1111-4222-8333-abcdef000001", {""}),
    ],
)
def test_pattern(sandbox, pattern, hit):
    sandbox.fault(pattern, 503)
    routes = ["", "operators/list", "operator/0a000000-0000-4000-8000-000000000001"]
    assert {r for r in routes if ask(sandbox, r).status == 503} == hit


def test_unknown_routes_match_by_their_path(sandbox):
    sandbox.fault("no/such", 503)
    assert sandbox.get("/v1/no/such").status == 503


def test_method(sandbox):
    sandbox.fault("settings", 503, method="PATCH")
    assert ask(sandbox, "settings").status == 200
    assert sandbox.request("PATCH", sandbox.site("settings"), {}).status == 503


def test_skip_and_count(sandbox):
    sandbox.fault(LIST, 503, skip=1, count=2)
    assert [ask(sandbox).status for _ in range(5)] == [200, 503, 503, 200, 200]
    [fault] = sandbox.faults()
    assert fault["fired"] == 2


def test_faults_apply_one_after_the_other(sandbox):
    sandbox.fault(LIST, 503, count=1)
    sandbox.fault(LIST, 429, count=1)
    sandbox.fault("*", 500, skip=1, count=1)
    assert [ask(sandbox).status for _ in range(5)] == [503, 429, 200, 500, 200]


def test_command_line_form(start_sandbox):
    crisp = start_sandbox("--fault", "operators/list:503:count=2", "--fault", "website:429:retry-after=2:count=1")
    assert [ask(crisp).status for _ in range(3)] == [503, 503, 200]
    answer = ask(crisp, "")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert ask(crisp, "").status == 200


def test_command_line_form_with_colons_in_values(sandbox):
    sandbox.fault("operators/list:307:location=http://127.0.0.1:9/v1/x:header=X-Note: a:b:count=1")
    answer = ask(sandbox)
    # A bare status has no Location; only redirect does.
    assert answer.status == 307 and answer.headers["X-Note"] == "a:b"
    sandbox.fault("operators/list:redirect:location=http://127.0.0.1:9/v1/x:count=1")
    assert ask(sandbox).headers["Location"] == "http://127.0.0.1:9/v1/x"


def test_a_fault_keeps_a_write_from_having_an_effect(sandbox):
    sandbox.fault("operator", 503, count=1)
    path = sandbox.site("operator/0a000000-0000-4000-8000-000000000002")
    assert sandbox.request("DELETE", path, tier="user").status == 503
    assert sandbox.get(path).status == 200


def test_remove_and_clear(sandbox):
    first = sandbox.fault(LIST, 503)
    sandbox.fault("website", 503)
    sandbox.admin("DELETE", f"faults/{first}")
    assert (ask(sandbox).status, ask(sandbox, "").status) == (200, 503)
    sandbox.clear_faults()
    assert ask(sandbox, "").status == 200


@pytest.mark.parametrize(
    "order,says",
    [
        ({"path": "website"}, "kind"),
        ({"path": "website", "kind": "explode"}, "explode"),
        ({"path": "website", "kind": 429, "retry": 3}, "retry"),
        ({"path": "website", "kind": 99}, "status"),
        ({"path": 7, "kind": 429}, "path"),
        ({"path": "website", "kind": "slow", "bytes": 0}, "bytes"),
        ({"path": "website", "kind": "chunked", "close": 1}, "close"),
        ({"path": "website", "kind": "none", "headers": {"A": 1}}, "headers"),
        ({"path": "website", "kind": 429, "retry_after": []}, "retry_after"),
        ("website", "path:kind"),
        ("website:429:count", "name=value"),
        ("website:429:count=many", "count"),
        (["website:429", 17], "object"),
        (17, "object"),
    ],
)
def test_orders_that_make_no_sense_are_explained(sandbox, order, says):
    with pytest.raises(sandbox_module.AdminError) as error:
        sandbox.admin("POST", "faults", order)
    assert error.value.status == 400
    assert says in error.value.text


# ---- error answers ----


@pytest.mark.parametrize(
    "kind,status,name",
    [
        (400, 400, None),
        (401, 401, "error_401_invalid_session.json"),
        (403, 403, "error_403_not_allowed.json"),
        (420, 420, "error_420_enhance_your_calm.json"),
        (429, 429, "error_429_rate_limited.json"),
        (500, 500, "error_500_server_error.json"),
        (503, 503, "error_503_maintenance.json"),
        ("quota", 429, "error_429_quota.json"),
        ("invalid-session", 401, "error_401_invalid_session.json"),
        ("not-allowed", 403, "error_403_not_allowed.json"),
        ("restricted-tier", 403, "error_403_restricted_route_tier.json"),
        ("not-subscribed", 404, "error_404_not_subscribed.json"),
        ("website-not-found", 404, "error_404_website_not_found.json"),
        ("route-not-found", 404, "error_404_route_not_found.json"),
    ],
)
def test_errors_of_the_catalogue(sandbox, kind, status, name):
    sandbox.fault(LIST, kind)
    answer = ask(sandbox)
    assert answer.status == status
    assert answer.json["error"] is True
    if name:
        assert answer.json == json.loads(fixture(name))


@pytest.mark.parametrize("status", [402, 409, 410, 418, 422, 451, 501, 504, 521, 522, 524, 599])
def test_any_status(sandbox, status):
    sandbox.fault(LIST, status, reason="out_of_cheese", message="no cheese", headers={"X-A": "1"})
    answer = ask(sandbox)
    assert (answer.status, answer.reason) == (status, "out_of_cheese")
    assert answer.data["message"] == "no cheese"
    assert answer.headers["X-A"] == "1"


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206])
def test_success_status_keeps_the_body(sandbox, status):
    normal = ask(sandbox).body
    sandbox.fault(LIST, status)
    answer = ask(sandbox)
    assert (answer.status, answer.body) == (status, normal)


def test_any_body(sandbox):
    sandbox.fault(LIST, 200, body="", count=1)
    sandbox.fault(LIST, 200, body={"a": [1]}, content_type="application/vnd.x+json", count=1)
    assert ask(sandbox).body == b""
    answer = ask(sandbox)
    assert answer.json == {"a": [1]}
    assert answer.headers["Content-Type"] == "application/vnd.x+json"


def test_offline_is_text_of_the_proxy(sandbox):
    for kind in (502, "offline"):
        sandbox.fault(LIST, kind, count=1)
        answer = ask(sandbox)
        assert (answer.status, answer.body) == (502, fixture("error_502_offline.txt").rstrip(b"\n"))
        assert answer.headers["Bloom-Status"] == "OFFLINE"
        assert answer.headers["Content-Type"] is None
    sandbox.fault(LIST, 502, reason="bad_gateway")
    assert ask(sandbox).reason == "bad_gateway"


def test_retry_after(sandbox):
    sandbox.fault(LIST, 429, retry_after=3, count=1)
    sandbox.fault(LIST, 420, retry_after="soon", count=1)
    sandbox.fault(LIST, 503, retry_after_date=90, count=1)
    sandbox.fault(LIST, 429, count=1)
    assert ask(sandbox).headers["Retry-After"] == "3"
    assert ask(sandbox).headers["Retry-After"] == "soon"
    text = ask(sandbox).headers["Retry-After"]
    ahead = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    assert text.endswith(" GMT") and 60 < ahead < 120
    assert ask(sandbox).headers["Retry-After"] is None


def test_html(sandbox):
    sandbox.fault(LIST, "html")
    answer = ask(sandbox)
    assert answer.status == 403
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_not_json(sandbox):
    sandbox.fault(LIST, "not-json")
    answer = ask(sandbox)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json")
    with pytest.raises(ValueError):
        answer.json


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect(sandbox, status):
    sandbox.fault(LIST, "redirect", status=status, location="http://example.com/v1/")
    answer = ask(sandbox)
    assert (answer.status, answer.headers["Location"]) == (status, "http://example.com/v1/")


# ---- odd bodies ----


def test_empty_list(sandbox):
    sandbox.fault(LIST, "empty")
    assert ask(sandbox).json == json.loads(fixture("operators_list_200_empty.json"))


def test_edge_list_is_the_fixture(sandbox):
    sandbox.fault(LIST, "edge")
    assert ask(sandbox).json == json.loads(fixture("operators_list_200_edge.json"))


def test_wrong_site(sandbox):
    sandbox.fault("website", "wrong-site", count=1)
    sandbox.fault("website", "wrong-site", website_id="x", count=1)
    normal = json.loads(fixture("website_get_200.json"))
    first = ask(sandbox, "").json
    assert first["data"]["website_id"] != sandbox.website_id
    first["data"]["website_id"] = sandbox.website_id
    assert first == normal
    assert ask(sandbox, "").data["website_id"] == "x"


def test_no_data(sandbox):
    sandbox.fault(LIST, "no-data")
    assert ask(sandbox).json == {"error": False, "reason": "listed"}


@pytest.mark.parametrize(
    "kind,value",
    [("string", "a string"), ("number", 1), ("object", {}), ("array", []), ("null", None), ("true", True),
     ("[[]]", [[]]), ("-1.5", -1.5)],
)
def test_data_of_another_type(sandbox, kind, value):
    sandbox.fault(LIST, "data-type", type=kind)
    assert ask(sandbox).json == {"error": False, "reason": "listed", "data": value}


def test_error_true_under_200(sandbox):
    sandbox.fault("website", "error-true", reason="invalid_session")
    answer = ask(sandbox, "")
    assert answer.status == 200
    assert (answer.json["error"], answer.reason) == (True, "invalid_session")


def test_bad_utf8(sandbox):
    sandbox.fault("*", "bad-utf8")
    for route in ("", LIST):
        answer = ask(sandbox, route)
        assert answer.status == 200
        with pytest.raises(UnicodeDecodeError):
            answer.body.decode()


def test_truncated_json(sandbox):
    normal = ask(sandbox).body
    sandbox.fault(LIST, "truncate", count=1)
    sandbox.fault(LIST, "truncate", after=7, count=1)
    assert ask(sandbox).body == normal[: len(normal) // 2]
    assert ask(sandbox).body == normal[:7]


def test_deep(sandbox):
    sandbox.fault(LIST, "deep", depth=5)
    assert ask(sandbox).data == [[[[[]]]]]


def test_huge_string(sandbox):
    sandbox.fault("*", "huge-string", bytes=1000000)
    assert len(ask(sandbox, "").data["name"]) > 1000000
    assert len(json.dumps(ask(sandbox).data[0])) > 1000000


def test_huge_list(sandbox):
    sandbox.fault(LIST, "huge-list", elements=5000)
    answer = ask(sandbox)
    assert len({e["details"]["user_id"] for e in answer.data}) == 5000


def test_endless_list(sandbox):
    sandbox.fault(LIST, "endless")
    connection = connect(sandbox)
    response = connection.getresponse()
    assert response.headers["Transfer-Encoding"] == "chunked"
    body = response.read(4 << 20)
    connection.close()
    assert len(body) == 4 << 20
    part = body[: body.rindex(b',{"type"')] + b"]}"
    ids = [e["details"]["user_id"] for e in json.loads(part)["data"]]
    assert len(ids) == len(set(ids)) > 10000
    sandbox.wait_for(lambda s: s.requests(LIST)[0]["outcome"] == "aborted")


# ---- delivery ----


def test_delay(sandbox):
    sandbox.fault(LIST, "delay", delay_ms=150, count=1)
    sandbox.fault(LIST, 503, delay_ms=150, count=1)
    for status in (200, 503):
        start = time.monotonic()
        assert ask(sandbox).status == status
        assert time.monotonic() - start >= 0.15


def test_slow(sandbox):
    normal = ask(sandbox, "").body
    sandbox.fault("website", "slow", bytes=50, every_ms=20)
    start = time.monotonic()
    answer = ask(sandbox, "")
    assert answer.body == normal
    assert answer.headers["Content-Length"] == str(len(normal))
    assert time.monotonic() - start >= 0.02 * (len(normal) // 50)


def test_slow_does_not_hold_up_others(sandbox):
    sandbox.fault(LIST, "slow", bytes=1, every_ms=1000)
    slow = connect(sandbox)
    response = slow.getresponse()
    assert response.read(1) == b"{"
    start = time.monotonic()
    assert ask(sandbox, "").status == 200
    assert time.monotonic() - start < 1
    slow.close()


def test_chunked(sandbox):
    normal = ask(sandbox).body
    sandbox.fault(LIST, "chunked", count=1)
    sandbox.fault(LIST, "slow", bytes=100, every_ms=1, chunked=True, count=1)
    for _ in range(2):
        answer = ask(sandbox)
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.headers["Content-Length"] is None
        assert answer.body == normal


def test_close(sandbox):
    sandbox.fault(LIST, "close")
    assert ask(sandbox).headers["Connection"] == "close"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("after", [0, 1, 100])
def test_cut(sandbox, after, chunked):
    normal = ask(sandbox).body
    sandbox.fault(LIST, "cut", after=after, chunked=chunked)
    response = connect(sandbox).getresponse()
    assert response.status == 200
    assert (response.headers["Content-Length"] is None) == chunked
    with pytest.raises(http.client.IncompleteRead) as error:
        response.read()
    if not chunked:  # the library forgets the bytes of a chunk that is not whole
        assert error.value.partial == normal[:after]


def test_cut_in_the_middle_by_default(sandbox):
    normal = ask(sandbox).body
    sandbox.fault(LIST, "cut")
    with pytest.raises(http.client.IncompleteRead) as error:
        connect(sandbox).getresponse().read()
    assert error.value.partial == normal[: len(normal) // 2]


def test_reset(sandbox):
    sandbox.fault(LIST, "reset")
    with pytest.raises(ConnectionResetError):
        ask(sandbox)


def test_reset_in_the_body(sandbox):
    sandbox.fault(LIST, "reset", after=100)
    response = connect(sandbox).getresponse()
    assert response.status == 200
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        response.read()


def quiet(connection, timeout=0.2):
    """True if nothing arrives on the connection for a while."""
    connection.sock.settimeout(timeout)
    try:
        return connection.sock.recv(1) is None
    except socket.timeout:
        return True


def test_stall(sandbox):
    sandbox.fault(LIST, "stall")
    connection = connect(sandbox)
    [request] = sandbox.wait_for_requests(1, LIST)
    assert (request["status"], request["outcome"]) == (0, "pending")
    assert quiet(connection)
    assert ask(sandbox, "").status == 200
    connection.close()
    sandbox.wait_for(lambda s: s.requests(LIST)[0]["outcome"] == "aborted")


def test_stall_in_the_body(sandbox):
    normal = ask(sandbox).body
    sandbox.clear_requests()
    sandbox.fault(LIST, "stall-body", after=20)
    connection = connect(sandbox)
    response = connection.getresponse()
    assert response.headers["Content-Length"] == str(len(normal))
    assert response.read(20) == normal[:20]
    assert quiet(connection)
    connection.close()
    response.close()
    sandbox.wait_for(lambda s: s.requests(LIST)[0]["outcome"] == "aborted")


def test_stall_after_slow_pieces(sandbox):
    sandbox.fault(LIST, "stall-body", after=20, bytes=5, every_ms=5)
    connection = connect(sandbox)
    assert len(connection.getresponse().read(20)) == 20
    assert quiet(connection)
    connection.close()


def test_ends_at_once_with_connections_held(start_sandbox):
    crisp = start_sandbox("--fault", "operators/list:stall", "--fault", "website:stall-body",
                          "--fault", "settings:delay:delay-ms=60000", "--fault", "active:slow:every-ms=60000")
    held = [connect(crisp, route) for route in (LIST, "", "settings", "operators/active")]
    crisp.wait_for_requests(4)
    start = time.monotonic()
    assert crisp.stop() == 0
    assert time.monotonic() - start < 5
    for connection in held:
        connection.close()


def test_many_stalled_connections(sandbox):
    sandbox.fault(LIST, "stall")
    held = [connect(sandbox) for _ in range(100)]
    sandbox.wait_for_requests(100, LIST)
    assert ask(sandbox, "").status == 200
    for connection in held:
        connection.close()
    sandbox.wait_for(lambda s: all(r["outcome"] == "aborted" for r in s.requests(LIST)))


def test_requests_name_the_fault(sandbox):
    number = sandbox.fault(LIST, 503, count=1)
    ask(sandbox)
    ask(sandbox)
    assert [r["fault"] for r in sandbox.requests(LIST)] == [number, None]

"""The Crisp client against servers that refuse, stall, cut, lie and redirect (crisp-api.md 8 and 9)."""

import gzip
import resource
import signal
import subprocess
import time

import pytest

import crisp_get as world
from crisp_get import (
    CANCELLED, DEADLINE_EXCEEDED, INTERNAL, INVALID_ARGUMENT, NOT_FOUND, OK, PERMISSION_DENIED,
    UNAUTHENTICATED, UNAVAILABLE, Server, answer, crisp_get,
)  # fmt: skip

LIST = "operators/list"
LIST_PATH = "website/{id}/operators/list"


def asked(sandbox, path):
    return len(sandbox.requests(path))


# ---- when all is well ----


def test_two_requests_and_nothing_more(sandbox):
    got = crisp_get(sandbox)
    assert got.code == OK
    assert got.website["website_id"] == world.WEBSITE_ID
    assert got.json["count"] == 6 and got.json["invitations"] == 1
    assert got.team_error["name"] == "OK"
    assert (got.json["requests"], got.json["retries"]) == (2, 0)
    paths = sorted(r["path"] for r in sandbox.requests())
    assert paths == [f"/v1/website/{world.WEBSITE_ID}", f"/v1/website/{world.WEBSITE_ID}/operators/list"]


def test_last_active_is_a_third_request(sandbox):
    got = crisp_get(sandbox, "--last-active")
    assert got.code == OK and got.json["requests"] == 3
    active = {e["user_id"]: e["timestamp"] for e in sandbox.get(sandbox.site("operators/active")).data}
    assert active
    assert {o["user_id"]: o["last_active_ms"] for o in got.operators if o["last_active_ms"]} == active


def test_the_request_byte_for_byte():
    with Server() as server:
        assert crisp_get(server, "--tier", "website").code == OK
        heads = sorted(server.heads)
    for head in heads:
        line, *headers = head.decode().split("\r\n")[:-2]
        method, path, version = line.split()
        assert method == "GET" and version == "HTTP/1.1" and "?" not in path
        fields = dict(h.split(": ", 1) for h in headers)
        assert fields.pop("Host") == f"127.0.0.1:{server.port}"
        assert fields.pop("Authorization") == world.AUTHORIZATION
        assert fields.pop("X-Crisp-Tier") == "website"
        assert fields.pop("Accept") == "application/json"
        assert fields.pop("User-Agent").startswith("crisp-get/")
        assert fields.pop("Accept-Encoding", "gzip") == "gzip"
        assert not fields
    assert [h.split()[1].decode() for h in heads] == [
        f"/v1/website/{world.WEBSITE_ID}",
        f"/v1/website/{world.WEBSITE_ID}/operators/list",
    ]


@pytest.mark.parametrize("tail", ["/v1", "/v1/", "/v1//"])
def test_a_final_slash_changes_nothing(sandbox, tail):
    assert crisp_get(sandbox.origin + tail).code == OK
    assert asked(sandbox, "website") == asked(sandbox, LIST) == 1


@pytest.mark.parametrize("tier", ["plugin", "website", "user"])
def test_every_tier(sandbox, tier):
    token = sandbox.tokens[tier]
    process = subprocess.run(
        [str(world.program()), "--base-url", sandbox.base_url, "--website-id", sandbox.website_id,
         "--identifier", token.identifier, "--key", token.key, "--tier", tier],
        capture_output=True, text=True, timeout=world.PATIENCE_S,
    )  # fmt: skip
    assert process.returncode == OK
    world.check_no_secret(process.stdout + process.stderr, token.key)


@pytest.mark.parametrize("status", [200, 201, 206])
def test_any_success_status(sandbox, status):
    sandbox.fault(LIST, status)
    got = crisp_get(sandbox)
    assert got.code == OK and got.team_error["name"] == "OK" and got.json["count"] == 6


def test_an_invitation_leaves_no_trace(sandbox):
    sandbox.fixture(LIST, "operators_list_200_with_invite.json")
    got = crisp_get(sandbox)
    assert got.json["count"] == 2 and got.json["invitations"] == 1
    for secret in ("pending.invitee", "1c000000-0000-4000-8000-00000000beef", "feedface"):
        assert secret not in got.out + got.err


def test_interim_answers_are_not_the_answer():
    early = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 99\r\nContent-Type: x/y\r\n\r\n"
    with Server(respond=lambda head: early + world.usual(head)) as server:
        assert crisp_get(server).code == OK


def test_gzip_is_decoded():
    packed = [answer(gzip.compress(w), headers=["Content-Encoding: gzip"]) for w in
              (world.usual(b"x /operators/list y").split(b"\r\n\r\n")[1], world.usual(b"x").split(b"\r\n\r\n")[1])]  # fmt: skip
    with Server(respond=lambda head: packed[0 if b"/operators/list" in head else 1]) as server:
        got = crisp_get(server)
    assert got.code == OK and got.json["count"] == 1


@pytest.mark.release  # memory under a sanitizer says nothing
def test_memory_stays_small_for_a_large_team(start_sandbox):
    sandbox = start_sandbox("--operators", "100000")
    got = crisp_get(sandbox, "--no-list")
    assert got.code == OK and got.json["count"] == 100000
    assert got.json["peak_kib"] < 35 * 1024


# ---- refusals: one request each, and words that help ----


REFUSALS = [
    ("invalid-session", UNAUTHENTICATED, ["401 invalid_session", "identifier and key", "tier (plugin)", "ten minutes"]),
    ("restricted-tier", PERMISSION_DENIED, ["restricted_route_tier", "tier plugin"]),
    ("not-allowed", PERMISSION_DENIED, ["not_allowed", "website:operators"]),
    ("html", PERMISSION_DENIED, ["HTTP 403", "not JSON"]),
    ("not-subscribed", NOT_FOUND, ["not installed on website " + world.WEBSITE_ID, "ten minutes"]),
    ("website-not-found", NOT_FOUND, ["website_not_found", "was not found"]),
    ("route-not-found", NOT_FOUND, ["base URL", "/v1"]),
    (400, INVALID_ARGUMENT, ["HTTP 400 invalid_data", "UUID"]),
    (409, INVALID_ARGUMENT, ["HTTP 409"]),
    (422, INVALID_ARGUMENT, ["HTTP 422"]),
    (501, UNAVAILABLE, ["HTTP 501"]),
]


@pytest.mark.parametrize("kind, code, words", REFUSALS, ids=[str(r[0]) for r in REFUSALS])
def test_refusals_are_explained_and_final(sandbox, kind, code, words):
    sandbox.fault("*", kind)
    got = crisp_get(sandbox)
    assert got.code == code
    for word in words:
        assert word in got.message
    assert "<" not in got.message.replace("<ID>", "")
    assert asked(sandbox, "website") == 1 and asked(sandbox, LIST) <= 1


@pytest.mark.parametrize("kind, code, words", REFUSALS, ids=[str(r[0]) for r in REFUSALS])
def test_a_refused_list_still_gives_the_website(sandbox, kind, code, words):
    sandbox.fault(LIST, kind)
    got = crisp_get(sandbox)
    assert got.code == OK and got.website["website_id"] == world.WEBSITE_ID
    assert got.team_error["code"] == code and got.operators == []
    for word in words:
        assert word in got.team_error["message"]


def test_a_refused_last_active_is_an_error_of_the_team(sandbox):
    sandbox.fault("operators/active", 403)
    got = crisp_get(sandbox, "--last-active")
    assert got.code == OK and got.operators == []
    assert got.team_error["name"] == "PermissionDenied"
    assert "last active operators" in got.team_error["message"]


def test_a_refused_website_does_not_wait_for_the_list(sandbox):
    sandbox.fault("website", "invalid-session")
    sandbox.fault(LIST, "stall")
    got = crisp_get(sandbox)
    assert got.code == UNAUTHENTICATED and got.took_s < 10


def test_the_wrong_key_is_not_in_the_words(sandbox):
    got = crisp_get(sandbox, key="an_entirely_wrong_key")
    assert got.code == UNAUTHENTICATED
    assert "an_entirely_wrong_key" not in got.out + got.err


def test_an_echo_of_the_credentials_is_not_repeated():
    def echo(head):
        lines = dict(x.split(": ", 1) for x in head.decode().split("\r\n")[1:-2])
        return answer({"error": True, "reason": world.KEY, "data": {"message": lines["Authorization"]}}, "400 Bad")

    with Server(respond=echo) as server:
        assert crisp_get(server).code == INVALID_ARGUMENT  # crisp_get() looks for the secret


def test_hostile_text_is_not_repeated():
    evil = {"error": True, "reason": "\x1b[31m", "data": {"message": "\x1b]0;x\x07 evil"}}
    headers = ["Content-Type: \x1b[31mevil", "Retry-After: \x1b[31mevil"]
    with Server(respond=lambda head: answer(evil, "400 \x1b[31mevil", headers)) as server:
        got = crisp_get(server)
    assert got.code == INVALID_ARGUMENT
    assert "evil" not in got.out + got.err and "\\u001b" not in got.out + got.err


# ---- tries ----


@pytest.mark.parametrize("kind", [408, 500, 502, 503, 504, 521, 522, 524, "offline", "reset", "cut"])
@pytest.mark.parametrize("path", ["website", LIST])
def test_trouble_that_passes_is_survived(sandbox, kind, path):
    sandbox.fault(path, kind, count=2)
    got = crisp_get(sandbox)
    assert got.code == OK and got.team_error["name"] == "OK"
    assert got.json["count"] == 6 and got.json["invitations"] == 1
    assert asked(sandbox, path) == 3 and got.json["retries"] == 2


@pytest.mark.parametrize("kind", [500, 503, "offline", "reset", "cut"])
def test_trouble_that_stays_ends_after_three_tries(sandbox, kind):
    sandbox.fault("website", kind)
    got = crisp_get(sandbox)
    assert got.code == UNAVAILABLE and "(3 tries)" in got.message
    assert asked(sandbox, "website") == 3
    assert "502 Bad Gateway" not in got.message


def test_gave_up_waiting_is_deadline_exceeded(sandbox):
    sandbox.fault("website", 408)
    assert crisp_get(sandbox).code == DEADLINE_EXCEEDED


@pytest.mark.parametrize("status", [420, 429])
def test_both_rate_limits_are_waited_out(sandbox, status):
    sandbox.fault(LIST, status, count=2)
    got = crisp_get(sandbox, retry_unit_ms=5)
    assert got.team_error["name"] == "OK" and asked(sandbox, LIST) == 3
    waits = [e["wait"] for e in got.logged("retrying operation")]
    assert waits == pytest.approx([0.05, 0.15])  # 10 and 30 units


@pytest.mark.parametrize("status", [420, 429, 503])
def test_retry_after_is_obeyed(sandbox, status):
    sandbox.fault("website", status, retry_after=2, count=1)
    got = crisp_get(sandbox, retry_unit_ms=50)
    assert got.code == OK and asked(sandbox, "website") == 2
    (wait,) = got.logged("retrying operation")
    assert 0.1 <= wait["wait"] <= 0.106
    assert got.took_s >= 0.1


def test_retry_after_may_be_a_date(sandbox):
    sandbox.fault("website", 429, retry_after_date=20, count=1)
    got = crisp_get(sandbox, retry_unit_ms=1)
    assert got.code == OK
    (wait,) = got.logged("retrying operation")
    assert 0.015 <= wait["wait"] <= 0.021


@pytest.mark.parametrize("status", [420, 429, 503])
@pytest.mark.parametrize("form", ["retry_after", "retry_after_date"])
def test_a_long_retry_after_ends_the_run(sandbox, status, form):
    sandbox.fault("website", status, **{form: 3600})
    got = crisp_get(sandbox, retry_unit_ms=1000)
    assert got.code == UNAVAILABLE and asked(sandbox, "website") == 1 and got.took_s < 30
    assert abs(got.error["retry_at_unix"] - (time.time() + 3600)) < 60
    assert "not before 20" in got.message


@pytest.mark.parametrize("status", [420, 429])
def test_a_rate_limit_that_stays(sandbox, status):
    sandbox.fault("website", status)
    got = crisp_get(sandbox)
    assert got.code == UNAVAILABLE and asked(sandbox, "website") == 3
    assert "quota" in got.message and "(3 tries)" in got.message
    assert abs(got.error["retry_at_unix"] - (time.time() + 60)) < 30


@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "ratelimit-reset", "X-Rate-Limit-Reset"])
def test_a_reset_header_tells_when_to_come_back(sandbox, name):
    sandbox.fault("website", 429, headers={name: str(int(time.time()) + 7200)})
    got = crisp_get(sandbox)
    assert got.code == UNAVAILABLE and asked(sandbox, "website") == 1
    assert abs(got.error["retry_at_unix"] - (time.time() + 7200)) < 60


def test_nobody_listens():
    got = crisp_get(f"http://127.0.0.1:{world.free_port()}/v1")
    assert got.code == UNAVAILABLE and got.tries() == 3
    assert "127.0.0.1 cannot be reached" in got.message


# ---- time ----


@pytest.mark.parametrize("kind", ["stall", "stall-body"])
def test_a_stall_is_given_up(sandbox, kind):
    sandbox.fault("website", kind, count=1)
    got = crisp_get(sandbox, "--stall-ms", 300)
    assert got.code == OK and got.json["retries"] == 1 and got.took_s < 20
    (first, _) = got.logged("http request finished", "website/{id}")
    assert 0.3 <= first["took"] < 10


def test_a_stall_that_stays(sandbox):
    sandbox.fault("website", "stall-body", after=10)
    got = crisp_get(sandbox, "--stall-ms", 200)
    assert got.code == UNAVAILABLE and asked(sandbox, "website") == 3
    assert "stopped sending" in got.message and "(3 tries)" in got.message


def test_a_trickle_is_no_stall_but_has_a_limit(sandbox):
    sandbox.fault("website", "slow", bytes=1, every_ms=100)
    got = crisp_get(sandbox, "--stall-ms", 900, timeout_s=1)
    assert got.code == UNAVAILABLE and got.tries() == 3
    assert "did not answer in time" in got.message
    assert all(0.9 <= e["took"] <= 5 for e in got.logged("http request finished", "website/{id}"))


def test_a_slow_answer_is_waited_for(sandbox):
    sandbox.fault(LIST, "slow", bytes=200, every_ms=20)
    got = crisp_get(sandbox, "--stall-ms", 2000)
    assert got.team_error["name"] == "OK" and got.json["count"] == 6


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind, path", [("stall", "website"), ("stall-body", LIST), (429, LIST)])
def test_signals_stop_at_once(sandbox, signum, kind, path):
    """While waiting for an answer, for the rest of one, and for another try."""
    sandbox.fault(path, kind)
    process = subprocess.Popen(
        world.command(sandbox, retry_unit_ms=1000), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    sandbox.wait_for_requests(1, path)
    if kind == 429:
        assert any("retrying operation" in line for line in process.stderr)
    began = time.monotonic()
    process.send_signal(signum)
    out, err = process.communicate(timeout=world.PATIENCE_S)
    assert time.monotonic() - began < (10 if world.is_sanitized() else 1)
    assert process.returncode == CANCELLED and '"Canceled"' in out
    world.check_no_secret(out + err)


@pytest.mark.release  # a sanitizer's library must be loaded first
def test_signals_stop_also_while_a_name_is_looked_up():
    env = world.clean_environment({"LD_PRELOAD": str(world.program().with_name("slow-resolver.so"))})
    process = subprocess.Popen(
        world.command("https://crisp.test/v1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    said = iter(process.stderr.readline, "")
    assert any(line == "slow-resolver: crisp.test\n" for line in said), "nobody was asked"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=world.PATIENCE_S)
    assert time.monotonic() - began < 1
    assert process.returncode == CANCELLED and '"Canceled"' in out


# ---- answers that are not what they should be: internal errors, one request ----


WRONG = [
    ("not-json", {}, "not JSON"),
    ("no-data", {}, "`data` is missing"),
    ("data-type", {"type": "string"}, "`data` is a string"),
    ("data-type", {"type": "null"}, "`data` is null"),
    ("error-true", {}, "`error` is true"),
    ("bad-utf8", {}, "not UTF-8"),
    ("truncate", {}, "breaks off"),
    ("deep", {}, ""),
    ("huge-string", {}, ""),
    ("none", {"body": ""}, "an empty body"),
    ("none", {"body": "{\"data\":"}, "breaks off"),
    (204, {}, "an empty body"),
]


@pytest.mark.parametrize("path", ["website", LIST])
@pytest.mark.parametrize("kind, params, words", WRONG, ids=[str(w[0]) + str(i) for i, w in enumerate(WRONG)])
def test_wrong_answers_are_internal_errors(sandbox, path, kind, params, words):
    sandbox.fault(path, kind, **params)
    got = crisp_get(sandbox)
    error = got.error if path == "website" else got.team_error
    assert error["code"] == INTERNAL
    assert "unexpected answer from Crisp" in error["message"] and words in error["message"]
    assert asked(sandbox, path) == 1
    if path == LIST:
        assert got.code == OK and got.operators == []


def test_an_object_is_no_list_and_a_list_no_object(sandbox):
    sandbox.fault(LIST, "data-type", type="object")
    assert "`data` is an object, not a list" in crisp_get(sandbox).team_error["message"]
    sandbox.fault("website", "data-type", type="array")
    assert "`data` is a list, not an object" in crisp_get(sandbox).message


def test_another_website_is_not_taken(sandbox):
    sandbox.fault("website", "wrong-site")
    got = crisp_get(sandbox)
    assert got.code == INTERNAL and "another website" in got.message and got.operators is None


def test_the_id_is_compared_without_case(sandbox):
    sandbox.fault("website", "wrong-site", website_id=world.WEBSITE_ID.upper())
    assert crisp_get(sandbox).code == OK


def test_an_empty_list_and_an_odd_one_are_passed_on(sandbox):
    sandbox.fixture(LIST, "operators_list_200_empty.json")
    got = crisp_get(sandbox)
    assert got.code == OK and got.team_error["name"] == "OK" and got.operators == []
    sandbox.fixture(LIST, "operators_list_200_edge.json")
    got = crisp_get(sandbox)
    assert (got.json["count"], got.json["invitations"], got.json["without_id"]) == (10, 0, 2)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (600 * 1024 * 1024,) * 2)


@pytest.mark.release  # a sanitizer needs more memory than the limit
def test_an_endless_list_ends(sandbox):
    sandbox.fault(LIST, "endless")
    process = subprocess.run(
        world.command(sandbox), capture_output=True, text=True, timeout=world.PATIENCE_S, preexec_fn=limit_memory
    )
    got = world.Got(process.returncode, process.stdout, process.stderr, 0)
    assert got.code == OK and got.team_error["code"] == INTERNAL


def test_a_gzip_bomb_is_stopped():
    bomb = gzip.compress(b'{"data":{"website_id":"' + b"x" * 20_000_000 + b'"}}')
    packed = answer(bomb, headers=["Content-Encoding: gzip"])
    assert len(packed) < 1_000_000
    with Server(respond=lambda head: packed) as server:
        got = crisp_get(server)
    assert got.code == INTERNAL and "too big" in got.message and got.tries() == 1


def test_broken_gzip_is_no_answer():
    with Server(respond=lambda head: answer(b"not gzip", headers=["Content-Encoding: gzip"])) as server:
        got = crisp_get(server)
    assert got.code == UNAVAILABLE and got.tries() == 1


def test_something_else_than_http():
    with Server(respond=lambda head: b"SSH-2.0-OpenSSH_9.2\r\n") as server:
        got = crisp_get(server)
    assert got.code == UNAVAILABLE and "web server" in got.message
    assert "OpenSSH" not in got.out + got.err


def test_a_closed_connection_is_tried_again():
    with Server(respond=lambda head: b"") as server:
        server._handle = lambda connection: world.read_head(connection)
        got = crisp_get(server)
        assert got.code == UNAVAILABLE and got.tries() == 3


def test_a_large_error_body_is_cut_but_the_status_counts():
    page = b"<html>" + b"x" * 5_000_000
    with Server(respond=lambda head: answer(page, "401 Unauthorized")) as server:
        got = crisp_get(server)
    assert got.code == UNAUTHENTICATED and "xxx" not in got.out + got.err


# ---- redirects and addresses ----


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with Server() as other:
        location = f"Location: http://localhost:{other.port}/elsewhere?token=x"
        with Server(respond=lambda head: answer(b"", f"{status} Moved", [location])) as server:
            got = crisp_get(server)
        assert got.code == INTERNAL and "a redirect to localhost, which is not followed" in got.message
        assert got.tries() == 1 and "token=x" not in got.out + got.err
        assert other.connections == 0


def test_a_redirect_to_the_same_host_is_not_followed_either(sandbox):
    sandbox.fault("website", "redirect", location=sandbox.base_url + "/elsewhere")
    got = crisp_get(sandbox)
    assert got.code == INTERNAL and asked(sandbox, "elsewhere") == 0


def test_a_redirect_to_an_odd_place_is_not_repeated():
    evil = ["Location: https://user:pw@evil\x1b[31m.example/"]
    with Server(respond=lambda head: answer(b"", "302 Found", evil)) as server:
        got = crisp_get(server)
    assert got.code == INTERNAL and "evil" not in got.out + got.err


@pytest.mark.parametrize("url", ["http://api.crisp.chat/v1", "http://10.0.0.1/v1", "http://127.0.0.1@evil.example/"])
def test_plain_http_is_for_loopback_only(url):
    got = crisp_get(url)
    assert got.code == INVALID_ARGUMENT and got.tries() == 0


def test_a_netrc_is_not_read(tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login stranger password stranger-password\n")
    with Server() as server:
        assert crisp_get(server, env={"HOME": str(tmp_path)}).code == OK
        assert all(world.AUTHORIZATION.encode() in head for head in server.heads)


def test_loopback_needs_no_proxy():
    with Server() as proxy, Server() as server:
        url = f"http://127.0.0.1:{proxy.port}"
        env = {name: url for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
        assert crisp_get(server, env=env).code == OK
        assert proxy.connections == 0

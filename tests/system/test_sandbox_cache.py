"""The behaviour of the cache in front of Crisp's API (bloom), copied with --cache."""

import re

import pytest

LIST = "operators/list"


@pytest.fixture
def cached(start_sandbox):
    return start_sandbox("--cache")


def bloom(answer):
    return answer.headers["Bloom-Status"]


def test_without_cache_everything_is_direct(sandbox):
    for _ in range(2):
        answer = sandbox.get(sandbox.site())
        assert bloom(answer) == "DIRECT"
        assert answer.headers["ETag"] is None


def test_miss_then_hit(cached):
    first, second = (cached.get(cached.site(LIST)) for _ in range(2))
    assert (bloom(first), bloom(second)) == ("MISS", "HIT")
    assert first.body == second.body
    assert first.headers["ETag"] == second.headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{1,16}"', first.headers["ETag"])
    assert first.headers["Vary"] == second.headers["Vary"] == "ETag"
    assert second.headers["Content-Type"] == "application/json; charset=utf-8"


def test_change_shows_when_the_entry_is_old(cached):
    path = cached.site(LIST)
    old = cached.get(path).body
    cached.add_operator(email="late@example.com")
    assert cached.get(path).body == old
    cached.advance_clock(599)
    assert bloom(cached.get(path)) == "HIT"
    cached.advance_clock(1)
    answer = cached.get(path)
    assert bloom(answer) == "MISS"
    assert b"late@example.com" in answer.body


def test_writes_are_direct_and_leave_the_cache_alone(cached):
    cached.get(cached.site("settings"))
    answer = cached.request("PATCH", cached.site("settings"), {"name": "New"})
    assert (answer.status, bloom(answer)) == (200, "DIRECT")
    assert cached.get(cached.site("settings")).data["name"] != "New"


def test_wrong_tier_stays_refused(cached):
    headers = {**cached.auth(), "X-Crisp-Tier": "website"}
    path = cached.site(LIST)
    assert cached.get(path, tier=None, headers=headers).status == 401
    answer = cached.get(path)
    assert (answer.status, answer.reason, bloom(answer)) == (401, "invalid_session", "HIT")
    assert cached.get(path, tier="website").status == 200
    cached.advance_clock(600)
    assert cached.get(path).status == 200


def test_not_subscribed_stays_after_the_installation(cached):
    site = "5f0c1a2b-1111-4222-8333-abcdef000003"
    path = cached.site(LIST, website_id=site)
    assert cached.get(path).status == 404
    cached.change(websites={site: {"plugin_installed": True}})
    assert (cached.get(path).status, bloom(cached.get(path))) == (404, "HIT")
    cached.admin("DELETE", "cache")
    assert cached.get(path).status == 200


@pytest.mark.parametrize("status", [400, 403, 420, 429, 500, 503])
def test_statuses_that_are_not_kept(cached, status):
    cached.fault(LIST, status, count=1)
    first, second = (cached.get(cached.site(LIST)) for _ in range(2))
    assert (first.status, bloom(first), first.headers["ETag"]) == (status, "DIRECT", None)
    assert (second.status, bloom(second)) == (200, "MISS")


@pytest.mark.parametrize("status", [401, 404, 206])
def test_statuses_that_are_kept(cached, status):
    cached.fault(LIST, status, count=1)
    first, second = (cached.get(cached.site(LIST)) for _ in range(2))
    assert (first.status, bloom(first)) == (status, "MISS")
    assert (second.status, bloom(second)) == (status, "HIT")


def test_not_modified(cached):
    path = cached.site(LIST)
    etag = cached.get(path).headers["ETag"]
    for value in (etag, etag.strip('"'), "W/" + etag, f'"zz", {etag}', "*"):
        answer = cached.get(path, headers={"If-None-Match": value})
        assert (answer.status, answer.body, bloom(answer)) == (304, b"", "HIT")
        assert answer.headers["ETag"] == etag
    for value in ('"zz"', "", "W/", etag + "0"):
        assert cached.get(path, headers={"If-None-Match": value}).status == 200


def test_if_none_match_means_nothing_on_a_miss(cached):
    answer = cached.get(cached.site(LIST), headers={"If-None-Match": "*"})
    assert (answer.status, bloom(answer)) == (200, "MISS")


def test_key_of_an_entry(cached):
    path = cached.site(LIST)
    cached.get(path)
    assert bloom(cached.get(path, tier="website")) == "MISS"
    assert bloom(cached.get(path + "?a=1")) == "MISS"
    assert bloom(cached.get(path, headers={"Origin": "https://app.example.com"})) == "MISS"
    assert bloom(cached.get(path, headers={"User-Agent": "other"})) == "HIT"


def test_hits_cost_no_quota(start_sandbox):
    crisp = start_sandbox("--cache", "--quota", 1)
    assert [crisp.get(crisp.site()).status for _ in range(5)] == [200] * 5
    assert crisp.get(crisp.site(LIST)).status == 429


def test_lifetime_is_an_option(start_sandbox):
    crisp = start_sandbox("--cache-ttl", 5)
    crisp.get(crisp.site())
    crisp.advance_clock(4)
    assert bloom(crisp.get(crisp.site())) == "HIT"
    crisp.advance_clock(1)
    assert bloom(crisp.get(crisp.site())) == "MISS"


def test_offline_says_so(cached):
    cached.fault(LIST, "offline", count=1)
    assert bloom(cached.get(cached.site(LIST))) == "OFFLINE"
    assert bloom(cached.get(cached.site(LIST))) == "MISS"


def test_answers_that_break_off_are_not_kept(cached):
    cached.fault("website", "slow", bytes=64, every_ms=1, count=1)
    cached.fault(LIST, "reset", count=1)
    assert bloom(cached.get(cached.site())) == "MISS"
    with pytest.raises(ConnectionResetError):
        cached.get(cached.site(LIST))
    assert bloom(cached.get(cached.site(LIST))) == "MISS"


def test_at_most_so_many_entries(cached):
    for i in range(300):
        cached.get(f"/v1/nothing/{i}")
    assert cached.state()["cache"]["entries"] == 256
    assert bloom(cached.get("/v1/nothing/299")) == "HIT"
    assert bloom(cached.get("/v1/nothing/0")) == "MISS"

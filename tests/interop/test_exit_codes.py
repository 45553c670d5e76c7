"""Exit codes beside refconnector's, for what Crisp may answer. Where ours differ, docs/compatibility.md
says why; no other difference is allowed."""

import pytest

from world import OURS, REFERENCE, baton_json, syncs

# gRPC status numbers
INVALID, NOT_FOUND, CONFLICT, DENIED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = 3, 5, 6, 7, 12, 13, 14, 16


def code_of(connector, sandbox, path):
    """The exit code, or the one that the SDK meant to give (see lost_its_code)."""
    for _ in range(5):
        result = connector.sync(sandbox, path)
        if not connector.lost_its_code(result):
            break
    return result.code


@pytest.mark.parametrize(
    "status, code",
    [(400, INVALID), (401, UNAUTHENTICATED), (403, DENIED), (404, NOT_FOUND), (422, INVALID)],
)
def test_refused_website_ends_both_alike(status, code, sandbox, tmp_path):
    sandbox.fault("website", status)
    for connector in (OURS, REFERENCE):
        path = tmp_path / (connector.name + ".c1z")
        assert code_of(connector, sandbox, path) == code, connector.name
        assert not path.exists(), connector.name


@pytest.mark.parametrize("status, code", [(400, INVALID), (401, UNAUTHENTICATED), (403, DENIED), (422, INVALID)])
def test_refused_list_ends_both_alike(status, code, sandbox, tmp_path):
    sandbox.fault("operators/list", status)
    for connector in (OURS, REFERENCE):
        path = tmp_path / (connector.name + ".c1z")
        assert code_of(connector, sandbox, path) == code, connector.name
        assert ["endedAt" in s for s in syncs(path)] == [False], connector.name


def test_persistent_server_error_ends_both_alike(sandbox, tmp_path):
    sandbox.fault("website", 503)
    for connector in (OURS, REFERENCE):
        path = tmp_path / (connector.name + ".c1z")
        assert code_of(connector, sandbox, path) == UNAVAILABLE, connector.name
        assert not path.exists()


def test_wrong_settings_end_both_alike(sandbox, tmp_path):
    path = tmp_path / "no.c1z"
    for connector in (OURS, REFERENCE):
        bad = connector.sync(sandbox, path, env={"BATON_CRISP_API_KEY": ""})
        assert bad.code == 2
        assert bad.last_line == 'required flag(s) "crisp-api-key" not set'
        assert connector.sync(sandbox, path, "--no-such-flag").last_line == "unknown flag: --no-such-flag"
    garbage = tmp_path / "garbage.c1z"
    garbage.write_bytes(b"not a c1z")
    for connector in (OURS, REFERENCE):
        result = connector.sync(sandbox, garbage)
        assert result.code == 2
        assert "c1z: invalid file" in result.last_line
        assert garbage.read_bytes() == b"not a c1z"


# Differences.


def test_lost_website_is_no_empty_team(sandbox, tmp_path):
    """404 on the list: the SDK warns and publishes a team without operators, with exit code 0."""
    sandbox.fault("operators/list", 404)
    ours, theirs = tmp_path / "ours.c1z", tmp_path / "theirs.c1z"
    assert code_of(OURS, sandbox, ours) == NOT_FOUND
    assert code_of(REFERENCE, sandbox, theirs) == 0
    assert baton_json(theirs, "resources", "-t", "operator") == {}
    assert ours.exists() is False or ["endedAt" in s for s in syncs(ours)] == [False]


def test_empty_list_is_no_empty_team(sandbox, tmp_path):
    sandbox.fault("operators/list", "empty")
    ours, theirs = tmp_path / "ours.c1z", tmp_path / "theirs.c1z"
    assert code_of(OURS, sandbox, ours) == INTERNAL
    assert not ours.exists()
    assert code_of(REFERENCE, sandbox, theirs) == 0


@pytest.mark.parametrize(
    "status, ours, theirs",
    [
        (409, INVALID, CONFLICT),  # Crisp answers writes with it; to a read it says that something is wrong
        (420, UNAVAILABLE, INVALID),  # Crisp means 429 by it; the SDK does not know it
        (501, UNAVAILABLE, UNIMPLEMENTED),  # to a read, server trouble like every 5xx
    ],
)
def test_other_readings_of_a_status(status, ours, theirs, sandbox, tmp_path):
    # What would be waited for is given up: longer than a minute.
    sandbox.fault("website", "status", status=status, retry_after=3600)
    assert code_of(OURS, sandbox, tmp_path / "ours.c1z") == ours
    assert code_of(REFERENCE, sandbox, tmp_path / "theirs.c1z") == theirs

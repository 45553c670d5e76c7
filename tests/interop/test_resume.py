"""Each side goes on with the other's file: appends to it, keeps to the retention, and continues an
unfinished sync under its old id. An unfinished sync never publishes who has left since."""

import pytest

from world import MODEL, OURS, REFERENCE, baton_json, comparable, inspect, resource_ids, syncs

SIDES = pytest.mark.parametrize("first, second", [(OURS, REFERENCE), (REFERENCE, OURS)], ids=["ours-theirs", "theirs-ours"])


def is_v1(path):
    return path.read_bytes()[:5] == b"C1ZF\0"


@SIDES
def test_second_sync_is_appended(first, second, sandbox, tmp_path):
    path = tmp_path / "both.c1z"
    first.must_sync(sandbox, path)
    (before,) = syncs(path)
    second.must_sync(sandbox, path)
    assert is_v1(path)
    assert len(syncs(path)) == 2
    assert syncs(path)[0] == before
    old_rows = baton_json(path, "resources", "--sync-id", before["id"])
    assert sorted(r["resource"]["id"]["resource"] for r in old_rows["resources"]) == resource_ids(path)
    assert inspect(path, "who").code == 0


@SIDES
def test_two_finished_syncs_remain(first, second, sandbox, tmp_path):
    path = tmp_path / "both.c1z"
    seen = []
    for connector in (first, second, first, second, second):
        connector.must_sync(sandbox, path)
        seen.append(syncs(path)[-1]["id"])
        assert [s["id"] for s in syncs(path)] == seen[-2:]
        assert all(s["syncType"] == "full" and s["endedAt"] for s in syncs(path))


@SIDES
def test_retention_follows_the_environment(first, second, sandbox, tmp_path):
    path = tmp_path / "both.c1z"
    for connector in (first, second, first, second):
        connector.must_sync(sandbox, path, env={"BATON_KEEP_SYNC_COUNT": "3"})
    assert len(syncs(path)) == 3
    second.must_sync(sandbox, path, env={"BATON_SKIP_CLEANUP": "true"})
    assert len(syncs(path)) == 4


@SIDES
def test_unfinished_sync_is_continued_by_the_other(first, second, sandbox, tmp_path):
    path = tmp_path / "unfinished.c1z"
    sandbox.fault("operators/list", 403)
    first.must_fail(7, sandbox, path)
    (unfinished,) = syncs(path)
    assert "endedAt" not in unfinished
    sandbox.clear_faults()
    result = second.must_sync(sandbox, path)
    assert [line["sync_id"] for line in result.logged("resumed previous sync")] == [unfinished["id"]]
    (finished,) = syncs(path)
    assert finished["id"] == unfinished["id"]
    assert finished["startedAt"] == unfinished["startedAt"]
    assert finished["endedAt"]
    # The same as without the interruption.
    plain = tmp_path / "plain.c1z"
    second.must_sync(sandbox, plain)
    for command in ("resource-types", "resources", "entitlements", "grants"):
        assert comparable(baton_json(path, command)) == comparable(baton_json(plain, command))


@pytest.mark.parametrize("connector", [MODEL, OURS], ids=lambda c: c.name)
def test_we_do_not_publish_who_left_since(connector, sandbox, tmp_path):
    """The unfinished sync holds an operator whom Crisp no longer lists when it is continued."""
    path = tmp_path / "unfinished.c1z"
    if connector is MODEL:
        MODEL.must_fail(7, sandbox, path, "--refuse-grants")
        gone = resource_ids(path, "-t", "operator")[0]
    else:
        sandbox.fault("operators/list", 403)
        OURS.must_fail(7, sandbox, path)
        gone = sandbox.operators()[0]["details"]["user_id"]
    (unfinished,) = syncs(path)
    sandbox.clear_faults()
    sandbox.remove_operator(gone)
    result = OURS.must_sync(sandbox, path)
    assert result.logged("resumed previous sync")
    assert [s["id"] for s in syncs(path)] == [unfinished["id"]]
    assert gone not in resource_ids(path)
    assert gone not in str(baton_json(path, "grants"))
    assert gone not in str(baton_json(path, "principals"))
    plain = tmp_path / "plain.c1z"
    OURS.must_sync(sandbox, plain)
    assert resource_ids(path) == resource_ids(plain)
    assert baton_json(path, "stats")["stats"] == baton_json(plain, "stats")["stats"]


def test_unfinished_sync_stands_behind_finished_ones(sandbox, tmp_path):
    path = tmp_path / "both.c1z"
    OURS.must_sync(sandbox, path)
    REFERENCE.must_sync(sandbox, path)
    before = syncs(path)
    readable = baton_json(path, "grants")
    sandbox.fault("operators/list", 403)
    OURS.must_fail(7, sandbox, path)
    assert syncs(path)[:2] == before
    assert "endedAt" not in syncs(path)[2]
    # Readers still see the newest finished one.
    assert baton_json(path, "grants") == readable
    sandbox.clear_faults()
    REFERENCE.must_sync(sandbox, path)
    assert [s["id"] for s in syncs(path)] == [before[1]["id"], syncs(path)[1]["id"]]
    assert all(s["endedAt"] for s in syncs(path))

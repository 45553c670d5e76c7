"""What ConductorOne's command line tool (SDK v0.25) prints of our file is what it prints of the file
that the same model writes on ConductorOne's own SDK, and its maintenance commands accept ours."""

import contextlib
import csv
import json
import sqlite3

import pytest

from world import LISTS, MODEL, OURS, READS, baton, baton_json, comparable, resource_ids, syncs

NO_CHANGE = {"resources": {}, "entitlements": {}, "grants": {}}


def seeded(start):
    return start()


def three(start):
    return start("--operators", "3")


def many(start):
    # The SDK's connector lists a thousand at a time: pages, and an uneven last one.
    return start("--operators", "2345")


def odd(start):
    sandbox = start()
    sandbox.fault("operators/list", "edge")
    return sandbox


def blank_website(start):
    sandbox = start("--operators", "3")
    sandbox.change(website={"name": " ", "logo": None})
    return sandbox


TEAMS = [seeded, three, many, odd, blank_website]


@pytest.fixture(scope="module", params=TEAMS, ids=lambda team: team.__name__)
def pair(request, start_for_module, tmp_path_factory):
    """Our file and the model connector's, each with two syncs of the same website. Only read."""
    sandbox = request.param(start_for_module)
    files = []
    for connector in (OURS, MODEL):
        path = tmp_path_factory.mktemp("pair") / (connector.name + ".c1z")
        for _ in range(2):
            connector.must_sync(sandbox, path)
        files.append(path)
    return files


def assert_same(pair, *args):
    ours, theirs = (comparable(baton_json(path, *args)) for path in pair)
    assert ours == theirs
    assert ours


def test_lists_and_stats_are_equal(pair):
    for command in READS:
        assert_same(pair, command)
    for command in ("resources", "grants"):
        assert_same(pair, command, "--resource-type", "website")
    assert_same(pair, "resources", "--resource-type", "operator")


def test_filters_by_entitlement_and_resource_are_equal(pair):
    website = resource_ids(pair[0], "-t", "website")[0]
    entitlement = f"website:{website}:owner"
    assert_same(pair, "grants", "--entitlement", entitlement)
    assert_same(pair, "grants", "-t", "website", "-r", website)
    assert_same(pair, "principals", "-e", entitlement)


def test_access_of_a_principal_is_equal(pair):
    for user in resource_ids(pair[0], "-t", "operator")[:3]:
        assert_same(pair, "access", "-t", "operator", "-r", user)


def test_csv_export_is_equal(pair, tmp_path):
    rows = []
    for path in pair:
        out = tmp_path / (path.name + ".csv")
        result = baton(path, "export", "csv", "--out", out)
        assert result.code == 0, result.err
        with open(out, newline="") as file:
            rows.append(sorted(csv.reader(file)))
    assert rows[0] == rows[1]
    assert len(rows[0]) > 4


def test_no_placeholder_stands_for_a_missing_row(pair):
    for command in LISTS:
        assert "MISSING" not in json.dumps(baton_json(pair[0], command))


def test_diff_of_unchanged_syncs_is_empty(pair):
    assert baton_json(pair[0], "diff") == NO_CHANGE


# The diff command compares bytes of packed messages, and the SDK writes a profile's keys in random
# order: its own two syncs of the same team differ. Ours do not, so one change is seen as one.


def user_ids(diff, kind, verb):
    return [r["id"]["resource"] for r in diff[kind].get(verb, [])]


def test_diff_shows_one_change_of_a_title(sandbox, ours):
    user = resource_ids(ours, "-t", "operator")[0]
    sandbox.change_operator(user, title="Changed title")
    OURS.must_sync(sandbox, ours)
    diff = baton_json(ours, "diff")
    assert user_ids(diff, "resources", "modified") == [user]
    assert diff["resources"]["modified"][0]["profile"]["title"] == "Changed title"
    assert {**diff, "resources": {}} == NO_CHANGE
    assert list(diff["resources"]) == ["modified"]


def test_diff_shows_one_arrival_and_one_departure(sandbox, ours):
    gone = resource_ids(ours, "-t", "operator")[0]
    new = "0b000000-0000-4000-8000-0000000000aa"
    sandbox.remove_operator(gone)
    sandbox.add_operator(user_id=new, email="new@example.com", first_name="New", last_name="Comer", role="member")
    OURS.must_sync(sandbox, ours)
    diff = baton_json(ours, "diff")
    assert user_ids(diff, "resources", "created") == [new]
    assert user_ids(diff, "resources", "deleted") == [gone]
    assert [g["principal"]["id"]["resource"] for g in diff["grants"]["created"]] == [new]
    assert [g["principal"]["id"]["resource"] for g in diff["grants"]["deleted"]] == [gone]
    assert set(diff["resources"]) == set(diff["grants"]) == {"created", "deleted"}
    assert diff["entitlements"] == {}


def test_recalculate_stats_agrees_with_the_stored_ones(ours):
    before = baton_json(ours, "stats")
    result = baton(ours, "recalculate-stats")
    assert result.code == 0, result.err
    assert baton_json(ours, "stats") == before
    assert int(before["stats"]["grants"]) > 0


def test_optimize_keeps_everything(ours):
    before = {command: baton_json(ours, command) for command in READS}
    result = baton(ours, "optimize")
    assert result.code == 0, result.err
    assert {command: baton_json(ours, command) for command in READS} == before


@pytest.mark.parametrize("team", [(), ("--operators", "12345")], ids=["seeded", "many"])
def test_dumped_database_is_sound(team, start, tmp_path):
    sandbox = start(*team)
    path, dump = tmp_path / "ours.c1z", tmp_path / "dump.db"
    for _ in range(4):  # new, appended to, twice with an old sync dropped
        OURS.must_sync(sandbox, path)
        dump.unlink(missing_ok=True)
        result = baton(path, "dump-db", "--out", dump)
        assert result.code == 0, result.err
        with contextlib.closing(sqlite3.connect(dump)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("SELECT count(*) FROM v1_grants").fetchone()[0] > 0


def test_to_pebble_carries_every_row(ours, tmp_path):
    pebble = tmp_path / "pebble.c1z"
    result = baton(ours, "to-pebble", "--out", pebble)
    assert result.code == 0, result.err
    assert pebble.read_bytes()[:5] == b"C1Z3\0"
    assert resource_ids(pebble) == resource_ids(ours)
    stats = [baton_json(path, "stats")["stats"] for path in (ours, pebble)]
    for count in ("resourceTypes", "resources", "entitlements", "grants"):
        assert stats[0][count] == stats[1][count]
    assert comparable(baton_json(pebble, "resources")) == comparable(baton_json(ours, "resources"))


def test_export_c1z_makes_a_file_of_one_sync(sandbox, ours, tmp_path):
    OURS.must_sync(sandbox, ours)
    out = tmp_path / "one.c1z"
    result = baton(ours, "export", "c1z", "--out", out)
    assert result.code == 0, result.err
    assert len(syncs(ours)) == 2 and len(syncs(out)) == 1
    assert resource_ids(out) == resource_ids(ours)

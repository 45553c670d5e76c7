"""baton-inspect prints, as JSON, what ConductorOne's command line tool prints: of our files, of files
that the SDK wrote, and of every golden file. Rows in the same order, where the tool has one."""

import csv
import json
import shutil

import pytest

from world import GOLDEN, MODEL, OURS, READS, REFERENCE, baton, comparable, inspect, resource_ids, syncs

ACCEPTED = sorted(GOLDEN.glob("*.v1.c1z")) + sorted((GOLDEN / "accept").glob("*.c1z"))
REJECTED = sorted((GOLDEN / "reject").glob("*.c1z"))


def assert_same(path, *args, order=lambda answer: answer):
    real = baton(path, "-o", "json", *args)
    ours = inspect(path, "-o", "json", *args)
    assert (real.code == 0) == (ours.code == 0), f"{args}: {real.err}\n{ours.err}"
    if real.code != 0:
        return
    try:
        expected = json.loads(real.out)
    except ValueError:
        # Said in words, the real tool's in colour.
        assert "No finished sync found in the c1z" in real.out
        assert "No finished sync found in the c1z" in ours.out
        return
    assert order(json.loads(ours.out)) == order(expected)


def csv_rows(tool, path, out):
    result = tool(path, "export", "csv", "--out", out)
    assert result.code == 0, result.err
    with open(out, newline="") as file:
        header, *rows = csv.reader(file)
    return header, sorted(rows)


def assert_same_reads(path):
    for command in READS:
        assert_same(path, command)


@pytest.mark.parametrize("golden", ACCEPTED, ids=lambda p: p.name)
def test_golden_file(golden, tmp_path):
    path = tmp_path / golden.name
    shutil.copyfile(golden, path)
    assert_same_reads(path)


@pytest.mark.parametrize("golden", REJECTED, ids=lambda p: p.name)
def test_broken_golden_file_is_refused_by_both(golden, tmp_path):
    path = tmp_path / golden.name
    shutil.copyfile(golden, path)
    assert inspect(path, "resources").code != 0
    assert_same(path, "resources")


@pytest.mark.parametrize("connector", [OURS, MODEL, REFERENCE], ids=lambda c: c.name)
@pytest.mark.parametrize("team", [(), ("--operators", "2345")], ids=["seeded", "many"])
def test_written_file(connector, team, start, tmp_path):
    sandbox = start(*team)
    path = tmp_path / "file.c1z"
    connector.must_sync(sandbox, path)
    connector.must_sync(sandbox, path)
    assert_same_reads(path)
    website = resource_ids(path, "-t", "website")[0]
    user = resource_ids(path, "-t", "operator")[0]
    first = syncs(path)[0]["id"]
    for args in [
        ("resources", "-t", "operator"),
        ("resources", "-t", "website"),
        ("resources", "-t", "no-such-type"),
        ("entitlements", "-t", "website"),
        ("grants", "-t", "website"),
        ("grants", "-t", "website", "-r", website),
        ("grants", "-e", f"website:{website}:owner"),
        ("grants", "-e", "no-such-entitlement"),
        ("principals", "-t", "website", "-r", website),
        ("principals", "-e", f"website:{website}:owner"),
        ("resources", "--sync-id", first),
        ("grants", "--sync-id", first),
        ("principals", "-t", "operator", "-r", user),
    ]:
        assert_same(path, *args)


@pytest.mark.parametrize("connector", [OURS, MODEL, REFERENCE], ids=lambda c: c.name)
def test_reads_without_an_order(connector, sandbox, tmp_path):
    path = tmp_path / "file.c1z"
    connector.must_sync(sandbox, path)
    website = resource_ids(path, "-t", "website")[0]
    gone, promoted, *rest = resource_ids(path, "-t", "operator")
    sandbox.remove_operator(gone)
    sandbox.change_operator(promoted, role="owner", title="Promoted")
    sandbox.add_operator(user_id="0b000000-0000-4000-8000-0000000000aa", email="n@example.com", role="member")
    connector.must_sync(sandbox, path)
    assert_same(path, "diff", order=comparable)
    for user in (promoted, rest[0]):
        assert_same(path, "access", "-t", "operator", "-r", user, order=comparable)
    owner, member = (f"website:{website}:{role}" for role in ("owner", "member"))
    assert_same(
        path, "principals", "compare", "-e", owner, "--compare-file", path, "--compare-entitlement", member,
        order=lambda answer: {k: comparable(v, "resources") for k, v in answer.items()},
    )
    exports = [csv_rows(tool, path, tmp_path / "out.csv") for tool in (baton, inspect)]
    assert exports[0] == exports[1]
    assert len(exports[0][1]) > 5


def test_unfinished_file_of_ours(sandbox, tmp_path):
    path = tmp_path / "unfinished.c1z"
    sandbox.fault("operators/list", 403)
    OURS.must_fail(7, sandbox, path)
    assert_same_reads(path)


def test_unfinished_file_of_theirs(sandbox, tmp_path):
    path = tmp_path / "unfinished.c1z"
    MODEL.must_fail(7, sandbox, path, "--refuse-grants")
    assert_same_reads(path)

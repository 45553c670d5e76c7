"""`baton-inspect who` never takes a sync that holds no grants for one where nobody has access."""

import json

import pytest

import connector
from c1zfile import GOLDEN, C1z
from test_inspect import inspect  # noqa: F401 (a fixture)

FULL, OTHER = "A" * 27, "B" * 27


def refusal(inspect, file, *args):
    """The one line that `who` says; the same for people and for programs."""
    told = {inspect("who", "-f", file, *args, *form, code=2).stderr for form in ([], ["-o", "json"])}
    outs = {inspect("who", "-f", file, *args, *form, code=2).stdout for form in ([], ["-o", "json"])}
    (line,) = told
    assert outs == {""} and line.count("\n") == 1 and line.count(str(file)) == 1
    return line


def with_a_team(c):
    c.website()
    c.user("1", "Ada")
    c.grant("website", "w", "owner", "1")
    return c


# ---- what baton-crisp writes ----


def test_who_after_a_sync_of_resources_only(inspect, sandbox, tmp_path):
    run = connector.sync(sandbox, tmp_path, "--skip-entitlements-and-grants")
    assert run.code == 0, run.stderr
    assert ("this sync did not read grants: run baton-crisp without --skip-entitlements-and-grants"
            in refusal(inspect, run.file))


def test_who_prefers_a_full_sync_to_a_newer_one_of_resources_only(inspect, sandbox, tmp_path):
    file = connector.sync(sandbox, tmp_path).file
    before = inspect("who", "-f", file).stdout
    assert "can read the customer conversations" in before
    assert connector.sync(sandbox, tmp_path, "--skip-entitlements-and-grants").code == 0
    full, newer = connector.runs(file)
    assert (full["sync_type"], newer["sync_type"]) == ("full", "resources_only")
    assert inspect("who", "-f", file).stdout == before
    assert inspect("who", "-f", file, "--sync-id", full["sync_id"]).stdout == before
    assert "did not read grants" in refusal(inspect, file, "--sync-id", newer["sync_id"])


def test_who_after_a_sync_of_websites_only(inspect, sandbox, tmp_path):
    run = connector.sync(sandbox, tmp_path, "--sync-resource-types", "website")
    assert run.code == 0, run.stderr
    assert ("this sync did not read operators: run baton-crisp without --sync-resource-types"
            in refusal(inspect, run.file))


def test_who_after_a_sync_that_ended_early(inspect, sandbox, tmp_path):
    sandbox.fault("operators/list", 401)
    run = connector.sync(sandbox, tmp_path)
    assert run.code != 0
    (only,) = connector.runs(run.file)
    assert only["ended_at"] is None
    assert "no finished sync" in refusal(inspect, run.file)
    assert "ended early" in refusal(inspect, run.file, "--sync-id", only["sync_id"])


def test_who_counts_operators_of_an_unknown_role(inspect, sandbox, tmp_path):
    for i in range(2):
        sandbox.add_operator(email=f"new{i}@acme.example", first_name="New", last_name=str(i),
                             role="astronaut")
    file = connector.sync(sandbox, tmp_path).file
    out = json.loads(inspect("who", "-f", file, "-o", "json").stdout)
    counts = out["counts"]
    assert [p["name"] for p in out["people"] if not p["roles"]] == ["New 0", "New 1"]
    assert counts["withoutRole"] == 2
    assert counts["people"] == counts["withRole"] + 2 == len(out["people"])
    text = inspect("who", "-f", file).stdout
    assert f"\n{counts['withRole']} people can read " in text
    assert " 2 more are operators with no role this program knows.\n" in text


# ---- what else a file may hold ----


@pytest.mark.parametrize("started", ["2026-11-22 05:43:24", "2020-01-01 00:00:00"], ids=["new", "old"])
def test_who_of_an_unfinished_sync_only_when_asked_for(inspect, tmp_path, started):
    c = with_a_team(C1z(ended=None))
    c.db.execute("UPDATE v1_sync_runs SET started_at = ?", (started,))
    file = c.save(tmp_path / "a.c1z")
    assert ("no finished sync in this file: the last one ended early; run baton-crisp again"
            in refusal(inspect, file))
    out = inspect("who", "-f", file, "--sync-id", c.sync).stdout
    assert "1 person can read" in out and "did not finish: it may be incomplete" in out


def test_who_of_a_sync_of_another_type(inspect, tmp_path):
    c = with_a_team(C1z(kind="partial"))
    assert "not a full one" in refusal(inspect, c.save(tmp_path / "a.c1z"))


def test_who_of_a_full_sync_without_grants(inspect, tmp_path):
    c = C1z()
    c.user("1", "Ada")
    assert "did not read grants, or there were none" in refusal(inspect, c.save(tmp_path / "a.c1z"))


def test_who_of_a_resource_that_nobody_has_a_role_on(inspect, tmp_path):
    file = with_a_team(C1z()).save(tmp_path / "a.c1z")
    assert "Nobody has access" in inspect("who", "-t", "website", "-r", "v", "-f", file).stdout


def test_who_of_a_file_without_a_sync(inspect):
    file = GOLDEN / "accept" / "header-only-is-empty.c1z"
    assert "no sync in this file: run baton-crisp first" in refusal(inspect, file)


def test_who_of_people_without_a_role_in_another_system(inspect, tmp_path):
    c = C1z()
    c.website()
    c.type("person", "Person", traits=[1])
    c.user("1", "Ada")
    c.grant("website", "w", "owner", "1")
    c.resource("person", "p", "Bob")
    assert ": Ada. 1 more has no role.\n" in inspect("who", "-f", c.save(tmp_path / "a.c1z")).stdout


# ---- no file, long tokens ----


@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "missing"])
def test_inspect_says_what_to_do_about_no_file(inspect, tmp_path, is_there):
    if is_there:
        (tmp_path / "sync.c1z").touch()
    error = inspect("who", code=2, cwd=tmp_path).stderr
    assert error.endswith("; run baton-crisp first, or name the file with -f\n")
    error = inspect("principals", "compare", "-e", "x", "--compare-entitlement", "x", "-f",
                    GOLDEN / "three-operators.v1.c1z", code=2, cwd=tmp_path).stderr
    assert error.endswith("; run baton-crisp first, or name the file with --compare-file\n")


@pytest.mark.parametrize("command", ["syncs", "stats"])
def test_inspect_clips_a_long_token_in_a_table(inspect, tmp_path, command):
    token = json.dumps({"actions": ["é" * 200]}, ensure_ascii=False)
    c = C1z()
    c.db.execute("UPDATE v1_sync_runs SET sync_token = ?", (token,))
    file = c.save(tmp_path / "a.c1z")
    lines = inspect(command, "-f", file).stdout.splitlines()
    (line,) = [line for line in lines if "{" in line]
    assert line[line.index("{"):] == token[:59] + "…"
    out = json.loads(inspect(command, "-f", file, "-o", "json").stdout)
    assert (out["syncs"][0] if command == "syncs" else out)["syncToken"] == token

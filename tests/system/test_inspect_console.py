"""baton-inspect for people: tables, `who`, odd names, missing references."""

import json
import os
import pty
import signal
import subprocess

import pytest

from c1zfile import GOLDEN, C1z, any_of, message
from test_inspect import inspect  # noqa: F401 (a fixture)

HEADERS = {
    "resource-types": ["ID", "Display Name", "Traits"],
    "resources": ["ID", "Display Name", "Resource Type", "Parent Resource"],
    "principals": ["ID", "Display Name", "Resource Type", "Parent Resource"],
    "entitlements": ["ID", "Display Name", "Resource Type", "Resource", "Permission"],
    "grants": ["ID", "Resource Type", "Resource", "Entitlement", "Principal"],
    "syncs": ["ID", "Started At", "Ended At", "Type", "Parent ID", "Token"],
}


@pytest.mark.parametrize("command", HEADERS)
def test_inspect_table_has_the_headers_of_the_real_cli_and_is_aligned(inspect, command):
    lines = inspect(command, "-f", GOLDEN / "three-operators.v1.c1z").stdout.splitlines()
    starts, at = [], 0
    for title in HEADERS[command]:
        at = lines[0].index(title, at)
        starts.append(at)
        at += len(title)
    assert lines[0].split("  ")[0] == "ID"
    for line in lines[1:]:
        for start in starts[1:]:
            assert line[start - 2:start] in ("  ", "")
    assert not any(line.endswith(" ") for line in lines)


def test_inspect_grants_show_who_is_behind_a_principal(inspect):
    out = inspect("grants", "-f", GOLDEN / "three-operators.v1.c1z").stdout
    assert out.splitlines()[1].endswith("Acme Support owner   Op1 Erator <operator1@acme.example>")


def test_inspect_resource_parent(inspect, tmp_path):
    c = C1z()
    c.website()
    c.type("inbox", "Inbox")
    c.resource("inbox", "i", "Sales", parent=("website", "w"))
    c.resource("inbox", "j", "Lost", parent=("website", "gone"))
    file = c.save(tmp_path / "a.c1z")
    lines = inspect("resources", "-t", "inbox", "-f", file).stdout.splitlines()
    assert lines[1].split("  ")[-1] == "Acme Support (website)"
    assert lines[2].split("  ")[-1] == "MISSING RESOURCE (website:gone) (website)"
    first, second = json.loads(inspect("resources", "-t", "inbox", "-f", file, "-o", "json").stdout)["resources"]
    assert first["parent"]["displayName"] == "Acme Support"
    assert second["parent"] == {"id": {"resourceType": "website", "resource": "gone"},
                                "displayName": "MISSING RESOURCE (website:gone)"}


def team(tmp_path):
    c = C1z()
    c.website()
    c.user("1", "Zoë", "zoe@acme.example", mfa=True)
    c.user("2", "bob", "bob@acme.example", mfa=False)
    c.user("3", "Ada", "ada@acme.example", mfa=False)
    c.user("4", "Cy", None, status=2)
    c.user("5", "Nobody")
    for user, role in (("1", "owner"), ("2", "member"), ("3", "member"), ("4", "member")):
        c.grant("website", "w", role, user)
    return c.save(tmp_path / "team.c1z")


def test_inspect_who_shows_owners_first_then_by_name(inspect, tmp_path):
    assert inspect("who", "-f", team(tmp_path)).stdout == (
        "Name    E-mail            Role               2FA\n"
        "Zoë     zoe@acme.example  owner              on\n"
        "Ada     ada@acme.example  member             off\n"
        "bob     bob@acme.example  member             off\n"
        "Cy                        member (disabled)  unknown\n"
        "Nobody                    -                  unknown\n"
        "\n"
        "3 people can read the customer conversations of Acme Support; 1 owns it: Zoë. "
        "1 more is an operator with no role this program knows.\n"
        "Two-factor authentication: 1 on, 2 off.\n"
        "As of 2026-11-22T05:43:24Z (sync 3MRvTmaBs2SYnhWlcdrdDAzQyEr).\n")


def test_inspect_who_json(inspect, tmp_path):
    out = json.loads(inspect("who", "-o", "json", "-f", team(tmp_path)).stdout)
    assert out["syncEndedAt"] == "2026-11-22T05:43:24.500Z"
    assert [p["name"] for p in out["people"]] == ["Zoë", "Ada", "bob", "Cy", "Nobody"]
    assert out["people"][0] == {
        "name": "Zoë", "email": "zoe@acme.example", "twoFactor": "on", "status": "enabled",
        "resourceType": "operator", "id": "1",
        "roles": [{"role": "owner", "on": "Acme Support", "resourceType": "website",
                   "resource": "w", "entitlement": "website:w:owner"}]}
    assert out["people"][4]["roles"] == []
    assert out["counts"] == {"people": 5, "withRole": 4, "withoutRole": 1}


def test_inspect_who_of_several_resources(inspect, tmp_path):
    c = C1z()
    c.type("repo", "Repository")
    for id, name in (("a", "Alpha"), ("b", "Beta")):
        c.resource("repo", id, name)
        for slug in ("owner", "write"):
            c.entitlement("repo", id, slug)
    c.user("1", "Ada", "ada@acme.example")
    c.user("2", "Bob", "bob@acme.example")
    c.grant("repo", "a", "write", "1")
    c.grant("repo", "b", "owner", "1")
    c.grant("repo", "a", "owner", "2")
    file = c.save(tmp_path / "a.c1z")
    lines = inspect("who", "-f", file).stdout.splitlines()
    assert lines[1].split("  ")[2] == "write of Alpha, owner of Beta"
    assert lines[4] == "2 people have access to 2 resources; 2 own one or more: Ada, Bob."
    lines = inspect("who", "-t", "repo", "-r", "b", "-f", file).stdout.splitlines()
    assert lines[1].split("  ")[2] == "owner" and lines[3] == "1 person has access to Beta; 1 owns it: Ada."


def test_inspect_access_is_grouped_by_resource(inspect, tmp_path):
    c = C1z()
    c.website("w", "Acme")
    c.website("v", "Beta")
    c.user("1", "Ada")
    for site, role in (("w", "owner"), ("v", "member"), ("w", "member")):
        c.grant("website", site, role, "1")
    file = c.save(tmp_path / "a.c1z")
    assert inspect("access", "-t", "operator", "-r", "1", "-f", file).stdout == (
        "Effective Access for Ada (operator)\n"
        "├─ Acme (Website)\n"
        "│  ├─ owner\n"
        "│  └─ member\n"
        "└─ Beta (Website)\n"
        "   └─ member\n")
    done = inspect("access", "-t", "operator", "-r", "gone", "-f", file, "-o", "json")
    assert json.loads(done.stdout) == {"principal": {
        "id": {"resourceType": "operator", "resource": "gone"},
        "displayName": "MISSING RESOURCE (operator:gone)"}}
    assert "resource operator:gone" in done.stderr


def test_inspect_missing_references_get_placeholders(inspect, tmp_path):
    c = C1z(std_types=False)
    c.grant("website", "w", "owner", "1")
    c.grant("website", "w", "owner", "2")
    file = c.save(tmp_path / "a.c1z")
    done = inspect("grants", "-f", file, "-o", "json")
    first = json.loads(done.stdout)["grants"][0]
    assert first["entitlement"] == {"id": "website:w:owner", "displayName": "MISSING ENTITLEMENT (website:w:owner)"}
    assert first["resource"]["displayName"] == "MISSING RESOURCE (website:w)"
    assert first["resourceType"] == {"id": "website", "displayName": "MISSING RESOURCE TYPE (website)"}
    assert first["principal"]["displayName"] == "MISSING RESOURCE (operator:1)"
    assert len(done.stderr.splitlines()) == 5, "one line for each thing that is missing"
    assert "MISSING RESOURCE (operator:2)" in inspect("grants", "-f", file).stdout


def test_inspect_names_only_so_many_missing_things(inspect, tmp_path):
    c = C1z()
    c.website()
    for i in range(300):
        c.grant("website", "w", "member", str(i))
    done = inspect("grants", "-f", c.save(tmp_path / "a.c1z"), "-o", "json")
    assert len(done.stderr.splitlines()) == 101
    assert len(json.loads(done.stdout)["grants"]) == 300


def test_inspect_unfinished_sync_of_long_ago(inspect, tmp_path):
    """No sync can be chosen: the rows of all are shown, as the real CLI does."""
    c = C1z(ended=None)
    c.db.execute("UPDATE v1_sync_runs SET started_at = '2020-01-01 00:00:00'")
    c.website()
    c.user("1", "Ada")
    c.grant("website", "w", "owner", "1")
    done = inspect("grants", "-f", c.save(tmp_path / "a.c1z"), "-o", "json")
    (grant,) = json.loads(done.stdout)["grants"]
    assert grant["principal"]["displayName"] == "Ada" and done.stderr == ""


def test_inspect_newest_finished_sync_of_any_type_is_shown(inspect, tmp_path):
    c = C1z(sync="A" * 27, ended="2026-11-22 05:00:00", kind="full")
    c.begin("B" * 27, ended="2026-11-22 07:00:00", kind="resources_only")
    c.type("late", "Late")
    c.begin("C" * 27, ended="2026-11-22 06:00:00", kind="full")
    c.type("middle", "Middle")
    c.begin("D" * 27, ended=None)
    c.type("never", "Never")
    out = json.loads(inspect("resource-types", "-f", c.save(tmp_path / "a.c1z"), "-o", "json").stdout)
    assert [t["resourceType"]["id"] for t in out["resourceTypes"]] == ["late"]


NASTY = "evil\x1b[2J\x07\n\trow\u202etxt\u009b31m\x7f"


def test_inspect_no_control_character_reaches_the_terminal(inspect, tmp_path):
    c = C1z()
    c.website("w", NASTY)
    c.user("1", NASTY, NASTY + "@acme.example")
    c.grant("website", "w", "owner", "1")
    c.resource("operator", NASTY, "x")
    c.grant("website", "w", "owner", "gone" + NASTY)
    c.db.execute("UPDATE v1_sync_runs SET sync_token = ?", (NASTY,))
    file = c.save(tmp_path / "a.c1z")
    commands = [[c] for c in HEADERS] + [["who"], ["stats"], ["access", "-t", "operator", "-r", "1"],
                                         ["access", "-t", "operator", "-r", NASTY],
                                         ["grants", "--sync-id", NASTY]]
    for args in commands:
        done = inspect(*args, "-f", file, code=5 if "--sync-id" in args else 0)
        for text in (done.stdout, done.stderr):
            assert not any(ch in text for ch in "\x1b\x07\t\u202e\u009b\x7f"), args
    assert r"evil\x1b[2J\x07\n\trow\u{202e}txt\u{9b}31m\x7f" in inspect("resources", "-f", file).stdout
    out = json.loads(inspect("resources", "-f", file, "-o", "json").stdout)
    assert out["resources"][0]["resource"]["displayName"] == NASTY


def test_inspect_wide_and_combining_characters_are_aligned(inspect, tmp_path):
    c = C1z()
    c.website()
    for i, name in enumerate(["漢字", "e\u0301tude", "plain"]):
        c.user(str(i), name, f"u{i}@acme.example")
        c.grant("website", "w", "member", str(i))
    lines = inspect("who", "-f", c.save(tmp_path / "a.c1z")).stdout.splitlines()[1:4]
    assert sorted(lines) == sorted(["漢字   u0@acme.example  member  unknown",
                                    "e\u0301tude  u1@acme.example  member  unknown",
                                    "plain  u2@acme.example  member  unknown"])


def test_inspect_any_of_an_unknown_type_is_dropped(inspect, tmp_path):
    c = C1z()
    c.resource("website", "w", "Acme", [any_of("acme.Thing", b"\x08\x01"),
                                        any_of("c1.connector.v2.RawId", message(f1="raw"))])
    out = json.loads(inspect("resources", "-f", c.save(tmp_path / "a.c1z"), "-o", "json").stdout)
    assert out["resources"][0]["resource"]["annotations"] == [
        {"@type": "type.googleapis.com/c1.connector.v2.RawId", "id": "raw"}]


def test_inspect_damaged_row_is_named(inspect, tmp_path):
    c = C1z()
    c.website()
    c.grant("website", "w", "owner", "1", data=b"\x0a\x05xx")
    file = c.save(tmp_path / "a.c1z")
    done = inspect("grants", "-o", "json", "-f", file, code=2)
    error = done.stderr
    assert done.stdout == "" and f"{file}: row 1 of grants: c1.connector.v2.Grant: the bytes are not such a message" in error
    assert "MISSING" in inspect("grants", "-f", file).stdout, "a table of grants needs the columns only"


def compare_files(tmp_path):
    old, new = C1z(), C1z()
    for c in (old, new):
        c.website()
    for c, id, name, mail in ((old, "1", "Ada", "ada@acme.example"), (new, "1", "Ada L", "new@acme.example"),
                              (old, "2", "Bob", "bob@acme.example"), (new, "22", "Robert", "bob@acme.example"),
                              (old, "3", "Cy", None), (new, "33", "Cy", None),
                              (old, "4", "Gone", "gone@acme.example"), (new, "5", "New", "n@acme.example"),
                              (old, "6", "", None), (new, "7", "", None)):
        c.user(id, name, mail)
        c.grant("website", "w", "member", id)
    return old.save(tmp_path / "old.c1z"), new.save(tmp_path / "new.c1z")


def test_inspect_compares_principals_by_id_mail_and_name(inspect, tmp_path):
    old, new = compare_files(tmp_path)
    args = ["principals", "compare", "-f", old, "-e", "website:w:member", "--compare-file", new,
            "--compare-entitlement", "website:w:member"]
    out = json.loads(inspect(*args, "-o", "json").stdout)
    ids = {key: [r["resource"]["id"]["resource"] for r in rows] for key, rows in out.items()}
    assert ids == {"missing": ["4", "6"], "extra": ["5", "7"], "base": ["1", "2", "3", "4", "6"],
                   "compared": ["1", "22", "33", "5", "7"]}
    text = inspect(*args).stdout
    assert text.index("Missing Principals") < text.index("Gone") < text.index("Extra Principals") < text.index("New")
    args[args.index(new)] = old
    assert inspect(*args).stdout == "The principals between these entitlements appear to match!\n"


def test_inspect_diff_needs_two_syncs(inspect):
    assert "cannot diff single sync run" in inspect("diff", "-f", GOLDEN / "three-operators.v1.c1z", code=2).stderr
    assert "no syncs found" in inspect("diff", "-f", GOLDEN / "interrupted.v1.c1z", code=2).stderr


def test_inspect_diff_shows_deleted(inspect, tmp_path):
    c = C1z(sync="A" * 27, ended="2026-11-22 05:00:00")
    c.website()
    c.user("1", "Ada")
    c.user("2", "Bob")
    c.begin("B" * 27, ended="2026-11-22 06:00:00")
    c.website()
    c.user("1", "Ada")
    c.user("2", "Robert")
    c.user("3", "Cy")
    c.db.execute("DELETE FROM v1_entitlements WHERE sync_id = ? AND external_id LIKE '%:owner'", ("B" * 27,))
    out = json.loads(inspect("diff", "-f", c.save(tmp_path / "a.c1z")).stdout)
    names = {key: [r["displayName"] for r in rows] for key, rows in out["resources"].items()}
    assert names == {"created": ["Cy"], "modified": ["Robert"]}
    assert [e["slug"] for e in out["entitlements"]["deleted"]] == ["owner"]
    assert out["grants"] == {}


def run_on_terminal(bin_dir, env):
    main, side = pty.openpty()
    done = subprocess.run([bin_dir / "baton-inspect", "resource-types", "-f",
                           GOLDEN / "three-operators.v1.c1z"], stdout=side,
                          env={**os.environ, "TERM": "xterm", **env}, timeout=60)
    os.close(side)
    text = os.read(main, 4096).decode()
    os.close(main)
    assert done.returncode == 0
    return text


def test_inspect_header_is_bold_on_a_terminal_only(bin_dir, inspect):
    env = {"NO_COLOR": ""}
    assert run_on_terminal(bin_dir, env).startswith("\x1b[1mID")
    assert run_on_terminal(bin_dir, env).count("\x1b") == 2
    assert "\x1b" not in run_on_terminal(bin_dir, {"NO_COLOR": "1"})
    assert "\x1b" not in run_on_terminal(bin_dir, {"NO_COLOR": "", "TERM": "dumb"})
    assert "\x1b" not in inspect("resource-types", "-f", GOLDEN / "three-operators.v1.c1z").stdout


def test_inspect_broken_pipe_is_quiet(bin_dir, tmp_path):
    c = C1z()
    c.website()
    for i in range(2000):
        c.user(str(i), f"User {i}", f"user{i}@acme.example")
        c.grant("website", "w", "member", str(i))
    file = c.save(tmp_path / "a.c1z")
    # The parent ignores SIGPIPE, as some do.
    run = subprocess.Popen([bin_dir / "baton-inspect", "grants", "-o", "json", "-f", file],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=False)
    run.stdout.read(100)
    run.stdout.close()
    assert run.stderr.read() == b""
    run.stderr.close()
    assert run.wait(60) == -signal.SIGPIPE

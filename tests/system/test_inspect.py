"""baton-inspect against files that the SDK wrote, and what the real CLI printed for them."""

import json
import os
import subprocess

import pytest

from c1zfile import GOLDEN

OP1 = ["-t", "operator", "-r", "00000001-0000-4000-8000-000000000001"]
LISTS = ["resource-types", "resources", "entitlements", "grants", "principals"]


@pytest.fixture
def inspect(bin_dir):
    def run(*args, code=0, **options):
        done = subprocess.run([bin_dir / "baton-inspect", *map(str, args)], capture_output=True,
                              text=True, timeout=60, **options)
        assert done.returncode == code, (args, done.returncode, done.stderr)
        return done

    return run


def golden_outputs():
    for path in sorted(GOLDEN.glob("*.v1.*.json")):
        name, _, command, _ = path.name.split(".")
        file = GOLDEN / f"{name}.v1.c1z" if name != "slim" else GOLDEN / "accept" / "slim.c1z"
        yield pytest.param(file, command, path, id=f"{name}-{command}")


@pytest.mark.parametrize("file, command, expected", golden_outputs())
def test_inspect_prints_the_json_of_the_real_cli(inspect, file, command, expected):
    args = [command, *(OP1 if command == "access" else []), "-f", file]
    got = inspect(*args, *([] if command == "diff" else ["-o", "json"])).stdout
    assert json.loads(got) == json.loads(expected.read_text())
    assert not got.endswith("\n")


def test_inspect_members_stand_in_the_order_of_the_real_cli(inspect):
    def keys(text):
        return json.loads(text, object_pairs_hook=lambda pairs: [(k, v) for k, v in pairs])

    for name, commands in (("three-operators", LISTS + ["stats", "syncs"]), ("annotations", LISTS)):
        for command in commands:
            got = inspect(command, "-o", "json", "-f", GOLDEN / f"{name}.v1.c1z").stdout
            want = (GOLDEN / f"{name}.v1.{command}.json").read_text()
            assert keys(got) == keys(want), (name, command)


def test_inspect_exports_the_csv_of_the_real_cli(inspect, tmp_path):
    want = (GOLDEN / "three-operators.v1.csv").read_text()
    file = GOLDEN / "three-operators.v1.c1z"
    assert inspect("export", "csv", "--out", "-", "-f", file).stdout == want
    assert inspect("export", "csv", "-f", file, cwd=tmp_path).stdout == ""
    assert (tmp_path / "sync.csv").read_text() == want


def accepted():
    return sorted((GOLDEN / "accept").glob("*.c1z"))


@pytest.mark.parametrize("file", accepted(), ids=lambda f: f.stem)
def test_inspect_opens_every_odd_file(inspect, file):
    """All hold the same data, in other clothes."""
    base = GOLDEN / "accept" / ("header-only-is-empty.c1z" if "empty" in file.name else "base.c1z")
    for command in LISTS + ["syncs"]:
        if (file.name, command) == ("slim.c1z", "grants"):
            continue  # its grants show the embedded resource by its id only: a golden file of its own
        want = json.loads(inspect(command, "-f", base, "-o", "json").stdout)
        got = json.loads(inspect(command, "-f", file, "-o", "json").stdout)
        for sync in want.get("syncs", []) + got.get("syncs", []):
            sync["startedAt"] = sync["startedAt"][:19]  # one file has milliseconds only
        assert got == want, command
    if "empty" in file.name:
        assert want == {}


REFUSED = {
    "badcheck": "CRC check failed",
    "badmagic": "c1z: invalid file",
    "empty": "does not exist or is empty",
    "flip": "",  # which check fails first depends on the library
    "hdr3": "unexpected EOF",
    "long28": "window size exceeded",
    "notsqlite": "file is not a database (26)",
    "tailgarbage": "magic number mismatch",
    "trunc": "unexpected EOF",
}


@pytest.mark.parametrize("file", sorted((GOLDEN / "reject").glob("*.c1z")), ids=lambda f: f.stem)
@pytest.mark.parametrize("args", [["who"], ["grants", "-o", "json"]], ids=["who", "grants"])
def test_inspect_refuses_a_broken_file_with_one_line(inspect, file, args):
    done = inspect(*args, "-f", file, code=2)
    assert done.stdout == ""
    assert REFUSED[file.stem] in done.stderr
    assert done.stderr.startswith("baton-inspect: ") and done.stderr.count("\n") == 1
    assert done.stderr.count(str(file)) == 1


def test_inspect_refuses_v3_and_says_what_to_do(inspect, bin_dir):
    done = subprocess.run([bin_dir / "baton-inspect", "who", "-f", GOLDEN / "three-operators.v3.c1z"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and done.stdout == ""
    assert "v3" in done.stderr and "--storage-engine sqlite" in done.stderr


def test_inspect_says_that_a_file_is_missing(inspect, tmp_path):
    done = inspect("grants", code=2, cwd=tmp_path)
    assert "sync.c1z" in done.stderr and "does not exist" in done.stderr


def test_inspect_stats_without_a_finished_sync(inspect):
    for args in ([], ["-o", "json"]):
        done = inspect("stats", "-f", GOLDEN / "interrupted.v1.c1z", *args)
        assert done.stdout == "No finished sync found in the c1z\n"


def test_inspect_sync_id_chooses(inspect):
    file = GOLDEN / "two-syncs.v1.c1z"
    ids = [s["id"] for s in json.loads(inspect("syncs", "-f", file, "-o", "json").stdout)["syncs"]]
    counts = [len(json.loads(inspect("grants", "--sync-id", id, "-f", file, "-o", "json").stdout)
                  ["grants"]) for id in ids]
    assert counts == [3, 4]
    stats = json.loads(inspect("stats", f"--sync-id={ids[0]}", "-f", file, "-o", "json").stdout)
    assert stats["id"] == ids[0] and stats["stats"]["grants"] == "3"
    assert "baton-inspect syncs" in inspect("grants", "--sync-id", "x", "-f", file, code=5).stderr


def test_inspect_filters(inspect):
    file = GOLDEN / "three-operators.v1.c1z"
    site = "11111111-2222-4333-8444-555555555555"

    def ids(command, *args):
        out = json.loads(inspect(command, "-f", file, "-o", "json", *args).stdout)
        return [len(v) for v in out.values()]

    assert ids("resources", "-t", "operator") == [3]
    assert ids("resources", "-t", "nothing") == []
    assert ids("entitlements", "-t", "website") == [2]
    assert ids("entitlements", "-t", "operator") == []
    assert ids("grants", "-t", "website") == [3]
    assert ids("grants", "-t", "website", "-r", site) == [3]
    assert ids("grants", "-t", "website", "-r", "other") == []
    assert ids("grants", "-e", f"website:{site}:owner") == [1]
    assert ids("principals", "-e", f"website:{site}:member") == [2]
    assert ids("principals", "-t", "website", "-r", site) == [3]


@pytest.mark.parametrize("args", [
    ["-f", "F", "-o", "json", "stats"],
    ["stats", "-fF", "-ojson"],
    ["-f=F", "stats", "-o=json"],
    ["--file=F", "--output-format=json", "stats"],
    ["stats", "--file", "F", "--output-format", "json"],
    ["-f", "F", "-o", "json", "--", "stats"],
], ids=" ".join)
def test_inspect_flags_stand_anywhere(inspect, args):
    file = str(GOLDEN / "three-operators.v1.c1z")
    done = inspect(*[a.replace("F", file) for a in args])
    assert json.loads(done.stdout)["syncType"] == "full"


@pytest.mark.parametrize("args, text", [
    (["frob"], "unknown command: frob"),
    (["export"], "unknown command: export"),
    (["grants", "more"], "unexpected argument: more"),
    (["--nope"], "unknown flag: --nope"),
    (["-x"], "unknown flag: -x"),
    (["grants", "-f"], "--file needs a value"),
    (["grants", "--help=yes"], "--help takes no value"),
    (["grants", "-o", "yaml"], "unknown output format: yaml"),
    (["stats", "-t", "x"], "stats does not take --resource-type"),
    (["grants", "-r", "x"], "--resource needs --resource-type"),
    (["grants", "-t", "a", "-r", "b", "-e", "c"], "cannot stand together"),
    (["access", "-t", "operator"], "access needs --resource"),
    (["principals", "compare", "-e", "x"], "needs --compare-entitlement"),
    (["a", "b", "c", "d"], "unexpected argument: d"),
])
def test_inspect_usage_errors(inspect, args, text):
    done = inspect(*args, code=2)
    assert text in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""


def test_inspect_help_fits_a_screen(inspect):
    top = inspect("--help").stdout
    assert inspect().stdout == top and inspect("-h").stdout == top
    commands = [line.split("  ")[1] for line in top.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    assert "who" in commands and "principals compare" in commands
    for command in [[]] + [c.split() for c in commands]:
        text = inspect(*command, "--help").stdout
        assert len(text.splitlines()) <= 36 and max(map(len, text.splitlines())) <= 100
        assert "xample" in text


def test_inspect_version(inspect):
    for args in (["-v"], ["--version"], ["grants", "--version"]):
        assert inspect(*args).stdout.startswith("baton-inspect version ")


def test_inspect_full_disk_is_told(inspect, bin_dir):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run([bin_dir / "baton-inspect", "grants", "-f",
                               GOLDEN / "three-operators.v1.c1z"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "No space left on device" in done.stderr

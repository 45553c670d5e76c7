"""The programs that meet in these tests, started and asked as their users would.

Ours come from $BATON_BIN_DIR (build/), the Go programs from $INTEROP_BIN_DIR (build/interop/)."""

import json
import os
import subprocess
from pathlib import Path

from sandbox import PATIENCE_S, ROOT, bin_dir

GOLDEN = ROOT / "tests" / "golden" / "c1z"
BIN = bin_dir()
GO_BIN = Path(os.environ.get("INTEROP_BIN_DIR", ROOT / "build" / "interop"))

LISTS = ("resource-types", "resources", "entitlements", "grants", "principals")
READS = LISTS + ("stats", "syncs")


class Result:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def last_line(self):
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def log(self):
        """The JSON lines of the log."""
        return [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]

    def logged(self, message):
        return [line for line in self.log if line["msg"] == message]


def run(program, *args, cwd, env=None):
    """Runs to the end with an environment that holds nothing of the caller's."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TMPDIR": str(cwd), "TZ": "UTC", **(env or {})}
    process = subprocess.run(
        [str(program), *map(str, args)], cwd=cwd, env=clean, capture_output=True, text=True, timeout=PATIENCE_S
    )
    return Result(process)


class Connector:
    """A connector program; `sync` is one run of it on a file."""

    def __init__(self, name, directory, url_flag, *flags):
        self.name = name
        self.program = directory / name
        self._url_flag = url_flag
        self._flags = flags

    def sync(self, sandbox, path, *flags, env=None):
        return run(
            self.program, self._url_flag, sandbox.base_url, "--file", path, "--log-format", "json",
            *self._flags, *flags, cwd=path.parent, env={**sandbox.env(), **(env or {})},
        )

    def must_sync(self, sandbox, path, *flags, env=None):
        result = self.sync(sandbox, path, *flags, env=env)
        assert result.code == 0 and not self.lost_its_code(result), result.err
        return result

    def must_fail(self, code, sandbox, path, *flags):
        result = self.sync(sandbox, path, *flags)
        assert result.code == code or self.lost_its_code(result), result.err
        return result

    def lost_its_code(self, result):
        """About once in a hundred failures a connector on the SDK exits with 0: its parent process
        takes the end of the child that it has itself stopped for a cancellation."""
        return self is not OURS and result.code == 0 and bool(result.logged("error running connector"))


OURS = Connector("baton-crisp", BIN, "--crisp-base-url")
MODEL = Connector("modelconnector", GO_BIN, "--base-url", "--storage-engine", "sqlite")
REFERENCE = Connector("refconnector", GO_BIN, "--base-url", "--storage-engine", "sqlite")
REFERENCE_PEBBLE = Connector("refconnector", GO_BIN, "--base-url")


def baton(path, *args):
    """The real command line tool."""
    return run(GO_BIN / "baton", "-f", path, *args, cwd=path.parent)


def baton_json(path, *args):
    result = baton(path, "-o", "json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def inspect(path, *args):
    return run(BIN / "baton-inspect", "-f", path, *args, cwd=path.parent)


def old_json(path, command):
    """The file as the library of SDK v0.7 sees it."""
    result = run(GO_BIN / "oldbaton", path, command, cwd=path.parent)
    assert result.code == 0, result.err
    return json.loads(result.out)


def syncs(path):
    return baton_json(path, "syncs").get("syncs", [])


def resource_ids(path, *args):
    return sorted(r["resource"]["id"]["resource"] for r in baton_json(path, "resources", *args).get("resources", []))


# What two syncs of the same thing may differ in, and the lists whose order means nothing.
RUN_FACTS = {"startedAt", "endedAt"}
ROW_LISTS = {
    "resourceTypes", "resources", "entitlements", "grants", "access", "created", "modified", "deleted",
}


def comparable(value, key=""):
    """The answer of a command without ids and times of the run, rows in one order."""
    if isinstance(value, dict):
        return {k: comparable(v, k) for k, v in value.items() if k not in RUN_FACTS and not is_run_id(k, v)}
    if isinstance(value, list):
        rows = [comparable(v) for v in value]
        return sorted(rows, key=lambda r: json.dumps(r, sort_keys=True)) if key in ROW_LISTS else rows
    return value


def is_run_id(key, value):
    return key == "id" and isinstance(value, str) and len(value) == 27 and value.isalnum()

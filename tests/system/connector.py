"""baton-crisp and the files it writes, as the tests see them.

    run = sync(crisp, tmp_path)                      # runs the program against a Sandbox
    assert run.code == 0 and run.messages()[-1] == "c1z: saved"
    assert operators(run.file) == {...}

The .c1z is read with Python's own sqlite3 and the zstd command, and its messages with baton-inspect.
"""

import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile

import sandbox as sandbox_module

PATIENCE_S = 120


def clean_env(extra=None):
    """The environment without any BATON_ setting of the caller, and with the extra ones."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("BATON_") or k == "BATON_BIN_DIR"}
    env.update(extra or {})
    return env


class Run:
    """One finished run of the program."""

    def __init__(self, code, stdout, stderr, file):
        self.code, self.stdout, self.stderr, self.file = code, stdout, stderr, file
        assert "Sanitizer" not in stderr and "runtime error" not in stderr, stderr

    @property
    def last_line(self):
        return self.stderr.rstrip("\n").rsplit("\n", 1)[-1]

    def logs(self):
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]

    def messages(self):
        return [line["msg"] for line in self.logs()]

    def log(self, msg):
        """The one log line with this message."""
        found = [line for line in self.logs() if line["msg"] == msg]
        assert len(found) == 1, (msg, self.stderr)
        return found[0]

    @property
    def output(self):
        return self.stdout + self.stderr


def command(*args):
    return [str(sandbox_module.program("baton-crisp")), *map(str, args)]


def sync(crisp, directory, *args, file=None, tier="plugin", env=None):
    """A one-shot sync into directory/sync.c1z, in that directory."""
    file = pathlib.Path(file or pathlib.Path(directory) / "sync.c1z")
    done = subprocess.run(
        command("--file", file, *args),
        cwd=directory,
        env=clean_env({**crisp.env(tier), **(env or {})}),
        capture_output=True,
        timeout=PATIENCE_S,
        text=True,
    )
    return Run(done.returncode, done.stdout, done.stderr, file)


def start(crisp, directory, *args, env=None):
    """The same, not waited for; with its own log file, so that the pipe never fills."""
    return subprocess.Popen(
        command("--file", pathlib.Path(directory) / "sync.c1z", *args),
        cwd=directory,
        env=clean_env({**crisp.env(), **(env or {})}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- files ----


class Database(sqlite3.Connection):
    """A connection that keeps its temporary file."""


def database(file):
    """The SQLite database inside, opened by Python."""
    raw = pathlib.Path(file).read_bytes()
    assert raw[:5] == b"C1ZF\0"
    payload = subprocess.run(["zstd", "-dc"], input=raw[5:], stdout=subprocess.PIPE, check=True).stdout
    copy = tempfile.NamedTemporaryFile(suffix=".db")
    copy.write(payload)
    copy.flush()
    connection = sqlite3.connect(copy.name, factory=Database)
    connection.row_factory = sqlite3.Row
    connection.copy = copy
    return connection


def runs(file):
    return [dict(r) for r in database(file).execute("SELECT * FROM v1_sync_runs ORDER BY id")]


def inspect(file, *args):
    done = subprocess.run(
        [str(sandbox_module.program("baton-inspect")), "-f", str(file), "-o", "json", *map(str, args)],
        capture_output=True,
        timeout=PATIENCE_S,
        text=True,
        check=True,
        env=clean_env(),
    )
    return json.loads(done.stdout)


def trait(resource):
    return next(a for a in resource["annotations"] if a["@type"].endswith(".UserTrait"))


def operators(file, *args):
    """user id -> the resource."""
    found = [r["resource"] for r in inspect(file, "resources", "-t", "operator", *args).get("resources", [])]
    return {r["id"]["resource"]: r for r in found}


def roles(file, *args):
    """user id -> role, from the grants."""
    result = {}
    for g in inspect(file, "grants", *args).get("grants", []):
        user = g["grant"]["principal"]["id"]["resource"]
        assert user not in result, "two grants for one operator"
        result[user] = g["grant"]["entitlement"]["id"].rsplit(":", 1)[-1]
    return result


def leftovers(directory):
    """Everything below the directory that is not a .c1z."""
    return sorted(str(p) for p in pathlib.Path(directory).rglob("*") if p.suffix != ".c1z")

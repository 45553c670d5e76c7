"""Crisp's official clients, installed once and ready to be called.

They are installed into $CRISP_CLIENTS_DIR, which may be kept from run to run, or else into a
directory of this test run. A tool that is missing is a failure, not a reason to skip."""

import hashlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile

import pytest

from sandbox import PATIENCE_S, Sandbox

HERE = pathlib.Path(__file__).resolve().parent
INSTALL_PATIENCE_S = 600


def run(*command, cwd, env=None):
    """Runs an installer; what it printed is in the failure."""
    process = subprocess.run(
        [str(c) for c in command], cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=INSTALL_PATIENCE_S,
    )
    assert process.returncode == 0, f"{' '.join(map(str, command))} in {cwd}:\n{process.stdout}"


def install_node(target):
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=target)
    return ["node", target / "driver.mjs"]


def install_python(target):
    run(sys.executable, "-m", "venv", target / "venv", cwd=target)
    run(target / "venv" / "bin" / "pip", "install", "--quiet", "-r", "requirements.txt", cwd=target)
    return [target / "venv" / "bin" / "python", target / "driver.py"]


def install_go(target):
    # The sum of the client itself is not in go.sum: go takes it from its checksum database.
    run("go", "build", "-mod=mod", "-o", "driver", ".", cwd=target)
    return [target / "driver"]


INSTALLERS = {"node": install_node, "python": install_python, "go": install_go}


def digest(source):
    """Of the files that make an installation what it is."""
    files = sorted(p for p in source.iterdir() if p.is_file())
    return hashlib.sha256(b"".join(p.name.encode() + p.read_bytes() for p in files)).hexdigest()


def install(name, root):
    """Copies the driver of a client next to its packages, unless that is done; returns the command that
    runs it."""
    source, target = HERE / name, pathlib.Path(root).resolve() / name
    marker = target / ("installed-" + digest(source))
    if not marker.exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        command = INSTALLERS[name](target)
        marker.write_text(json.dumps([str(c) for c in command]))
    return json.loads(marker.read_text())


class Client:
    """One official client, in a process that stays."""

    def __init__(self, name, command):
        self.name = name
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)

    def calls(self, crisp, calls, tier="plugin", token=None):
        """Makes calls, [["get_website", id], …], with the token of a tier; returns their answers."""
        token = token or crisp.tokens[tier]
        batch = {"origin": crisp.origin, **token._asdict(), "calls": [{"op": op, "args": args} for op, *args in calls]}
        self._process.stdin.write(json.dumps(batch).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        line = self._process.stdout.readline() if ready else b""
        assert line, f"the client for {self.name} gave no answer: {self._read_errors()}"
        answers = json.loads(line)
        assert len(answers) == len(calls)
        return answers

    def _read_errors(self):
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def stop(self):
        self._process.stdin.close()
        assert self._process.wait(PATIENCE_S) == 0, self._read_errors()
        self._process.stdout.close()

    def call(self, crisp, op, *args, tier="plugin", token=None):
        return self.calls(crisp, [[op, *args]], tier, token)[0]

    def can(self, op):
        """The client for Python knows fewer routes."""
        return self.name != "python" or op in PYTHON_OPERATIONS


PYTHON_OPERATIONS = {
    "get_website", "get_settings", "update_settings", "list_operators", "list_active", "availability_status",
    "plugin_account", "plugin_session", "plugin_websites", "plugin_websites_since", "plugin_settings",
}


@pytest.fixture(scope="session")
def clients_dir(tmp_path_factory):
    kept = os.environ.get("CRISP_CLIENTS_DIR")
    return pathlib.Path(kept) if kept else tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="session", params=["node", "python", pytest.param("go", marks=pytest.mark.go)])
def client(request, clients_dir):
    client = Client(request.param, install(request.param, clients_dir))
    yield client
    client.stop()


@pytest.fixture
def crisp():
    """A sandbox with the seeded team."""
    with Sandbox() as sandbox:
        yield sandbox

"""Crisp's official clients, installed once and ready to be called.

They are installed into $CRISP_CLIENTS_DIR, which may be kept from run to run, or else into a
directory of this test run. A tool that is missing is a failure, not a reason to skip."""

import filecmp
import json
import os
import pathlib
import shutil
import subprocess
import sys

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


def is_current(source, target):
    """True if this very source has been installed there to the end."""
    if not (target / "installed").exists():
        return False
    command = json.loads((target / "installed").read_text())
    names = [p.name for p in source.iterdir() if p.is_file() and p.name != "go.mod" and p.name != "go.sum"]
    return pathlib.Path(command[-1]).exists() and not filecmp.cmpfiles(source, target, names, shallow=False)[1]


def install(name, root):
    """Copies the driver of a client next to its packages; returns the command that runs it."""
    source, target = HERE / name, pathlib.Path(root) / name
    if not is_current(source, target):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        command = INSTALLERS[name](target)
        (target / "installed").write_text(json.dumps([str(c) for c in command]))
    return json.loads((target / "installed").read_text())


class Client:
    """One official client. call(sandbox, ["get_website", id], …) makes the calls with the token of a
    tier and returns their answers in order."""

    def __init__(self, name, command):
        self.name = name
        self.command = command

    def calls(self, crisp, calls, tier="plugin", token=None):
        token = token or crisp.tokens[tier]
        env = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "CRISP_ORIGIN": crisp.origin,
            "CRISP_TIER": token.tier,
            "CRISP_IDENTIFIER": token.identifier,
            "CRISP_KEY": token.key,
        }
        lines = "".join(json.dumps({"op": op, "args": args}) + "\n" for op, *args in calls)
        process = subprocess.run(
            self.command, input=lines, env=env, capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert process.returncode == 0, process.stderr
        answers = [json.loads(line) for line in process.stdout.splitlines()]
        assert len(answers) == len(calls), process.stdout + process.stderr
        return answers

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
    return Client(request.param, install(request.param, clients_dir))


@pytest.fixture
def crisp():
    """A sandbox with the seeded team."""
    with Sandbox() as sandbox:
        yield sandbox

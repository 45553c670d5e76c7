"""Scripts for mockc1, and what a connector does when one is played.

A script is the same for every connector. With one slot a connector polls only between tasks, so the
order of a log is the script's and not chance's."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mock_c1 import PATIENCE_S, MockC1, Service
from sandbox import Sandbox
from world import BIN, GO_BIN

AT_ONCE = 8  # most of a script is waiting
SLOW_S = 2.5
STUCK_S = 30
REFUSED = "the source refuses"


@dataclass(frozen=True)
class Script:
    tasks: str
    c1: tuple = ()  # flags of mockc1
    args: tuple = ()  # and of the connector
    env: tuple = ()
    slots: int = 1
    source: str = "good"  # slow: takes SLOW_S; stuck: takes STUCK_S; refused; large: thousands of people
    until: str = "idle"  # nothing is left to do; exit: it ends by itself; heartbeats: a sync is under way


@contextlib.contextmanager
def ours(source):
    """(argv, environment) of the connector while it has a Crisp."""
    orders = {"slow": ["--fault", f"website:delay:delay-ms={int(SLOW_S * 1000)}"],
              "stuck": ["--fault", f"website:delay:delay-ms={int(STUCK_S * 1000)}"],
              "refused": ["--fault", "operators/list:403"],
              "large": ["--operators", "20000"]}
    with Sandbox(*orders.get(source, [])) as crisp:
        yield [BIN / "baton-crisp"], crisp.env()


@contextlib.contextmanager
def demo(source):
    """The connector on the SDK, which is its own source."""
    env = {"slow": {"SVCDEMO_SLEEP": f"{SLOW_S}s"}, "stuck": {"SVCDEMO_SLEEP": f"{STUCK_S}s"},
           "refused": {"SVCDEMO_REFUSE": REFUSED}, "large": {"SVCDEMO_TEAM": "15000"}}
    yield [GO_BIN / "svcdemo"], env.get(source, {})


@contextlib.contextmanager
def reference(source):
    """The Crisp connector on the SDK."""
    with Sandbox() as crisp:
        yield [GO_BIN / "refconnector", "--base-url", crisp.base_url], crisp.env()


class Played:
    """What is left of a script that was played."""

    def __init__(self, c1, service, code):
        self.dir, self.said, self.log = c1.dir, c1.said, c1.log()
        self.stderr, self.files = service.stderr, service.files()
        # A connector on the SDK sometimes loses its exit code (docs/compatibility.md).
        is_lost = code == 0 and "startup Hello failed" in self.stderr and "will retry" not in self.stderr
        self.code = 16 if is_lost and "svcdemo" in service.program else code

    def calls(self, method):
        return [e for e in self.log if e["method"] == method]

    def assets(self, kind="c1z"):
        return [self.dir / e["file"] for e in self.calls("UploadAsset") if e.get("file", "").endswith(kind)]

    def outcomes(self):
        """For every task in the order it was handed out: the request of FinishTask that C1 took, or None."""
        taken = {}
        for e in self.log:
            taken.update({task["id"]: None for task in tasks_in(e)})
            if e["method"] == "FinishTask" and e["code"] == "OK":
                taken[e["request"]["task_id"]] = e["request"]
        return list(taken.values())


def tasks_in(entry):
    """The tasks that an answer hands out."""
    answer = entry.get("answer") or {}
    return [t for t in [answer.get("task"), *answer.get("tasks", [])] if t and "none" not in t]


def wait(script, c1, service):
    if script.until == "idle":
        c1.wait_for("idle", alive=service.is_alive)
    elif script.until == "exit":
        service.process.wait(PATIENCE_S)
    else:
        deadline = time.monotonic() + PATIENCE_S
        while len([e for e in c1.log() if e["method"] == "Heartbeat"]) < 2:
            assert time.monotonic() < deadline, service.stderr
            time.sleep(0.02)


def play(connector, script, directory):
    directory.mkdir(parents=True)
    with MockC1(GO_BIN / "mockc1", directory, "--next-poll", "100ms", *script.c1) as c1:
        with connector(script.source) as (argv, env):
            c1.add(script.tasks)
            argv = [*argv, "--log-format", "json", "--task-concurrency", script.slots, *script.args]
            with Service(argv, c1, directory, {**env, **dict(script.env)}) as service:
                wait(script, c1, service)
                code = service.stop()
        return Played(c1, service, code)


class Stage:
    """Plays many scripts at once, each once, and hands out what became of them."""

    def __init__(self, directory):
        self._directory = directory
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._playing = {}

    def start(self, scripts, *connectors):
        for name, script in scripts.items():
            for connector in connectors:
                directory = self._directory / f"{len(self._playing)}-{connector.__name__}-{name}"
                self._playing[connector, name] = self._pool.submit(play, connector, script, directory)

    def of(self, connector, name):
        return self._playing[connector, name].result()

    def close(self):
        self._pool.shutdown(cancel_futures=True)

"""What our connector costs as a service, beside the same one on ConductorOne's SDK; and beside the smallest
one on it, which has no source. All stand before the same mockc1 and, if they have one, the same sandbox."""

import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import measure

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "interop"))
from mock_c1 import MockC1, Service  # noqa: E402

POLL = ("--next-poll", "500ms")  # while idle
FAST = ("--next-poll", "100ms")
MANY = {"BATON_GET_TASKS": "1"}, ("--task-concurrency", "50")
# Fifty tasks, one of them a sync.
MIX = "grant*24,hello*13,bare-list_event_feeds*12,fullsync"
MIX_TASKS = 50
SYNCS_FEW = 20
# What our unit sets; the Go programs have no use for it.
UNIT = Path(__file__).resolve().parents[1] / "packaging" / "systemd" / "baton-crisp.service"
TUNABLES = dict(re.findall(r"^Environment=(GLIBC_TUNABLES)=(.+)$", UNIT.read_text(), re.M))
PATIENCE_S = 300


@dataclass
class Plan:
    hellos: int = 41
    idle_s: float = 60
    settle_s: float = 3
    sizes: tuple = (3, 20_000)
    syncs: tuple = ((100, 25, 5), (50_000, 7, 3))  # (below this size: timed, for memory)
    mixes: tuple = (2, 200)  # in all; looked at after each

    def syncs_of(self, size):
        return next((timed, watched) for limit, timed, watched in self.syncs if size < limit)


QUICK = Plan(hellos=3, idle_s=2, settle_s=2, sizes=(3, 2_000), syncs=((sys.maxsize, 3, 1),), mixes=(2, 6))


class ServiceBench:
    def __init__(self, ours, tarball, go, work, sandbox, plan):
        self.ours, self.tarball, self.go = ours, tarball, go
        self.work, self.new_sandbox, self.plan = work, sandbox, plan
        self.count = 0

    def directory(self):
        self.count += 1
        path = self.work / f"service-{self.count}"
        path.mkdir()
        return path

    def contestants(self, sandbox, *names):
        reference = [self.go / "refconnector", "--base-url", sandbox.base_url]
        known = {
            "ours": [self.ours / "baton-crisp", "--crisp-base-url", sandbox.base_url],
            "tarball": [self.tarball / "baton-crisp", "--crisp-base-url", sandbox.base_url],
            "pebble": reference,
            "sqlite": [*reference, "--storage-engine", "sqlite"],
            "svcdemo": [self.go / "svcdemo"],
        }
        return {name: known[name] for name in names}

    def c1(self, *flags):
        return MockC1(self.go / "mockc1", self.directory(), *flags)

    def service(self, argv, c1, sandbox, env=None):
        return Service([*argv, "--log-format", "json"], c1, self.directory(), {**sandbox.env, **TUNABLES, **(env or {})})

    # --- until Hello ---

    def hello(self, sandbox):
        """From the start of the process until C1 has the first message."""
        contestants = self.contestants(sandbox, "ours", "tarball", "svcdemo", "pebble")
        results = {name: [] for name in contestants}
        with self.c1(*FAST) as c1:
            others = measure.children_of(os.getpid())
            for turn in range(self.plan.hellos + 1):  # the first is not counted
                for name, argv in contestants.items():
                    c1.add("")
                    with self.service(argv, c1, sandbox) as service:
                        c1.wait_for("idle", PATIENCE_S)
                    measure.wait_for_orphans(others)  # or they take from the next one's time
                    hello = [e for e in c1.log() if e["method"] == "Hello"][-1]
                    if turn:
                        results[name].append(hello["unix_began"] - service.started)
        return results

    # --- idle ---

    def idle(self, sandbox):
        results = {}
        for name, argv in self.contestants(sandbox, "ours", "tarball", "svcdemo", "pebble").items():
            with self.c1(*POLL) as c1, self.service(argv, c1, sandbox) as service:
                c1.wait_for("idle", PATIENCE_S)
                time.sleep(self.plan.settle_s)
                began, cpu = time.monotonic(), measure.cpu_of(service.pid)
                time.sleep(self.plan.idle_s)
                cpu = measure.cpu_of(service.pid) - cpu
                results[name] = measure.now_of(service.pid)
                results[name]["cpu_per_hour_s"] = cpu * 3600 / (time.monotonic() - began)
        return results

    # --- one full sync ---

    @staticmethod
    def durations(c1):
        """From the answer that hands out a task to FinishTask."""
        c1.add("")
        c1.wait_for("idle", PATIENCE_S)  # a poll after the last FinishTask: that is in the log by now
        began, took = {}, []
        for e in c1.log():
            task = (e.get("answer") or {}).get("task") or {}
            if "sync_full" in task:
                began[task["id"]] = e["ended"]
            elif e["method"] == "FinishTask":
                if "success" not in e["request"]:
                    raise measure.Failed(str(e["request"]))
                took.append(e["began"] - began[e["request"]["task_id"]])
        return took

    def sync(self, argv, sandbox, count, watched):
        times, peaks = [], []
        with self.c1(*FAST) as c1, self.service(argv, c1, sandbox) as service:
            for i in range(count):
                c1.add("fullsync")
                c1.wait_for(f"done {i + 1}", PATIENCE_S)
            times = self.durations(c1)
        for _ in range(watched):  # each with a new service: what it has not given back is not the next one's
            with self.c1(*FAST) as c1, self.service(argv, c1, sandbox) as service:
                c1.wait_for("idle", PATIENCE_S)
                with measure.Watch(service.pid) as watch:
                    c1.add("fullsync")
                    c1.wait_for("done 1", PATIENCE_S)
                self.durations(c1)
                peaks.append(watch.peak_kib)
        return {"wall_s": times, "peak_kib": peaks}

    def syncs(self, size):
        with self.new_sandbox(size) as sandbox:
            return {name: self.sync(argv, sandbox, *self.plan.syncs_of(size))
                    for name, argv in self.contestants(sandbox, "ours", "tarball", "pebble", "sqlite").items()}

    # --- after many ---

    def after_syncs(self, sandbox):
        results = {}
        for name, argv in self.contestants(sandbox, "ours", "tarball", "pebble").items():
            with self.c1(*FAST) as c1, self.service(argv, c1, sandbox) as service:
                c1.add(f"fullsync*{SYNCS_FEW}")
                c1.wait_for(f"done {SYNCS_FEW}", PATIENCE_S)
                time.sleep(self.plan.settle_s)
                results[name] = measure.now_of(service.pid)
        return results

    def after_tasks(self, sandbox):
        results, (env, flags) = {}, MANY
        for name, argv in self.contestants(sandbox, "ours", "tarball", "pebble").items():
            results[name], done = {}, 0
            with self.c1(*FAST) as c1, self.service([*argv, *flags], c1, sandbox, env) as service:
                for mixes in self.plan.mixes:
                    began = time.monotonic()
                    c1.add(",".join([MIX] * (mixes - done)))
                    done = mixes
                    c1.wait_for(f"done {mixes * MIX_TASKS}", PATIENCE_S)
                    took = time.monotonic() - began
                    time.sleep(self.plan.settle_s)
                    results[name][mixes * MIX_TASKS] = {**measure.now_of(service.pid), "took_s": took}
        return results

    def run(self, say):
        figures = {"plan": vars(self.plan), "few": SYNCS_FEW}
        with self.new_sandbox(3) as sandbox:
            for part in ("hello", "idle", "after_syncs", "after_tasks"):
                say(f"service: {part} ...")
                figures[part] = getattr(self, part)(sandbox)
        figures["sync"] = {}
        for size in self.plan.sizes:
            say(f"service: syncs of {size} operators ...")
            figures["sync"][size] = self.syncs(size)
        return figures

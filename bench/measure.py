"""What one run of a command costs, all its processes together.

Wall time: from the start until the process that was started has ended.
CPU time: user and system time of that process and of all its descendants, from wait4(). A descendant
that outlives its parent is adopted (PR_SET_CHILD_SUBREAPER), waited for, and counted.
Peak memory: only where asked for, in a run of its own, because looking costs time. Every millisecond
the resident memory of all living processes of the run is summed: anonymous pages of each, and file
pages (program and libraries) of the one that has most of them, since processes of one program share
these. The kernel's own exact peak of the process that was started, which time(1) reports, is the lower
bound. So for one process this is its exact peak RSS, libraries included, and for several it errs in
their favour. (wait4() here would not do: a child begins with the peak of this Python.)
"""

import ctypes
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LOOK_EVERY_S = 0.001


@dataclass
class Cost:
    wall_s: float
    cpu_s: float
    peak_kib: int  # 0: not looked for


class Failed(Exception):
    pass


def adopt_orphans():
    """Once, before the first run."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_of(pid):
    """Every thread can have started some."""
    found = []
    try:
        for listing in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, listing.read_text().split())
    except OSError:
        pass  # the process or the thread has just ended
    return found


def family_of(pid):
    family = [pid]
    for member in family:
        family += children_of(member)
    return family


def memory_of(pid):
    """(anonymous, file) in KiB; zeros when it has just ended."""
    facts = dict.fromkeys(("RssAnon", "RssShmem", "RssFile"), 0)
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in facts:
                facts[name] = int(value.split()[0])
    except OSError:
        pass
    return facts["RssAnon"] + facts["RssShmem"], facts["RssFile"]


def watch(pid):
    """Looks until the process has ended; returns its wait4() result and the peak of its descendants."""
    peak = 0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage, peak
        members = [memory_of(member) for member in family_of(pid)[1:]]
        if members:
            peak = max(peak, sum(m[0] for m in members) + max(m[1] for m in members))
        time.sleep(LOOK_EVERY_S)


def spawn(argv, env):
    quiet = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    argv = [str(a) for a in argv]
    return os.posix_spawn(argv[0], argv, env, file_actions=quiet)


def run_watched(argv, env):
    """Through time(1), which is small, so that the peak it reports is the program's own."""
    with tempfile.NamedTemporaryFile("r") as report:
        pid = spawn(["/usr/bin/time", "--quiet", "-f", "%M", "-o", report.name, *argv], env)
        status, usage, peak = watch(pid)
        return status, usage, max(peak, int(report.read() or 0))


def wait_for_orphans(not_ours=()):
    """Until every adopted process has ended; returns their CPU time."""
    cpu = 0
    for orphan in set(children_of(os.getpid())) - set(not_ours):
        _, _, usage = os.wait4(orphan, 0)
        cpu += usage.ru_utime + usage.ru_stime
    return cpu


def run(argv, env, *, watch_memory=False, not_ours=()):
    """Runs argv to its end, its output thrown away. `not_ours`: children of this process that do not
    belong to the run. Raises Failed unless it exits with 0."""
    start = time.monotonic()
    if watch_memory:
        status, usage, peak = run_watched(argv, env)
    else:
        pid = spawn(argv, env)
        (_, status, usage), peak = os.wait4(pid, 0), 0
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    cpu += wait_for_orphans(not_ours)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise Failed(f"exit code {code}: {' '.join(map(str, argv))}")
    return Cost(wall, cpu, peak)


# --- of a process that goes on running, and of all its descendants ---


def now_of(pid):
    """What all its processes hold: resident memory (each page counted once for every process that has it),
    its proportional share, its private part, threads and open files; and how many processes there are."""
    family = family_of(pid)
    facts = dict.fromkeys(("rss_kib", "pss_kib", "private_kib", "threads", "files"), 0)
    for member in family:
        proc = Path(f"/proc/{member}")
        for line in (proc / "status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "VmRSS":
                facts["rss_kib"] += int(value.split()[0])
            elif name == "RssAnon":
                facts["private_kib"] += int(value.split()[0])
            elif name == "Threads":
                facts["threads"] += int(value)
        for line in (proc / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                facts["pss_kib"] += int(line.split()[1])
        facts["files"] += len(os.listdir(proc / "fd"))
    return {**facts, "processes": len(family)}


def cpu_of(pid):
    """User and system time so far of all threads, in seconds. From the scheduler, which counts nanoseconds:
    the ticks of /proc/PID/stat are too coarse for a process that sleeps."""
    total = 0
    for member in family_of(pid):
        for thread in Path(f"/proc/{member}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


class Watch(threading.Thread):
    """Looks at the memory of a process and its descendants, as run(watch_memory=True) does, until the end
    of the with statement; then peak_kib is the most there was."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak_kib, self._stop_asked = pid, 0, threading.Event()

    def run(self):
        while not self._stop_asked.wait(LOOK_EVERY_S):
            members = [memory_of(member) for member in family_of(self.pid)]
            self.peak_kib = max(self.peak_kib, sum(m[0] for m in members) + max(m[1] for m in members))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._stop_asked.set()
        self.join()

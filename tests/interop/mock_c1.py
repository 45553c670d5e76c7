"""mockc1, the C1 of the tests and of the benchmark, and a connector in service mode in front of it.

    with MockC1(program, directory, "--requeue", "1") as c1, Service([connector], c1, directory) as service:
        c1.add("hello,fullsync")
        c1.wait_for("done 2")
        entries = c1.log()

`directory` is theirs alone. Needs nothing but the programs.
"""

import json
import os
import select
import signal
import subprocess
import time

PATIENCE_S = 60


class MockC1:
    def __init__(self, program, directory, *args):
        self.dir = directory / "c1"
        self.dir.mkdir()
        self.process = subprocess.Popen(
            [str(program), "--dir", str(self.dir), *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.dir / "stderr", "wb"))
        self._unread = b""
        self.said = []
        self.wait_for("listening on")
        self.port = int((self.dir / "port").read_text())
        lines = (self.dir / "creds.env").read_text().splitlines()
        self.env = dict(line.split("=", 1) for line in lines)

    def wait_for(self, text, patience_s=PATIENCE_S, alive=lambda: True):
        """Reads what it says until a line begins with text; that line. None once alive() is false."""
        deadline = time.monotonic() + patience_s
        while True:
            line, _, rest = self._unread.partition(b"\n")
            if _:
                self._unread = rest
                self.said.append(line.decode())
                if self.said[-1].startswith(text):
                    return self.said[-1]
                continue
            ready, _, _ = select.select([self.process.stdout], [], [], 0.2)
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            self._unread += more
            if not more:
                if not alive():
                    return None
                if ready or time.monotonic() > deadline:
                    raise TimeoutError(f"mockc1 has not said {text!r} but {self.said}: "
                                       + (self.dir / "stderr").read_text())

    def add(self, tasks):
        self.process.stdin.write(tasks.encode() + b"\n")
        self.process.stdin.flush()

    def log(self):
        """The entries so far, in the order in which the requests came."""
        whole = (self.dir / "log.jsonl").read_text().rpartition("\n")[0]
        return sorted(map(json.loads, whole.splitlines()), key=lambda e: e["began"])

    def stop(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Service:
    """A connector in service mode, with a working and a temp directory of its own."""

    def __init__(self, argv, c1, directory, env=None):
        self.cwd, self.tmp, self._err = directory / "cwd", directory / "tmp", directory / "err"
        self.cwd.mkdir()
        self.tmp.mkdir()
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.cwd), "TMPDIR": str(self.tmp), "TZ": "UTC"}
        self.program = str(argv[0])
        self.started = time.time()
        self.process = subprocess.Popen(
            list(map(str, argv)), cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self._err, "wb"), env={**clean, **c1.env, **(env or {})})

    @property
    def pid(self):
        return self.process.pid

    @property
    def stderr(self):
        return self._err.read_text()

    def is_alive(self):
        return self.process.poll() is None

    def stop(self, signum=signal.SIGINT):
        """SIGINT is the one signal on which a connector on the SDK ends its child as well."""
        if self.is_alive():
            self.process.send_signal(signum)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def files(self):
        return sorted(p.name for d in (self.cwd, self.tmp) for p in d.rglob("*"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

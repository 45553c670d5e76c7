"""baton-crisp in service mode, as the tests see it.

    service = start_service(c1, sandbox)             # a fixture of conftest.py
    c1.finished(c1.add("sync_full"))
    assert service.stop() == 0

It runs with a working directory and a temp directory of its own, and both must be empty in the end.
"""

import json
import os
import pathlib
import signal
import subprocess
import time

from c1_messages import message
from connector import PATIENCE_S, clean_env, command

# What the issue allows between a signal and the end; a sanitizer's exit is not part of it.
EXIT_S = 5


class Service:
    def __init__(self, c1, crisp, directory, *args, env=None, argv=None, keeps_files=False):
        self.c1, self.crisp, self.keeps_files = c1, crisp, keeps_files
        self.cwd, self.tmp = directory / "cwd", directory / "tmp"
        for d in (self.cwd, self.tmp):
            d.mkdir(parents=True)
        self._out = open(directory / "out", "w+b")
        self._err = open(directory / "err", "w+b")
        settings = {"BATON_TMPDIR": str(self.tmp), **c1.env(), **(crisp.env() if crisp else {}), **(env or {})}
        self.secrets = [settings.get(name) for name in ("BATON_CLIENT_SECRET", "BATON_CRISP_API_KEY")]
        self.secrets += [c1.credentials.seed]
        self.process = subprocess.Popen(
            (argv or command()) + [str(a) for a in args],
            cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err,
            env=clean_env({k: v for k, v in settings.items() if v is not None}))

    @property
    def pid(self):
        return self.process.pid

    # ---- what it says ----

    @staticmethod
    def _text(file):
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")

    @property
    def stderr(self):
        return self._text(self._err)

    @property
    def stdout(self):
        return self._text(self._out)

    def logs(self):
        """The whole lines so far, parsed."""
        lines = self.stderr.split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def log(self, *words):
        """The log lines that hold all these words, anywhere in the line."""
        return [line for line in self.logs() if all(w in json.dumps(line, ensure_ascii=False) for w in words)]

    def until(self, condition, what="a condition", patience_s=PATIENCE_S):
        """For what the stand-in cannot see: files, logs, /proc."""
        deadline = time.monotonic() + patience_s
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"waited for {what}; stderr:\n{self.stderr}\n{self.c1.story()}"
            time.sleep(0.005)

    def until_log(self, *words):
        return self.until(lambda: self.log(*words), f"a log line with {words}")[0]

    # ---- what it holds ----

    def files(self):
        """Everything in its working and temp directory."""
        return sorted(str(p.relative_to(d.parent)) for d in (self.cwd, self.tmp) for p in d.rglob("*"))

    def fd_count(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self):
        return pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()

    # ---- its end ----

    def wait(self, patience_s=PATIENCE_S):
        return self.process.wait(patience_s)

    def stop(self, signum=signal.SIGTERM):
        """Ends it; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        return self.wait()

    def signal_and_time(self, signum):
        """(exit code, seconds until the end)."""
        began = time.monotonic()
        code = self.stop(signum)
        return code, time.monotonic() - began

    def check_remains(self):
        """What must hold after every test: nothing lies about, no secret was told, no sanitizer spoke."""
        output = self.stdout + self.stderr
        assert "Sanitizer" not in output and "runtime error" not in output, output
        for secret in self.secrets + list(self.c1.given_tokens):
            assert not secret or secret not in output, "a secret in the output"
        assert self.keeps_files or self.files() == []


def unpack(any_message):
    """The message inside an Any."""
    made = message(any_message.type_url.removeprefix("type.googleapis.com/"))()
    made.ParseFromString(any_message.value)
    return made

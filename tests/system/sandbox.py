"""crisp-sandbox as the tests see it: start it, talk to it, change it, order faults, stop it.

    with Sandbox("--operators", "3") as crisp:
        crisp.fault("operators/list", 429, retry_after=2, count=1)
        subprocess.run([...], env={**os.environ, **crisp.env()})
        assert [r["status"] for r in crisp.requests("operators/list")] == [429, 200]

Paths of faults, answers and requests are ends of paths without their ids: "website",
"operators/list", "operator"; or whole paths from /v1/ on; or "*". Everything that /_sandbox/ can do
is in docs/sandbox.md.
"""

import base64
import collections
import http.client
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "crisp"

# Long enough for a sanitizer build on a busy machine; nothing ever waits this long when all is well.
PATIENCE_S = 60

Token = collections.namedtuple("Token", "tier identifier key")


def bin_dir():
    """Where the programs are: $BATON_BIN_DIR, or build/ in the project."""
    return pathlib.Path(os.environ.get("BATON_BIN_DIR", ROOT / "build"))


def program(name="crisp-sandbox"):
    """The path of one of the project's programs."""
    path = bin_dir() / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: build first, or set BATON_BIN_DIR")
    return path


class Answer:
    """One HTTP answer. Header names are looked up without case."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json["data"]

    @property
    def reason(self):
        """Crisp's reason, not HTTP's."""
        return self.json["reason"]

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class AdminError(Exception):
    """The sandbox's own API refused; .status and the sentence it gave."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class Sandbox:
    """A running crisp-sandbox on a free port. Stop it with stop(), or use it in a with statement."""

    def __init__(self, *args, env=None, binary=None):
        self._stderr = tempfile.TemporaryFile()
        # Its standard input closes when this process dies, however it dies.
        self.process = subprocess.Popen(
            [str(binary or program()), "--exit-with-parent", *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **env} if env else None,
        )
        try:
            self.ready_line = self._read_ready_line()
        except Exception:
            self.kill()
            raise
        self.base_url = self.ready_line.split()[-1]
        self.origin = self.base_url[: -len("/v1")]
        self.port = urllib.parse.urlsplit(self.origin).port
        state = self.state()
        self.website_id = state["websites"][0]["website_id"]
        # Tier -> Token
        self.tokens = {t: Token(t, v["identifier"], v["key"]) for t, v in state["tokens"].items()}

    def _read_ready_line(self):
        deadline = time.monotonic() + PATIENCE_S
        fd = self.process.stdout.fileno()
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(fd, 4096) if ready else b""
            if not chunk:
                raise RuntimeError(f"crisp-sandbox did not start: {line!r} {self.stderr()}")
            line += chunk
        return line.decode().strip()

    # ---- life ----

    @property
    def pid(self):
        return self.process.pid

    def stop(self, signum=signal.SIGTERM):
        """Ends it and returns its exit code. Raises if a sanitizer had something to say."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        code = self.process.wait(PATIENCE_S)
        text = self.stderr()
        self._close()
        if "Sanitizer" in text or "runtime error" in text:
            raise RuntimeError(text)
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self._close()

    def _close(self):
        self.process.stdin.close()
        self.process.stdout.close()

    def stderr(self):
        """What it has written to stderr so far."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        code = self.stop()
        assert code == 0, f"crisp-sandbox ended with {code}: {self.stderr()}"

    # ---- as a client of Crisp ----

    def env(self, tier="plugin"):
        """The settings of a connector, as environment variables."""
        token = self.tokens[tier]
        return {
            "BATON_CRISP_API_IDENTIFIER": token.identifier,
            "BATON_CRISP_API_KEY": token.key,
            "BATON_CRISP_WEBSITE_ID": self.website_id,
            "BATON_CRISP_API_TIER": token.tier,
            "BATON_CRISP_BASE_URL": self.base_url,
        }

    def auth(self, tier="plugin"):
        """The two headers of a tier's token."""
        token = self.tokens[tier]
        pair = f"{token.identifier}:{token.key}".encode()
        return {
            "Authorization": "Basic " + base64.b64encode(pair).decode(),
            "X-Crisp-Tier": token.tier,
        }

    def site(self, path="", website_id=None):
        """The path of a route of the website: site("operators/list")."""
        return "/v1/website/" + (website_id or self.website_id) + ("/" + path if path else "")

    def request(self, method, path, body=None, tier="plugin", headers=None, timeout=PATIENCE_S):
        """One request on a connection of its own. tier=None sends no credentials; a body that is
        no bytes is sent as JSON."""
        sent = dict(self.auth(tier) if tier else {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    # ---- as a test that changes it ----

    def admin(self, method, path, body=None, headers=None):
        """A call of /_sandbox/<path>; returns the parsed answer, raises AdminError."""
        answer = self.request(method, "/_sandbox/" + path, body, tier=None, headers=headers)
        value = answer.json
        if answer.status >= 300:
            raise AdminError(answer.status, value["error"])
        return value

    def state(self):
        return self.admin("GET", "state")

    def change(self, **members):
        """change(website={"name": "X"}, tokens={"plugin": {"quota": 1}}): see docs/sandbox.md."""
        return self.admin("PATCH", "state", members)

    def reset(self, **members):
        """Back to the start, then the same members as change()."""
        return self.admin("POST", "reset", members)

    def advance_clock(self, seconds):
        self.change(clock={"advance_ms": int(seconds * 1000)})

    # People of the main website.

    def operators(self):
        """The entries of the list, invitations too, as they are."""
        return self.admin("GET", "operators")["data"]

    def add_operator(self, **details):
        """Returns the details of the new operator; what is not given is made up."""
        return self.admin("POST", "operators", details)["details"]

    def add_entry(self, entry):
        """Adds an entry of any shape: {"type": …, "details": …}."""
        return self.admin("POST", "operators", entry)

    def change_operator(self, user_id, **details):
        return self.admin("PATCH", "operators/" + user_id, details)["details"]

    def remove_operator(self, user_id):
        self.admin("DELETE", "operators/" + user_id)

    def invite(self, email, role="member"):
        return self.admin("POST", "invites", {"email": email, "role": role})["details"]

    def accept_invite(self, email):
        return self.admin("POST", f"invites/{urllib.parse.quote(email)}/accept")["details"]

    # What goes wrong.

    def fault(self, path, kind=None, **params):
        """fault("operators/list", 429, retry_after=2, count=1), fault("website", "slow"), or the
        command-line form as one string. Returns its id."""
        order = path if kind is None else {"path": path, "kind": kind, **params}
        return self.admin("POST", "faults", order)["ids"][0]

    def faults(self):
        return self.admin("GET", "faults")["faults"]

    def clear_faults(self):
        self.admin("DELETE", "faults")

    def answer(self, path, body, status=200, method=None, headers=None):
        """Serves exactly these bytes (a str is UTF-8, anything else becomes JSON)."""
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        query = [("status", status)] + ([("method", method)] if method else [])
        query += [("header", f"{k}: {v}") for k, v in headers.items() if k != "Content-Type"]
        self.admin(
            "PUT",
            f"answers/{path.lstrip('/')}?{urllib.parse.urlencode(query)}",
            body,
            {"Content-Type": headers["Content-Type"]},
        )

    def fixture(self, path, name):
        """Serves a file of tests/fixtures/crisp with the status and headers of its index."""
        entry = FIXTURE_INDEX[name]
        headers = dict(entry.get("headers", {}))
        headers.setdefault("Content-Type", "")
        self.answer(path, (FIXTURES / name).read_bytes(), entry.get("status", 200), None, headers)

    # What was asked.

    def requests(self, path=None):
        """The requests of Crisp's API since the last clear_requests(), oldest first."""
        query = "?" + urllib.parse.urlencode({"path": path}) if path else ""
        return self.admin("GET", "requests" + query)["requests"]

    def clear_requests(self):
        self.admin("DELETE", "requests")

    def wait_for(self, condition, what="the condition"):
        """Asks condition(self) until it is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(self):
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
            time.sleep(0.005)

    def wait_for_requests(self, count, path=None):
        self.wait_for(lambda s: len(s.requests(path)) >= count, f"{count} requests of {path}")
        return self.requests(path)


FIXTURE_INDEX = {e["file"]: e for e in json.loads((FIXTURES / "index.json").read_text())["entries"]}

"""crisp-get, the test program around crisp_fetch(), and small servers that misbehave on purpose.

    got = crisp_get(sandbox, "--debug", retry_unit_ms=1)
    assert got.code == 0 and len(got.operators) == 6

Every run checks that neither key nor Authorization value stands anywhere in its output."""

import base64
import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import sandbox as sandbox_module

PATIENCE_S = sandbox_module.PATIENCE_S
WEBSITE_ID = "5f0c1a2b-1111-4222-8333-abcdef000001"
IDENTIFIER = "1d000000-0000-4000-8000-00000000c0de"
KEY = "0123456789abcdef" * 4
AUTHORIZATION = "Basic " + base64.b64encode(f"{IDENTIFIER}:{KEY}".encode()).decode()

# gRPC codes, which are exit codes
OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND = 0, 1, 3, 4, 5
PERMISSION_DENIED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = 7, 13, 14, 16

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def program():
    return sandbox_module.bin_dir() / "tests" / "tools" / "crisp-get"


def is_sanitized():
    """Under a sanitizer memory and time say nothing."""
    return b"__asan_init" in program().read_bytes()


class Got:
    """What came of one run."""

    def __init__(self, code, out, err, took_s):
        self.code = code
        self.out = out
        self.err = err
        self.took_s = took_s
        self.json = json.loads(out)
        self.error = self.json["error"]
        self.team_error = self.json.get("team_error")
        self.website = self.json.get("website")
        self.operators = self.json.get("operators")
        self.log = [json.loads(line) for line in err.splitlines() if line.startswith("{")]

    @property
    def message(self):
        return self.error["message"]

    def logged(self, message, path=None):
        return [e for e in self.log if e["msg"] == message and path in (None, e.get("path"))]

    def tries(self, path="website/{id}"):
        return len(self.logged("http request finished", path))


def clean_environment(env):
    clean = {k: v for k, v in os.environ.items() if k.lower() not in PROXY_VARIABLES}
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        clean.pop(name, None)
    return {**clean, **(env or {})}


def command(target, *args, retry_unit_ms=1, timeout_s=30, key=KEY):
    base_url = target if isinstance(target, str) else target.base_url
    return [
        str(program()), "--base-url", base_url, "--website-id", WEBSITE_ID, "--identifier", IDENTIFIER,
        "--key", key, "--retry-unit-ms", str(retry_unit_ms), "--timeout-s", str(timeout_s), "--debug",
        *map(str, args),
    ]  # fmt: skip


def check_no_secret(text, key=KEY):
    assert key not in text
    assert AUTHORIZATION.split()[1] not in text


def crisp_get(target, *args, env=None, **more):
    began = time.monotonic()
    process = subprocess.run(
        command(target, *args, **more), capture_output=True, text=True, timeout=PATIENCE_S,
        env=clean_environment(env),
    )  # fmt: skip
    took_s = time.monotonic() - began
    assert "Sanitizer" not in process.stderr and "runtime error" not in process.stderr, process.stderr
    check_no_secret(process.stdout + process.stderr)
    return Got(process.returncode, process.stdout, process.stderr, took_s)


# ---- servers ----


def read_head(connection):
    """The bytes of one request head, b"" if the peer closes before its end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def answer(body, status="200 OK", headers=()):
    """An HTTP/1.1 answer as bytes."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


WEBSITE = {"error": False, "reason": "resolved", "data": {"website_id": WEBSITE_ID, "name": "W"}}
TEAM = {
    "error": False,
    "reason": "listed",
    "data": [{"type": "operator", "details": {"user_id": "u-1", "email": "a@example.com", "role": "owner"}}],
}


def usual(head):
    """The answer of a Crisp that is well."""
    return answer(TEAM if b"/operators/list " in head.split(b"\r\n")[0] + b" " else WEBSITE)


class Server:
    """A TCP server on a free loopback port: each connection is given to handle(connection), in a
    thread of its own. .heads collects what serve() has read."""

    def __init__(self, handle=None, respond=usual, tls=None):
        self.heads = []
        self.connections = 0
        self._handle = handle or self.serve
        self._respond = respond
        self._tls = tls
        self._open = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def scheme(self):
        return "https" if self._tls else "http"

    @property
    def base_url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/v1"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            with self._lock:
                self.connections += 1
                self._open.append(connection)
                self._threads.append(thread)
            thread.start()

    def _run(self, connection):
        # A client that goes away, or that refuses our certificate, is what many tests are about.
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError, ssl.SSLError))
            stack.enter_context(contextlib.closing(connection))
            if self._tls:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
                with self._lock:
                    self._open.append(connection)
            self._handle(connection)

    def serve(self, connection):
        """Answers requests with respond(head) until the client goes."""
        while head := read_head(connection):
            with self._lock:
                self.heads.append(head)
            connection.sendall(self._respond(head))

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def free_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]

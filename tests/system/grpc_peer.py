"""A gRPC server of someone else's (grpcio), and grpc-call, our client as a program.

    with Peer(authority) as peer:
        got = grpc_call(peer, "/test.Peer/Echo", "--message", "6869")
        assert got.code == 0 and got.answer == b"hi"

Messages are plain bytes: what gRPC carries is not its business. The methods of /test.Peer are those of
tests/interop/grpcgo, too:

    Echo          answers with the request
    Sum           takes a stream, answers with count (8 bytes) and SHA-256 of all its messages
    Refuse        status 7, the text REFUSAL
    RefuseUpload  takes a stream, answers status 8 after the first message
    Slow          answers "late" after 2 s, unless it is cancelled
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import threading

import grpc

from sandbox import PATIENCE_S, bin_dir

REFUSAL = "nein: Ärger, 100% \U0001f6d1"


class Authority:
    """A certificate authority of our own in a directory, and one certificate for 127.0.0.1 and ::1."""

    def __init__(self, directory):
        self.directory = directory
        self.ca, self.certificate, self.key = (directory / f for f in ("ca.pem", "server.pem", "server.key"))
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=Test authority", "-keyout", "ca.key",
                      "-out", "ca.pem")  # fmt: skip
        self._openssl("req", *curve, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr")
        (directory / "ext").write_text("subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\n")
        self._openssl("x509", "-req", "-in", "server.csr", "-extfile", "ext", "-days", "2", "-CA", "ca.pem",
                      "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem")  # fmt: skip

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.directory, check=True, capture_output=True)

    def env(self):
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        return {**clean, "SSL_CERT_FILE": str(self.ca)}


# ---- our client ----


class Got:
    """What came of one call."""

    def __init__(self, line):
        self.json = json.loads(line)
        self.code = self.json["code"]
        self.name = self.json["name"]
        self.message = self.json["message"]
        self.is_from_server = self.json["is_from_server"]
        self.answer = bytes.fromhex(self.json["answer"])
        self.sha256 = bytes.fromhex(self.json["sha256"])
        self.took_ms = self.json["took_ms"]

    def __repr__(self):
        return f"<{self.name} {self.message!r} {self.answer[:50]!r}>"


def command(peer, path, *args):
    program = bin_dir() / "tests" / "tools" / "grpc-call"
    return [str(program), "--host", "127.0.0.1", "--port", str(peer.port), "--path", path, *map(str, args)]


def grpc_calls(peer, path, *args):
    """All outcomes of one run of grpc-call."""
    process = subprocess.run(
        command(peer, path, *args), env=peer.authority.env(), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert process.returncode == 0 and not process.stderr, process.stderr
    return [Got(line) for line in process.stdout.splitlines()]


def grpc_call(peer, path, *args):
    (got,) = grpc_calls(peer, path, *args)
    return got


class Steps:
    """A grpc-call that makes its calls one by one, on the same channel: steps.call(path)."""

    def __init__(self, peer, *args, rounds):
        self._process = subprocess.Popen(
            [*command(peer, "/test.Peer/Echo", *args), "--step", "--repeat", str(rounds)],
            env=peer.authority.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def call(self, path="/test.Peer/Echo"):
        self._process.stdin.write(path + "\n")
        self._process.stdin.flush()
        return Got(self._process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _, err = self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0 and not err, err


# ---- their server ----


class Peer(grpc.GenericRpcHandler):
    """A server on a free port of 127.0.0.1. Counts connections by the clients' ports."""

    def __init__(self, authority, options=(), port=0):
        self.authority = authority
        self.clients = set()
        self.metadata = []
        self.cancelled = threading.Event()
        self._stopping = threading.Event()
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0), *options]
        )
        self._server.add_generic_rpc_handlers((self,))
        credentials = grpc.ssl_server_credentials(
            [(authority.key.read_bytes(), authority.certificate.read_bytes())]
        )
        self.port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)
        self._server.start()

    def stop(self):
        self._stopping.set()
        self._server.stop(0).wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def service(self, details):
        self.metadata.append(dict(details.invocation_metadata))
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_unary_rpc_method_handler
        handlers = {
            "Echo": (unary, self._echo),
            "Sum": (stream, self._sum),
            "Refuse": (unary, self._refuse),
            "RefuseUpload": (stream, self._refuse_upload),
            "Slow": (unary, self._slow),
        }
        service, _, method = details.method[1:].partition("/")
        if service != "test.Peer" or method not in handlers:
            return None
        kind, function = handlers[method]
        return kind(function)

    def _echo(self, request, context):
        self.clients.add(context.peer())
        return request

    def _sum(self, requests, context):
        self.clients.add(context.peer())
        count, digest = 0, hashlib.sha256()
        for request in requests:
            count += 1
            digest.update(request)
        return count.to_bytes(8, "big") + digest.digest()

    def _refuse(self, request, context):
        context.abort(grpc.StatusCode.PERMISSION_DENIED, REFUSAL)

    def _refuse_upload(self, requests, context):
        next(requests)
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "one is enough")

    def _slow(self, request, context):
        self.clients.add(context.peer())
        context.add_callback(self.cancelled.set)
        self._stopping.wait(2)
        return b"late"

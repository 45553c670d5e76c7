#!/usr/bin/python3
"""A stand-in for C1: token endpoint and BatonService on one TLS port, on real grpcio.

    with C1() as c1:
        task = c1.add("sync_full")
        subprocess.Popen([...], env={**os.environ, **c1.env(), **crisp.env()})
        assert c1.finished(task).HasField("success") and c1.assets(task)[0].startswith(b"C1Z")

Everything that arrives is kept in order in c1.events and judged: the rules of the fields, the order of an upload,
token, assertion. What breaks a rule is refused as C1 would and kept in c1.violations; a test that leaves
any there has failed (conftest.py). What goes wrong on the other side is ordered with c1.fault().

By hand: tests/system/c1.py --tasks hello,sync_full prints what a connector needs.
"""

import argparse
import concurrent.futures
import dataclasses
import hashlib
import http.server
import io
import json
import ssl
import sys
import threading
import time
import urllib.parse

import grpc

from c1_front import Front
from c1_identity import (
    Credentials, TokenRefused, check_token_request, identities, new_token, require)
from c1_messages import BODIES, breaches, message, task

PATIENCE_S = 40
SERVICE = "c1.connectorapi.baton.v1.BatonService"
UNARY = ["Hello", "GetTask", "GetTasks", "Heartbeat", "FinishTask"]
CHUNK = 512 * 1024


@dataclasses.dataclass
class Event:
    """Something that the client did. kind: connect, token, or a method's name."""

    kind: str
    at: float
    request: object = None  # the message; a list of claims for a token
    headers: dict = dataclasses.field(default_factory=dict)
    deadline_s: float = None
    code: str = None  # what it was answered with; None while it is not
    task_id: str = ""
    chunks: list = dataclasses.field(default_factory=list)  # UploadAsset: sizes
    asset: bytes = None  # UploadAsset: the whole, once it is complete and right
    more: dict = dataclasses.field(default_factory=dict)

    @property
    def is_ok(self):
        return self.code == "OK"


@dataclasses.dataclass
class Fault:
    """Of one method, or of "token". Without code and answer the call goes its normal way after the delay."""

    times: int = 1
    code: str = None  # the name of a gRPC code; OK: an UploadAsset that is answered too early
    text: str = "ordered by the test"
    delay_s: float = 0
    is_held: bool = False  # waits for c1.release()
    cut: str = None  # "before" the call has an effect, or "after": only the answer is lost
    after: int = None  # UploadAsset: after so many data messages; None: before the first, -1: after eof
    answer: bytes = None  # these bytes instead of the message
    status: int = None  # token: HTTP status ...
    body: bytes = None  # ... and body


class Refused(Exception):
    """The call ends with this code; the event says `shown`."""

    def __init__(self, code, text, shown=None):
        super().__init__(text)
        self.code, self.shown = code, shown or code


class EarlyOk(Exception):
    """An upload is answered with OK before its end, as no server should."""


class C1:
    """host: where it listens. concurrency: how many tasks the client may have at once."""

    def __init__(self, host="127.0.0.1", credentials=None, concurrency=3, next_poll_s=0.1, next_heartbeat_s=1,
                 expires_in=3600, options=()):
        self.credentials = credentials or Credentials()
        self.concurrency = concurrency
        self.next_poll_s, self.next_heartbeat_s = next_poll_s, next_heartbeat_s  # None: unset
        self.expires_in, self.token_type = expires_in, "Bearer"
        self.events, self.violations = [], []
        self.cancelled = set()  # ids of tasks whose next heartbeat says so
        self._changed = threading.Condition()
        self._queue, self._tasks, self._running, self._done = [], {}, set(), {}
        self._faults = {}
        self._released = threading.Event()
        self._tokens, self._nonces, self.given_tokens = {}, set(), []
        self._host_id = None
        self._start_grpc(options)
        self.identity = "good"
        self._contexts = {}
        self.front = Front(host, self._on_connect, self._serve_token, lambda: ("127.0.0.1", self._ports[self.identity]))
        self.host, self.port = host, self.front.port
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    # ---- life ----

    def _start_grpc(self, options):
        self._workers = concurrent.futures.ThreadPoolExecutor(max_workers=40)
        self._server = grpc.server(self._workers, options=[
            ("grpc.so_reuseport", 0),
            ("grpc.compression_enabled_algorithms_bitset", 1),  # a compressed request is refused
            ("grpc.max_receive_message_length", 2 * 1024 * 1024),
            *options])
        handlers = {name: grpc.unary_unary_rpc_method_handler(self._unary(name)) for name in UNARY}
        handlers["UploadAsset"] = grpc.stream_unary_rpc_method_handler(self._upload)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self._ports = {
            which: self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
            for which, pair in identities().pairs.items()}
        self._server.start()

    def stop(self):
        self.release()
        self.front.close()
        self._server.stop(0).wait(PATIENCE_S)
        self._workers.shutdown()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def env(self):
        return {
            "BATON_C1_API_HOST": self.address,
            "SSL_CERT_FILE": str(identities().ca_file),
            "BATON_CLIENT_ID": self.credentials.client_id,
            "BATON_CLIENT_SECRET": self.credentials.secret,
        }

    # ---- what a test orders ----

    def add(self, kind, *args, **more):
        """Queues a task (see c1_messages.task); returns its id."""
        made = task(kind, *args, **more)
        with self._changed:
            self._queue.append(made)
            self._tasks[made.id] = made
        return made.id

    def fault(self, method, **what):
        """fault("FinishTask", code="UNAVAILABLE", times=3): see Fault."""
        with self._changed:
            self._faults.setdefault(method, []).append(Fault(**what))

    def clear_faults(self):
        with self._changed:
            self._faults.clear()

    def release(self):
        """Lets the held calls go on."""
        self._released.set()

    def hold_again(self):
        self._released.clear()

    def cancel(self, id):
        with self._changed:
            self.cancelled.add(id)

    def take_back(self):
        """The tasks that are with the client are regarded as not given."""
        with self._changed:
            self._running.clear()

    def forget_tokens(self):
        """Every token given out so far is refused from now on."""
        with self._changed:
            self._tokens.clear()

    # ---- what a test asks ----

    def wait(self, condition, what="a condition", patience_s=PATIENCE_S):
        """Waits until condition() is true, looking again whenever something happens; returns its value."""
        deadline = time.monotonic() + patience_s
        with self._changed:
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"waited {patience_s} s for {what}; so far:\n{self.story()}")
                self._changed.wait(left)

    def of(self, *kinds, task_id=None):
        return [e for e in list(self.events) if e.kind in kinds and task_id in (None, e.task_id)]

    def wait_for(self, kind, count=1, task_id=None, answered=True):
        """The events of the kind, once there are so many, answered ones."""
        def enough():
            found = [e for e in self.of(kind, task_id=task_id) if e.code or not answered]
            return found if len(found) >= count else None
        return self.wait(enough, f"{count} {kind} {task_id or ''}")

    def finished(self, id):
        """Waits for the FinishTask of the task that was answered well; returns the request."""
        return self.wait(lambda: self._done.get(id), f"the end of {id}")

    def is_finished(self, id):
        return id in self._done

    def assets(self, id):
        return [e.asset for e in self.of("UploadAsset", task_id=id) if e.asset is not None]

    def story(self):
        """The events in short, for people; polls without a task in a row are one line."""
        events = list(self.events)
        lines, idle = [], 0
        for e in events:
            idle = idle + 1 if e.is_ok and e.more.get("tasks") == [] else 0
            if idle > 1:
                lines.pop()
            lines.append(f"  {e.at - events[0].at:7.3f} {e.kind} {e.task_id} {e.code or 'open'} {e.more} "
                         f"{e.chunks or ''}{f' {idle} times' if idle > 1 else ''}")
        return "\n".join(lines) or "  nothing"

    # ---- inside ----

    def _record(self, kind, **more):
        event = Event(kind, time.monotonic(), **more)
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()
        return event

    def _close(self, event, code):
        with self._changed:
            event.code = code
            self._changed.notify_all()

    def _breach(self, text):
        with self._changed:
            self.violations.append(text)

    def _next_fault(self, method):
        with self._changed:
            for fault in self._faults.get(method, []):
                if fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def _apply_waits(self, fault):
        if fault.delay_s:
            time.sleep(fault.delay_s)
        if fault.is_held:
            self._released.wait(PATIENCE_S)

    def _on_connect(self, connection):
        hello = connection.hello
        self._record("connect", code="OK", more={
            "kind": connection.kind, "alpn": hello.protocols, "sni": hello.server_name, "version": hello.version})

    # ---- the token endpoint ----

    def _serve_token(self, conn):
        context = self._contexts.get(self.identity)
        if not context:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            key, cert = identities().files(self.identity)
            context.load_cert_chain(cert, key)
            context.set_alpn_protocols(["http/1.1"])
            self._contexts[self.identity] = context
        with context.wrap_socket(conn.dup(), server_side=True) as tls:
            TokenHandler(tls, conn.getpeername(), self)

    def answer_token(self, path, headers, body):
        """(status, body) of one POST; None to hang up."""
        event = self._record("token", headers=headers)
        fault = self._next_fault("token")
        if fault:
            self._apply_waits(fault)
        try:
            require(path == "/auth/v1/token", f"the path {path}")
            form = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
            event.request = check_token_request(self.credentials, headers, form, self._nonces)
        except (TokenRefused, ValueError, KeyError) as e:
            self._breach(f"token: {e}")
            self._close(event, "401")
            return 401, b'{"error":"invalid_client"}'
        if fault and fault.cut:
            self._close(event, "cut")
            return None
        if fault and (fault.status or fault.body is not None):
            status = fault.status or 200
            self._close(event, str(status))
            return status, fault.body if fault.body is not None else b'{"error":"ordered by the test"}'
        token = new_token()
        with self._changed:
            self.given_tokens.append(token)
            self._tokens[token] = time.monotonic() + (self.expires_in or 0) + 5
        answer = {"access_token": token, "token_type": self.token_type, "scope": "unknown member"}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        self._close(event, "OK")
        return 200, json.dumps(answer).encode()

    # ---- the calls ----

    def _begin(self, method, context):
        headers = {key: value for key, value in context.invocation_metadata()}
        left = context.time_remaining()
        event = self._record(method, headers=headers, deadline_s=None if left is None or left > 1e6 else left)
        event.more["peer"] = int(context.peer().rsplit(":", 1)[1])
        return event

    def _check_caller(self, event):
        kind, _, token = event.headers.get("authorization", "").partition(" ")
        with self._changed:
            until = self._tokens.get(token)
        if kind != "Bearer" or not token:
            self._breach(f"{event.kind}: authorization is {kind!r}")
        if until is None or time.monotonic() > until:
            raise Refused("UNAUTHENTICATED", "the token is not known")
        if "dpop" in event.headers:
            self._breach(f"{event.kind}: a dpop header")
        name = self.credentials.client_id.split("@")[0]
        if not event.headers.get("user-agent", "").startswith(f"{name} baton-sdk/v"):
            self._breach(f"{event.kind}: user agent {event.headers.get('user-agent')!r}")

    def _check_message(self, event, msg):
        found = breaches(msg)
        host_id = getattr(msg, "host_id", "")
        if host_id:
            self._host_id = self._host_id or host_id
            if host_id != self._host_id:
                found.append(f"host_id was {self._host_id!r} and is {host_id!r}")
        if found:
            for breach in found:
                self._breach(f"{event.kind}: {breach}")
            raise Refused("INVALID_ARGUMENT", "; ".join(found))

    def _unary(self, method):
        request_class = message(method + "Request")

        def call(raw, context):
            event = self._begin(method, context)
            try:
                event.request = request_class.FromString(raw)
                event.task_id = getattr(event.request, "task_id", "")
                self._check_caller(event)
                self._check_message(event, event.request)
                if method == "Heartbeat":
                    self._check_open(event)
                fault = self._next_fault(method)
                if fault:
                    self._ordered(event, fault, "before")
                is_lost = bool(fault and (fault.cut or fault.answer is not None))
                answer = getattr(self, "_do_" + method)(event, event.request, is_lost)
                if fault:
                    self._ordered(event, fault, "after")
                self._close(event, "OK")
                return answer.SerializeToString() if not fault or fault.answer is None else fault.answer
            except Refused as e:
                self._close(event, e.shown)
                context.abort(getattr(grpc.StatusCode, e.code), str(e))
            except Exception as e:
                self._breach(f"{method}: the stand-in failed: {e!r}")
                raise
        return call

    def _ordered(self, event, fault, when):
        if when == "before":
            self._apply_waits(fault)
            if fault.code:
                raise Refused(fault.code, fault.text)
        if fault.cut == when:
            self.front.cut_peer(event.more["peer"])
            raise Refused("UNAVAILABLE", "the connection was cut", "cut")

    @staticmethod
    def _set_duration(field, seconds):
        if seconds is not None:
            field.SetInParent()
            field.FromNanoseconds(int(seconds * 1e9))

    def _do_Hello(self, event, request, _):
        if request.task_id:
            with self._changed:
                if request.task_id not in self._running:
                    self._breach(f"Hello: task {request.task_id} is not running")
                self._running.discard(request.task_id)
                self._done[request.task_id] = request
        return message("HelloResponse")()

    def _take(self, event, most, known, is_lost):
        """Up to `most` queued tasks, which are then with the client."""
        with self._changed:
            busy = len(known) if event.kind == "GetTasks" else len(self._running)
            if busy >= self.concurrency:
                self._breach(f"{event.kind} while the client has {busy} tasks")
            taken = [t for t in self._queue if t.id not in known][:most]
            for t in taken if not is_lost else []:
                self._queue.remove(t)
                if t.id and t.WhichOneof("task_type") != "none":
                    self._running.add(t.id)
            event.more["tasks"] = [t.WhichOneof("task_type") or "empty" for t in taken]
        return taken

    def _do_GetTask(self, event, request, is_lost):
        answer = message("GetTaskResponse")()
        for taken in self._take(event, 1, [], is_lost):
            answer.task.CopyFrom(taken)
        self._set_duration(answer.next_poll, self.next_poll_s)
        self._set_duration(answer.next_heartbeat, self.next_heartbeat_s)
        return answer

    def _do_GetTasks(self, event, request, is_lost):
        if request.page_size != min(100, 2 * self.concurrency - len(request.known_task_ids)):
            self._breach(f"GetTasks: page_size is {request.page_size}")
        answer = message("GetTasksResponse")()
        answer.tasks.extend(self._take(event, request.page_size, list(request.known_task_ids), is_lost))
        self._set_duration(answer.next_poll, self.next_poll_s)
        return answer

    def _check_open(self, event):
        with self._changed:
            if event.task_id not in self._running:
                self._breach(f"{event.kind}: task {event.task_id} is not running")
                raise Refused("NOT_FOUND", "no such task")

    def _do_Heartbeat(self, event, request, _):
        answer = message("HeartbeatResponse")(cancelled=event.task_id in self.cancelled)
        self._set_duration(answer.next_heartbeat, self.next_heartbeat_s)
        return answer

    def _do_FinishTask(self, event, request, _):
        if any(e.code == "cut" for e in self.of("FinishTask", task_id=event.task_id)):
            with self._changed:
                self._running.add(event.task_id)  # the client cannot know that it was heard
        self._check_open(event)
        if request.WhichOneof("final_state") == "success" and request.HasField("status"):
            self._breach("FinishTask: success with a status")
        if request.WhichOneof("final_state") == "error" and not (request.status.code and request.status.message):
            self._breach("FinishTask: error without code or message")
        if event.deadline_s is None or event.deadline_s > 30.5:
            self._breach(f"FinishTask: the deadline is {event.deadline_s}")
        with self._changed:
            self._running.discard(event.task_id)
            self._done[event.task_id] = request
            self._changed.notify_all()
        return message("FinishTaskResponse")()

    # ---- uploads ----

    def _upload(self, raws, context):
        event = self._begin("UploadAsset", context)
        try:
            self._check_caller(event)
            fault = self._next_fault("UploadAsset")
            self._receive(event, raws, fault)
            if fault:
                self._ordered(event, fault, "after")
            self._close(event, "OK")
            return message("UploadAssetResponse")().SerializeToString()
        except EarlyOk:
            self._close(event, "early OK")
            return message("UploadAssetResponse")().SerializeToString()
        except Refused as e:
            self._close(event, e.shown)
            context.abort(getattr(grpc.StatusCode, e.code), str(e))
        except grpc.RpcError:
            self._close(event, "lost")
            raise
        except Exception as e:
            self._close(event, "lost")
            if context.is_active():
                self._breach(f"UploadAsset: the stand-in failed: {e!r}")
            raise

    def _receive(self, event, raws, fault):
        request_class = message("UploadAssetRequest")
        data, is_begun, checksum = io.BytesIO(), False, None

        def maybe(point):
            if fault and fault.after == point:
                if fault.code == "OK":
                    raise EarlyOk
                self._ordered(event, fault, "before")

        maybe(None)
        for raw in raws:
            msg = request_class.FromString(raw)
            self._check_message(event, msg)
            kind = msg.WhichOneof("msg")
            if (kind == "metadata") == is_begun or checksum is not None:
                self._breach(f"UploadAsset: {kind} out of order")
                raise Refused("INVALID_ARGUMENT", f"{kind} out of order")
            if kind == "metadata":
                is_begun, event.task_id = True, msg.metadata.task_id
                self._check_message(event, msg.metadata)
                self._check_open(event)
                maybe(0)
            elif kind == "data":
                event.chunks.append(len(msg.data.data))
                data.write(msg.data.data)
                self._tell()
                maybe(len(event.chunks))
            else:
                checksum = msg.eof.sha256_checksum
                maybe(-1)
        if checksum is None:
            raise Refused("INVALID_ARGUMENT", "the stream ended before eof")
        self._check_asset(event, data.getvalue(), checksum)

    def _tell(self):
        with self._changed:
            self._changed.notify_all()

    def _check_asset(self, event, asset, checksum):
        if hashlib.sha256(asset).digest() != checksum:
            self._breach("UploadAsset: the checksum")
            raise Refused("INVALID_ARGUMENT", "the checksum does not fit")
        full, rest = divmod(len(asset), CHUNK)
        if event.chunks != [CHUNK] * full + ([rest] if rest else []):
            self._breach(f"UploadAsset: the chunks are {event.chunks}")
        event.asset = asset


class TokenHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def do_POST(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = self.server.answer_token(self.path, headers, body)
        if answer is None:
            self.close_connection = True
            return
        status, text = answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description="A stand-in for C1, by hand.")
    parser.add_argument("--tasks", default="hello,sync_full", help="comma list of: " + ", ".join(BODIES))
    parser.add_argument("--next-poll", type=float, default=0.5)
    given = parser.parse_args()
    with C1(next_poll_s=given.next_poll) as c1:
        for kind in filter(None, given.tasks.split(",")):
            c1.add(kind)
        for name, value in c1.env().items():
            print(f"export {name}='{value}'")
        sys.stdout.flush()
        shown = 0
        try:
            while True:
                c1.wait(lambda: len(c1.events) > shown, "an event", 1e6)
                event = c1.events[shown]
                print(f"{event.kind} {event.task_id}\n{event.request or ''}", file=sys.stderr)
                shown += 1
        except KeyboardInterrupt:
            pass
        print("\n".join(c1.violations) or "no violations", file=sys.stderr)


if __name__ == "__main__":
    main()

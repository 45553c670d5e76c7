"""Service mode: the health server, the metrics, the command that asks them, and what is told to systemd."""

import datetime
import http.client
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from connector import clean_env, command

ENDPOINTS = {"health": "healthy", "ready": "ready", "live": "alive"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Health:
    def __init__(self, port):
        self.port = port

    def get(self, path, method="GET"):
        """(status, headers, body); None while nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=35)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        except ConnectionRefusedError:
            return None
        finally:
            connection.close()

    def command(self, *args):
        return subprocess.run(command("health-check", "--health-check-port", self.port, *args),
                              env=clean_env(), capture_output=True, text=True, timeout=60)


@pytest.fixture
def healthy(serve):
    """healthy(...) -> (service, Health), once it listens."""
    def start(*args, **more):
        health = Health(free_port())
        service = serve("--health-check", "--health-check-port", health.port, *args, **more)
        service.until(lambda: health.get("/live"), "the health server")
        return service, health
    return start


def test_the_three_endpoints(c1, healthy):
    _, health = healthy()
    c1.wait_for("GetTask")
    for path, word in ENDPOINTS.items():
        status, headers, body = health.get("/" + path)
        assert status == 200 and headers["Content-Type"] == "application/json"
        assert body.endswith("\n") and body.count("\n") == 1
        answer = json.loads(body)
        assert list(answer) == ["status", "timestamp"] and answer["status"] == word
        stamp = datetime.datetime.strptime(answer["timestamp"], "%Y-%m-%dT%H:%M:%SZ")
        assert abs((datetime.datetime.utcnow() - stamp).total_seconds()) < 30


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT"])
def test_any_method(c1, healthy, method):
    _, health = healthy()
    assert health.get("/live", method)[0] == 200


@pytest.mark.parametrize("path", ["/", "/nope", "/healthz", "/live/x"])
def test_another_path(c1, healthy, path):
    _, health = healthy()
    status, _, body = health.get(path)
    assert (status, body) == (404, "404 page not found\n")


def test_it_is_up_before_hello(c1, healthy):
    c1.front.refuse()
    service, health = healthy()
    service.until_log("startup Hello failed")
    assert health.get("/live")[0] == 200
    status, _, body = health.get("/ready")
    assert status == 503 and json.loads(body)["status"] == "not_ready"
    c1.front.refuse(False)
    service.until(lambda: health.get("/ready")[0] == 200, "readiness")


def test_health_asks_crisp(sandbox, c1, healthy):
    _, health = healthy()
    assert health.get("/health")[0] == 200
    assert sandbox.requests()


def test_an_unhealthy_connector(sandbox, c1, healthy):
    sandbox.fault("*", 401)
    service, health = healthy()
    status, _, body = health.get("/health")
    answer = json.loads(body)
    assert status == 503 and answer["status"] == "unhealthy"
    assert answer["details"]["error"] == "connector validation failed"
    assert answer["details"]["validation_error"]
    for secret in service.secrets:
        assert secret not in body
    assert health.get("/live")[0] == 200


def test_a_crisp_that_does_not_answer_holds_nothing_up(sandbox, c1, healthy):
    sandbox.fault("*", "stall")
    service, health = healthy()
    waiting = socket.create_connection(("127.0.0.1", health.port))
    waiting.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    sandbox.wait_for_requests(1)
    assert health.get("/live")[0] == 200
    polls = len(c1.of("GetTask"))
    c1.wait_for("GetTask", polls + 2)
    code, took = service.signal_and_time(signal.SIGTERM)
    waiting.close()
    assert code == 0 and took < 5


def test_the_command(c1, healthy):
    _, health = healthy()
    c1.wait_for("GetTask")
    for path in ENDPOINTS:
        done = health.command("--endpoint", path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_when_nobody_listens():
    done = Health(free_port()).command()
    assert done.returncode == 14 and done.stderr.startswith("health check failed: Get \"http://127.0.0.1:")


def test_the_command_when_it_is_not_ready(c1, healthy):
    c1.front.refuse()
    _, health = healthy()
    done = health.command("--endpoint", "ready")
    assert done.returncode == 2 and done.stderr.strip() == "health check returned status 503"


def test_a_taken_port_is_an_error_of_the_start(c1, serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = serve("--health-check", "--health-check-port", taken.getsockname()[1])
        assert service.wait() == 2
    assert "failed to create health check listener: " in service.stderr.rstrip().rsplit("\n", 1)[-1]


def test_off_by_default(c1, serve):
    service = serve()
    c1.wait_for("GetTask")
    listening = subprocess.run(["grep", "-c", " 0A ", f"/proc/{service.pid}/net/tcp"], capture_output=True)
    assert listening.returncode in (0, 1)
    inodes = {line.split()[9] for line in open(f"/proc/{service.pid}/net/tcp") if line.split()[3] == "0A"}
    own = {os.readlink(f"/proc/{service.pid}/fd/{n}") for n in os.listdir(f"/proc/{service.pid}/fd")}
    assert not [i for i in inodes if f"socket:[{i}]" in own]


# ---- metrics ----


def metrics(health):
    """name{labels} -> value, of one look."""
    status, headers, body = health.get("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    values = {}
    for line in body.splitlines():
        if not line.startswith("#"):
            name, value = re.fullmatch(r"([a-z_]+(?:\{[^}]*\})?) (\S+)", line).groups()
            assert name not in values
            values[name] = float(value)
    return values


def total(values, *words):
    return sum(v for name, v in values.items() if all(w in name for w in words))


def test_metrics_count_syncs_operators_and_requests(c1, sandbox, healthy):
    _, health = healthy()
    c1.wait_for("GetTask")
    before = metrics(health)
    assert total(before, "sync", "success") == 0
    c1.finished(c1.add("sync_full"))
    c1.wait_for("GetTask", len(c1.of("GetTask")) + 1)
    after = metrics(health)
    assert total(after, "syncs", "success") == 1
    people = sandbox.operators()
    team = [e["details"] for e in people if e["type"] == "operator"]
    assert total(after, "operators") == len(team)
    assert total(after, "owners") == len([d for d in team if d["role"] == "owner"])
    assert total(after, "requests", "200") == len(sandbox.requests())
    assert total(after, "resident_memory") > 1e6


def test_metrics_count_failures(c1, sandbox, healthy):
    _, health = healthy()
    sandbox.fault("operators/list", 403)
    c1.finished(c1.add("sync_full"))
    c1.wait_for("GetTask", len(c1.of("GetTask")) + 1)
    values = metrics(health)
    assert total(values, "syncs", "success") == 0 and total(values, "syncs") == 1
    assert total(values, "requests", "403") >= 1


# ---- systemd ----


def test_systemd_is_told_and_the_watchdog_fed(c1, serve, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(60)
        service = serve(env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "600000"})
        seen = ""
        while not ("READY=1" in seen and seen.count("WATCHDOG=1") >= 3):
            seen += notify.recv(4096).decode() + "\n"
        assert c1.of("Hello")
        assert service.stop() == 0
        notify.setblocking(False)
        try:
            while True:
                seen += notify.recv(4096).decode() + "\n"
        except BlockingIOError:
            pass
        assert "STOPPING=1" in seen

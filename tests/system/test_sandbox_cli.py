"""crisp-sandbox as a program: options, the ready line, signals, addresses, speed."""

import os
import re
import signal
import socket
import subprocess
import time

import pytest

import sandbox as sandbox_module
from sandbox import Sandbox


def run(*args, **more):
    return subprocess.run(
        [str(sandbox_module.program()), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=sandbox_module.PATIENCE_S, **more
    )


def test_help_fits_a_screen_and_names_everything():
    result = run("--help")
    lines = result.stdout.splitlines()
    assert result.returncode == 0 and result.stderr == ""
    assert len(lines) <= 40 and max(map(len, lines)) <= 80
    with Sandbox() as crisp:
        for token in crisp.tokens.values():
            assert token.identifier in result.stdout and token.key in result.stdout
    assert run("-h").stdout == result.stdout


def test_help_of_faults():
    text = run("--help-faults").stdout
    for word in ("slow", "cut", "stall", "retry-after", "count", "skip", "offline"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 90


def test_manual_names_every_option_and_kind():
    manual = (sandbox_module.ROOT / "man" / "crisp-sandbox.1").read_text()
    for option in re.findall(r"^  (--[a-z-]+)", run("--help").stdout, re.M):
        assert option[2:].replace("-", "\\-") in manual or option[2:] in manual, option
    for kind in re.findall(r"^  ([a-z0-9-]+)  ", run("--help-faults").stdout, re.M):
        assert re.search(rf"^\.It Cm {re.escape(kind)}\b", manual, re.M), kind


def test_version():
    assert re.fullmatch(r"crisp-sandbox \d+\.\d+\.\d+\S*\n", run("--version").stdout)


@pytest.mark.parametrize(
    "args,says",
    [
        (["--nonsense"], "--nonsense"),
        (["extra"], "extra"),
        (["--operators"], "needs a value"),
        (["--operators", "x"], "number"),
        (["--operators", "0"], "number"),
        (["--operators", "99999999999"], "number"),
        (["--operators="], "number"),
        (["--cache=1"], "no value"),
        (["--quota", "-1"], "number"),
        (["--tier", "owner"], "plugin, website or user"),
        (["--listen", "127.0.0.1"], "address and a port"),
        (["--listen", "::1:80"], "address and a port"),
        (["--listen", "127.0.0.1:http"], "address and a port"),
        (["--listen", "127.0.0.1:99999"], "address and a port"),
        (["--website-id", "x"], "UUID"),
        (["--scopes", "everything"], "everything"),
        (["--fault", "x"], "path:kind"),
        (["--fault", "website:explode"], "explode"),
        (["--scenario", "/nonexistent.json"], "/nonexistent.json"),
    ],
)
def test_bad_arguments_are_explained(args, says):
    result = run(*args)
    assert result.returncode in (1, 2) and result.stdout == ""
    assert says in result.stderr
    assert result.stderr.startswith("crisp-sandbox: ") and result.stderr.count("\n") == 1


def test_bad_scenario_names_the_line(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{\n"website": oops}')
    assert "line 2" in run("--scenario", path).stderr
    path.write_text('{"operators": [7]}')
    assert "operator 0" in run("--scenario", path).stderr


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_only_loopback_without_leave(address):
    result = run("--listen", address)
    assert result.returncode == 1
    assert "not a loopback address" in result.stderr and "--allow-remote" in result.stderr


def test_with_leave_it_listens_elsewhere():
    with Sandbox("--listen", "0.0.0.0:0", "--allow-remote") as crisp:
        assert crisp.ready_line == f"crisp-sandbox: listening on http://0.0.0.0:{crisp.port}/v1"


def test_taken_port_is_told():
    with Sandbox() as crisp:
        result = run("--listen", f"127.0.0.1:{crisp.port}")
    assert result.returncode == 1 and "in use" in result.stderr


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.parametrize("address, shown", [
    ("localhost:0", r"(127\.0\.0\.1|\[::1\]|localhost)"),  # which of them is the system's to say
    ("127.0.0.2:0", r"127\.0\.0\.2"),
    ("[::1]:0", r"\[::1\]"),
])
def test_other_loopback_addresses(address, shown):
    if address.startswith("[") and not has_ipv6():
        address, shown = "127.0.0.3:0", r"127\.0\.0\.3"
    # The helper speaks to 127.0.0.1 only, so these are asked by hand.
    process = subprocess.Popen(
        [str(sandbox_module.program()), "--listen", address], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        assert re.fullmatch(rf"crisp-sandbox: listening on http://{shown}:\d+/v1\n", line), line
    finally:
        process.terminate()
        assert process.wait(sandbox_module.PATIENCE_S) == 0
        process.stdout.close()


def test_one_ready_line_and_nothing_else():
    with Sandbox() as crisp:
        assert re.fullmatch(r"crisp-sandbox: listening on http://127\.0\.0\.1:\d+/v1", crisp.ready_line)
        crisp.get(crisp.site())
        assert crisp.stderr() == ""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_at_once(signum):
    crisp = Sandbox()
    start = time.monotonic()
    assert crisp.stop(signum) == 0
    assert time.monotonic() - start < 5


def test_ends_with_its_parent():
    crisp = Sandbox()
    crisp.process.stdin.close()
    assert crisp.process.wait(sandbox_module.PATIENCE_S) == 0
    crisp.stop()


def test_print_env():
    with Sandbox() as crisp:
        for tier in crisp.tokens:
            result = run("--print-env", "--tier", tier, "--listen", f"127.0.0.1:{crisp.port}")
            assert dict(line.split("=", 1) for line in result.stdout.split()) == crisp.env(tier)
    text = run("--print-env").stdout
    assert "BATON_CRISP_BASE_URL" not in text and text.count("\n") == 4


def test_ready_file(tmp_path):
    path = tmp_path / "ready"
    with Sandbox("--ready-file", path, "--tier", "website") as crisp:
        assert dict(line.split("=", 1) for line in path.read_text().split()) == crisp.env("website")
        assert path.stat().st_mode & 0o777 == 0o600
        assert os.listdir(tmp_path) == ["ready"]
    result = run("--ready-file", tmp_path / "no" / "ready")
    assert result.returncode == 1 and "ready" in result.stderr


def test_log():
    with Sandbox("--log", "--fault", "operators/list:503") as crisp:
        crisp.get(crisp.site("operators/list"))
        crisp.wait_for(lambda s: "\n" in s.stderr())
        line = crisp.stderr()
    assert re.fullmatch(rf"GET {crisp.site('operators/list')} 503 - \d+\.\dms fault=1\n", line)


def test_website_options():
    wid = "00000000-0000-4000-8000-000000000042"
    with Sandbox("--website-id", wid, "--website-name", "Näme") as crisp:
        data = crisp.get(crisp.site()).data
    assert (data["website_id"], data["name"]) == (wid, "Näme")


def test_scopes_option():
    with Sandbox("--scopes", "website:operators") as crisp:
        assert crisp.state()["tokens"]["plugin"]["scopes"] == ["website:operators:read", "website:operators:write"]
        assert crisp.get(crisp.site("settings")).status == 403


def send_raw(crisp, data):
    """Sends bytes, closes the sending side, reads to the end."""
    with socket.create_connection(("127.0.0.1", crisp.port), timeout=sandbox_module.PATIENCE_S) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        received = b""
        try:
            while chunk := s.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        return received


RAW = [
    b"",
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
    b"POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + b"a" * 4095 + b"\r\n",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: \xff\r\nX-\xfe: \xff\r\n\r\n",
    b"GET http://evil.example/v1/x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/x?%=&&&=&%zz=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /_sandbox/requests?path=%zz HTTP/1.0\r\n\r\n",
    b"PUT /_sandbox/answers/\xff HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
]


@pytest.mark.parametrize("data", RAW, ids=range(len(RAW)))
def test_any_bytes_are_survived(data):
    with Sandbox() as crisp:
        start = time.monotonic()
        send_raw(crisp, data)
        assert time.monotonic() - start < 10
        assert crisp.get(crisp.site()).status == 200
        assert crisp.requests()[-1]["status"] == 200


def test_endless_body_is_given_up():
    with Sandbox() as crisp:
        head = b"POST /v1/website HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert send_raw(crisp, head + (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 64) == b""
        assert crisp.get(crisp.site()).status == 200


@pytest.mark.release
def test_hundred_thousand_operators():
    start = time.monotonic()
    with Sandbox("--operators", 100000) as crisp:
        assert time.monotonic() - start < 1
        crisp.get(crisp.site("operators/list"))
        sizes = []
        for _ in range(5):
            start = time.monotonic()
            body = crisp.get(crisp.site("operators/list")).body
            assert time.monotonic() - start < 1
            status = open(f"/proc/{crisp.pid}/status").read()
            sizes.append(int(re.search(r"VmRSS:\s+(\d+)", status).group(1)))
    assert len(body) > 25_000_000
    assert max(sizes) - sizes[0] < 1024 and max(sizes) < 120_000

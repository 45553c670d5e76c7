"""The Crisp client over TLS: certificates, HTTP/2 on one connection, proxies."""

import base64
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

import crisp_get as world
from crisp_get import INTERNAL, OK, UNAVAILABLE, Server, answer, crisp_get

# An address that only the proxy of these tests knows.
NAME = "crisp.test"


class Certificates:
    """A certificate authority of our own in a directory."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = directory / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem",
        )  # fmt: skip

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.directory, check=True, capture_output=True)

    def issue(self, file, names, days=2, self_signed=False):
        """Makes file.pem and file.key for the subject names; returns their paths."""
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={file}",
            "-keyout", f"{file}.key", "-out", f"{file}.csr",
        )  # fmt: skip
        (self.directory / f"{file}.ext").write_text(f"subjectAltName={names}\n")
        signer = ["-signkey", f"{file}.key"] if self_signed else ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        self._openssl("x509", "-req", "-in", f"{file}.csr", "-extfile", f"{file}.ext", "-days", str(days), *signer,
                      "-out", f"{file}.pem")  # fmt: skip
        return self.directory / f"{file}.pem", self.directory / f"{file}.key"

    def context(self, file, names, **more):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(file, names, **more))
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def good(certificates):
    return certificates.context("good", f"IP:127.0.0.1,DNS:localhost,DNS:{NAME}")


@pytest.fixture
def trust(certificates):
    return {"SSL_CERT_FILE": str(certificates.ca)}


# ---- certificates ----


def test_a_private_authority_by_ssl_cert_file(good, trust):
    with Server(tls=good) as server:
        got = crisp_get(server, env=trust)
    assert got.code == OK and got.json["count"] == 1
    assert len(server.heads) == 2


def test_a_private_authority_by_ssl_cert_dir(good, certificates, tmp_path):
    shutil.copy(certificates.ca, tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", tmp_path], check=True)
    with Server(tls=good) as server:
        assert crisp_get(server, env={"SSL_CERT_DIR": str(tmp_path)}).code == OK


def refused(server, env=None):
    """One try, no request, and the reason in words."""
    got = crisp_get(server, env=env)
    assert got.code == UNAVAILABLE
    assert got.tries() == 1 and server.heads == []
    assert "no trusted connection to" in got.message and "SSL_CERT_FILE" in got.message
    return got.message


def test_an_unknown_authority_is_refused(good):
    with Server(tls=good) as server:
        assert "unable to get local issuer certificate" in refused(server)


def test_a_self_signed_certificate_is_refused(certificates, trust):
    with Server(tls=certificates.context("self", "IP:127.0.0.1", self_signed=True)) as server:
        assert "self-signed certificate" in refused(server, trust)


def test_a_certificate_of_another_name_is_refused(certificates, trust):
    with Server(tls=certificates.context("other", "DNS:other.example")) as server:
        assert "127.0.0.1" in refused(server, trust)


def test_an_expired_certificate_is_refused(certificates, trust):
    with Server(tls=certificates.context("old", "IP:127.0.0.1", days=-1)) as server:
        assert "expired" in refused(server, trust)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_an_old_protocol_is_refused(certificates, trust):
    context = certificates.context("oldtls", "IP:127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Server(tls=context) as server:
        got = crisp_get(server, env=trust)
        assert got.code == UNAVAILABLE and server.heads == []


def test_a_missing_certificate_file_is_named(good, tmp_path):
    with Server(tls=good) as server:
        got = crisp_get(server, env={"SSL_CERT_FILE": str(tmp_path / "none.pem")})
        assert got.code == UNAVAILABLE and server.heads == []
    assert "SSL_CERT_FILE" in got.message and got.tries() == 1


def test_plain_http_where_tls_is_due(trust):
    def refuse(connection):
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with Server(handle=refuse) as server:
        got = crisp_get(f"https://127.0.0.1:{server.port}/v1", env=trust)
    assert got.code == UNAVAILABLE and "no trusted connection" in got.message


def test_a_handshake_that_never_ends_is_given_up(trust):
    with Server(handle=lambda connection: connection.recv(1 << 16) and connection.recv(1 << 16)) as server:
        got = crisp_get(f"https://127.0.0.1:{server.port}/v1", timeout_s=1, env=trust)
    assert got.code == UNAVAILABLE and got.tries() == 3
    assert "127.0.0.1 cannot be reached" in got.message


def test_a_redirect_to_plain_http_is_not_followed(good, trust):
    with Server() as plain, Server(
        tls=good, respond=lambda head: answer(b"", "301 Moved", [f"Location: http://127.0.0.1:{plain.port}/v1"])
    ) as server:
        got = crisp_get(server, env=trust)
        assert got.code == INTERNAL and plain.connections == 0


# ---- HTTP/2 ----


@pytest.fixture
def http2(sandbox, certificates, tmp_path):
    """nghttpx in front of the sandbox; yields (base URL, function that reads its log)."""
    if not shutil.which("nghttpx"):
        pytest.skip("nghttpx is not installed (apt install nghttp2-proxy)")
    certificate, key = certificates.issue("h2", "IP:127.0.0.1")
    port, log = world.free_port(), tmp_path / "access.log"
    process = subprocess.Popen(
        ["nghttpx", f"--frontend=127.0.0.1,{port}", f"--backend=127.0.0.1,{sandbox.port}", "--workers=1",
         "--conf=/dev/null", f"--accesslog-file={log}", "--accesslog-format=$remote_port $alpn $request_uri",
         "--errorlog-file=/dev/null", "--no-ocsp", str(key), str(certificate)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for_port(port, process)

    def entries():
        return [line.split() for line in log.read_text().splitlines()]

    yield f"https://127.0.0.1:{port}/v1", entries
    process.terminate()
    process.wait(world.PATIENCE_S)


def wait_for_port(port, process):
    deadline = time.monotonic() + world.PATIENCE_S
    while True:
        assert process.poll() is None and time.monotonic() < deadline
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)


def test_both_requests_share_one_http2_connection(http2, trust):
    base_url, entries = http2
    got = crisp_get(base_url, "--last-active", env=trust)
    assert got.code == OK and got.json["count"] == 6
    asked = [e for e in entries() if len(e) == 3]
    assert len(asked) == 3
    assert {protocol for _, protocol, _ in asked} == {"h2"}
    assert len({port for port, _, _ in asked}) == 1


def test_trouble_over_http2_is_survived(http2, trust, sandbox):
    base_url, _ = http2
    sandbox.fault("website", 503, count=1)
    sandbox.fault("operators/list", "cut", count=1)
    got = crisp_get(base_url, env=trust)
    assert got.code == OK and got.team_error["name"] == "OK" and got.json["count"] == 6


# ---- proxies ----


class Proxy(Server):
    """Answers CONNECT. Knows NAME; collects the heads it has seen."""

    def __init__(self, target_port, refuse=None):
        self._target_port = target_port
        self._refuse = refuse
        super().__init__(handle=self._tunnel)

    def _tunnel(self, connection):
        head = world.read_head(connection)
        if not head:  # the other request has failed already, and with it the run
            return
        self.heads.append(head)
        host = head.split()[1].decode().rsplit(":", 1)[0]
        if self._refuse or host != NAME:
            connection.sendall(f"HTTP/1.1 {self._refuse or '502 Bad Gateway'}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", self._target_port)) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, connection))
            back.start()
            pump(connection, upstream)
            back.join()


def pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_https_goes_through_a_proxy_that_sees_no_credentials(good, trust, variable):
    with Server(tls=good) as server, Proxy(server.port) as proxy:
        env = {**trust, variable: f"http://someone:pass@127.0.0.1:{proxy.port}"}
        got = crisp_get(f"https://{NAME}:4443/v1", env=env)
        assert got.code == OK and len(server.heads) == 2
        assert proxy.heads and "pass" not in got.out + got.err
    basic = b"Basic " + base64.b64encode(b"someone:pass")
    for head in proxy.heads:
        assert head.startswith(f"CONNECT {NAME}:4443 HTTP/1.1\r\n".encode())
        assert b"\r\nProxy-Authorization: " + basic + b"\r\n" in head
        assert b"\r\nAuthorization" not in head and b"X-Crisp" not in head
    for head in server.heads:
        assert world.AUTHORIZATION.encode() in head and b"Proxy" not in head


def test_a_proxy_that_wants_a_password(good, trust):
    with Server(tls=good) as server, Proxy(server.port, "407 Proxy Authentication Required") as proxy:
        got = crisp_get(f"https://{NAME}/v1", env={**trust, "https_proxy": f"http://127.0.0.1:{proxy.port}"})
        assert got.code == UNAVAILABLE and server.connections == 0 and got.tries() == 1
    assert "the proxy did not let us through" in got.message and "407" in got.message


def test_a_proxy_that_cannot_reach_the_host(good, trust):
    with Server(tls=good) as server, Proxy(server.port, "503 Service Unavailable") as proxy:
        got = crisp_get(f"https://{NAME}/v1", env={**trust, "https_proxy": f"http://127.0.0.1:{proxy.port}"})
        assert got.code == UNAVAILABLE and got.tries() == 3


def test_no_proxy_goes_around_it(good, trust):
    with Proxy(0) as proxy:
        env = {**trust, "https_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": NAME}
        got = crisp_get(f"https://{NAME}:{world.free_port()}/v1", env=env, timeout_s=5)
        assert got.code == UNAVAILABLE and proxy.connections == 0


def test_a_proxy_that_is_not_there():
    env = {"https_proxy": f"http://127.0.0.1:{world.free_port()}"}
    got = crisp_get(f"https://{NAME}/v1", env=env)
    assert got.code == UNAVAILABLE and got.tries() == 3 and "HTTPS_PROXY" in got.message

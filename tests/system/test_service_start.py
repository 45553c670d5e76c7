"""Service mode, the beginning: credentials, certificates, token, Hello, and how it goes on when they fail."""

import base64
import json
import os
import socket
import threading

import pytest

from c1_identity import Credentials, identities

UNKNOWN, UNAUTHENTICATED = 2, 16


# ---- the good case ----


def test_token_then_hello_then_polls(c1, serve):
    service = serve()
    c1.wait_for("GetTask", 2)
    kinds = [e.kind for e in c1.events if e.kind != "connect"]
    assert kinds[:4] == ["token", "Hello", "GetTask", "GetTask"]
    assert len(c1.of("token", "Hello")) == 2
    assert service.until_log("c1_api_task_manager: startup Hello succeeded.")["attempts"] == 1
    assert service.stop() == 0
    assert service.stdout == ""


def test_one_connection_serves_all_calls(c1, serve):
    serve()
    c1.finished(c1.add("sync_full"))
    c1.wait_for("GetTask", 3)
    kinds = [e.more["kind"] for e in c1.of("connect")]
    assert sorted(kinds) == ["grpc", "token"]


def test_each_connection_offers_one_protocol_and_tls_1_3(c1, serve):
    serve()
    c1.wait_for("GetTask")
    seen = {e.more["kind"]: e.more for e in c1.of("connect")}
    assert seen["token"]["alpn"] == ["http/1.1"] and seen["grpc"]["alpn"] == ["h2"]
    for connection in seen.values():
        assert connection["sni"] is None, "an address is no server name"
        assert connection["version"] == 0x0304


def test_hello_says_who_and_where_it_is(c1, sandbox, serve):
    serve()
    hello = c1.wait_for("Hello")[0].request
    # c1_messages.RULES hold already: no text is empty, none longer than 256.
    assert hello.host_id == socket.gethostname()
    assert hello.task_id == ""
    assert hello.os_info.hostname == socket.gethostname()
    assert hello.os_info.os == "linux"
    assert hello.os_info.kernel_version == os.uname().release
    assert hello.os_info.kernel_arch == os.uname().machine
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    assert hello.os_info.platform == release["ID"].strip('"')
    assert "crisp" in hello.build_info.package
    assert hello.connector_metadata.display_name == "Crisp"
    assert not sandbox.requests(), "Hello needs no Crisp"


def test_hello_announces_what_the_connector_can(c1, serve):
    serve()
    metadata = c1.wait_for("Hello")[0].request.connector_metadata
    types = metadata.capabilities.resource_type_capabilities
    assert [t.resource_type.id for t in types] == ["operator", "website"]
    assert all(list(t.capabilities) == [2] for t in types)
    assert list(metadata.capabilities.connector_capabilities) == [2]
    assert not metadata.HasField("account_creation_schema")


@pytest.mark.parametrize("given, sent", [("host-a", "host-a"), ("", "baton-sdk"), ("h" * 300, "h" * 256)])
def test_the_host_id_can_be_set(c1, serve, given, sent):
    serve(env={"BATON_HOST_ID": given})
    assert c1.wait_for("GetTask")[0].request.host_id == sent


def test_the_client_is_named_in_the_user_agent_and_the_authority(c1, serve):
    serve()
    hello = c1.wait_for("Hello")[0]
    assert hello.headers["user-agent"].startswith("mock-client-00001 baton-sdk/v0.25")
    assert "dpop" not in hello.headers
    token = c1.of("token")[0]
    assert token.headers["host"] == c1.address


def test_flags_work_as_the_environment_does(c1, serve):
    serve("--client-id", c1.credentials.client_id, "--client-secret", c1.credentials.secret,
          env={"BATON_CLIENT_ID": None, "BATON_CLIENT_SECRET": None})
    c1.wait_for("GetTask")


def test_the_secret_leaves_the_command_line(c1, serve):
    service = serve("--client-id", c1.credentials.client_id, "--client-secret", c1.credentials.secret,
                    env={"BATON_CLIENT_ID": None, "BATON_CLIENT_SECRET": None})
    c1.wait_for("Hello")
    shown = open(f"/proc/{service.pid}/cmdline", "rb").read().decode()
    assert c1.credentials.client_id in shown
    assert c1.credentials.secret not in shown and c1.credentials.secret[-40:] not in shown


def test_one_shot_flags_are_not_looked_at(c1, serve):
    service = serve("--file", "out.c1z")
    assert c1.finished(c1.add("sync_full")).HasField("success")
    assert service.files() == []


# ---- where C1 is ----


def test_ipv6(start_c1, serve):
    c1 = start_c1(host="::1")
    serve(c1=c1)
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_a_name_is_sent_as_server_name(c1, serve):
    serve(env={"BATON_C1_API_HOST": f"localhost:{c1.port}"})
    c1.wait_for("GetTask")
    assert {e.more["sni"] for e in c1.of("connect")} == {"localhost"}
    assert c1.of("token")[0].headers["host"] == f"localhost:{c1.port}"


def test_the_host_of_the_client_id_is_used_without_an_override(start_c1, serve):
    c1 = start_c1()
    c1.credentials = Credentials(f"name@127.0.0.1:{c1.port}/ccc")
    serve(c1=c1, env={"BATON_C1_API_HOST": None})
    c1.wait_for("GetTask")
    assert c1.of("token")[0].request["aud"] == "127.0.0.1"


def test_the_override_does_not_change_the_audience(start_c1, serve):
    c1 = start_c1(credentials=Credentials("strange-hydra-1@acme.conductor.one:8443/pcc"))
    serve(c1=c1)
    assert c1.wait_for("token")[0].request["aud"] == "acme.conductor.one"


class Proxy:
    """An HTTP proxy that knows CONNECT and leads to one port, whatever is asked for."""

    def __init__(self, port):
        self.asked, self._port = [], port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(conn,), daemon=True).start()

    def _tunnel(self, conn):
        head = b""
        while b"\r\n\r\n" not in head:
            head += conn.recv(1)
        self.asked.append(head.decode().split("\r\n")[0])
        with conn, socket.create_connection(("127.0.0.1", self._port)) as target:
            conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self._pump, args=(target, conn), daemon=True)
            back.start()
            self._pump(conn, target)
            back.join()

    @staticmethod
    def _pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self._listener.close()


def test_token_and_calls_go_through_a_proxy(c1, serve):
    proxy = Proxy(c1.port)
    serve(env={"BATON_C1_API_HOST": "c1.test:8443", "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
    assert c1.finished(c1.add("sync_full")).HasField("success")
    assert proxy.asked == ["CONNECT c1.test:8443 HTTP/1.1"] * 2
    assert {e.more["sni"] for e in c1.of("connect")} == {"c1.test"}
    proxy.close()


# ---- what cannot work ends the process at once ----


def test_an_invalid_client_id(c1, serve):
    for client_id in ["no-at-sign/ccc", "name@127.0.0.1", ""]:
        service = serve(env={"BATON_CLIENT_ID": client_id})
        assert service.wait() == UNKNOWN
        if client_id:
            assert "invalid client id" in service.stderr.rstrip().rsplit("\n", 1)[-1]
    assert c1.events == []


@pytest.mark.parametrize("broken", [
    "v1:1234567890:1234567890:1234567890",
    "secret-token:conductorone.com:v2:eyJ9",
    "secret-token:conductorone.com:v1:eyJrdHkiOiJPS1AifQ==",
    "secret-token:conductorone.com:v1:eyJrdHkiOm5vfQ",
    "secret-token",
])
def test_an_invalid_client_secret(c1, serve, broken):
    service = serve(env={"BATON_CLIENT_SECRET": broken})
    assert service.wait() == UNKNOWN
    assert "invalid client secret" in service.stderr.rstrip().rsplit("\n", 1)[-1]
    assert broken not in service.stderr
    assert c1.events == []


def test_a_public_key_is_no_secret(c1, serve):
    prefix, _, body = c1.credentials.secret.rpartition(":")
    jwk = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    del jwk["d"]
    public = base64.urlsafe_b64encode(json.dumps(jwk).encode()).rstrip(b"=").decode()
    service = serve(env={"BATON_CLIENT_SECRET": f"{prefix}:{public}"})
    assert service.wait() == UNKNOWN
    assert "invalid client secret" in service.stderr and c1.events == []


def test_a_secret_alone_is_an_error_of_the_settings(c1, serve):
    service = serve(env={"BATON_CLIENT_ID": None})
    assert service.wait() == UNKNOWN
    assert "[client-id client-secret]" in service.stderr


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_assertion_at_the_start_is_final(c1, serve, status):
    c1.fault("token", status=status, times=99)
    service = serve()
    assert service.wait() == UNAUTHENTICATED
    assert f"failed to get token: {status}" in service.stderr.rstrip().rsplit("\n", 1)[-1]
    assert len(c1.of("token")) <= 2 and not c1.of("Hello")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"access_token":""}', b"<html>", b'{"access_token":'])
def test_an_answer_without_a_token_is_no_token(c1, serve, body):
    c1.fault("token", body=body, times=99)
    service = serve()
    assert service.wait() == UNAUTHENTICATED
    assert "failed to get token: " in service.stderr.rstrip().rsplit("\n", 1)[-1]
    assert not c1.of("Hello")


@pytest.mark.parametrize("code, number", [
    ("UNAUTHENTICATED", 16), ("PERMISSION_DENIED", 7), ("INVALID_ARGUMENT", 3), ("UNIMPLEMENTED", 12),
    ("FAILED_PRECONDITION", 9), ("NOT_FOUND", 5)])
def test_a_refused_hello_is_final(c1, serve, code, number):
    c1.fault("Hello", code=code, text="go away, says the test", times=99)
    service = serve()
    assert service.wait() == number
    assert "startup Hello failed" in service.stderr and "go away, says the test" in service.stderr
    assert not c1.of("GetTask")


# ---- what may pass is tried again ----


@pytest.mark.parametrize("fault", [
    {"status": 503}, {"status": 429}, {"cut": "before"}], ids=str)
def test_a_failing_token_endpoint_at_the_start_is_asked_again(c1, serve, fault):
    c1.fault("token", **fault)
    service = serve()
    c1.wait_for("GetTask")
    first, second = c1.of("token")[:2]
    assert 0.8 < second.at - first.at < 4
    assert service.log("startup Hello failed; will retry")


def test_hello_is_repeated_after_one_and_two_seconds(c1, serve):
    c1.fault("Hello", code="UNAVAILABLE", times=1)
    c1.fault("Hello", code="DEADLINE_EXCEEDED", times=1)
    service = serve()
    c1.wait_for("GetTask")
    a, b, c = [e.at for e in c1.of("Hello")]
    assert 0.9 < b - a < 2 and 1.9 < c - b < 3.5
    assert service.until_log("startup Hello succeeded")["attempts"] == 3


def test_a_server_that_is_not_there_yet(c1, serve):
    c1.front.refuse()
    service = serve()
    line = service.until_log("startup Hello failed; will retry")
    assert "deadline exceeded" not in line["error"]
    c1.front.refuse(False)
    c1.wait_for("GetTask")


def test_nothing_listens_and_the_log_says_so(c1, serve):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = serve(env={"BATON_C1_API_HOST": f"127.0.0.1:{port}"})
    line = service.until_log("startup Hello failed; will retry")
    assert "refused" in line["error"].lower() and str(port) in line["error"]


def test_a_name_that_nobody_knows_and_the_log_says_so(c1, serve):
    service = serve(env={"BATON_C1_API_HOST": "c1.invalid"})
    assert "c1.invalid" in service.until_log("startup Hello failed; will retry")["error"]


@pytest.mark.parametrize("identity, words", [
    ("untrusted", ["certificate"]), ("expired", ["expired"]), ("wrong name", ["127.0.0.1"])])
def test_a_wrong_certificate_is_named_and_the_process_goes_on(c1, serve, identity, words):
    c1.identity = identity
    service = serve()
    line = service.until_log("startup Hello failed; will retry")
    assert "certificate" in line["error"].lower() and all(w in line["error"] for w in words)
    assert not c1.of("token", "Hello"), "nothing is sent to a server that is not C1"
    if identity == "expired":  # once is enough
        c1.identity = "good"
        c1.wait_for("GetTask")


def test_a_certificate_that_goes_bad_later(c1, serve):
    service = serve()
    c1.wait_for("GetTask")
    c1.identity = "expired"
    c1.front.cut()
    line = service.until_log("runner: error getting next task", "certificate")
    assert "expired" in line["error"]
    polls = len(c1.of("GetTask"))
    c1.identity = "good"
    c1.wait_for("GetTask", polls + 1)


def test_new_trusted_certificates_need_no_restart(c1, serve, tmp_path):
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(identities().stranger_pem)
    service = serve(env={"SSL_CERT_FILE": str(trusted)})
    service.until_log("startup Hello failed; will retry")
    fresh = tmp_path / "new.pem"
    fresh.write_bytes(identities().ca_pem)
    fresh.rename(trusted)
    c1.wait_for("GetTask")


# ---- the token's life ----


def test_one_token_is_enough(c1, serve):
    serve()
    c1.finished(c1.add("sync_full"))
    c1.wait_for("GetTask", 4)
    assert len(c1.of("token")) == 1


def test_a_token_is_renewed_ten_seconds_before_its_end(start_c1, serve):
    c1 = start_c1(expires_in=12)
    serve(c1=c1)
    c1.wait_for("token", 2)
    first, second = c1.of("token")
    assert 1.5 < second.at - first.at < 4
    c1.finished(c1.add("hello"))


@pytest.mark.parametrize("expires_in", [None, 0, 3])
def test_a_token_without_a_life_to_speak_of_still_works(start_c1, serve, expires_in):
    c1 = start_c1(expires_in=expires_in)
    serve(c1=c1)
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_a_refused_token_is_dropped_at_once(c1, serve):
    serve()
    c1.wait_for("GetTask")
    c1.forget_tokens()
    began = len(c1.of("GetTask"))
    c1.wait(lambda: [e for e in c1.of("GetTask")[began:] if e.is_ok], "a poll with a new token")
    assert len(c1.of("token")) == 2
    refused = [e for e in c1.of("GetTask") if e.code == "UNAUTHENTICATED"]
    assert len(refused) == 1


def test_a_token_that_is_refused_again_and_again_is_not_asked_for_in_a_loop(c1, serve):
    serve()
    c1.wait_for("GetTask")
    polls, tokens = len(c1.of("GetTask")), len(c1.of("token"))
    c1.fault("GetTask", code="UNAUTHENTICATED", times=2)
    c1.wait(lambda: len([e for e in c1.of("GetTask")[polls:] if e.is_ok]) > 1, "polls that work again")
    assert len(c1.of("token")) - tokens <= 4


def test_a_token_endpoint_that_fails_later_does_not_end_the_process(c1, serve):
    service = serve()
    c1.wait_for("GetTask")
    c1.fault("token", status=401)
    c1.forget_tokens()
    c1.wait_for("token", 3)
    polls = len(c1.of("GetTask"))
    c1.wait_for("GetTask", polls + 1)
    assert service.log("error getting next task", "failed to get token")


@pytest.mark.parametrize("token_type", ["bearer", "", "BEARER"])
def test_the_token_type_is_bearer_however_it_is_written(c1, serve, token_type):
    c1.token_type = token_type
    serve()
    c1.wait_for("GetTask")

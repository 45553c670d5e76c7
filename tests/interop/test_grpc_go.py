"""src/grpc against grpc-go, over TLS: the server that ConductorOne's services are built on."""

import subprocess

import pytest

from grpc_peer import REFUSAL, Authority, Steps, grpc_call, grpc_calls
from sandbox import PATIENCE_S
from world import GO_BIN

OK, DEADLINE_EXCEEDED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNIMPLEMENTED = 0, 4, 7, 8, 12
CHUNK = 512 * 1024


class GoPeer:
    def __init__(self, authority, *args):
        self.authority = authority
        self._process = subprocess.Popen(
            [GO_BIN / "grpcgo", "-certificate", authority.certificate, "-key", authority.key, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.port = int(self._process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def peer(authority):
    with GoPeer(authority) as running:
        yield running


def test_200_calls(peer):
    calls = grpc_calls(peer, "/test.Peer/Echo", "--message", "0a026831", "--repeat", 200)
    assert [(c.code, c.answer) for c in calls] == [(OK, b"\x0a\x02h1")] * 200


def test_a_stream_of_32_mib_arrives(peer):
    got = grpc_call(peer, "/test.Peer/Sum", "--stream", f"64:{CHUNK}")
    assert got.code == OK
    assert got.answer == (64).to_bytes(8, "big") + got.sha256


def test_four_uploads_at_once(peer):
    calls = grpc_calls(peer, "/test.Peer/Sum", "--stream", f"16:{CHUNK}", "--parallel", 4)
    assert [c.code for c in calls] == [OK] * 4
    assert all(c.answer == (16).to_bytes(8, "big") + c.sha256 for c in calls)


def test_a_deadline_passes_and_the_next_call_succeeds(peer):
    with Steps(peer, "--deadline-ms", "300", rounds=3) as steps:
        assert steps.call().code == OK
        got = steps.call("/test.Peer/Slow")
        assert got.code == DEADLINE_EXCEEDED and 250 <= got.took_ms < 1900
        assert steps.call().code == OK


@pytest.mark.parametrize("size", [1, CHUNK])
def test_unknown_methods_are_unimplemented_every_time(peer, size):
    calls = grpc_calls(peer, "/no.Such/Method", "--stream", f"3:{size}", "--repeat", 200)
    assert [(c.code, c.is_from_server) for c in calls] == [(UNIMPLEMENTED, True)] * 200


def test_an_upload_that_is_refused_in_the_middle(peer):
    calls = grpc_calls(peer, "/test.Peer/RefuseUpload", "--stream", f"20:{CHUNK}", "--repeat", 50)
    assert [(c.code, c.message) for c in calls] == [(RESOURCE_EXHAUSTED, "one is enough")] * 50


def test_the_text_of_a_refusal(peer):
    got = grpc_call(peer, "/test.Peer/Refuse")
    assert (got.code, got.message, got.is_from_server) == (PERMISSION_DENIED, REFUSAL, True)


def test_a_server_that_retires_connections(authority):
    with GoPeer(authority, "-max-connection-age", "100ms") as peer:
        calls = grpc_calls(peer, "/test.Peer/Sum", "--stream", "30:20000", "--parallel", 4, "--repeat", 60)
    assert [c.code for c in calls] == [OK] * 240


def test_pings_do_not_offend_the_server(peer):
    got = grpc_call(peer, "/test.Peer/Slow", "--ping-after-ms", 20)
    assert got.code == OK and got.answer == b"late"

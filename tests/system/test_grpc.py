"""src/grpc against grpcio, over TLS."""

import pytest

from grpc_peer import REFUSAL, Authority, Peer, Steps, grpc_call, grpc_calls
from sandbox import PATIENCE_S

OK, DEADLINE_EXCEEDED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE = 0, 4, 7, 8, 12, 14
CHUNK = 512 * 1024


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def peer(authority):
    with Peer(authority) as running:
        yield running


def test_200_calls_share_one_connection(peer):
    calls = grpc_calls(peer, "/test.Peer/Echo", "--message", "0a026831", "--repeat", 200)
    assert [c.code for c in calls] == [OK] * 200
    assert {c.answer for c in calls} == {b"\x0a\x02h1"}
    assert len(peer.clients) == 1


def test_the_server_sees_what_was_said(peer):
    got = grpc_call(peer, "/test.Peer/Echo", "--authorization", "Bearer t0ken", "--deadline-ms", 60000)
    assert got.code == OK and got.answer == b""
    (metadata,) = peer.metadata
    assert metadata["authorization"] == "Bearer t0ken"
    assert metadata["user-agent"].startswith("grpc-call/")
    assert "grpc-accept-encoding" not in metadata


def test_a_stream_of_32_mib_arrives(peer):
    got = grpc_call(peer, "/test.Peer/Sum", "--stream", f"64:{CHUNK}")
    assert got.code == OK
    assert got.answer == (64).to_bytes(8, "big") + got.sha256


def test_four_uploads_at_once(peer):
    calls = grpc_calls(peer, "/test.Peer/Sum", "--stream", f"16:{CHUNK}", "--parallel", 4)
    assert [c.code for c in calls] == [OK] * 4
    assert all(c.answer == (16).to_bytes(8, "big") + c.sha256 for c in calls)
    assert len(peer.clients) == 1


def test_many_calls_at_once(peer):
    calls = grpc_calls(peer, "/test.Peer/Echo", "--message", "01", "--parallel", 150, "--repeat", 2)
    assert [c.code for c in calls] == [OK] * 300
    assert len(peer.clients) == 1


def test_more_calls_than_the_server_wants_wait(authority):
    with Peer(authority, options=[("grpc.max_concurrent_streams", 2)]) as peer:
        calls = grpc_calls(peer, "/test.Peer/Sum", "--stream", "4:20000", "--parallel", 30)
        assert [c.code for c in calls] == [OK] * 30
        assert len(peer.clients) == 1


def test_a_deadline_passes_and_the_connection_stays(peer):
    # Whose clock is first, ours or the server's, is open.
    with Steps(peer, "--deadline-ms", "300", rounds=3) as steps:
        assert steps.call().code == OK
        got = steps.call("/test.Peer/Slow")
        assert got.code == DEADLINE_EXCEEDED and 250 <= got.took_ms < 1900
        assert peer.cancelled.wait(PATIENCE_S)
        assert steps.call().code == OK
    assert len(peer.clients) == 1


@pytest.mark.parametrize("size", [1, CHUNK])
def test_unknown_methods_are_unimplemented_every_time(peer, size):
    calls = grpc_calls(peer, "/no.Such/Method", "--stream", f"3:{size}", "--repeat", 200)
    assert [(c.code, c.is_from_server) for c in calls] == [(UNIMPLEMENTED, True)] * 200


def test_an_upload_that_is_refused_in_the_middle(peer):
    calls = grpc_calls(peer, "/test.Peer/RefuseUpload", "--stream", f"20:{CHUNK}", "--repeat", 10)
    assert [(c.code, c.message) for c in calls] == [(RESOURCE_EXHAUSTED, "one is enough")] * 10


def test_the_text_of_a_refusal(peer):
    got = grpc_call(peer, "/test.Peer/Refuse")
    assert (got.code, got.message, got.is_from_server) == (PERMISSION_DENIED, REFUSAL, True)


def test_an_answer_above_the_limit(peer):
    got = grpc_call(peer, "/test.Peer/Echo", "--message", "00" * 1000, "--answer-max", 999)
    assert got.code == RESOURCE_EXHAUSTED and not got.is_from_server


def test_a_message_above_the_limit_of_the_server(peer):
    got = grpc_call(peer, "/test.Peer/Sum", "--stream", f"1:{5 * 1024 * 1024}")
    assert got.code == RESOURCE_EXHAUSTED and got.is_from_server


def test_a_restarted_server_is_found_again(authority):
    first = Peer(authority)
    with Steps(first, rounds=3) as steps:
        assert steps.call().code == OK
        first.stop()
        got = steps.call()
        assert got.code == UNAVAILABLE and not got.is_from_server
        with Peer(authority, port=first.port) as second:
            assert steps.call().code == OK
            assert len(second.clients) == 1


def test_a_server_that_retires_connections(authority):
    options = [("grpc.max_connection_age_ms", 150), ("grpc.max_connection_age_grace_ms", 5000)]
    with Peer(authority, options=options) as peer:
        calls = grpc_calls(peer, "/test.Peer/Sum", "--stream", "30:20000", "--parallel", 4, "--repeat", 60)
        assert [c.code for c in calls] == [OK] * 240
        assert len(peer.clients) > 1


def test_pings_do_not_offend_the_server(peer):
    got = grpc_call(peer, "/test.Peer/Slow", "--ping-after-ms", 20)
    assert got.code == OK and got.answer == b"late"


def test_nobody_listens(authority):
    peer = Peer(authority)
    peer.stop()
    got = grpc_call(peer, "/test.Peer/Echo", "--dial-timeout-ms", 5000)
    assert got.code == UNAVAILABLE and "refused" in got.message.lower()

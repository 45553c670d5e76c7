"""Service mode when the line to C1 is bad: cut, silent, refused, answered late. Nothing is lost that need not be,
and nothing hangs."""

import pytest

METHODS_OF_A_SYNC = ["Hello", "GetTask", "Heartbeat", "UploadAsset", "FinishTask"]


# ---- cut in each state ----


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("method", METHODS_OF_A_SYNC)
def test_a_cut_connection(c1, serve, method, cut):
    c1.fault(method, cut=cut)
    serve()
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    c1.wait(lambda: [e for e in c1.of("FinishTask") if e.is_ok], "an end that both know of")
    tries = [e.code for e in c1.of(method)]
    assert tries[0] == "cut" and "OK" in tries


def test_a_cut_in_the_middle_of_an_upload(c1, start_sandbox, serve):
    c1.fault("UploadAsset", cut="before", after=1)
    serve(crisp=start_sandbox("--operators", 12_000))
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    first, second = c1.of("UploadAsset")
    assert first.asset is None and second.asset


def test_a_cut_token_request(c1, serve):
    serve()
    c1.wait_for("GetTask")
    c1.fault("token", cut="before")
    c1.forget_tokens()
    c1.finished(c1.add("sync_full"))


def test_a_cut_while_crisp_is_read(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall", count=1)
    serve()
    task = c1.add("sync_full")
    c1.wait_for("Heartbeat", 1)
    c1.front.cut()
    c1.wait_for("Heartbeat", 3)
    assert not c1.is_finished(task)
    c1.cancel(task)
    c1.finished(task)


def test_a_cut_between_two_calls_costs_no_task(start_c1, serve):
    c1 = start_c1(next_poll_s=0.6)
    service = serve(c1=c1)
    c1.wait_for("GetTask")
    c1.front.cut()
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    assert not service.log("panic")


def test_many_cuts(c1, serve):
    serve()
    for _ in range(3):
        task = c1.add("sync_full")
        c1.wait_for("Heartbeat", 1, task_id=task, answered=False)
        c1.front.cut()
        c1.finished(task)


def test_connections_are_not_collected(c1, serve):
    service = serve()
    c1.wait_for("GetTask")
    before = service.fd_count()
    for _ in range(3):
        polls = len(c1.of("GetTask"))
        c1.front.cut()
        c1.wait_for("GetTask", polls + 2)
    assert service.fd_count() <= before
    assert c1.front.open_count("grpc") == 1 and c1.front.open_count("token") == 0


# ---- silence ----


def test_a_stalled_line_that_comes_back(c1, serve):
    serve()
    c1.wait_for("GetTask")
    c1.fault("UploadAsset", after=0, is_held=True)
    task = c1.add("sync_full")
    c1.wait_for("UploadAsset", answered=False)
    c1.front.stall()
    c1.release()
    c1.front.resume()
    assert c1.finished(task).HasField("success")


def test_a_late_answer_is_an_answer(c1, serve):
    for method in METHODS_OF_A_SYNC:
        c1.fault(method, delay_s=0.5)
    serve()
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    assert len(c1.of("UploadAsset")) == len(c1.of("FinishTask")) == 1


def test_a_slow_token_endpoint(c1, serve):
    c1.fault("token", delay_s=1.5)
    serve()
    c1.wait_for("GetTask")
    assert len(c1.of("token")) == 1


# ---- refused for a while ----


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
def test_finish_is_tried_again(c1, serve, code):
    c1.fault("FinishTask", code=code)
    serve()
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    first, second = c1.of("FinishTask")
    assert first.request == second.request and second.at - first.at < 3


def test_a_finish_that_c1_will_never_take_is_given_up(c1, serve):
    c1.fault("FinishTask", code="NOT_FOUND")
    service = serve()
    task = c1.add("action_list_schemas")
    c1.wait_for("FinishTask")
    service.until_log("did not take the outcome", task)
    c1.take_back()
    c1.finished(c1.add("hello"))
    assert len(c1.of("FinishTask")) == 1


def test_a_finish_with_a_refused_token(c1, serve):
    c1.fault("FinishTask", code="UNAUTHENTICATED")
    serve()
    assert c1.finished(c1.add("sync_full")).HasField("success")
    assert len(c1.of("token")) == 2


def test_a_token_that_is_refused_in_each_state(c1, serve):
    for method in ("GetTask", "Heartbeat", "UploadAsset", "FinishTask"):
        c1.fault(method, code="UNAUTHENTICATED")
    serve()
    assert c1.finished(c1.add("sync_full")).HasField("success")
    assert len(c1.of("token")) == 5


def test_a_burst_of_unavailable(c1, serve):
    for method in METHODS_OF_A_SYNC:
        c1.fault(method, code="UNAVAILABLE")
    serve()
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_a_server_that_is_restarted(start_c1, serve):
    """GOAWAY: the connection is to be left, what runs on it may end."""
    c1 = start_c1(options=[("grpc.max_connection_age_ms", 400), ("grpc.max_connection_age_grace_ms", 5000)])
    service = serve(c1=c1)
    for _ in range(4):
        assert c1.finished(c1.add("sync_full")).HasField("success")
        polls = len(c1.of("GetTask"))
        c1.wait_for("GetTask", polls + 2)
    assert len([e for e in c1.of("connect") if e.more["kind"] == "grpc"]) > 1
    assert not service.log("error getting next task")


def test_a_server_that_sends_pings(start_c1, serve):
    c1 = start_c1(options=[
        ("grpc.keepalive_time_ms", 200), ("grpc.keepalive_timeout_ms", 1000),
        ("grpc.http2.max_pings_without_data", 0), ("grpc.keepalive_permit_without_calls", 1)], next_poll_s=1)
    serve(c1=c1)
    c1.wait_for("GetTask", 3)
    assert len([e for e in c1.of("connect") if e.more["kind"] == "grpc"]) == 1


def test_a_narrow_window(start_c1, start_sandbox, serve):
    """Flow control: the server takes little at a time."""
    c1 = start_c1(options=[("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0),
                           ("grpc.http2.max_frame_size", 16384)])
    serve(c1=c1, crisp=start_sandbox("--operators", 12_000))
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    assert len(c1.of("UploadAsset")) == 1

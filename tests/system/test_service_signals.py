"""Service mode and signals: in each state the task that runs is reported, nothing lies about, and the end comes
soon."""

import os
import pathlib
import signal

import pytest

from service import EXIT_S

CANCELED = 1
BOTH = pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])


def stop(service, signum=signal.SIGTERM):
    code, took = service.signal_and_time(signum)
    assert code == 0 and took < EXIT_S
    assert service.files() == []


def check_reported(c1, task):
    answer = c1.finished(task)
    assert answer.status.code == CANCELED and answer.status.message
    assert answer.HasField("error") and not answer.error.non_retryable


@BOTH
def test_while_idle(c1, serve, signum):
    service = serve()
    c1.wait_for("GetTask", 2)
    stop(service, signum)


@BOTH
def test_while_it_waits_for_a_far_poll(start_c1, serve, signum):
    c1 = start_c1(next_poll_s=250)
    service = serve(c1=c1)
    c1.wait_for("GetTask")
    stop(service, signum)


@BOTH
def test_while_c1_is_not_there(c1, serve, signum):
    c1.front.refuse()
    service = serve()
    service.until_log("startup Hello failed; will retry")
    stop(service, signum)


@pytest.mark.parametrize("method", ["token", "Hello", "GetTask"])
def test_while_c1_does_not_answer(c1, serve, method):
    c1.fault(method, is_held=True)
    service = serve()
    c1.wait_for(method, answered=False)
    stop(service)


def test_while_the_line_is_silent(c1, serve):
    c1.front.stall()
    service = serve()
    c1.wait_for("connect")
    stop(service)


@BOTH
def test_while_a_first_heartbeat_is_on_its_way(c1, serve, signum):
    c1.fault("Heartbeat", is_held=True)
    service = serve()
    task = c1.add("sync_full")
    c1.wait_for("Heartbeat", answered=False)
    stop(service, signum)
    check_reported(c1, task)


@BOTH
def test_while_crisp_is_read(c1, sandbox, serve, signum):
    sandbox.fault("operators/list", "stall")
    service = serve()
    task = c1.add("sync_full")
    sandbox.wait_for_requests(1, "operators/list")
    stop(service, signum)
    check_reported(c1, task)
    assert not c1.of("UploadAsset")


@BOTH
@pytest.mark.parametrize("after", [0, -1])
def test_while_it_uploads(c1, serve, signum, after):
    c1.fault("UploadAsset", after=after, is_held=True)
    service = serve()
    task = c1.add("sync_full", debug=True)
    c1.wait_for("UploadAsset", answered=False)
    stop(service, signum)
    check_reported(c1, task)


def test_while_an_upload_waits_for_its_third_try(c1, serve):
    c1.fault("UploadAsset", code="UNAVAILABLE", times=2)
    service = serve()
    task = c1.add("sync_full")
    c1.wait_for("UploadAsset", 2)
    stop(service)
    check_reported(c1, task)


def test_while_the_outcome_is_reported(c1, serve):
    c1.fault("FinishTask", delay_s=0.5)
    service = serve()
    task = c1.add("sync_full")
    c1.wait_for("FinishTask", answered=False)
    stop(service)
    assert c1.finished(task).HasField("success"), "it was done, and is reported as done"


def test_while_the_report_waits_to_be_tried_again(c1, serve):
    c1.fault("FinishTask", code="UNAVAILABLE")
    service = serve()
    task = c1.add("sync_full")
    service.until_log("could not report the outcome; will retry")
    stop(service)
    assert c1.finished(task).HasField("success")


def test_while_several_tasks_run(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall")
    service = serve()
    tasks = [c1.add("sync_full") for _ in range(3)]
    sandbox.wait_for_requests(3, "operators/list")
    stop(service)
    for task in tasks:
        check_reported(c1, task)


def test_tasks_that_were_fetched_and_not_begun_are_reported_too(start_c1, sandbox, serve):
    c1 = start_c1(concurrency=2)
    sandbox.fault("operators/list", "stall")
    tasks = [c1.add("sync_full") for _ in range(4)]
    service = serve("--task-concurrency", 2, c1=c1, env={"BATON_GET_TASKS": "true"})
    sandbox.wait_for_requests(2, "operators/list")
    stop(service)
    for task in tasks:
        check_reported(c1, task)


def test_with_a_c1_that_answers_nothing_more(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall")
    service = serve()
    c1.add("sync_full")
    sandbox.wait_for_requests(1, "operators/list")
    c1.front.stall()
    stop(service)


def test_a_second_signal_changes_nothing(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall")
    service = serve()
    task = c1.add("sync_full")
    sandbox.wait_for_requests(1, "operators/list")
    service.process.send_signal(signal.SIGTERM)
    service.process.send_signal(signal.SIGINT)
    stop(service)
    check_reported(c1, task)


def test_a_killed_process_leaves_nothing(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall")
    service = serve()
    c1.add("sync_full", debug=True)
    sandbox.wait_for_requests(1, "operators/list")
    children = service.children()
    assert children
    assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    service.until(lambda: not any(pathlib.Path(f"/proc/{c}/fd").exists() for c in children), "the end of the child")
    assert service.files() == []


def test_a_killed_child_costs_one_task(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall", count=1)
    service = serve()
    task = c1.add("sync_full")
    sandbox.wait_for_requests(1, "operators/list")
    os.kill(int(service.children()[0]), signal.SIGKILL)
    answer = c1.finished(task)
    assert answer.HasField("error") and not answer.error.non_retryable
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_hangup_does_not_end_it(c1, serve):
    service = serve()
    c1.wait_for("GetTask")
    service.process.send_signal(signal.SIGHUP)
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_hangup_opens_the_log_again(c1, serve, tmp_path):
    log = tmp_path / "baton.log"
    service = serve("--log-path", log)
    c1.wait_for("GetTask")
    log.rename(tmp_path / "baton.log.1")
    service.process.send_signal(signal.SIGHUP)
    service.until(log.exists, "the new log")
    task = c1.add("sync_full")
    c1.finished(task)
    service.until(lambda: task in log.read_text(), "the task in the new log")
    assert "startup Hello succeeded" in (tmp_path / "baton.log.1").read_text()
    for secret in service.secrets + c1.given_tokens:
        assert secret not in log.read_text()

"""Service mode, full syncs: what is uploaded, heartbeats, options of the task, the debug log, and where it may
write."""

import json

import pytest

import connector
from c1_messages import RESOURCE
from connector import command, inspect, operators, roles

CANCELED, UNKNOWN, UNIMPLEMENTED, UNAVAILABLE, PERMISSION_DENIED = 1, 2, 12, 14, 7
# More than 512 KiB of c1z, so that it goes up in several chunks; and not more than a slow build bears.
MANY = 12_000


@pytest.fixture
def synced(c1, serve, tmp_path):
    """synced(skip_grants=True) -> the uploaded .c1z of one successful task, as a file."""
    def run(*args, **task):
        serve(*args)
        id = c1.add("sync_full", **task)
        answer = c1.finished(id)
        assert answer.HasField("success"), answer
        (asset,) = c1.assets(id)
        file = tmp_path / "asset.c1z"
        file.write_bytes(asset)
        return file
    return run


def expected_roles(sandbox):
    return {e["details"]["user_id"]: e["details"]["role"] for e in sandbox.operators() if e["type"] == "operator"}


# ---- the good case ----


def test_a_sync_uploads_the_team(sandbox, synced):
    file = synced()
    assert roles(file) == expected_roles(sandbox)
    assert set(operators(file)) == set(expected_roles(sandbox))
    assert [r["sync_type"] for r in connector.runs(file)] == ["full"]


def test_the_order_of_a_sync(c1, serve):
    service = serve()
    task = c1.add("sync_full")
    answer = c1.finished(task)
    kinds = [e.kind for e in c1.events if e.task_id == task]
    assert kinds == ["Heartbeat", "UploadAsset", "FinishTask"]
    assert answer.success.ByteSize() == 0 and not answer.HasField("status")
    finish = c1.of("FinishTask")[0]
    assert 25 < finish.deadline_s <= 30.5
    line = service.until_log("uploaded asset")
    assert line["task_id"] == task and line["size"] == len(c1.assets(task)[0])
    assert service.log("Handling full sync task.")


def test_nothing_is_read_from_crisp_before_the_first_heartbeat(c1, sandbox, serve):
    c1.fault("Heartbeat", is_held=True)
    serve()
    task = c1.add("sync_full")
    c1.wait_for("Heartbeat", answered=False)
    assert not sandbox.requests()
    c1.release()
    assert c1.finished(task).HasField("success")


def test_a_large_team_goes_up_in_chunks(c1, start_sandbox, serve, tmp_path):
    crisp = start_sandbox("--operators", MANY)
    serve(crisp=crisp)
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    (upload,) = c1.of("UploadAsset")
    assert len(upload.chunks) > 1, "not large enough to show anything"
    file = tmp_path / "large.c1z"
    file.write_bytes(upload.asset)
    assert len(roles(file)) == MANY


def test_each_task_has_a_file_of_its_own(c1, sandbox, serve, tmp_path):
    serve()
    first, second = c1.add("sync_full"), c1.add("sync_full")
    for task in (first, second):
        c1.finished(task)
    files = [tmp_path / "1.c1z", tmp_path / "2.c1z"]
    for file, task in zip(files, (first, second)):
        file.write_bytes(c1.assets(task)[0])
        assert roles(file) == expected_roles(sandbox)
        assert len(connector.runs(file)) == 1


# ---- options of the task, and of the program ----


def test_skip_grants(synced):
    file = synced(skip_grants=True)
    assert roles(file) == {} and operators(file)
    assert inspect(file, "entitlements")["entitlements"]


def test_skip_entitlements_and_grants(synced):
    file = synced(skip_entitlements_and_grants=True)
    assert roles(file) == {} and operators(file)
    assert not inspect(file, "entitlements").get("entitlements")


def test_skip_expand_grants_changes_nothing_here(sandbox, synced):
    assert roles(synced(skip_expand_grants=True)) == expected_roles(sandbox)


def test_the_tasks_types_win_over_the_programs(synced):
    file = synced("--sync-resource-types", "operator", sync_resource_type_ids=["website"])
    assert operators(file) == {}
    assert inspect(file, "resources", "-t", "website")["resources"]


def test_the_programs_types_hold_where_the_task_names_none(synced):
    file = synced("--sync-resource-types", "operator")
    assert operators(file)
    assert not inspect(file, "resources", "-t", "website").get("resources")


def test_a_type_that_there_is_not(c1, serve):
    serve()
    answer = c1.finished(c1.add("sync_full", sync_resource_type_ids=["nope"]))
    assert answer.status.code == UNKNOWN and "nope" in answer.status.message
    assert answer.HasField("error")


def test_a_targeted_sync_is_refused_for_good(c1, sandbox, serve):
    serve()
    answer = c1.finished(c1.add("sync_full", targeted_sync_resources=[RESOURCE]))
    assert answer.status.code == UNIMPLEMENTED and answer.error.non_retryable
    assert not c1.of("UploadAsset") and not sandbox.requests()


@pytest.mark.parametrize("engine", ["sqlite", "pebble", ""])
def test_the_file_is_v1_whatever_engine_is_wished_for(c1, serve, engine):
    service = serve()
    task = c1.add("sync_full", storage_engine=engine)
    assert c1.finished(task).HasField("success")
    assert c1.assets(task)[0].startswith(b"C1ZF\0")
    assert len(service.log("v1")) == (1 if engine == "pebble" else 0)


def test_an_engine_that_there_is_not(c1, serve):
    serve()
    answer = c1.finished(c1.add("sync_full", storage_engine="bogus"))
    assert (answer.status.code, answer.status.message) == (
        UNKNOWN, "require-engine-driver: dotc1z: engine not available: bogus")
    assert not answer.error.non_retryable


def test_the_programs_engine_wins(c1, serve):
    serve("--storage-engine", "sqlite")
    assert c1.finished(c1.add("sync_full", storage_engine="bogus")).HasField("success")


def test_skip_full_sync(c1, serve, tmp_path):
    serve("--skip-full-sync")
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    file = tmp_path / "empty.c1z"
    file.write_bytes(c1.assets(task)[0])
    assert operators(file) == {}


# ---- when the sync fails ----


def test_a_refusal_by_crisp_is_reported_and_may_be_tried_again(c1, sandbox, serve):
    sandbox.fault("operators/list", 403)
    serve()
    answer = c1.finished(c1.add("sync_full"))
    assert answer.status.code == PERMISSION_DENIED and answer.status.message
    assert answer.HasField("error") and not answer.error.non_retryable
    assert not c1.of("UploadAsset")
    sandbox.clear_faults()
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_a_crisp_that_is_gone(c1, start_sandbox, serve):
    crisp = start_sandbox()
    serve(crisp=crisp, env={"BATON_CRISP_BASE_URL": "http://127.0.0.1:9/v1"})
    task = c1.add("sync_full")
    c1.wait_for("Heartbeat", 2, task_id=task)
    assert not c1.of("UploadAsset")
    c1.cancel(task)
    assert c1.finished(task).status.code == CANCELED


def test_wrong_credentials_of_crisp_do_not_end_the_process(c1, serve):
    serve(env={"BATON_CRISP_API_KEY": "0f" * 32})
    answer = c1.finished(c1.add("sync_full"))
    assert answer.status.code == 16 and "0f0f" not in answer.status.message
    assert c1.finished(c1.add("hello"))


# ---- heartbeats ----


def test_heartbeats_come_at_the_interval_of_the_server(start_c1, sandbox, serve):
    c1 = start_c1(next_heartbeat_s=1.5)
    sandbox.fault("operators/list", "stall")
    serve(c1=c1)
    task = c1.add("sync_full")
    a, b = c1.wait_for("Heartbeat", 2, task_id=task)[:2]
    assert 1.4 < b.at - a.at < 2.5
    c1.cancel(task)
    c1.finished(task)


def test_heartbeats_are_a_second_apart_at_least(start_c1, sandbox, serve):
    c1 = start_c1(next_heartbeat_s=0.01)
    sandbox.fault("operators/list", "stall")
    serve(c1=c1)
    task = c1.add("sync_full")
    a, b = c1.wait_for("Heartbeat", 2, task_id=task)[:2]
    assert 0.95 < b.at - a.at < 2
    c1.cancel(task)
    c1.finished(task)


@pytest.mark.parametrize("given", [None, 0, 9_000_000_000])
def test_a_heartbeat_interval_that_is_absent_or_absurd(start_c1, serve, given):
    """30 s or 300 s: too long to wait for, but not in a loop, and the task ends well."""
    c1 = start_c1(next_heartbeat_s=given)
    c1.fault("UploadAsset", delay_s=0.3)
    serve(c1=c1)
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    assert len(c1.of("Heartbeat", task_id=task)) == 1


def test_heartbeats_go_on_during_the_upload(c1, serve):
    c1.fault("UploadAsset", after=-1, is_held=True)
    serve()
    task = c1.add("sync_full")
    begun = c1.wait_for("UploadAsset", answered=False)[0]
    c1.wait(lambda: [e for e in c1.of("Heartbeat") if e.at > begun.at], "a heartbeat during the upload")
    c1.release()
    assert c1.finished(task).HasField("success")


def test_a_failed_heartbeat_is_tried_again_and_forgotten(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall", count=1)
    serve()
    task = c1.add("sync_full")
    c1.wait_for("Heartbeat", 1)
    c1.fault("Heartbeat", code="UNAVAILABLE", times=1)
    c1.wait_for("Heartbeat", 3)
    assert not c1.is_finished(task)
    c1.cancel(task)
    c1.finished(task)


def test_a_cancelled_task_stops_and_is_reported(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall", count=1)
    service = serve()
    task = c1.add("sync_full")
    c1.wait_for("Heartbeat", 1)
    c1.cancel(task)
    answer = c1.finished(task)
    assert answer.status.code == CANCELED and "cancel" in answer.status.message
    assert answer.HasField("error") and not answer.error.non_retryable
    assert not c1.of("UploadAsset")
    service.until(lambda: service.children() == [], "the end of the child")
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_a_task_that_is_cancelled_at_once(c1, sandbox, serve):
    task = c1.add("sync_full")
    c1.cancel(task)
    serve()
    answer = c1.finished(task)
    assert answer.status.code == CANCELED
    assert not sandbox.requests()


def test_a_task_that_is_cancelled_during_the_upload(c1, serve):
    c1.fault("UploadAsset", after=-1, is_held=True)
    serve()
    task = c1.add("sync_full")
    c1.wait_for("UploadAsset", answered=False)
    c1.cancel(task)
    assert c1.finished(task).status.code == CANCELED
    c1.release()


def test_a_first_heartbeat_that_fails_is_still_an_answer(c1, sandbox, serve):
    c1.fault("Heartbeat", code="UNAVAILABLE", text="heartbeat refused", times=99)
    serve()
    answer = c1.finished(c1.add("sync_full"))
    assert answer.status.code == UNAVAILABLE and "heartbeat refused" in answer.status.message
    assert answer.HasField("error") and not answer.error.non_retryable
    assert not sandbox.requests()
    c1.clear_faults()
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_nine_lost_heartbeats_end_the_task(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall", count=1)
    serve()
    task = c1.add("sync_full")
    c1.wait_for("Heartbeat", 1)
    c1.fault("Heartbeat", code="INTERNAL", times=99)
    answer = c1.finished(task)
    assert answer.status.code == CANCELED
    failed = [e for e in c1.of("Heartbeat") if not e.is_ok]
    assert len(failed) in (9, 10)


# ---- the upload ----


@pytest.mark.parametrize("after", [None, 0, 1, -1])
def test_a_refused_upload_is_tried_again(c1, serve, after):
    c1.fault("UploadAsset", code="UNAVAILABLE", after=after)
    serve()
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    first, second = c1.of("UploadAsset")
    assert second.at - first.at < 0.9 and second.asset


def test_an_upload_is_tried_three_times(c1, serve):
    c1.fault("UploadAsset", code="RESOURCE_EXHAUSTED", text="disk of C1 full", after=-1, times=3)
    serve()
    answer = c1.finished(c1.add("sync_full"))
    assert answer.status.code == 8 and "disk of C1 full" in answer.status.message
    assert not answer.error.non_retryable
    a, b, c = c1.of("UploadAsset")
    assert b.at - a.at < 0.9 and 0.9 < c.at - b.at < 2


def test_an_early_refusal_of_a_large_upload_keeps_its_reason(c1, start_sandbox, serve):
    crisp = start_sandbox("--operators", MANY)
    c1.fault("UploadAsset", code="INVALID_ARGUMENT", text="this one not", after=1, times=3)
    serve(crisp=crisp)
    answer = c1.finished(c1.add("sync_full"))
    assert answer.status.code == 3 and "this one not" in answer.status.message


def test_a_server_that_takes_its_time(c1, serve):
    c1.fault("UploadAsset", after=-1, delay_s=1.5)
    serve()
    assert c1.finished(c1.add("sync_full")).HasField("success")
    assert len(c1.of("UploadAsset")) == 1


# ---- the debug log ----


def test_a_debug_task_uploads_its_log_too(c1, sandbox, serve):
    service = serve()
    task = c1.add("sync_full", debug=True)
    assert c1.finished(task).HasField("success")
    c1z, log = c1.assets(task)
    assert c1z.startswith(b"C1Z") and log.startswith(b"{")
    lines = [json.loads(line) for line in log.decode().splitlines()]
    assert any(line["level"] == "debug" for line in lines)
    assert any(line["msg"] == "Synced resources" for line in lines)
    for secret in service.secrets + c1.given_tokens:
        assert secret not in log.decode()
    kinds = [e.kind for e in c1.events if e.task_id == task]
    assert kinds == ["Heartbeat", "UploadAsset", "UploadAsset", "FinishTask"]
    assert not [line for line in service.logs() if line["level"] == "debug"], "its own log stays at info"


def test_a_task_without_debug_has_no_log(c1, serve):
    serve()
    first, second = c1.add("sync_full", debug=True), c1.add("sync_full")
    for task, count in ((first, 2), (second, 1)):
        c1.finished(task)
        assert len(c1.assets(task)) == count


# ---- where it may write ----


def test_a_temp_dir_that_nobody_can_write(c1, sandbox, serve, tmp_path):
    """Memory serves. Root may write anywhere, so the directory is one that takes no files."""
    serve(env={"BATON_TMPDIR": "/proc/self"})
    task = c1.add("sync_full", debug=True)
    assert c1.finished(task).HasField("success")
    file = tmp_path / "a.c1z"
    file.write_bytes(c1.assets(task)[0])
    assert roles(file) == expected_roles(sandbox)


def test_a_temp_dir_that_vanishes(c1, serve):
    service = serve()
    assert c1.finished(c1.add("sync_full")).HasField("success")
    service.tmp.rmdir()
    assert c1.finished(c1.add("sync_full")).HasField("success")
    service.tmp.mkdir()
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_a_working_directory_that_is_gone(c1, serve):
    service = serve()
    c1.wait_for("GetTask")
    service.cwd.rmdir()
    assert c1.finished(c1.add("sync_full")).HasField("success")


def test_the_temp_dir_of_the_flag_must_exist(c1, serve):
    service = serve("--c1z-temp-dir", "/nope")
    assert service.wait() == UNKNOWN
    assert service.stderr.rstrip().endswith("the specified c1z temp dir does not exist: /nope")
    assert c1.events == []


def test_a_full_disk_is_reported_and_nothing_hangs(c1, start_sandbox, serve):
    """No file may be larger than 64 KiB, the team's is."""
    limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "bash"] + command()
    serve(argv=limited, crisp=start_sandbox("--operators", 3000))
    answer = c1.finished(c1.add("sync_full"))
    assert answer.HasField("error") and not answer.error.non_retryable and answer.status.message
    assert not c1.of("UploadAsset")
    assert c1.finished(c1.add("hello"))

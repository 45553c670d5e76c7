"""Service mode: the upload of a large file begins while the sync's child still compresses. The child is held there
for as long as the test needs it."""

import os
import signal

import pytest

from connector import operators
from sandbox import program
from service import EXIT_S

pytestmark = pytest.mark.release  # a sanitizer's library must be loaded first
MANY = 12_000
HELD_AT = 3 * 512 * 1024  # three chunks, of more than five
CANCELED, INTERNAL = 1, 13


class Held:
    """A service with a task of which three chunks have arrived."""

    def __init__(self, c1, service, task, pipe):
        self.c1, self.service, self.task, self._pipe = c1, service, task, pipe

    def release(self):
        def opened():
            try:
                os.close(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:  # the child has not come to its halt
                return False
            return True
        self.service.until(opened, "the child to wait")

    def success(self):
        assert self.c1.finished(self.task).HasField("success")
        (asset,) = self.c1.assets(self.task)
        return asset


@pytest.fixture
def held(c1, start_sandbox, serve, tmp_path):
    """held(code="UNAVAILABLE", after=2): with this fault of UploadAsset, if any."""
    def start(debug=False, arrived=3, **fault):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        if fault:
            c1.fault("UploadAsset", **fault)
        service = serve(crisp=start_sandbox("--operators", MANY), env={
            "LD_PRELOAD": str(program("tests/tools/held-eventfd.so")), "HELD_AT": str(HELD_AT), "HELD_UNTIL": str(pipe)})
        task = c1.add("sync_full", debug=debug)
        c1.wait(lambda: [e for e in c1.of("UploadAsset") if len(e.chunks) >= arrived], "the first chunks")
        assert service.children() and not service.log("sync done")
        return Held(c1, service, task, pipe)
    return start


def test_what_is_written_goes_up_and_then_the_rest(c1, held, tmp_path):
    sync = held()
    assert not c1.is_finished(sync.task)
    files = sync.service.fd_count()
    sync.release()
    file = tmp_path / "asset.c1z"
    file.write_bytes(sync.success())
    assert len(operators(file)) == MANY
    (upload,) = c1.of("UploadAsset")
    assert set(upload.chunks[:-1]) == {512 * 1024}
    # The file, how far it is, and the child's report.
    sync.service.until(lambda: sync.service.fd_count() == files - 3, "the files of the task to be closed")


def test_a_debug_log_goes_up_behind_it(c1, held):
    sync = held(debug=True)
    sync.release()
    assert c1.finished(sync.task).HasField("success")
    file, log = c1.assets(sync.task)
    assert file.startswith(b"C1ZF") and b"Sync complete" in log


@pytest.mark.parametrize("fault", [
    {"code": "UNAVAILABLE"}, {"code": "INVALID_ARGUMENT"}, {"cut": "before"}, {"code": "OK"},
], ids=lambda f: f.get("code", "cut"))
def test_one_that_fails_is_begun_again_when_the_file_is_complete(c1, held, fault):
    sync = held(arrived=2, after=2, **fault)
    sync.service.until_log("upload failed; will retry when the file is complete")
    assert len(c1.of("UploadAsset")) == 1 and not c1.is_finished(sync.task)
    sync.release()
    asset = sync.success()
    first, second = c1.of("UploadAsset")
    assert first.asset is None and sum(second.chunks) == len(asset)


def test_a_refused_token_begins_it_anew_at_once(c1, held):
    sync = held(arrived=2, code="UNAUTHENTICATED", after=2)
    c1.wait(lambda: [e for e in c1.of("UploadAsset")[1:] if len(e.chunks) >= 3], "the chunks of the second")
    sync.release()
    sync.success()
    assert [e.code for e in c1.of("UploadAsset")] == ["UNAUTHENTICATED", "OK"]


def test_a_child_that_dies_takes_it_along(c1, held):
    sync = held()
    os.kill(int(sync.service.children()[0]), signal.SIGKILL)
    assert c1.finished(sync.task).status.code == INTERNAL
    c1.wait(lambda: c1.of("UploadAsset")[0].code, "the end of the upload")
    assert c1.of("UploadAsset")[0].code != "OK" and len(c1.of("UploadAsset")) == 1


def test_cancelled_by_c1(c1, held):
    sync = held()
    c1.cancel(sync.task)
    assert c1.finished(sync.task).status.code == CANCELED
    assert not c1.assets(sync.task)
    sync.service.until(lambda: not sync.service.children(), "the end of the child")


def test_stopped(c1, held):
    sync = held()
    code, took = sync.service.signal_and_time(signal.SIGTERM)
    assert code == 0 and took < EXIT_S
    assert c1.finished(sync.task).status.code == CANCELED and not c1.assets(sync.task)

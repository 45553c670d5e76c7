"""Service mode on a machine that sleeps, or whose clock somebody sets: a clear line, another try, nothing that hangs."""

import os
import signal
import struct

import pytest

from sandbox import program

pytestmark = pytest.mark.release  # a sanitizer's library must be loaded first
DAY_S, HOUR_S = 86400, 3600


class Clock:
    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(16))

    def bend(self, time_of_day_s=0, since_boot_s=0):
        with self.path.open("r+b") as file:  # in place: the program has mapped it
            file.write(struct.pack("=qq", time_of_day_s, since_boot_s))


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "clock")


@pytest.fixture
def service(serve, clock):
    return serve(env={"LD_PRELOAD": str(program("tests/tools/bent-clock.so")), "BENT_CLOCK": str(clock.path)})


@pytest.mark.parametrize("step_s", [-DAY_S, DAY_S], ids=["back", "ahead"])
def test_a_step_of_the_clock_stops_nothing(c1, service, clock, step_s):
    c1.finished(c1.add("sync_full"))
    clock.bend(step_s)
    polls = len(c1.of("GetTask"))
    c1.wait_for("GetTask", polls + 3)
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success") and len(c1.of("token")) == 1
    first, second = service.log("sync done")
    assert abs(second["ts"] - first["ts"] - step_s) < 60, "the library had no effect"
    assert 0 <= second["duration"] < 60


@pytest.mark.parametrize("step_s", [-DAY_S, DAY_S], ids=["back", "ahead"])
def test_a_wrong_clock_is_named_and_its_mending_waited_for(c1, service, clock, step_s):
    c1.wait_for("GetTask")
    clock.bend(step_s)
    c1.forget_tokens()
    line = service.until_log("error getting next task")
    assert f"this machine's clock is {DAY_S} s {'behind' if step_s < 0 else 'ahead of'} the server's: set it" in line["error"]
    task = c1.add("sync_full")
    clock.bend()
    assert c1.finished(task).HasField("success")
    assert all("iat is not now" in str(v) for v in c1.violations), c1.violations
    c1.violations.clear()


def test_a_token_that_ended_while_the_machine_slept_is_not_tried(c1, service, clock):
    c1.finished(c1.add("sync_full"))
    c1.wait_for("GetTask", len(c1.of("GetTask")) + 2)  # nothing is on its way
    clock.bend(since_boot_s=2 * HOUR_S)
    c1.front.cut()  # as a router does with a line that is silent for so long
    task = c1.add("sync_full")
    assert c1.finished(task).HasField("success")
    assert len(c1.of("token")) == 2 and "UNAUTHENTICATED" not in {e.code for e in c1.events}


def test_a_process_that_is_halted_while_its_line_goes(c1, serve):
    c1.fault("UploadAsset", after=-1, is_held=True)
    service = serve()
    task = c1.add("sync_full")
    c1.wait_for("UploadAsset", answered=False)
    os.kill(service.pid, signal.SIGSTOP)
    c1.front.cut()
    c1.release()
    os.kill(service.pid, signal.SIGCONT)
    assert c1.finished(task).HasField("success")
    assert len(c1.assets(task)) >= 1

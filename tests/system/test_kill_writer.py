"""kill -9 at random points of the writer's life. After each: the old file or the whole new one, no
temporary directory; and the next run succeeds and takes over what the dead one left."""

import os
import random
import signal
import subprocess
import time

import pytest

import c1zwriter

# A sanitizer's library would have to be loaded before the one that makes calls fail, and is slow to die.
pytestmark = pytest.mark.release

KILLS = int(os.environ.get("BATON_TEST_KILLS", "200"))
COUNT = 400


def life_time(path, temp):
    """Seconds that an undisturbed run takes: the median of a few."""
    times = []
    for _ in range(5):
        start = time.monotonic()
        assert c1zwriter.write(path, COUNT, temp).returncode == 0
        times.append(time.monotonic() - start)
    return sorted(times)[2]


def run_and_kill(path, temp, after):
    """True if the writer was still alive when it was killed."""
    child = subprocess.Popen(c1zwriter.command(path, COUNT, temp), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        child.wait(timeout=after)
        return False
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
        return True


@pytest.mark.parametrize("flags", [[], ["-r"]], ids=["finished", "unfinished"])
def test_kill_at_any_point(tmp_path, flags):
    temp, out = tmp_path / "temp", tmp_path / "out"
    temp.mkdir()
    out.mkdir()
    path = out / "a.c1z"
    assert c1zwriter.write(path, COUNT, temp, *flags).returncode == 0
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    span = life_time(out / "timing.c1z", temp)
    (out / "timing.c1z").unlink()
    killed = replaced = 0
    for _ in range(20 * KILLS):
        if killed == KILLS // 2:
            break
        old = path.read_bytes()
        killed += run_and_kill(path, temp, rng.uniform(0, span * 1.1))
        assert list(temp.iterdir()) == []
        names = {p.name for p in out.iterdir()}
        assert names <= {"a.c1z", "a.c1z.tmp"}
        if path.read_bytes() != old:
            replaced += 1
            assert set(c1zwriter.Content(path, temp).grants.values()) == {COUNT}
    assert killed == KILLS // 2
    # A clean run: whatever the last one left is gone, and the file is whole.
    result = c1zwriter.write(path, COUNT, temp)
    assert result.returncode == 0, result.stderr
    assert [p.name for p in out.iterdir()] == ["a.c1z"]
    content = c1zwriter.Content(path, temp)
    assert content.indexes == 16 and content.runs[-1][1]


def test_clean_resume_after_kill(tmp_path):
    """An unfinished run stays resumable under its id through any number of killed attempts."""
    temp = tmp_path / "temp"
    temp.mkdir()
    path = tmp_path / "a.c1z"
    assert c1zwriter.write(path, COUNT, temp, "-r").returncode == 0
    run = c1zwriter.Content(path, temp).runs[0][0]
    span = life_time(tmp_path / "timing.c1z", temp)
    for i in range(10):
        # Not to its end: that would finish the run.
        run_and_kill(path, temp, span * i / 20)
        if c1zwriter.Content(path, temp).runs[0][1]:
            break
    else:
        result = c1zwriter.write(path, COUNT + 1, temp)
        assert result.stdout.startswith(f"resumed {run} "), result.stderr
    content = c1zwriter.Content(path, temp)
    assert content.runs == [(run, 1)]
    assert not (tmp_path / "a.c1z.tmp").exists()

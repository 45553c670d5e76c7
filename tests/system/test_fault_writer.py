"""Every allocation and every system call of the writer fails once, one run each. Whatever fails: the
writer ends by itself and says why, the old file is there byte for byte or the new one is there whole, and
nothing else is left."""

import errno
import os

import pytest

import c1zwriter

# A sanitizer's library would have to be loaded before the one that makes calls fail, and is slow to die.
pytestmark = pytest.mark.release

# Environment: run every single allocation instead of a sample (some minutes).
ALL = os.environ.get("BATON_TEST_FAULTS") == "all"
OLD, NEW = 2, 3


@pytest.fixture
def world(tmp_path):
    class World:
        temp = tmp_path / "temp"
        out = tmp_path / "out"
        path = out / "a.c1z"
        mark = tmp_path / "mark"

    World.temp.mkdir()
    World.out.mkdir()
    assert c1zwriter.write(World.path, OLD, World.temp).returncode == 0
    World.old = World.path.read_bytes()
    return World


def run_with_fault(world, call, at, code):
    """None if the program makes fewer calls of that kind, else its result."""
    world.mark.unlink(missing_ok=True)
    world.path.write_bytes(world.old)
    env = {"LD_PRELOAD": str(c1zwriter.program("libfault.so")), "FAULT_CALL": call, "FAULT_AT": str(at),
           "FAULT_ERRNO": str(code), "FAULT_MARK": str(world.mark)}
    result = c1zwriter.write(world.path, NEW, world.temp, **env)
    return result if world.mark.exists() else None


def judge(world, result, what):
    files = sorted(p.name for p in world.out.iterdir())
    assert files == ["a.c1z"], f"{what}: {files}"
    assert list(world.temp.iterdir()) == [], what
    assert 0 <= result.returncode <= 16, f"{what}: ended with {result.returncode}: {result.stderr}"
    data = world.path.read_bytes()
    if result.returncode != 0:
        assert "writer: " in result.stderr or "out of memory" in result.stderr, what
    if result.returncode == 0:
        assert data != world.old, what
    if data != world.old:
        content = c1zwriter.Content(world.path, world.temp)
        assert sorted(content.grants.values()) == [OLD, NEW], what
        assert content.indexes == 16 and all(ended for _, ended in content.runs), what


def walk(world, call, code, positions):
    """Runs the positions until one is past the last call; returns how many faults happened."""
    count = 0
    for at in positions:
        result = run_with_fault(world, call, at, code)
        if result is None:
            break
        judge(world, result, f"{call} {at} {errno.errorcode.get(code, '')}")
        count += 1
    return count


def every(step=1):
    at = 1
    while True:
        yield at
        at += step


@pytest.mark.parametrize("call, code, at_least", [
    ("open", errno.EMFILE, 5), ("open", errno.EACCES, 5), ("read", errno.EIO, 2),
    ("write", errno.ENOSPC, 5), ("write", errno.EIO, 5), ("sync", errno.EIO, 2), ("sync", errno.ENOSPC, 2),
    ("rename", errno.EIO, 1), ("rename", errno.EACCES, 1), ("lock", errno.EWOULDBLOCK, 1),
])
def test_system_calls_fail(world, call, code, at_least):
    # The calls on pages are many and alike: after the first 120 of them every 7th.
    dense = list(range(1, 121))
    count = walk(world, call, code, dense)
    if count == len(dense):
        count += walk(world, call, code, every(7) if ALL else iter(range(121, 100000, 7)))
    assert count >= at_least


def test_allocations_fail(world):
    step = 1 if ALL else 29
    count = walk(world, "malloc", errno.ENOMEM, iter(range(1, 60)))
    assert count == 59
    assert walk(world, "malloc", errno.ENOMEM, iter(range(60, 1000000, step))) > 50


def test_no_space_says_what_is_needed(world):
    """The text names the file, the need, and that the old one is as it was."""
    found = 0
    for at in every():
        result = run_with_fault(world, "write", at, errno.ENOSPC)
        if result is None:
            break
        if "a.c1z.tmp" in result.stderr:
            found += 1
            assert result.returncode == 8
            assert "No space left on device" in result.stderr
            assert "bytes are needed" in result.stderr and "are free" in result.stderr
            assert world.path.read_bytes() == world.old
    assert found > 0


def test_a_real_full_disk(world, tmp_path):
    """A file size limit stands in for it: the kernel refuses, not the library of the test."""
    import resource
    import subprocess

    def limit():
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    for at_dir in (world.temp, "/proc/none"):
        result = subprocess.run(c1zwriter.command(world.path, NEW, at_dir), capture_output=True, text=True,
                                preexec_fn=limit)
        assert result.returncode == 8, result.stderr
        assert world.path.read_bytes() == world.old
        assert [p.name for p in world.out.iterdir()] == ["a.c1z"]

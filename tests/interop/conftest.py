import shutil

import pytest

import plays
import scripts_c1
import world
from sandbox import Sandbox


def starter():
    """Yields a function that starts sandboxes, start("--operators", "3"), and stops them all."""
    running = []

    def start(*args):
        running.append(Sandbox(*args))
        return running[-1]

    yield start
    codes = [sandbox.stop() for sandbox in running]
    assert not any(codes), codes


@pytest.fixture
def start():
    yield from starter()


@pytest.fixture(scope="module")
def start_for_module():
    yield from starter()


@pytest.fixture
def sandbox(start):
    """A Crisp with the seeded team."""
    return start()


@pytest.fixture
def ours(sandbox, tmp_path):
    """A file of ours with one finished sync of the seeded team."""
    path = tmp_path / "ours.c1z"
    world.OURS.must_sync(sandbox, path)
    return path


@pytest.fixture
def copy_of(tmp_path):
    """Makes a writable copy of a file."""

    def copy(path):
        target = tmp_path / ("copy-" + path.name)
        shutil.copyfile(path, target)
        return target

    return copy


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    """Plays all scripts of service mode, once and side by side: stage.of(connector, name)."""
    stage = plays.Stage(tmp_path_factory.mktemp("service"))
    stage.start(scripts_c1.SCRIPTS, plays.ours, plays.demo)
    stage.start(scripts_c1.OURS_ALONE, plays.ours)
    stage.start(scripts_c1.OF_THE_REFERENCE, plays.reference)
    yield stage
    stage.close()

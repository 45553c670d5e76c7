"""Fixtures for all system tests. Each test has its own sandbox, on its own port."""

import pytest

import sandbox as sandbox_module


@pytest.fixture(scope="session")
def bin_dir():
    return sandbox_module.bin_dir()


@pytest.fixture
def start_sandbox():
    """start_sandbox("--operators", "3"): as many as a test needs; all are stopped at its end."""
    running = []

    def start(*args, **more):
        running.append(sandbox_module.Sandbox(*args, **more))
        return running[-1]

    yield start
    codes = [s.stop() for s in running]
    assert all(code == 0 for code in codes), f"crisp-sandbox ended with {codes}"


@pytest.fixture
def sandbox(start_sandbox):
    """A Crisp with the seeded team."""
    return start_sandbox()


# ---- service mode: a stand-in for C1, and baton-crisp as its client ----


@pytest.fixture
def start_c1():
    """start_c1(next_poll_s=1): as many as a test needs. A rule that the client has broken fails the test."""
    from c1 import C1  # here, so that the other tests need no grpcio
    running = []

    def start(*args, **more):
        running.append(C1(*args, **more))
        return running[-1]

    yield start
    for c1 in running:
        c1.stop()
    broken = [(v, c1.story()) for c1 in running for v in c1.violations]
    assert not broken, f"{broken[0][0]}\n{broken[0][1]}"


@pytest.fixture
def c1(start_c1):
    return start_c1()


@pytest.fixture
def serve(c1, sandbox, start_c1, start_sandbox, tmp_path):
    """serve("--provisioning", env={}): baton-crisp in service mode with the test's c1 and sandbox, or with others.
    It is stopped at the end, if it still runs, and must then exit 0 with nothing left behind."""
    from service import Service
    started = []

    def start(*args, c1=c1, crisp=sandbox, **more):
        started.append(Service(c1, crisp, tmp_path / f"service{len(started)}", *args, **more))
        return started[-1]

    yield start
    codes = [s.stop() if s.process.poll() is None else 0 for s in started]
    assert not any(codes), f"baton-crisp ended with {codes}:\n{started[-1].stderr}"
    for service in started:
        service.check_remains()

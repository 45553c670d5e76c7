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

"""Builds the packages twice and keeps clean Debian roots, for all tests here. Needs root and Debian 12."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

import roots

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text().strip()
# What scripts/package is made of, and what it packs.
SOURCES = ["debian", "docs", "man", "packaging", "scripts", "src", "CHANGELOG.md", "LICENSE", "README.md", "VERSION",
           "meson.build", "meson_options.txt"]
# As different as two builders get.
BUILDERS = {
    "a": {"path": "sources", "umask": 0o022, "env": {"LANG": "C", "TZ": "UTC"}},
    "b": {"path": "another/and deeper/place", "umask": 0o077,
          "env": {"LC_ALL": "C", "TZ": "Asia/Tokyo", "CFLAGS": "-O0", "DEB_BUILD_OPTIONS": "nostrip"}},
}


@pytest.fixture(scope="session", autouse=True)
def able():
    """A test that cannot run has failed."""
    if os.geteuid() != 0:
        pytest.fail("tests/package needs root: it installs packages into a Debian root of its own")
    for tool, package in (("debootstrap", "debootstrap"), ("lintian", "lintian"), ("dh", "debhelper"),
                          ("systemd-nspawn", "systemd-container"), ("systemd-analyze", "systemd")):
        if not shutil.which(tool):
            pytest.fail(f"tests/package needs {tool}: apt install {package}")


class Build:
    """One run of scripts/package on a copy of the sources."""

    def __init__(self, name, sources, directory):
        how = BUILDERS[name]
        self.out = directory / "dist"
        self.log = directory / "log"
        tree = directory / how["path"]
        temp = directory / "tmp"
        for d in (self.out, temp, tree.parent):
            d.mkdir(parents=True, exist_ok=True)
        roots.run("cp", "-a", sources, tree)
        # The sources' own date counts: a copy has no git.
        env = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["scripts/package", "--out", str(self.out)], cwd=tree, umask=how["umask"], stdout=log,
                stderr=subprocess.STDOUT, env={**env, **how["env"], "TMPDIR": str(temp)})

    def wait(self):
        code = self.process.wait(600)
        assert code == 0, "\n".join(self.log.read_text().splitlines()[-40:])
        return self.out

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


@pytest.fixture(scope="session")
def work():
    """A directory that is gone afterwards: pytest keeps its own, and roots are large."""
    directory = roots.temporary()
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def sources(work):
    """The sources as they are now: they may change while the tests run."""
    directory = work / "sources"
    directory.mkdir()
    for item in SOURCES:
        roots.run("cp", "-a", ROOT / item, directory)
    return directory


@pytest.fixture(scope="session")
def builds(sources, work):
    """Both builds. The roots are fetched during the first, tests run during the second."""
    first = Build("a", sources, work / "first")
    roots.ensure()
    first.wait()
    started = int(time.time())
    while int(time.time()) == started:
        time.sleep(0.01)
    second = Build("b", sources, work / "second")
    yield first, second
    second.stop()


@pytest.fixture(scope="session")
def dist(builds):
    """The packages."""
    return builds[0].wait()


@pytest.fixture(scope="session")
def other_dist(builds):
    """The same from the other builder."""
    return builds[1].wait()


@pytest.fixture(scope="session")
def debs(dist):
    return [dist / f"baton-crisp_{VERSION}-1_amd64.deb", dist / f"crisp-sandbox_{VERSION}-1_amd64.deb"]


@pytest.fixture(scope="session")
def tarball(dist):
    return dist / f"baton-crisp-v{VERSION}-linux-amd64.tar.gz"


@pytest.fixture(scope="session")
def unpacked(debs, work):
    """The .debs, unpacked: a place for programs that run here."""
    for deb in debs:
        subprocess.run(["dpkg-deb", "-x", str(deb), str(work / "unpacked")], check=True)
    return work / "unpacked"


@pytest.fixture(scope="session")
def bare_root(builds, work):
    """Debian 12 as small as it gets, with libcurl4 and ca-certificates."""
    return roots.copy("bare", work / "bare")


@pytest.fixture(scope="session")
def installed(debs, work):
    """A Debian 12 with systemd, and our packages installed by apt."""
    root = roots.copy("system", work / "installed")
    roots.apt_install(root, debs)
    return root


@pytest.fixture
def crisp(unpacked):
    """A running Crisp on loopback, which a chroot reaches too."""
    import sandbox

    with sandbox.Sandbox(binary=unpacked / "usr/bin/crisp-sandbox") as running:
        yield running

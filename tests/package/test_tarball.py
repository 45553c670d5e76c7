"""The tarball: on any Linux with glibc, libcurl and certificate authorities."""

import pathlib
import re
import subprocess
import tarfile

import pytest

import roots

DEPLOY = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "deploy.md").read_text()


@pytest.fixture(scope="session")
def root(bare_root, tarball):
    with tarfile.open(tarball) as archive:
        archive.extractall(bare_root / "opt")
    return bare_root


def output(*command):
    return subprocess.run([str(c) for c in command], check=True, text=True, stdout=subprocess.PIPE).stdout


def test_it_holds_the_programs_and_the_licences(tarball):
    with tarfile.open(tarball) as archive:
        members = {m.name: (m.mode, m.uid, m.gid) for m in archive}
    assert members == {"LICENSE": (0o644, 0, 0), "THIRD-PARTY.txt": (0o644, 0, 0),
                       "baton-crisp": (0o755, 0, 0), "baton-inspect": (0o755, 0, 0)}


@pytest.mark.parametrize("program", ["baton-crisp", "baton-inspect"])
def test_it_needs_glibc_only_and_says_which(root, program):
    file = root / "opt" / program
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", file)))
    assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", output("objdump", "-T", file))}
    newest = ".".join(map(str, max(versions)))
    (promised,) = re.findall(r"glibc ([0-9.]+[0-9]) or newer", DEPLOY)
    assert max(versions) <= tuple(map(int, promised.split("."))), f"docs/deploy.md must say that it needs glibc {newest}"


def test_its_libraries_do_not_meet_those_that_libcurl_brings(root):
    """A symbol that the program exported would be taken by libcurl's OpenSSL in place of its own."""
    exported = [line for line in output("nm", "-D", "--defined-only", root / "opt" / "baton-crisp").splitlines()
                if line.split()[1] in "TtiVW"]
    assert not exported


def test_it_syncs_on_a_bare_debian(root, crisp):
    run = roots.chroot(root, "/opt/baton-crisp", "--file", "/root/sync.c1z", env=crisp.env())
    assert run.returncode == 0, run.stderr
    who = roots.chroot(root, "/opt/baton-inspect", "--file", "/root/sync.c1z", "who")
    assert "Ada Fictive" in who.stdout, who.stderr


def test_every_library_linked_in_has_its_licence(root):
    text = (root / "opt" / "THIRD-PARTY.txt").read_text()
    for source in ("sqlite3", "libzstd", "protobuf-c", "libyaml"):
        assert re.search(rf"^{source} \S+ \(Debian\)$", text, re.M), source

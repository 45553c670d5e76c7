"""The image, without a container engine: its build stage's own commands, and its last stage's file system."""

import json
import re
import subprocess

import pytest

import roots
from conftest import ROOT, VERSION

FILE = (ROOT / "packaging" / "Containerfile").read_text()
BUILD, LAST = re.split(r"^FROM scratch\n", FILE, flags=re.M)
LAST = LAST.replace("\\\n", " ")


@pytest.fixture(scope="session")
def image(sources, work):
    """Copies what the build stage copies, runs what it runs last; returns the /rootfs that the last stage takes."""
    context, rootfs = work / "context", work / "rootfs"
    for what in re.findall(r"^COPY (.*)$", BUILD, re.M):
        *names, target = what.split()
        (context / target).parent.mkdir(parents=True, exist_ok=True)
        if target.endswith("/"):
            (context / target).mkdir(parents=True, exist_ok=True)
        for name in names:
            roots.run("cp", "-r" if target.endswith("/") else "-rT", sources / name, context / target)
    install, command = re.findall(r"^RUN (.*)$", BUILD, re.M)
    assert "build_packages" in install
    done = subprocess.run(["sh", "-ec", command.replace(" /rootfs", f" {rootfs}")], cwd=context, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return rootfs


def word(name):
    (found,) = re.findall(rf"^\s*{name} (.*)$", LAST, re.M)
    return found


def test_the_last_stage_says_how_to_run_it():
    assert re.findall(r"^COPY (.*)$", LAST, re.M) == ["--from=build /rootfs/ /"]
    assert word("USER") == "65532:65532"
    assert json.loads(word("ENTRYPOINT")) == ["/baton-crisp"]
    labels = dict(re.findall(r'(\S+)="([^"]*)"', word("LABEL")))
    assert labels["org.opencontainers.image.version"] == VERSION
    unit = (ROOT / "packaging" / "systemd" / "baton-crisp.service").read_text()
    (tunables,) = re.findall(r"^Environment=(GLIBC_TUNABLES=.*)$", unit, re.M)
    assert tunables in re.findall(r"^ENV (.*)$", LAST, re.M)
    check = json.loads(re.search(r"HEALTHCHECK .*CMD (\[.*\])", LAST)[1])
    assert check[:2] == ["/baton-crisp", "health-check"]


def test_it_is_small(image):
    size = sum(p.stat().st_size for p in image.rglob("*") if p.is_file() and not p.is_symlink())
    assert size < 30 << 20
    assert not list(image.rglob("sh")) and not list(image.rglob("perl*"))
    assert len(list((image / "var/lib/dpkg/status.d").iterdir())) > 20


def run(image, out, temp, env, *args):
    """As an engine would: read-only root, own mounts, no privilege; /tmp is there or not writable."""
    script = """
        set -e
        mount --bind "$1" "$1"
        mount -o remount,bind,ro "$1"
        mount --bind "$2" "$1/out"
        [ "$3" = no ] || mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmp "$1/tmp"
        root=$1
        shift 3
        exec chroot --userspec=65532:65532 "$root" /baton-crisp "$@"
    """
    return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", str(image), str(out), temp, *args],
                          text=True, capture_output=True, timeout=120, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **env})


@pytest.mark.parametrize("temp", ["tmpfs", "no"])
def test_it_syncs_with_a_read_only_root(image, crisp, work, temp):
    out = work / f"out-{temp}"
    out.mkdir()
    out.chmod(0o777)
    done = run(image, out, temp, {**crisp.env(), "BATON_HEALTH_CHECK": "true"}, "-f", "/out/sync.c1z")
    assert done.returncode == 0, done.stderr
    assert [p.name for p in out.iterdir()] == ["sync.c1z"]
    assert (out / "sync.c1z").stat().st_uid == 65532


def test_the_health_check_is_in_it(image, work):
    out = work / "out-health"
    out.mkdir()
    done = run(image, out, "no", {}, "health-check", "--endpoint", "live", "--health-check-port", "1")
    assert (done.returncode, "connection refused" in done.stderr) == (14, True), done.stderr


def test_it_trusts_the_usual_authorities(image):
    bundle = image / "usr/lib/ssl/cert.pem"
    assert str(bundle.readlink()) == "/etc/ssl/certs/ca-certificates.crt"
    assert (image / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE") > 50

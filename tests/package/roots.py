"""Clean Debian roots by debootstrap, from the mirror that this machine uses itself.

They are kept in the temporary directory between runs, for three days: package lists age. A test works on a copy.
"""

import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

CACHE = pathlib.Path(tempfile.gettempdir()) / "baton-crisp-test-roots"
DAYS = 3
# So that installing our packages later needs no network. What is missing here is fetched then.
LIKELY = ["libprotobuf-c1", "libyaml-0-2", "libsqlite3-0", "libjansson4", "libmicrohttpd12", "libevent-core-2.1-7",
          "libevent-extra-2.1-7", "libevent-openssl-2.1-7"]


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more)
    assert done.returncode == 0, f"{command}: {done.stdout}"
    return done.stdout


def temporary():
    return pathlib.Path(tempfile.mkdtemp(prefix="baton-crisp-package-"))


def mirror():
    """Where this machine gets bookworm from."""
    found = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm",
                "Component: main").split()
    assert found, "apt knows no mirror of bookworm, main: see sources.list(5)"
    return found[0]


def chroot(root, *command, env=None, user=None, **more):
    """Runs in the root with a clean environment; the result, not checked."""
    clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", **(env or {})}
    as_user = [f"--userspec={user}"] if user else []
    return subprocess.run(["chroot", *as_user, str(root), *map(str, command)], env=clean, text=True,
                          capture_output=True, timeout=120, **more)


def apt(root, *args):
    done = chroot(root, "apt-get", "-q", "-y", "--no-install-recommends", *args,
                  env={"DEBIAN_FRONTEND": "noninteractive"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def apt_install(root, debs):
    names = []
    for deb in debs:
        shutil.copy(deb, root / "root")
        names.append(f"/root/{deb.name}")
    return apt(root, "install", *names)


def fill(directory):
    bare, system = directory / "bare", directory / "system"
    run("debootstrap", "--variant=minbase", "--include=libcurl4,ca-certificates", "bookworm", bare, mirror())
    # Nothing here must survive a power cut.
    (bare / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")
    run("cp", "-a", bare, system)
    apt(system, "update")
    apt(system, "install", "systemd-sysv")
    apt(system, "install", "--download-only", *LIKELY)


def usable(directory):
    try:
        status = directory.stat()
    except FileNotFoundError:
        return False
    return status.st_uid == 0 and time.time() - status.st_mtime < DAYS * 86400


def ensure():
    """Makes the roots unless they are there. Others may be doing the same."""
    CACHE.mkdir(mode=0o700, exist_ok=True)
    assert CACHE.stat().st_uid == 0 and not CACHE.is_symlink(), f"{CACHE} is not root's own: remove it"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = CACHE / "bookworm"
        if usable(ready):
            return
        fresh = pathlib.Path(tempfile.mkdtemp(prefix="new-", dir=CACHE))
        try:
            fill(fresh)
            shutil.rmtree(ready, ignore_errors=True)
            os.rename(fresh, ready)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def copy(which, target):
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        run("cp", "-a", "--reflink=auto", CACHE / "bookworm" / which, target)
    return target

"""The .debs: clean, installable, working, and gone without a trace. Run in a Debian root of their own."""

import re
import shutil
import subprocess

import roots
from conftest import ROOT, VERSION


def test_lintian_has_nothing_to_say(debs):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *map(str, debs)],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and not re.search(r"^[EW]:", done.stdout, re.M), done.stdout


def test_an_override_has_a_reason():
    for file in (ROOT / "debian").glob("*.lintian-overrides"):
        assert file.read_text().startswith("# "), file


def test_what_scripts_install_is_what_the_package_needs_to_build():
    """One list in scripts/lib.sh, one in debian/control."""
    control = (ROOT / "debian/control").read_text()
    needs = set(re.findall(r"[a-z][a-z0-9+.-]+", re.search(r"Build-Depends:(.*?)\n\S", control, re.S)[1]))
    array = re.search(r"build_packages=\((.*?)\)", (ROOT / "scripts/lib.sh").read_text(), re.S)[1].split()
    assert needs - {"debhelper-compat"} == set(array) - {"build-essential", "ninja-build", "ca-certificates"}


def test_it_is_there(installed):
    for program in ("baton-crisp", "baton-inspect", "crisp-sandbox"):
        assert (installed / f"usr/share/man/man1/{program}.1.gz").exists()
    for file in ("usr/share/bash-completion/completions/baton-crisp", "usr/share/zsh/vendor-completions/_baton-crisp",
                 "usr/share/fish/vendor_completions.d/baton-crisp.fish", "lib/systemd/system/baton-crisp.service",
                 "usr/share/doc/baton-crisp/README.Debian", "usr/share/doc/baton-crisp/deploy.md.gz",
                 "usr/share/doc/baton-crisp/examples/baton-crisp.env",
                 "usr/share/doc/baton-crisp/examples/kubernetes/deployment.yaml", "usr/share/doc/baton-crisp/copyright"):
        assert (installed / file).stat().st_size > 0, file
    done = roots.chroot(installed, "baton-crisp", "--version")
    assert done.stdout == f"baton-crisp version {VERSION}\n"


SYNC = """
set -eu
mkfifo /root/ready
crisp-sandbox >/root/ready &
read -r line </root/ready
eval "$(crisp-sandbox --print-env | sed 's/^/export /')"
BATON_CRISP_BASE_URL=${line##* } baton-crisp --file /root/sync.c1z --log-level warn
kill $!
rm /root/ready
baton-inspect --file /root/sync.c1z who
"""


def test_it_syncs(installed):
    done = roots.chroot(installed, "bash", "-c", SYNC)
    assert done.returncode == 0, done.stderr
    assert "6 people can read the customer conversations" in done.stdout


def test_purging_leaves_nothing(installed, work):
    root = work / "purged"
    subprocess.run(["cp", "-a", "--reflink=auto", str(installed), str(root)], check=True)
    # What the administrator and the units leave behind.
    (root / "etc/baton-crisp/client-secret").write_text("secret")
    for place in ("var/lib", "var/log"):
        (root / place / "private/baton-crisp").mkdir(parents=True, exist_ok=True)
        (root / place / "private/baton-crisp/file").write_text("data")
        (root / place / "baton-crisp").unlink(missing_ok=True)
        (root / place / "baton-crisp").symlink_to("private/baton-crisp")
    roots.apt(root, "purge", "baton-crisp", "crisp-sandbox")
    # But for what apt writes about itself, and the .debs that it was given.
    left = roots.run("find", root, "(", "-path", root / "root", "-o", "-path", root / "var/log/apt", ")", "-prune", "-o",
                     "(", "-name", "*baton*", "-o", "-name", "*crisp*", ")", "-print")
    assert not left
    shutil.rmtree(root)

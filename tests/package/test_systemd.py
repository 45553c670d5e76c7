"""The units: what systemd thinks of them, and a run of them under a systemd of their own."""

import pathlib
import re
import shlex
import subprocess
import sys
import uuid

import pytest

from conftest import ROOT
from test_deploy import BLOCKS

UNITS = ROOT / "packaging" / "systemd"
SERVICES = ["baton-crisp.service", "baton-crisp-sync.service"]


@pytest.mark.parametrize("unit", [*SERVICES, "baton-crisp-sync.timer"])
def test_systemd_has_nothing_to_say(installed, unit):
    # A root that was never booted has no network unit; the host's do not matter here.
    done = subprocess.run(["systemd-analyze", "verify", f"--root={installed}", "--man=no", "--recursive-errors=no", unit],
                          text=True, capture_output=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.parametrize("unit", SERVICES)
def test_exposure_is_low(installed, unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--root={installed}", "--threshold=20",
                           "--no-pager", unit], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr
    assert float(re.search(r"exposure level for \S+ ([0-9.]+)", done.stdout)[1]) < 2.0


def test_both_services_are_equally_hard():
    hard = [(UNITS / s).read_text().split("CapabilityBoundingSet=")[1].split("\n[Install]")[0].rstrip() for s in SERVICES]
    assert hard[0] == hard[1]


# Runs inside, as the only goal of a boot; its output is what the test reads.
PROBE = """
set -u
exec >/probe.out 2>&1
say() { echo "$1=$2"; }
say enabled "$(systemctl is-enabled baton-crisp.service baton-crisp-sync.timer | paste -sd,)"
say active "$(systemctl is-active baton-crisp.service baton-crisp-sync.timer | paste -sd,)"

systemctl start baton-crisp-sync.service
say assert "$(systemctl show -P AssertResult baton-crisp-sync.service)"
systemctl status --no-pager baton-crisp-sync.service

mkfifo /run/ready
crisp-sandbox >/run/ready &
sandbox=$!
read -r line </run/ready
eval "$(crisp-sandbox --print-env)"
# The administrator of docs/deploy.md.
editor() {
  sed -i "s/^\\(BATON_CRISP_WEBSITE_ID=\\).*/\\1$BATON_CRISP_WEBSITE_ID/
    s/^\\(BATON_CRISP_API_IDENTIFIER=\\).*/\\1$BATON_CRISP_API_IDENTIFIER/" "$1"
  # The client id is of the service; the daily sync must not mind it.
  printf '%s\n' "BATON_CRISP_BASE_URL=${line##* }" BATON_HEALTH_CHECK=true >>"$1"
  cat /c1-env >>"$1"
}
echo "$BATON_CRISP_API_KEY" >/run/key
set -e
. /deploy-setup </run/key
. /deploy-daily
set +e
say result "$(systemctl show -P Result baton-crisp-sync.service)"
say private "$(stat -c '%a %u' /var/lib/private/baton-crisp | awk '{ print $1, ($2 >= 61184 && $2 <= 65519) }')"
say mode "$(stat -L -c %a /var/lib/baton-crisp/sync.c1z)"
say timer "$(systemctl is-active baton-crisp-sync.timer)"

. /deploy-service </client-secret
say service "$(systemctl is-active baton-crisp.service)"
for _ in $(seq 1000); do journalctl -o cat -u baton-crisp.service | grep -q 'uploaded asset' && break; sleep 0.01; done
say uploaded "$(journalctl -o cat -u baton-crisp.service | grep -c 'uploaded asset')"
say status "$(systemctl show -P StatusText baton-crisp.service)"
say confined "$(grep -E '^(Seccomp|NoNewPrivs|CapEff):' "/proc/$(systemctl show -P MainPID baton-crisp.service)/status" |
  tr -d '\t\n')"
say tunables "$(tr '\\0' '\\n' <"/proc/$(systemctl show -P MainPID baton-crisp.service)/environ" | grep GLIBC)"
baton-crisp health-check --endpoint live
say live $?
# A check of Crisp runs in a forked child.
baton-crisp health-check --endpoint health
say health $?
. /deploy-logs
say restarted "$(systemctl is-active baton-crisp.service)"
log=/var/log/baton-crisp/baton-crisp.log
say log "$(grep -c health.check $log)"
mv $log $log.1
systemctl reload baton-crisp.service
for _ in $(seq 500); do [ -e $log ] && break; sleep 0.01; done
say reopened "$(test -e $log; echo $?)"
systemctl stop baton-crisp.service
say stopped "$(systemctl show -P Result baton-crisp.service)"
kill $sandbox
journalctl --no-pager -o cat -u baton-crisp-sync.service -u baton-crisp.service
"""

PROBE_UNIT = """
[Unit]
After=multi-user.target systemd-journald.service
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/bin/bash /probe
TimeoutStartSec=60
"""


@pytest.fixture(scope="session")
def network():
    """The name of a network with nothing but loopback, which the booted root and C1's stand-in share."""
    name = f"t{uuid.uuid4().hex[:12]}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


@pytest.fixture(scope="session")
def c1_env(network):
    """The settings for a C1 with one full sync to do; it runs in the network."""
    c1 = subprocess.Popen(
        ["ip", "netns", "exec", network, sys.executable, "-B", str(ROOT / "tests/system/c1.py"), "--tasks", "sync_full"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = [shlex.split(c1.stdout.readline()) for _ in range(4)]
    yield dict(words[1].split("=", 1) for words in lines)
    c1.terminate()
    c1.wait()
    c1.stdout.close()


@pytest.fixture(scope="session")
def booted(installed, network, c1_env):
    """Boots the root with the probe as its goal; what the probe said."""
    (installed / "client-secret").write_text(c1_env["BATON_CLIENT_SECRET"] + "\n")
    (installed / "etc/ssl/c1.pem").write_text(pathlib.Path(c1_env["SSL_CERT_FILE"]).read_text())
    (installed / "c1-env").write_text("".join(f"{name}={value}\n" for name, value in {
        "BATON_CLIENT_ID": c1_env["BATON_CLIENT_ID"],
        "BATON_C1_API_HOST": c1_env["BATON_C1_API_HOST"],
        "SSL_CERT_FILE": "/etc/ssl/c1.pem"}.items()))
    (setup,) = [b for b in BLOCKS if b.startswith("apt install ./")]
    (daily,) = [b for b in BLOCKS if "enable --now baton-crisp-sync.timer" in b]
    (service,) = [b for b in BLOCKS if "enable --now baton-crisp.service" in b]
    (logs,) = [b for b in BLOCKS if "BATON_LOG_PATH" in b]
    (installed / "deploy-service").write_text(service)
    (installed / "deploy-logs").write_text(logs)
    (installed / "deploy-setup").write_text(setup.split("\n", 1)[1])
    (installed / "deploy-daily").write_text(daily)
    (installed / "probe").write_text(PROBE)
    (installed / "etc/systemd/system/probe.service").write_text(PROBE_UNIT)
    done = subprocess.run(
        ["systemd-nspawn", "--quiet", f"--directory={installed}", f"--machine=t{uuid.uuid4().hex}", "--register=no",
         "--keep-unit", "--settings=no", f"--network-namespace-path=/run/netns/{network}", "--link-journal=no", "--console=pipe", "--boot",
         "systemd.unit=probe.service"],
        text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    said = installed / "probe.out"
    assert said.exists(), done.stdout + done.stderr
    return said.read_text()


def value(booted, name):
    found = re.search(rf"^{name}=(.*)$", booted, re.M)
    assert found, booted
    return found[1]


def test_installing_starts_nothing(booted):
    assert value(booted, "enabled") == "disabled,disabled"
    assert value(booted, "active") == "inactive,inactive"


def test_a_missing_secret_is_said(booted):
    assert value(booted, "assert") == "no"
    assert "asserts failed" in booted


def test_the_daily_sync_works_in_its_sandbox(booted):
    assert value(booted, "result") == "success", booted
    assert value(booted, "private") == "750 1"
    assert "6 people can read the customer conversations" in booted
    assert value(booted, "timer") == "active"


def test_the_service_works_in_its_sandbox(booted):
    assert value(booted, "service") == "active", booted
    assert value(booted, "uploaded") == "1", booted
    assert value(booted, "status").startswith("Connected to C1")
    assert value(booted, "confined") == "CapEff:0000000000000000NoNewPrivs:1Seccomp:2"
    assert value(booted, "tunables") == "GLIBC_TUNABLES=glibc.malloc.tcache_count=0"
    assert value(booted, "live") == "0"
    assert value(booted, "health") == "0", booted


def test_the_service_reloads_and_stops(booted):
    assert value(booted, "restarted") == "active", booted
    assert int(value(booted, "log")) > 0
    assert value(booted, "reopened") == "0"
    assert value(booted, "stopped") == "success"

"""docs/deploy.md says what is so. Its systemd blocks are run in test_systemd.py."""

import re
import subprocess

import pytest

from conftest import ROOT, VERSION

DEPLOY = (ROOT / "docs" / "deploy.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", DEPLOY, re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_block_is_shell(number):
    done = subprocess.run(["bash", "-n"], input=BLOCKS[number], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_it_names_what_is_built(dist):
    table = DEPLOY[DEPLOY.index("| File |"):DEPLOY.index("SQLite, zstd")]
    assert sorted(re.findall(r"^\| `([^`]+)`", table, re.M)) == sorted(p.name for p in dist.iterdir())
    assert set(re.findall(r"_(\d+\.\d+\.\d+)-1_amd64", DEPLOY)) == {VERSION}


def test_every_flag_and_variable_exists(unpacked):
    shown = subprocess.run([str(unpacked / "usr/bin/baton-crisp"), "--help-all"], text=True, check=True,
                           stdout=subprocess.PIPE).stdout + (ROOT / "docs/settings.md").read_text()
    sources = "".join(p.read_text() for p in (ROOT / "src").rglob("*.c"))
    for variable in set(re.findall(r"BATON_[A-Z0-9_]+[A-Z0-9]", DEPLOY)) - {"BATON_NAME"}:
        assert variable in shown or f'"{variable}"' in sources, variable
    for flag in set(re.findall(r"--(?:crisp|client|file|otel|workers|keep|sync|external)[a-z0-9-]*[a-z0-9]", DEPLOY)):
        assert flag in shown, flag
    for metric in set(re.findall(r"baton_[a-z]+_[a-z_]+", DEPLOY)):
        assert f'"{metric}"' in sources, metric

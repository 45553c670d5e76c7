"""In service mode our connector and one on the SDK send C1 the same messages in the same order, but for
the differences listed in differences.py and in docs/compatibility.md. Everything else that both send, the
facts of the host included, is compared as it is."""

import difflib
import json

import pytest

from differences import DIFFERENCES
from message_log import message_log
from plays import demo, ours
from sandbox import ROOT
from scripts_c1 import SCRIPTS


@pytest.fixture(scope="module")
def logs(stage):
    """(ours, the SDK's) of a script."""
    return lambda name: (message_log(stage.of(ours, name)), message_log(stage.of(demo, name)))


def as_sdk(log, script, but=None):
    for one in DIFFERENCES:
        if one is not but:
            log = one.undo(log, script)
    return log


def unlike(mine, theirs):
    """The lines in which two logs differ."""
    logs = ([json.dumps(message, sort_keys=True) for message in log] for log in (mine, theirs))
    return [line for line in difflib.ndiff(*logs) if line[0] in "+-"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_only_the_listed_differences(logs, name):
    mine, theirs = logs(name)
    assert unlike(as_sdk(mine, SCRIPTS[name]), theirs) == []


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda d: d.what)
def test_each_listed_difference_is_one(logs, one):
    """Without it, some script does not come out even."""
    def is_needed(name):
        mine, theirs = logs(name)
        try:
            return as_sdk(mine, SCRIPTS[name], but=one) != theirs
        except (AssertionError, KeyError):
            return True  # another function has met what this one takes away
    assert any(is_needed(name) for name in SCRIPTS)


def test_the_document_lists_them():
    page = (ROOT / "docs" / "compatibility.md").read_text()
    section = page.split("\n## Service mode\n")[1].split("\n## ")[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|"))
            for line in section.splitlines() if line.startswith("|")]
    assert rows[2:] == [(d.what, d.ours, d.sdk, d.why) for d in DIFFERENCES]

"""Our service before mockc1, which holds it to the rules of the .proto files and checks every token: what
becomes of each task, what is uploaded, and how each fault ends. What is sent on the way is
test_service_log.py's."""

import json
import subprocess

import pytest

import plays
from plays import Script, ours, play, reference
from scripts_c1 import BARE, CODES, ENTRY, SCRIPTS, TYPES
from world import GO_BIN, LISTS, OURS, baton_json, comparable

SUCCESS = "success"
EMPTY = "type.googleapis.com/c1.connector.v2."
OFF = (9, "rpc error: code = FailedPrecondition desc = provisioning is not enabled", False)
NO_TICKETS = (12, "rpc error: code = Unimplemented desc = ticket manager not implemented", False)


def unimplemented(text):
    return 12, "rpc error: code = Unimplemented desc = " + text, False


def malformed(text, is_retryable=False):
    return 2, text, is_retryable


# (code, the first line of the message, whether it may be tried again)
WITH_EVERYTHING = {
    **{name: SUCCESS for name in TYPES if name.startswith("fullsync")},
    "fullsync-unknown-engine": malformed("require-engine-driver: dotc1z: engine not available: papyrus", True),
    "fullsync-targeted": (12, "targeted sync of 1 resources: this connector reads its source whole and does not announce "
                          "targeted syncs", False),
    **dict.fromkeys("grant grant-no-ids revoke create_account create_resource delete_resource rotate_credentials".split(),
                    OFF),
    **dict.fromkeys("create_ticket get_ticket bulk_create_tickets bulk_get_tickets".split(), NO_TICKETS),
    "action_get_schema": (5, "error: action schema tidy not found: rpc error: code = NotFound desc = action tidy not found",
                          True),
    "action_invoke": (5, "error: invoking action failed: rpc error: code = NotFound desc = handler for action tidy not "
                      "found", True),
    "action_status": (5, "error: action status for id a1 not found: rpc error: code = NotFound desc = action id a1 not "
                      "found", True),
    "list_events": (5, "rpc error: code = NotFound desc = error: event feed id baton_feed_event not found", False),
}
WITH_PROVISIONING = {
    **WITH_EVERYTHING,
    "grant": unimplemented("resource type website does not have provisioner configured"),
    "grant-no-ids": unimplemented("resource type website does not have provisioner configured"),
    "revoke": unimplemented("resource type website does not have provisioner configured"),
    "create_account": unimplemented("connector does not have account manager configured"),
    "create_resource": unimplemented("resource type website does not have resource Create() configured"),
    "delete_resource": unimplemented("resource type operator does not have resource Delete() configured"),
    "rotate_credentials": unimplemented("resource type does not have credential manager configured"),
}
WITH_NOTHING = {
    "sync_full": SUCCESS,
    "list_event_feeds": EMPTY + "ListEventFeedsResponse",
    "action_list_schemas": EMPTY + "ListActionSchemasResponse",
    "list_events": WITH_EVERYTHING["list_events"],
    "list_ticket_schemas": NO_TICKETS,
    **dict.fromkeys(("event_feed", "create_sync_diff", "compact_syncs", "untyped"), malformed("unsupported task type", True)),
    "revoke": malformed("invalid task type"),
    "create_ticket_task": malformed("malformed create ticket task"),
    "bulk_create_tickets": malformed("malformed bulk create ticket task"),
    **{name: malformed(f"malformed {name.replace('_', ' ')} task") for name in
       "grant create_account create_resource delete_resource rotate_credentials issue_credential get_ticket "
       "bulk_get_tickets".split()},
    **dict.fromkeys(("action_get_schema", "action_invoke"), malformed("action name required", True)),
    "action_status": malformed("action id required", True),
}


def outcome(request):
    """FinishTask's request as it stands in the tables above."""
    if "success" in request:
        assert "status" not in request
        response = request["success"].get("response")
        return response["@type"] if response else SUCCESS
    first, _, rest = request["status"]["message"].partition("\n")
    is_retryable = not request["error"].get("non_retryable", False)
    assert rest == ("" if is_retryable else "task failed and is non-retryable")
    return request["status"]["code"], first, is_retryable


def finished(played):
    return [outcome(request) for request in played.outcomes() if request]


def expected(names, table):
    """hello is answered with Hello, and none is no task."""
    return [table[name] for name in names if name not in ("hello", "none")]


def test_mockc1_knows_no_other_tasks():
    known = subprocess.run([GO_BIN / "mockc1", "list-tasks"], capture_output=True, text=True, check=True).stdout
    assert set(known.split()) == {*TYPES, *(f"bare-{name}" for name in BARE), "untyped"}


@pytest.mark.parametrize("script,names,table", [
    ("every task", TYPES, WITH_EVERYTHING),
    ("every task, provisioning", TYPES, WITH_PROVISIONING),
    ("every type, empty", [*BARE, "untyped"], WITH_NOTHING),
])
def test_every_task_is_finished(stage, script, names, table):
    played = stage.of(ours, script)
    assert finished(played) == expected(names, table)
    hellos = [e["request"]["task_id"] for e in played.calls("Hello") if e["request"].get("task_id")]
    assert len(hellos) == 1
    assert (f"done {len(names) - 1}" in played.said) and played.code == 0 and played.files == []


def test_no_rule_of_the_messages_is_broken(stage):
    for name in SCRIPTS:
        assert [e for e in stage.of(ours, name).log if e.get("violation")] == [], name


# --- what is uploaded ---


@pytest.fixture(scope="module")
def one_shot(start_for_module, tmp_path_factory):
    """The file of a sync by hand, of the same team."""
    path = tmp_path_factory.mktemp("one-shot") / "sync.c1z"
    OURS.must_sync(start_for_module(), path)
    return path


def test_the_asset_is_what_a_sync_by_hand_writes(stage, one_shot):
    asset = stage.of(ours, "every task").assets()[0]
    for command in (*LISTS, "stats"):
        assert comparable(baton_json(asset, command)) == comparable(baton_json(one_shot, command)), command
    assert baton_json(asset, "grants")["grants"]


def test_the_asset_holds_what_the_sdks_connector_uploads(stage):
    assets = [stage.of(ours, "every task").assets()[0], stage.of(reference, "a sync").assets()[0]]
    people, grants = ([sorted(str(row[key]["id"]) for row in baton_json(asset, command)[command]) for asset in assets]
                      for command, key in (("resources", "resource"), ("grants", "grant")))
    assert people[0] == people[1] and grants[0] == grants[1] and grants[0]


def test_an_asset_holds_what_the_task_asked_for(stage):
    names = [name for name in TYPES if WITH_EVERYTHING.get(name) == SUCCESS]
    assets = dict(zip(names, stage.of(ours, "every task").assets()))
    assert len(assets) == len(names) == 7

    def count(name, command):
        return len(baton_json(assets[name], command).get(command, []))

    people, grants = count("fullsync", "resources"), count("fullsync", "grants")
    assert people > grants > 0 and count("fullsync", "entitlements") == 2
    for name in ("fullsync-no-expansion", "fullsync-sqlite", "fullsync-pebble"):
        assert (count(name, "resources"), count(name, "grants")) == (people, grants)
    assert (count("fullsync-no-grants", "entitlements"), count("fullsync-no-grants", "grants")) == (2, 0)
    assert (count("fullsync-resources-only", "resources"), count("fullsync-resources-only", "entitlements")) == (people, 0)
    assert (count("fullsync-website-only", "resources"), count("fullsync-website-only", "grants")) == (1, 0)


def test_a_large_asset_goes_in_chunks(stage):
    played = stage.of(ours, "a large team")
    (upload,) = played.calls("UploadAsset")
    sizes = [m["data"] for m in upload["request"]["messages"] if "data" in m]
    assert len(sizes) > 3 and set(sizes[:-1]) == {512 * 1024} and 0 < sizes[-1] <= 512 * 1024
    assert sum(sizes) == upload["size"] and finished(played) == [SUCCESS]
    assert baton_json(played.assets()[0], "stats")["stats"]["grants"] == "20000"


def test_debug_brings_the_log_as_second_asset(stage):
    played = stage.of(ours, "tasks with debug")
    assert [e["file"].rpartition(".")[2] for e in played.calls("UploadAsset")] == ["c1z", "log"]
    (log,) = played.assets("log")
    levels = {json.loads(line)["level"] for line in log.read_text().splitlines()}
    assert "debug" in levels
    assert len(played.assets()) == 1 and baton_json(played.assets()[0], "grants")["grants"]


# --- faults ---


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("method", ENTRY)
def test_one_fault_loses_no_task(stage, method, code):
    played = stage.of(ours, f"{method} {code}")
    assert [e["code"] for e in played.log].count(code) == 1
    assert "done 1" in played.said and played.code == 0 and played.files == []
    if ENTRY[method] == "fullsync":
        assert finished(played) == [SUCCESS] and len(played.assets()) == 1


@pytest.mark.parametrize("script,result", [
    ("the upload fails 3 times", (14, "ordered fault", True)),
    ("the upload fails 3 times at its end", (14, "ordered fault", True)),
    ("first heartbeat fails 3 times", (14, "the task's first heartbeat failed: ordered fault", True)),
    ("cancelled at the first heartbeat", (1, "context canceled: C1 has cancelled this task", True)),
    ("cancelled at the second heartbeat", (1, "context canceled: C1 has cancelled this task", True)),
    ("heartbeats are lost", (1, "context canceled: 9 heartbeats in a row failed: ordered fault", True)),
    ("stopped during a sync", (1, "context canceled: the connector is shutting down", True)),
    ("FinishTask of a sync fails", SUCCESS),
    ("a later heartbeat fails", SUCCESS),
    ("no next_heartbeat", SUCCESS),
    ("an upload is slow to be stored", SUCCESS),
])
def test_how_a_sync_ends(stage, script, result):
    played = stage.of(ours, script)
    assert finished(played) == [result]
    assert played.code == 0 and played.files == []


def test_a_task_that_failed_is_done_again_when_it_comes_back(stage):
    played = stage.of(ours, "requeued")
    replies = [outcome(e["request"]) for e in played.calls("FinishTask")]
    assert len(replies) == 3 and {(code, again) for code, _, again in replies} == {(7, True)}
    assert len({e["request"]["task_id"] for e in played.calls("FinishTask")}) == 1


@pytest.mark.parametrize("script,code,text", [
    ("token endpoint refuses", 16, "401"),
    ("Hello refused twice", 16, "ordered fault"),
    ("Hello forbidden", 7, "ordered fault"),
])
def test_what_ends_the_service_at_once(stage, script, code, text):
    played = stage.of(ours, script)
    last = played.stderr.strip().splitlines()[-1]
    assert played.code == code and "runner: startup Hello failed" in last and text in last


def test_a_token_that_is_short_lived_is_fetched_for_every_call(stage):
    played = stage.of(ours, "tokens that live 5 s")
    calls = [e for e in played.log if e["method"] != "token"]
    used = [e["headers"]["authorization"] for e in calls]
    assert len(set(used)) == len(used) and finished(played) == [SUCCESS, (*OFF,)]


def test_a_token_is_fetched_again_before_it_expires(stage):
    """Twelve seconds, of which the last ten do not count."""
    played = stage.of(ours, "tokens that live 12 s")
    assert {e["code"] for e in played.log} - {""} == {"OK", "200"}
    assert 2 <= len(played.calls("token")) < len(played.calls("Heartbeat")) + 3


def test_polls_keep_a_distance(stage):
    polls = stage.of(ours, "no next_poll").calls("GetTask")
    assert min(b["began"] - a["ended"] for a, b in zip(polls, polls[1:])) > 0.9


def test_heartbeats_keep_the_pace_that_c1_sets(stage):
    beats = [e["began"] for e in stage.of(ours, "heartbeats are lost").calls("Heartbeat")]
    assert len(beats) == 10
    assert all(0.9 < b - a < 2 for a, b in zip(beats, beats[1:]))
    assert len(stage.of(ours, "no next_heartbeat").calls("Heartbeat")) == 1


def test_many_tasks_at_once(stage):
    """GetTasks with slots: a page is at most twice as many, each task is finished once."""
    played = stage.of(ours, "many at once")
    done = [e["request"]["task_id"] for e in played.calls("FinishTask")]
    assert len(done) == len(set(done)) == 250 and f"done {250 + 50}" in played.said
    pages = played.calls("GetTasks")
    assert max(e["request"]["page_size"] for e in pages) <= 100
    assert not any(set(e["request"].get("known_task_ids", [])) & {t["id"] for t in plays.tasks_in(e)} for e in pages)


def test_one_connection_serves_all(stage):
    for name in ("every task", "many at once", "tokens that live 5 s"):
        calls = [e for e in stage.of(ours, name).log if e["method"] != "token"]
        assert len({e["connection"] for e in calls}) == 1, name

"""The main job: baton-crisp against a Crisp, what it writes, and what it does when things go wrong."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from connector import (
    clean_env, command, database, inspect, leftovers, operators, roles, runs, start, sync, trait)

PHASES = [
    "Syncing resource types...", "Synced resource types", "Syncing resources...", "Synced resources",
    "Synced resources", "Syncing static entitlements...", "Syncing entitlements...",
    "Synced entitlements", "Syncing grants...", "Synced grants", "Sync complete.", "c1z: saved",
]


# ---- the good case ----


def test_a_sync_writes_every_operator_with_one_role(sandbox, tmp_path):
    run = sync(sandbox, tmp_path)
    assert (run.code, run.stdout) == (0, ""), run.stderr
    expected = {
        e["details"]["user_id"]: e["details"]["role"]
        for e in sandbox.operators() if e["type"] == "operator"
    }
    assert len(expected) >= 3 and set(expected.values()) == {"owner", "member"}
    assert roles(run.file) == expected
    assert set(operators(run.file)) == set(expected)
    assert leftovers(tmp_path) == []


def test_a_sync_costs_two_gets_without_query_and_with_the_right_headers(sandbox, tmp_path):
    sync(sandbox, tmp_path)
    asked = sandbox.requests()
    assert sorted(r["path"] for r in asked) == [sandbox.site(), sandbox.site("operators/list")]
    for r in asked:
        headers = {k.lower(): v for k, v in dict(r["headers"]).items()}
        assert r["method"] == "GET"
        assert headers["x-crisp-tier"] == "plugin"
        assert headers["user-agent"].startswith("baton-crisp/")
        assert headers["accept"] == "application/json"


@pytest.mark.parametrize("tier", ["plugin", "website", "user"])
def test_each_tier_works(sandbox, tmp_path, tier):
    run = sync(sandbox, tmp_path, tier=tier)
    assert run.code == 0, run.stderr
    assert roles(run.file)


def test_an_empty_tier_means_plugin(sandbox, tmp_path):
    assert sync(sandbox, tmp_path, "--crisp-api-tier", "").code == 0


def test_the_log_has_the_phases_of_the_sdk(sandbox, tmp_path):
    run = sync(sandbox, tmp_path)
    messages = run.messages()
    assert [m for m in messages if m in PHASES] == PHASES
    assert run.log("Synced resource types")["count"] == 2
    assert list(run.logs()[0])[:4] == ["level", "ts", "caller", "msg"]


def test_the_operator_resource_has_every_fact(sandbox, tmp_path):
    person = sandbox.add_operator(
        email="new.person@example.com", first_name="Néw", last_name="Person", role="member",
        title="Night shift", has_token=True, availability="online")
    run = sync(sandbox, tmp_path)
    resource = operators(run.file)[person["user_id"]]
    assert resource["displayName"] == "Néw Person"
    assert resource["status"] == {"status": "RESOURCE_STATUS_ENABLED"}
    assert resource["profile"] == {
        "user_id": person["user_id"], "email": "new.person@example.com", "first_name": "Néw",
        "last_name": "Person", "role": "member", "title": "Night shift"}
    assert trait(resource) == {
        "@type": "type.googleapis.com/c1.connector.v2.UserTrait",
        "emails": [{"address": "new.person@example.com", "isPrimary": True}],
        "status": {"status": "STATUS_ENABLED"},
        "profile": resource["profile"],
        "accountType": "ACCOUNT_TYPE_HUMAN",
        "login": "new.person@example.com",
        "mfaStatus": {"mfaEnabled": True},
    }


def test_the_website_and_its_entitlements(sandbox, tmp_path):
    run = sync(sandbox, tmp_path)
    site = inspect(run.file, "resources", "-t", "website")["resources"][0]["resource"]
    name = sandbox.state()["websites"][0]["name"]
    assert site["id"] == {"resourceType": "website", "resource": sandbox.website_id}
    assert site["displayName"] == name
    entitlements = [e["entitlement"] for e in inspect(run.file, "entitlements")["entitlements"]]
    assert [(e["slug"], e["id"], e["displayName"], e["description"], e["purpose"]) for e in entitlements] == [
        (slug, f"website:{sandbox.website_id}:{slug}", f"{name} Website {slug.title()}",
         f"{slug.title()} of the {name} website in Crisp", "PURPOSE_VALUE_PERMISSION")
        for slug in ("owner", "member")]
    assert all([t["id"] for t in e["grantableTo"]] == ["operator"] for e in entitlements)


def test_the_finished_run_has_what_readers_expect(sandbox, tmp_path):
    run = sync(sandbox, tmp_path)
    db = database(run.file)
    (row,) = runs(run.file)
    assert row["ended_at"] and row["sync_type"] == "full" and row["parent_sync_id"] == ""
    assert (row["supports_diff"], row["grants_backfilled"]) == (1, 1)
    assert (row["ingest_invariant_generation"], row["ingest_invariant_coverage"],
            row["ingest_invariant_mode"]) == ("1", '["I5","I10"]', "connector")
    assert json.loads(row["sync_token"]) == {
        "current_action_id": 13, "completed_actions_count": 13,
        "ingest_quality": {"source_cache_replay_blocked": True, "reason_flags": 32}, "version": 1}
    stats = json.loads(row["stats"])
    count = lambda table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert stats["resources"] == count("v1_resources") and stats["grants"] == count("v1_grants")
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert db.execute("PRAGMA freelist_count").fetchone()[0] == 0
    assert db.execute("SELECT count(*) FROM v1_grants WHERE expansion IS NOT NULL OR needs_expansion<>0").fetchone()[0] == 0
    assert db.execute("PRAGMA page_size").fetchone()[0] == 4096


def test_two_syncs_are_kept_and_a_third_replaces_the_oldest(sandbox, tmp_path):
    ids = []
    for _ in range(3):
        assert sync(sandbox, tmp_path).code == 0
        ids.append(runs(tmp_path / "sync.c1z")[-1]["sync_id"])
    assert [r["sync_id"] for r in runs(tmp_path / "sync.c1z")] == ids[1:]
    assert sync(sandbox, tmp_path, env={"BATON_KEEP_SYNC_COUNT": "4"}).code == 0
    assert len(runs(tmp_path / "sync.c1z")) == 3


def test_unchanged_data_gives_equal_blobs(sandbox, tmp_path):
    sync(sandbox, tmp_path)
    run = sync(sandbox, tmp_path)
    blobs = {}
    for table in ("v1_resource_types", "v1_resources", "v1_entitlements", "v1_grants"):
        for r in database(run.file).execute(f"SELECT sync_id, external_id, data FROM {table}"):
            blobs.setdefault(r["sync_id"], {})[table, r["external_id"]] = r["data"]
    first, second = blobs.values()
    assert first == second and len(first) > 5


def test_a_removed_operator_is_gone_and_a_changed_role_is_changed(sandbox, tmp_path):
    sync(sandbox, tmp_path)
    before = roles(tmp_path / "sync.c1z")
    members = [u for u, role in before.items() if role == "member"]
    sandbox.remove_operator(members[0])
    sandbox.change_operator(members[1], role="owner")
    run = sync(sandbox, tmp_path)
    expected = {u: r for u, r in before.items() if u != members[0]}
    expected[members[1]] = "owner"
    assert roles(run.file) == expected


def test_last_active_is_one_more_get_and_a_profile_key(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, "--crisp-sync-last-active")
    assert run.code == 0, run.stderr
    assert len(sandbox.requests("operators/active")) == 1
    listed = {a["user_id"] for a in sandbox.get(sandbox.site("operators/active")).data}
    assert listed
    with_key = {u for u, r in operators(run.file).items() if "last_active_at" in r["profile"]}
    assert with_key == listed & set(operators(run.file))


# ---- odd data ----


def test_the_edge_list_gives_the_table_of_the_specification(sandbox, tmp_path):
    sandbox.fixture("operators/list", "operators_list_200_edge.json")
    run = sync(sandbox, tmp_path)
    assert run.code == 0, run.stderr
    short = lambda d: {k[-3:]: v for k, v in d.items()}
    assert short(roles(run.file)) == {
        "001": "owner", "005": "member", "007": "owner", "008": "member", "002": "owner",
        "009": "member", "00a": "member"}
    people = short(operators(run.file))
    assert sorted(people) == ["001", "002", "004", "005", "006", "007", "008", "009", "00a"]
    assert people["005"]["displayName"] == "Ed Noemail"
    assert "emails" not in trait(people["005"]) and "login" not in trait(people["005"])
    assert people["009"]["displayName"] == "blank.names@example.com"
    assert people["002"]["profile"]["role"] == "owner"
    assert "mfaStatus" not in trait(people["008"])
    warnings = [line["msg"] for line in run.logs() if line["level"] == "warn"]
    assert len(warnings) == 4, warnings


def test_invitations_are_counted_and_their_secrets_go_nowhere(sandbox, tmp_path):
    sandbox.fixture("operators/list", "operators_list_200_with_invite.json")
    run = sync(sandbox, tmp_path, "--log-level", "debug")
    assert run.code == 0
    assert len(roles(run.file)) == len(operators(run.file)) == 2
    assert run.log("crisp: operators listed")["pending_invitations"] == 1
    payload = "\n".join(database(run.file).iterdump())
    for secret in ("pending.invitee", "1c000000-0000-4000-8000-00000000beef", "feedfacefeedface"):
        assert secret not in run.output
        assert secret not in payload and secret.encode().hex().upper() not in payload.upper()


def test_a_blank_website_name_falls_back_to_the_domain(sandbox, tmp_path):
    sandbox.fixture("website", "website_get_200_blank_strings.json")
    run = sync(sandbox, tmp_path)
    site = inspect(run.file, "resources", "-t", "website")["resources"][0]["resource"]
    assert site["displayName"] == "widgets.example.com"


# ---- what fails, and what is left behind ----


@pytest.fixture
def synced(sandbox, tmp_path):
    """A directory with a good file in it."""
    assert sync(sandbox, tmp_path).code == 0
    sandbox.clear_requests()
    return tmp_path


@pytest.mark.parametrize("path, fixture, code, text", [
    ("operators/list", "operators_list_200_empty.json", 13, "no operator"),
    ("website", "error_401_invalid_session.json", 16, "tier"),
    ("website", "error_403_not_allowed.json", 7, ""),
    ("website", "error_404_not_subscribed.json", 5, "not installed"),
    ("website", "error_404_website_not_found.json", 5, "not found"),
    ("website", "error_404_route_not_found.json", 5, "base URL"),
    ("website", "error_400_invalid_data.json", 3, ""),
    ("website", "error_403_edge.html", 7, ""),
])
def test_refusals_leave_the_file_and_say_what_to_do(sandbox, synced, path, fixture, code, text):
    before = (synced / "sync.c1z").read_bytes()
    sandbox.fixture(path, fixture)
    run = sync(sandbox, synced)
    assert run.code == code, run.stderr
    assert text in run.last_line
    assert (synced / "sync.c1z").read_bytes() == before
    assert len(sandbox.requests(path)) == 1, "refusals are not repeated"
    assert leftovers(synced) == []


@pytest.mark.parametrize("body", [
    b"", b"not json", b'{"error":false,"reason":"listed"}', b'{"error":false,"reason":"listed","data":{}}',
    b'{"error":true,"reason":"listed","data":[]}', b'{"error":false,"reason":"listed","data":[{',
    b'{"error":false,"reason":"listed","data":[]} {', b"\xff\xfe",
])
def test_an_answer_that_is_not_what_it_should_be_is_internal(sandbox, synced, body):
    before = (synced / "sync.c1z").read_bytes()
    sandbox.answer("operators/list", body)
    run = sync(sandbox, synced)
    assert run.code == 13, run.stderr
    assert (synced / "sync.c1z").read_bytes() == before


def test_another_websites_answer_fails(sandbox, synced):
    before = (synced / "sync.c1z").read_bytes()
    sandbox.fault("website", "wrong-site")
    run = sync(sandbox, synced)
    assert run.code == 13 and "another website" in run.last_line
    assert (synced / "sync.c1z").read_bytes() == before


@pytest.mark.parametrize("status, code", [(401, 16), (403, 7), (404, 5)])
def test_a_refused_list_keeps_an_unfinished_run_beside_the_old_one(sandbox, synced, status, code):
    old = runs(synced / "sync.c1z")
    sandbox.fault("operators/list", status)
    run = sync(sandbox, synced)
    assert run.code == code, run.stderr
    both = runs(synced / "sync.c1z")
    assert both[0] == old[0]
    assert both[1]["ended_at"] is None
    assert "action_order" in json.loads(both[1]["sync_token"])
    assert "next run continues it" in run.last_line
    # Readers still show the finished one.
    assert len(roles(synced / "sync.c1z")) == json.loads(old[0]["stats"])["grants"]


def test_the_next_sync_resumes_and_never_publishes_who_has_left(sandbox, tmp_path):
    sync(sandbox, tmp_path)
    gone = next(u for u, role in roles(tmp_path / "sync.c1z").items() if role == "member")
    # Make the finished run of the file an unfinished one that holds all its rows.
    forge_unfinished(tmp_path / "sync.c1z")
    (unfinished,) = runs(tmp_path / "sync.c1z")
    sandbox.remove_operator(gone)
    run = sync(sandbox, tmp_path)
    assert run.code == 0, run.stderr
    assert run.log("resumed previous sync")["sync_id"] == unfinished["sync_id"]
    (row,) = runs(tmp_path / "sync.c1z")
    assert row["sync_id"] == unfinished["sync_id"] and row["started_at"] == unfinished["started_at"]
    assert gone not in roles(run.file) and gone not in operators(run.file)


def test_an_unfinished_run_of_a_strange_id_is_not_continued(sandbox, tmp_path):
    sync(sandbox, tmp_path)
    forge_unfinished(tmp_path / "sync.c1z", "an-id-that-is-longer-than-any-sync-id")
    run = sync(sandbox, tmp_path)
    assert run.code == 0 and "resumed previous sync" not in run.messages()
    old, new = runs(tmp_path / "sync.c1z")
    assert old["ended_at"] is None and new["ended_at"] and len(new["sync_id"]) == 27
    assert roles(tmp_path / "sync.c1z")


def test_a_file_that_another_writer_has_replaced_is_not_lost(sandbox, tmp_path):
    sync(sandbox, tmp_path)
    other = (tmp_path / "sync.c1z").read_bytes()
    (tmp_path / "sync.c1z").unlink()
    sandbox.fault("operators/list", "slow", bytes=400, every_ms=50, count=1)
    sandbox.clear_requests()
    process = start(sandbox, tmp_path)
    sandbox.wait_for_requests(1)
    (tmp_path / "sync.c1z").write_bytes(other)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 9, stderr
    assert "another program has changed" in stderr
    assert (tmp_path / "sync.c1z").read_bytes() == other and leftovers(tmp_path) == []


def test_a_file_size_limit_is_an_error_with_a_text(sandbox, tmp_path):
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 2; exec "$@"', "-", *command("-f", tmp_path / "x.c1z", "--log-level", "error")],
        env=clean_env(sandbox.env()), capture_output=True, text=True)
    assert done.returncode == 8, (done.returncode, done.stderr)
    assert leftovers(tmp_path) == []


def forge_unfinished(file, run_id=None):
    db = database(file)
    for table in ("v1_sync_runs", "v1_resource_types", "v1_resources", "v1_entitlements", "v1_grants"):
        if run_id:
            db.execute(f"UPDATE {table} SET sync_id = ?", [run_id])
    db.execute("UPDATE v1_sync_runs SET ended_at = NULL, sync_token = '', stats = NULL, supports_diff = 0")
    db.commit()
    db.execute("VACUUM")
    db.close()
    packed = subprocess.run(["zstd", "-q", "-c", db.copy.name], stdout=subprocess.PIPE, check=True).stdout
    pathlib.Path(file).write_bytes(b"C1ZF\0" + packed)


def test_trouble_that_passes_is_survived(sandbox, tmp_path):
    sandbox.fault("operators/list", 503, count=1)
    run = sync(sandbox, tmp_path)
    assert run.code == 0, run.stderr
    assert [r["status"] for r in sandbox.requests("operators/list")] == [503, 200]
    assert run.log("retrying operation")["status"] == 503


@pytest.mark.parametrize("status", [429, 420])
def test_a_rate_limit_beyond_a_minute_ends_the_run_at_once(sandbox, synced, status):
    before = (synced / "sync.c1z").read_bytes()
    sandbox.fault("website", status, retry_after=3600)
    run = sync(sandbox, synced)
    assert run.code == 14, run.stderr
    assert len(sandbox.requests("website")) == 1
    assert (synced / "sync.c1z").read_bytes() == before


def test_nobody_listening_is_unavailable_and_says_so(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, env={"BATON_CRISP_BASE_URL": "http://127.0.0.1:1/v1"})
    assert run.code == 14
    assert "refused" in run.last_line.lower() or "connect" in run.last_line.lower()
    assert leftovers(tmp_path) == [] and not run.file.exists()


def test_plain_http_is_refused_except_to_loopback(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, env={"BATON_CRISP_BASE_URL": "http://192.0.2.1/v1"})
    assert run.code != 0 and "http://" in run.last_line


# ---- the file ----


def test_a_file_that_is_no_c1z_is_left_alone(sandbox, tmp_path):
    (tmp_path / "sync.c1z").write_bytes(b"precious notes")
    run = sync(sandbox, tmp_path)
    assert run.code == 2 and "c1z: invalid file" in run.last_line
    assert (tmp_path / "sync.c1z").read_bytes() == b"precious notes"


def test_an_empty_file_counts_as_new(sandbox, tmp_path):
    (tmp_path / "sync.c1z").touch()
    assert sync(sandbox, tmp_path).code == 0
    assert roles(tmp_path / "sync.c1z")


@pytest.mark.parametrize("file, text", [
    ("nowhere/sync.c1z", "nowhere"), ("s3://bucket/x.c1z", "s3://"), ("", "--file")])
def test_a_target_that_cannot_be_written_is_refused_before_any_request(sandbox, tmp_path, file, text):
    done = subprocess.run(command("--file", file), cwd=tmp_path, env=clean_env(sandbox.env()),
                          capture_output=True, text=True)
    assert done.returncode == 2 and text in done.stderr.splitlines()[-1]
    assert sandbox.requests() == []


def test_pebble_is_refused_before_any_request(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, "--storage-engine", "pebble")
    assert run.code != 0 and "sqlite" in run.last_line
    assert sandbox.requests() == [] and not run.file.exists()


def test_no_writable_temp_directory_falls_back_to_memory(sandbox, tmp_path):
    # A file in place of the directory cannot be written into, not even by root.
    (tmp_path / "no-dir").touch()
    run = sync(sandbox, tmp_path, env={"BATON_TMPDIR": str(tmp_path / "no-dir"), "TMPDIR": str(tmp_path / "no-dir")})
    assert run.code == 0, run.stderr
    assert roles(run.file)


def test_the_temp_directory_is_empty_afterwards(sandbox, tmp_path):
    (tmp_path / "t").mkdir()
    assert sync(sandbox, tmp_path, "--c1z-temp-dir", tmp_path / "t").code == 0
    assert list((tmp_path / "t").iterdir()) == []


# ---- what to sync ----


def test_only_some_resource_types(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, "--sync-resource-types", "website")
    assert run.code == 0
    (row,) = runs(run.file)
    stats = json.loads(row["stats"])
    assert row["sync_type"] == "full" and stats.get("grants", 0) == 0 and stats["resources"] == 1
    assert json.loads(row["sync_token"])["ingest_quality"]["reason_flags"] == 34
    run = sync(sandbox, tmp_path, "--sync-resource-types", "nope")
    assert run.code == 2 and "invalid resource type 'nope' in filter" in run.last_line


def test_without_entitlements_and_grants(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, "--skip-entitlements-and-grants")
    (row,) = runs(run.file)
    assert run.code == 0 and row["sync_type"] == "resources_only" and row["supports_diff"] == 0
    db = database(run.file)
    assert db.execute("SELECT count(*) FROM v1_entitlements").fetchone()[0] == 0
    assert db.execute("SELECT count(*) FROM v1_grants").fetchone()[0] == 0
    assert "Syncing grants..." not in run.messages()


# ---- signals ----


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_stops_within_a_second_and_leaves_everything(sandbox, synced, number, code):
    before = (synced / "sync.c1z").read_bytes()
    sandbox.fault("operators/list", "stall")
    process = start(sandbox, synced)
    sandbox.wait_for_requests(2)
    asked = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert time.monotonic() - asked < 1.0
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr and (synced / "sync.c1z").read_bytes() == before
    assert leftovers(synced) == []


# ---- secrets ----


def test_the_key_is_in_no_output_no_file_and_no_process_list(sandbox, tmp_path):
    key = sandbox.tokens["plugin"].key
    env = {k: v for k, v in sandbox.env().items() if k != "BATON_CRISP_API_KEY"}
    sandbox.fault("operators/list", "stall", count=1)
    process = subprocess.Popen(
        command("--crisp-api-key", key, "--log-level", "debug", "-f", tmp_path / "a.c1z"),
        env=clean_env(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    sandbox.wait_for_requests(2)
    listed = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert b"--log-level" in listed and key.encode() not in listed
    run = sync(sandbox, tmp_path, "--log-level", "debug")
    assert run.code == 0
    everything = out + err + run.output.encode() + b"".join(
        p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    payload = "\n".join(database(run.file).iterdump()).encode()
    import base64
    pair = f"{sandbox.tokens['plugin'].identifier}:{key}".encode()
    for secret in (key.encode(), base64.b64encode(pair)):
        assert secret not in everything and secret not in payload


def test_the_key_from_a_file_or_a_credential(sandbox, tmp_path):
    env = {k: v for k, v in sandbox.env().items() if k != "BATON_CRISP_API_KEY"}
    (tmp_path / "creds").mkdir()
    for name in ("key", "creds/crisp-api-key"):
        (tmp_path / name).write_text(sandbox.tokens["plugin"].key + "\n")
        (tmp_path / name).chmod(0o600)
    for extra_args, extra_env in [
        (["--crisp-api-key-file", str(tmp_path / "key")], {}),
        ([], {"BATON_CRISP_API_KEY_FILE": str(tmp_path / "key")}),
        ([], {"CREDENTIALS_DIRECTORY": str(tmp_path / "creds")}),
    ]:
        done = subprocess.run(
            command("-f", tmp_path / "x.c1z", *extra_args), env=clean_env({**env, **extra_env}),
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


# ---- size ----


# Starts the program and prints its peak memory in KiB. A process of its own: a child's peak counts that of
# the process it was forked from, and a test runner is large.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
assert os.waitstatus_to_exitcode(status) == 0
print(usage.ru_maxrss)
"""


@pytest.mark.release
def test_memory_stays_flat_as_the_team_grows(start_sandbox, tmp_path):
    """20,000 operators may take more than 2,000, but nothing like ten times as much; and 100,000 stay
    under the promised 64 MiB."""

    def peak_kib(count):
        crisp = start_sandbox("--operators", count)
        file = tmp_path / f"{count}.c1z"
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *command("-f", file, "--log-level", "error")],
            env=clean_env(crisp.env()), capture_output=True, text=True, check=True)
        assert json.loads(runs(file)[0]["stats"])["grants"] == count
        return int(done.stdout)

    small, middle, large = peak_kib(2000), peak_kib(20000), peak_kib(100000)
    assert middle < 3 * small
    assert large < 64 * 1024

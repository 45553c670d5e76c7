"""Service mode, the loop and the tasks that are no sync: every type is answered, none twice, and C1 is asked for
work at a civil pace."""

import pathlib
import re

import pytest

from c1_messages import BODIES, RESOURCE
from service import unpack

UNKNOWN, NOT_FOUND, FAILED_PRECONDITION, UNIMPLEMENTED = 2, 5, 9, 12
NON_RETRYABLE = "\ntask failed and is non-retryable"
PROVISIONING = ["grant", "revoke", "create_account", "create_resource", "delete_resource", "rotate_credentials",
                "issue_credential"]
TICKETS = ["create_ticket_task", "get_ticket", "bulk_create_tickets", "bulk_get_tickets", "list_ticket_schemas"]
UNSUPPORTED = ["event_feed", "create_sync_diff", "compact_syncs", "from_the_future", None]


def gaps(events):
    return [b.at - a.at for a, b in zip(events, events[1:])]


# ---- one type after the other ----


def test_a_hello_task_is_answered_with_hello_and_nothing_else(c1, serve):
    serve()
    task = c1.add("hello")
    answer = c1.finished(task)
    assert answer.DESCRIPTOR.name == "HelloRequest" and answer.task_id == task
    first = c1.of("Hello")[0].request
    first.task_id = task
    assert answer == first
    polls = len(c1.of("GetTask"))
    c1.wait_for("GetTask", polls + 2)
    assert not c1.of("FinishTask")


def test_a_hello_task_that_fails_does_not_stop_the_loop(c1, serve):
    serve()
    c1.wait_for("GetTask")
    c1.fault("Hello", code="INTERNAL")
    task = c1.add("hello")
    c1.wait_for("Hello", 1, task_id=task)
    c1.finished(c1.add("sync_full"))


def test_none_is_no_work(c1, serve):
    serve()
    c1.add("none")
    c1.add("none", id="")
    last = c1.add("hello")
    c1.finished(last)
    assert not c1.of("FinishTask", "Heartbeat")


def answers(c1, serve, tasks, *args):
    """(kind, body) of many tasks -> the list of (code, message, non_retryable) they are finished with."""
    serve(*args)
    ids = [c1.add(kind, body) for kind, body in tasks]
    found = [c1.finished(id) for id in ids]
    assert all(f.HasField("error") and not f.error.HasField("response") for f in found)
    return [(f.status.code, f.status.message, f.error.non_retryable) for f in found]


def test_provisioning_is_not_enabled(c1, serve):
    text = "rpc error: code = FailedPrecondition desc = provisioning is not enabled" + NON_RETRYABLE
    found = answers(c1, serve, [(kind, None) for kind in PROVISIONING])
    assert found == [(FAILED_PRECONDITION, text, True)] * len(PROVISIONING)


def test_provisioning_that_this_connector_cannot_do(c1, serve):
    wanted = {
        "grant": "resource type website does not have provisioner configured",
        "revoke": "resource type website does not have provisioner configured",
        "create_account": "connector does not have account manager configured",
        "create_resource": "resource type operator does not have resource Create() configured",
        "delete_resource": "resource type operator does not have resource Delete() configured",
        "rotate_credentials": "resource type does not have credential manager configured",
        "issue_credential": "configured",
    }
    assert list(wanted) == PROVISIONING
    found = answers(c1, serve, [(kind, None) for kind in wanted], "--provisioning")
    for (kind, text), (code, message, non_retryable) in zip(wanted.items(), found):
        assert (kind, code, non_retryable) == (kind, UNIMPLEMENTED, True)
        assert message.endswith(text + NON_RETRYABLE), kind


def test_a_task_with_a_nul_in_a_text_holds_up_nothing(c1, serve):
    entitlement = {**BODIES["grant"]["entitlement"], "display_name": "mem\0ber"}
    found = answers(c1, serve, [("grant", {"entitlement": entitlement, "principal": RESOURCE}), ("grant", None)])
    assert [code for code, *_ in found] == [FAILED_PRECONDITION] * 2


MALFORMED = [
    ("grant", {}, "malformed grant task"),
    ("grant", {"entitlement": BODIES["grant"]["entitlement"]}, "malformed grant task"),
    ("grant", {"principal": RESOURCE}, "malformed grant task"),
    ("revoke", {}, "invalid task type"),
    ("create_account", {}, "malformed create account task"),
    ("create_resource", {}, "malformed create resource task"),
    ("delete_resource", {}, "malformed delete resource task"),
    ("delete_resource", {"resource_id": {"resource_type": "operator"}}, "malformed delete resource task"),
    ("delete_resource", {"resource_id": {"resource": "u1"}}, "malformed delete resource task"),
    ("rotate_credentials", {}, "malformed rotate credentials task"),
    ("issue_credential", {}, "malformed issue credential task"),
    ("issue_credential", {"credential_options": {"api_key": {}}}, "malformed issue credential task"),
    ("issue_credential", {"identity_id": RESOURCE["id"], "credential_options": {"api_key": {}}},
     "malformed issue credential task"),
    ("create_ticket_task", {}, "malformed create ticket task"),
    ("get_ticket", {}, "malformed get ticket task"),
    ("bulk_create_tickets", {}, "malformed bulk create ticket task"),
    ("bulk_get_tickets", {}, "malformed bulk get tickets task"),
]


@pytest.mark.parametrize("args", [[], ["--provisioning", "--ticketing"]], ids=["plain", "enabled"])
def test_a_malformed_task_is_refused_for_good(c1, serve, args):
    found = answers(c1, serve, [(kind, body) for kind, body, _ in MALFORMED], *args)
    assert found == [(UNKNOWN, text + NON_RETRYABLE, True) for _, _, text in MALFORMED]


def test_an_action_without_a_name(c1, serve):
    found = answers(c1, serve, [("action_get_schema", {}), ("action_invoke", {}), ("action_status", {})])
    assert found == [(UNKNOWN, "action name required", False), (UNKNOWN, "action name required", False),
                     (UNKNOWN, "action id required", False)]


def test_tickets_are_answered_with_an_error(c1, serve):
    for code, message, _ in answers(c1, serve, [(kind, None) for kind in TICKETS]):
        assert code == UNIMPLEMENTED and "ticket manager not implemented" in message


@pytest.mark.parametrize("kind, response", [
    ("list_event_feeds", "c1.connector.v2.ListEventFeedsResponse"),
    ("action_list_schemas", "c1.connector.v2.ListActionSchemasResponse"),
])
def test_there_are_no_feeds_and_no_actions(c1, serve, kind, response):
    serve()
    answer = c1.finished(c1.add(kind))
    assert answer.HasField("success") and not answer.HasField("status")
    inner = unpack(answer.success.response)
    assert inner.DESCRIPTOR.full_name == response and not inner.ListFields()


def test_events_of_an_unknown_feed(c1, serve):
    ((code, message, _),) = answers(c1, serve, [("list_events", None)])
    assert code == NOT_FOUND and "not found" in message


def test_an_unknown_action(c1, serve):
    """Texts as baton-sdk v0.25.0 sends them."""
    wrapped = "rpc error: code = NotFound desc = "
    assert answers(c1, serve, [("action_get_schema", None), ("action_invoke", None), ("action_status", None)]) == [
        (NOT_FOUND, f"error: action schema nope not found: {wrapped}action nope not found", False),
        (NOT_FOUND, f"error: invoking action failed: {wrapped}handler for action nope not found", False),
        (NOT_FOUND, f"error: action status for id a1 not found: {wrapped}action id a1 not found", False)]


def test_a_type_that_is_not_supported_or_not_known(c1, serve):
    for code, message, _ in answers(c1, serve, [(kind, None) for kind in UNSUPPORTED]):
        assert (code, message.split("\n")[0]) == (UNKNOWN, "unsupported task type")


def test_every_type_in_one_go(start_c1, serve):
    c1 = start_c1(next_poll_s=0.1, concurrency=20)
    kinds = [k for k in BODIES if k != "none"]
    tasks = [c1.add(k) for k in kinds]
    service = serve("--task-concurrency", 20, c1=c1)
    for task in tasks:
        c1.finished(task)
    for kind, task in zip(kinds, tasks):
        about = service.until(lambda: len(service.log(task)) >= 2 and service.log(task), f"the lines of {kind}")
        assert any("processing task" in line["msg"] for line in about)
        end = [line for line in about if ".finishTask(): finishing task " in line["msg"]]
        assert len(end) == 1 and end[0]["task_id"] == task and end[0]["result"] and end[0]["duration"] >= 0
    assert len(c1.of("FinishTask")) == len(kinds) - 1, "one each, hello none"


def test_hostile_texts_in_a_task_come_back_as_valid_text(c1, serve):
    serve("--provisioning")
    names = ["x" * 100_000, "a\nb\x7f", "é" * 5000, "%s%n"]
    tasks = [c1.add("action_invoke", {"name": name}) for name in names]
    for task in tasks:
        answer = c1.finished(task)
        assert answer.status.code == NOT_FOUND and len(answer.status.message) < 10_000


def test_an_answer_of_almost_4_mib_is_read_and_a_larger_one_is_an_error(c1, serve):
    service = serve()
    c1.wait_for("GetTask")
    almost = c1.add("action_list_schemas", {"resource_type_id": "x" * (4 * 1024 * 1024 - 200)})
    c1.finished(almost)
    c1.add("action_list_schemas", {"resource_type_id": "x" * (4 * 1024 * 1024)})
    assert service.until_log("runner: error getting next task")
    c1.take_back()
    c1.finished(c1.add("sync_full"))


@pytest.mark.parametrize("answer", [b"\xff\xff\xff", b"\x0a\x05\x0a", b"\x0a\x7f", b"\x0a\x03\x0a\x01\xff"])
def test_an_answer_that_is_no_message(c1, serve, answer):
    service = serve()
    c1.wait_for("GetTask")
    c1.fault("GetTask", answer=answer)
    service.until_log("runner: error getting next task")
    c1.finished(c1.add("hello"))


# ---- how often it asks ----


def test_next_poll_is_kept(start_c1, serve):
    c1 = start_c1(next_poll_s=0.7)
    serve(c1=c1)
    polls = c1.wait_for("GetTask", 4)
    assert all(0.65 < gap < 1.5 for gap in gaps(polls)), gaps(polls)


def test_after_a_task_it_waits_too(start_c1, serve):
    c1 = start_c1(next_poll_s=0.7)
    for _ in range(3):
        c1.add("action_list_schemas")
    serve(c1=c1)
    polls = c1.wait_for("GetTask", 3)
    assert all(gap > 0.65 for gap in gaps(polls)), gaps(polls)


@pytest.mark.parametrize("next_poll_s", [None, 0.000001])
def test_a_server_that_names_no_interval_gets_no_busy_loop(start_c1, serve, next_poll_s):
    c1 = start_c1(next_poll_s=next_poll_s)
    serve(c1=c1)
    polls = c1.wait_for("GetTask", 3)
    assert polls[2].at - polls[0].at > 0.19


def test_an_absurd_interval_does_not_overflow(start_c1, serve):
    c1 = start_c1(next_poll_s=300_000_000)
    service = serve(c1=c1)
    c1.wait_for("GetTask")
    service.until_log("startup Hello succeeded")
    assert service.stop() == 0
    assert len(c1.of("GetTask")) == 1


def test_failed_polls_back_off_and_start_anew_after_success(c1, serve):
    c1.fault("GetTask", code="UNAVAILABLE", times=2)
    service = serve()
    polls = c1.wait_for("GetTask", 3)
    first, second = gaps(polls[:3])
    assert 0.9 < first < 2 and 3.9 < second < 5.5
    lines = service.log("runner: error getting next task")
    assert [line["err_count"] for line in lines] == [1, 2]
    assert [line["next_check_after"] for line in lines] == [1, 4]
    c1.fault("GetTask", code="PERMISSION_DENIED")
    failed = c1.wait(lambda: [e for e in c1.of("GetTask") if e.code == "PERMISSION_DENIED"], "the third failure")[0]
    after = c1.wait(lambda: [e for e in c1.of("GetTask") if e.at > failed.at], "the poll after")[0]
    assert 0.9 < after.at - failed.at < 2


# ---- how much it takes on ----


@pytest.mark.parametrize("slots", [1, 3])
def test_no_poll_while_all_slots_are_busy(start_c1, sandbox, serve, slots):
    c1 = start_c1(concurrency=slots)  # which calls a GetTask too many a breach
    sandbox.fault("operators/list", "stall")
    serve("--task-concurrency", slots, c1=c1)
    tasks = [c1.add("sync_full") for _ in range(slots + 1)]
    for task in tasks[:slots]:
        c1.wait_for("Heartbeat", 2, task_id=task)
    assert not c1.of("Heartbeat", task_id=tasks[slots])
    sandbox.clear_faults()
    c1.cancel(tasks[0])
    assert c1.finished(tasks[0]).status.code == 1
    c1.wait_for("Heartbeat", 1, task_id=tasks[slots])


def test_short_tasks_go_on_while_a_sync_runs(c1, sandbox, serve):
    sandbox.fault("operators/list", "stall", count=1)
    serve()
    sync = c1.add("sync_full")
    c1.wait_for("Heartbeat", 1, task_id=sync)
    for kind in ("hello", "grant", "sync_full"):
        c1.finished(c1.add(kind))
    assert not c1.is_finished(sync)
    c1.cancel(sync)
    c1.finished(sync)


# ---- several at once ----


def test_get_tasks_fetches_in_batches(start_c1, serve):
    c1 = start_c1()
    tasks = [c1.add("action_list_schemas") for _ in range(8)]
    serve(c1=c1, env={"BATON_GET_TASKS": "true"})
    for task in tasks:
        c1.finished(task)
    first = c1.of("GetTasks")[0]
    assert (first.request.page_size, len(first.more["tasks"])) == (6, 6)
    assert not c1.of("GetTask")


def test_get_tasks_names_what_it_has(start_c1, sandbox, serve):
    c1 = start_c1()
    sandbox.fault("operators/list", "stall", count=1)
    sync = c1.add("sync_full")
    serve(c1=c1, env={"BATON_GET_TASKS": "1"})
    c1.wait(lambda: [e for e in c1.of("GetTasks") if e.code and sync in e.request.known_task_ids], "the id among the known")
    c1.cancel(sync)
    c1.finished(sync)


def test_get_tasks_never_asks_for_more_than_100(start_c1, serve):
    c1 = start_c1(concurrency=80)
    serve("--task-concurrency", 80, c1=c1, env={"BATON_GET_TASKS": "true"})
    assert c1.wait_for("GetTasks")[0].request.page_size == 100


@pytest.mark.parametrize("value", ["false", "0", "maybe", ""])
def test_get_tasks_is_off_unless_true(c1, serve, value):
    serve(env={"BATON_GET_TASKS": value})
    c1.wait_for("GetTask")


# ---- for long ----


def descriptors_after(c1, service, count):
    for task in [c1.add("action_list_schemas" if n % 4 else "hello") for n in range(count)]:
        c1.finished(task)
    c1.wait_for("GetTasks", len(c1.of("GetTasks")) + 2)
    return service.fd_count()


def test_tasks_leave_no_descriptors_and_no_children(start_c1, serve):
    c1 = start_c1(concurrency=20)
    service = serve("--task-concurrency", 20, c1=c1, env={"BATON_GET_TASKS": "true"})
    before = descriptors_after(c1, service, 20)
    assert descriptors_after(c1, service, 200) == before
    assert service.children() == []


def test_syncs_leave_no_descriptors_and_no_children(c1, serve):
    service = serve()
    c1.finished(c1.add("sync_full"))
    c1.wait_for("GetTask", len(c1.of("GetTask")) + 1)
    before = service.fd_count()
    for task in [c1.add("sync_full") for _ in range(10)]:
        c1.finished(task)
    c1.wait_for("GetTask", len(c1.of("GetTask")) + 1)
    assert service.fd_count() == before
    assert service.children() == []


# ---- many ----


def resting_memory(c1, service):
    """KiB that are its own, once it has been without work for long enough to have tidied up."""
    c1.wait_for("GetTasks", len(c1.of("GetTasks")) + 20)
    status = pathlib.Path(f"/proc/{service.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status).group(1))


# As the unit runs it, and as a hand does: then glibc keeps small freed blocks, up to some hundred KiB in all.
@pytest.mark.release  # memory under a sanitizer says nothing
@pytest.mark.parametrize("tunables, growth_kib", [("glibc.malloc.tcache_count=0", 40), ("", 120)], ids=["unit", "hand"])
def test_memory_does_not_grow_with_the_number_of_tasks(c1, serve, tunables, growth_kib):
    service = serve("--task-concurrency", "20", env={"BATON_GET_TASKS": "1", "GLIBC_TUNABLES": tunables})
    c1.concurrency = 20

    def after(count):
        ids = [c1.add(("grant", "list_event_feeds", "action_list_schemas")[i % 3]) for i in range(count)]
        c1.wait(lambda: all(map(c1.is_finished, ids)), f"the end of {count} tasks")
        return resting_memory(c1, service)

    few = after(100)
    many = after(1200)
    assert many < few + growth_kib, f"{few} KiB after 100 tasks, {many} KiB after 1,300"

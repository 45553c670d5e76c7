"""How baton-crisp differs from a connector on the SDK in service mode: everything, and why.

The texts are the rows of the table "Service mode" in docs/compatibility.md. `undo` turns our log of a
script into what the SDK's would be: it takes away this difference, and nothing else."""

from dataclasses import dataclass
from typing import Callable

from message_log import POLLS

REFUSED_TEXT = ("rpc error: code = PermissionDenied desc = error: listing resources failed: "
                "rpc error: code = PermissionDenied desc = the source refuses")
CANCELLED_TEXT = ("ratelimit: error reporting ratelimit after request error: "
                  "rpc error: code = Canceled desc = context canceled")
NON_RETRYABLE = "\ntask failed and is non-retryable"


@dataclass(frozen=True)
class Difference:
    what: str
    ours: str
    sdk: str
    why: str
    undo: Callable  # (log, script) -> log


DIFFERENCES = []


def difference(what, ours, sdk, why):
    def keep(undo):
        DIFFERENCES.append(Difference(what, ours, sdk, why, undo))
        return undo
    return keep


# --- help for the functions ---

def is_rpc(m):
    return m["call"] not in ("token", "the end")


def task_of(m):
    held = m.get("held", {})
    if "messages" in held:
        return held["messages"][0]["metadata"]["task_id"]
    return held.get("task_id")


def handed(log):
    return {t["task"]: t for m in log for t in m.get("handed", [])}


def ended_with(log, index, code):
    """The log up to and with this message, after which the process ended."""
    return log[:index + 1] + [{**log[-1], "code": code}]


def failed(m):
    return m["code"] not in ("OK", "200", 0)


def reply(m, code=None, text=None, is_retryable=None):
    """FinishTask, with another error."""
    held = {**m["held"], "status": dict(m["held"]["status"])}
    if code is not None:
        held["status"]["code"] = code
    if text is not None:
        held["status"]["message"] = text
    if is_retryable is not None:
        held["error"] = {} if is_retryable else {"non_retryable": True}
    return {**m, "held": held}


def status(m):
    return m["held"].get("status", {}) if m["call"] == "FinishTask" else {}


# --- connections ---

@difference("gRPC connection", "one for all calls, made again when it is lost", "a new one for each call",
            "a TLS handshake costs both sides more than the call")
def _(log, script):
    rpcs = [m for m in log if is_rpc(m)]
    assert [m["connection"] for m in rpcs] == ["new"] + ["same"] * (len(rpcs) - 1) if rpcs else True
    return [{**m, "connection": "new"} if is_rpc(m) else m for m in log]


@difference("token request", "HTTP/1.1 on a connection of its own", "HTTP/2, and compressed answers are welcome",
            "one small answer an hour: nothing is gained by more")
def _(log, script):
    log, is_first = list(log), True
    for i, m in enumerate(log):
        if m["call"] == "token":
            assert m["protocol"] == "HTTP/1.1" and m["connection"] == "new" and m["headers"]["connection"] == "close"
            headers = {k: v for k, v in m["headers"].items() if k != "connection"}
            log[i] = {**m, "protocol": "HTTP/2.0", "connection": "new" if is_first else "same",
                      "headers": {**headers, "accept-encoding": "gzip"}}
            is_first = False
    return log


@difference("`user-agent`, `grpc-accept-encoding`", "`grpc-c-baton/…`; compressed answers are not asked for",
            "`grpc-go/…`; gzip", "it says what it is; answers are small")
def _(log, script):
    return [{**m, "headers": {**m["headers"], "grpc-accept-encoding": "gzip",
                              "user-agent": m["headers"]["user-agent"].replace(" grpc-c-baton/", " grpc-go/")}}
            if is_rpc(m) else m for m in log]


@difference("deadlines", "Hello and polls 300 s, heartbeats 30 s", "none, but for FinishTask, which has 30 s in both",
            "a server that takes a call and never answers must not stop a connector for good")
def _(log, script):
    ours = {"Hello": 300, "GetTask": 300, "GetTasks": 300, "Heartbeat": 30}
    return [{**m, "deadline_s": 0} if m["call"] in ours and m["deadline_s"] == ours[m["call"]] else m for m in log]


# --- what goes wrong ---

@difference("token endpoint fails at the start (5xx, network)", "asked again after 1, 2, 4 … s",
            "the process ends with 16", "a connector that starts before its network does must not need a supervisor")
def _(log, script):
    for i, m in enumerate(log):
        if m["call"] == "token" and m["code"].startswith("5") and not any(is_rpc(e) for e in log[:i]):
            return ended_with(log, i, 16)
    return log


@difference("a call answered `Unauthenticated`",
            "the token is dropped, a new one fetched, and the call made once more",
            "the token is kept until it expires; at the start the process ends with 16",
            "tokens end early when keys are rotated; a fresh one is the cure")
def _(log, script):
    made, refused = [], 0
    for i, m in enumerate(log):
        before = made[-1] if made else None
        if before and before["code"] == "Unauthenticated" and m["call"] == "token":
            if before["call"] == "Hello":
                return [*made, {**log[-1], "code": 16}]
            continue
        if m["call"] in POLLS and before and before["code"] == "Unauthenticated":
            refused += 1
            m = {**m, "waited_s": refused ** 2}
        if is_rpc(m) and m["authorization"].startswith("Bearer ") and script_keeps_tokens(script):
            m = {**m, "authorization": "Bearer token1"}
        made.append(m)
    return made


def script_keeps_tokens(script):
    return not any(flag.startswith("--token") for flag in script.c1)


@difference("the first heartbeat of a sync fails, or says cancelled",
            "tried three times in all; then the task is answered, retryable",
            "the task is dropped without an answer, and its temp file stays",
            "C1 would wait for a task that nobody works on")
def _(log, script):
    lost, begun, made = set(), set(), []
    for m in log:
        task = task_of(m)
        if task in lost:
            continue
        if m["call"] == "Heartbeat" and task not in begun:
            begun.add(task)
            if failed(m) or m.get("is_cancelled"):
                lost.add(task)
        made.append(m)
    return made


@difference("FinishTask fails", "up to 6 tries, with 1, 2, 4 … s between them", "one try: the outcome is lost",
            "otherwise a grant that was made is made again, and an hour of syncing is lost to a second of trouble")
def _(log, script):
    lost, made = set(), []
    for m in log:
        if m["call"] == "FinishTask":
            if task_of(m) in lost:
                continue
            if failed(m):
                lost.add(task_of(m))
        made.append(m)
    return made


@difference("C1 ends an upload before it has all of it", "the code and text that C1 gave", "`EOF`, code Unknown",
            "it says why")
def _(log, script):
    if script.source != "large":
        return log
    return [reply(m, 2, "EOF") if status(m).get("message") == "ordered fault" else m for m in log]


@difference("`next_poll` missing or 0", "asks again after 1 s; never sooner than 0.1 s after an answer",
            "asks again at once, without end", "a mistake of the server must not become a flood")
def _(log, script):
    is_missing = ("--next-poll", "0") == tuple(script.c1[:2])
    return [*log[:-1], {**log[-1], "asks_at_once": True}] if is_missing and not log[-1]["asks_at_once"] else log


@difference("SIGINT or SIGTERM during a task", "the task is cancelled and reported as retryable, temp files go",
            "no report; temp files stay; SIGTERM is not handled at all", "C1 can hand the task out again at once")
def _(log, script):
    text = "context canceled: the connector is shutting down"
    return [m for m in log if status(m).get("message") != text]


# --- answers ---

@difference("container of an upload", "version 1 (SQLite), whatever the task or the operator wishes",
            "version 3 (Pebble), unless SQLite is wished for", "C1 and every release of the tool read version 1; "
            "version 3 is not written yet")
def _(log, script):
    if "--storage-engine" in script.args:
        return log
    tasks = handed(log)
    return [{**m, "file": "C1Z3"} if m.get("file") == "C1ZF" and tasks[task_of(m)]["engine"] != "sqlite" else m
            for m in log]


@difference("`list_ticket_schemas`, `list_events`", "answered with an error that is not retryable", "never answered",
            "C1 would wait for an answer that never comes")
def _(log, script):
    tasks = handed(log)
    return [m for m in log if not (m["call"] == "FinishTask" and failed_task(m, 12, 5) and
                                   tasks[task_of(m)]["type"] in ("list_ticket_schemas", "list_events"))]


def failed_task(m, *codes):
    return status(m).get("code") in codes and m["held"]["error"] == {"non_retryable": True}


@difference("ticket tasks", "Unimplemented, not retryable",
            "`ticketing is not enabled`, or with `--ticketing` Unimplemented; both retryable",
            "there are no tickets in this connector, with or without the flag: trying again cannot help")
def _(log, script):
    types = {"create_ticket_task", "get_ticket", "bulk_create_tickets", "bulk_get_tickets"}
    tasks, text = handed(log), "ticket manager not implemented"
    theirs = (12, text, True) if "--ticketing" in script.args else (2, "ticketing is not enabled", True)
    return [reply(m, *theirs) if tasks.get(task_of(m), {}).get("type") in types and failed_task(m, 12) and
            status(m)["message"] == "rpc error: code = Unimplemented desc = " + text + NON_RETRYABLE else m for m in log]


@difference("`sync_full` with `targeted_sync_resources`", "Unimplemented, not retryable",
            "whatever of it the connector can do, as a success",
            "a whole list published as a part of it, or nothing as a whole, is worse than an error; "
            "we announce no targeted syncs")
def _(log, script):
    tasks, made = handed(log), []
    for m in log:
        if failed_task(m, 12) and tasks[task_of(m)]["is_targeted"]:
            example = next(e for e in log if e["call"] == "UploadAsset" and e["code"] == "OK")
            messages = [{"metadata": {"host_id": "HOST", "task_id": task_of(m)}}, *example["held"]["messages"][1:]]
            made.append({**example, "held": {"messages": messages}, "file": "C1Z3"})
            held = {"host_id": "HOST", "task_id": task_of(m), "success": {}}
            m = {**m, "held": held}
        made.append(m)
    return made


@difference("values that break the rules of the `.proto` files, in a task that could not be done anyway",
            "the answer to a good task of the type", "InvalidArgument, with the rule", "both are final, and nothing is done")
def _(log, script):
    text = ("rpc error: code = InvalidArgument desc = invalid GrantManagerServiceGrantRequest.Principal: embedded message "
            "failed validation | caused by: invalid Resource.Id: embedded message failed validation | caused by: invalid "
            "ResourceId.ResourceType: value length must be between 1 and 1024 bytes, inclusive" + NON_RETRYABLE)
    tasks = handed(log)
    return [reply(m, 3, text) if failed_task(m, 9, 12) and tasks[task_of(m)]["breaks_rules"] else m for m in log]


@difference("text of a sync that the source refused", "names the address, the status and what to change",
            "`listing resources failed`, inside three layers of codes", "it is what the admin reads in C1")
def _(log, script):
    return [reply(m, text=REFUSED_TEXT) if status(m).get("message", "").startswith("listing resources failed: ask Crisp for")
            and "HTTP 403" in status(m)["message"] else m for m in log]


@difference("text of a sync that was cancelled", "`context canceled:` and why: by C1, or 9 heartbeats in a row failed",
            "`ratelimit: error reporting ratelimit …: context canceled`", "it says who did it")
def _(log, script):
    ours = ("context canceled: C1 has cancelled this task", "context canceled: 9 heartbeats in a row failed: ordered fault")
    return [reply(m, text=CANCELLED_TEXT) if status(m).get("message") in ours else m for m in log]

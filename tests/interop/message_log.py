"""The log of mockc1 as something that can be compared: without ids, times, addresses, sizes and versions.

A message is a dict of what was called, what it held, and what it led to. Left out are polls that find nothing
and heartbeats that change nothing: how many there are is chance."""

import json
import re
import socket

from plays import tasks_in

HOST = socket.gethostname()
POLLS = ("GetTask", "GetTasks")
# Of the connector and not of the protocol.
OWN_TEXTS = {"display_name", "description"}
# They have fields of their own, or are sizes.
NOT_SHOWN = {"grpc-timeout", "content-length", "authorization"}
AT_ONCE_S = 0.5


def without_versions(headers):
    return {k: re.sub(r"/v?\d+\.\d+\.\d+", "/VERSION", v) for k, v in headers.items() if k not in NOT_SHOWN}


def held(request):
    """The request; what may differ between two connectors is replaced by the fact that it was there."""
    made = dict(request or {})
    if "build_info" in made:
        made["build_info"] = {k: "some" for k, v in made["build_info"].items() if v}
    if "connector_metadata" in made:
        made["connector_metadata"] = {k: "some" if k in OWN_TEXTS else v for k, v in made["connector_metadata"].items()}
    if "messages" in made:
        made["messages"] = [{"data": "some"} if "data" in m else m for m in made["messages"]]
    return made


def file_kind(path):
    """The first bytes of a container, or that it is a log."""
    head = path.read_bytes()[:4]
    return "log" if head.startswith(b"{") else head.decode()


def handed(task):
    kind = next((k for k in task if k not in ("id", "debug")), "untyped")
    body = task.get(kind) or {}
    return {"task": task["id"], "type": kind, "engine": body.get("storage_engine", ""),
            "is_targeted": "targeted_sync_resources" in body,
            "breaks_rules": body.get("principal", {}).get("id") == {}}


def message(entry, is_new, files):
    made = {"call": entry["method"], "code": entry["code"], "protocol": entry["protocol"],
            "connection": "new" if is_new else "same", "headers": without_versions(entry["headers"]),
            "authorization": re.sub(r"-\w+$", "", entry["headers"].get("authorization", "")),
            "deadline_s": round(entry.get("deadline_s", 0) + 0.4), "held": held(entry.get("request")),
            "violation": entry.get("violation", "")}
    if entry.get("file"):
        made["file"] = file_kind(files / entry["file"])
    if entry["method"] in POLLS:
        made["handed"] = [handed(task) for task in tasks_in(entry)]
    if (entry.get("answer") or {}).get("cancelled"):
        made["is_cancelled"] = True
    return made


def asks_at_once(log):
    """After an answer that does not say when."""
    polls = [e for e in log if e["method"] in POLLS and e["code"] == "OK"]
    return any("next_poll" not in a["answer"] and b["began"] - a["ended"] < AT_ONCE_S for a, b in zip(polls, polls[1:]))


def is_chance(entry, made, beating, follows_failure):
    if entry["method"] not in (*POLLS, "Heartbeat"):
        return False
    if entry["code"] == "":  # given up by the connector before it was read: it was stopped, or the sync was done
        return True
    if entry["code"] != "OK" or made.get("is_cancelled"):
        return False
    if entry["method"] in POLLS:
        return not made["handed"]
    return entry["request"]["task_id"] in beating and not follows_failure


def renumber(messages):
    """Tokens by the order of their first use: some served only what was left out."""
    names = {}
    for m in messages:
        scheme, _, token = m["authorization"].partition(" ")
        if token:
            m["authorization"] = f"{scheme} {names.setdefault(token, f'token{len(names) + 1}')}"


def message_log(played):
    messages, seen, failed, beating, names = [], set(), {}, set(), {HOST: "HOST"}
    for entry in played.log:
        made = message(entry, entry["connection"] not in seen, played.dir)
        seen.add(entry["connection"])
        if entry["method"] in failed:
            made["waited_s"] = int(entry["began"] - failed.pop(entry["method"]) + 0.05)
        if entry["code"] not in ("OK", "200"):
            failed[entry["method"]] = entry["ended"]
        for task in made.get("handed", []):
            names.setdefault(task["task"], f"task {len(names)}")
        if not is_chance(entry, made, beating, "waited_s" in made):
            messages.append(made)
        elif messages[-1]["call"] == "token" and messages[-1]["code"] == "200":
            messages.pop()  # it was for this
        if entry["method"] == "Heartbeat" and entry["code"]:
            beating.add(entry["request"]["task_id"])
    if messages[-1]["call"] == "token" and messages[-1]["code"] == "200":
        messages.pop()  # of a call that was never made
    renumber(messages)
    messages.append({"call": "the end", "code": played.code, "asks_at_once": asks_at_once(played.log)})
    text = json.dumps(messages)
    for id, name in names.items():
        text = text.replace(f'"{id}"', f'"{name}"')
    return json.loads(text)

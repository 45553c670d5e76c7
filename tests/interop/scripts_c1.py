"""The scripts: those that both connectors play, to be compared, and those of ours alone."""

from plays import Script

ENTRY = {"Hello": "hello", "GetTask": "hello", "Heartbeat": "fullsync", "UploadAsset": "fullsync",
         "UploadEnd": "fullsync", "FinishTask": "grant"}
CODES = ("Unavailable", "Unauthenticated", "Internal", "DeadlineExceeded")

TYPES = ("none hello fullsync fullsync-no-expansion fullsync-resources-only fullsync-no-grants fullsync-website-only "
         "fullsync-sqlite fullsync-pebble fullsync-unknown-engine fullsync-targeted grant grant-no-ids revoke "
         "create_account create_resource delete_resource rotate_credentials create_ticket get_ticket "
         "bulk_create_tickets bulk_get_tickets action_get_schema action_invoke action_status list_events").split()
BARE = ("action_get_schema action_invoke action_list_schemas action_status bulk_create_tickets bulk_get_tickets "
        "compact_syncs create_account create_resource create_sync_diff create_ticket_task delete_resource event_feed "
        "get_ticket grant hello issue_credential list_event_feeds list_events list_ticket_schemas none revoke "
        "rotate_credentials sync_full").split()


def fault(method, code, count=1, tasks=None, **more):
    return Script(tasks or ENTRY[method], c1=("--fault", f"{method}:{code}:{count}"), **more)


def script_of_all(names, **more):
    return Script(",".join(names), **more)


SCRIPTS = {
    "every task": script_of_all(TYPES),
    "every task, provisioning": script_of_all(TYPES, args=("--provisioning",)),
    "every type, empty": script_of_all([*(f"bare-{t}" for t in BARE), "untyped"]),
    "tickets, ticketing": Script("create_ticket,get_ticket,bulk_create_tickets,bulk_get_tickets,bare-list_ticket_schemas",
                                 args=("--ticketing",)),
    "tasks with debug": Script("hello,fullsync,grant", c1=("--debug-tasks",)),
    "GetTasks": Script("hello,grant,fullsync,revoke,hello,grant,none,fullsync", env=(("BATON_GET_TASKS", "1"),)),
    "a source that refuses": Script("fullsync", source="refused"),
    "requeued": Script("fullsync", c1=("--requeue", "2"), source="refused"),
    "SQLite wanted by the operator": Script("fullsync-pebble,fullsync", args=("--storage-engine", "sqlite")),
    "cancelled at the first heartbeat": Script("fullsync", c1=("--cancel-after", "1")),
    "cancelled at the second heartbeat": Script("fullsync", c1=("--cancel-after", "2"), source="slow"),
    "no next_heartbeat": Script("fullsync", c1=("--next-heartbeat", "0"), source="slow"),
    "no next_poll": Script("hello,fullsync,grant", c1=("--next-poll", "0")),
    "stopped during a sync": Script("fullsync", source="slow", until="heartbeats"),
    "tokens that live 5 s": Script("hello,fullsync,grant", c1=("--token-ttl", "5")),
    "token type in lower case": Script("hello", c1=("--token-type", "bearer")),
    "token type MAC": Script("hello", c1=("--token-type", "MAC")),
    "token type missing": Script("hello", c1=("--token-type", "")),
    "token endpoint fails once": Script("hello", c1=("--token-fail", "1")),
    "token endpoint refuses": Script("hello", c1=("--token-status", "401"), until="exit"),
    "Hello refused twice": fault("Hello", "Unauthenticated", 2, until="exit"),
    "Hello forbidden": fault("Hello", "PermissionDenied", until="exit"),
    "Hello fails twice": fault("Hello", "Unavailable", 2),
    "first heartbeat fails 3 times": fault("Heartbeat", "Unavailable", 3),
    "a later heartbeat fails": Script("fullsync", c1=("--fault", "Heartbeat:OK", "--fault", "Heartbeat:Unavailable"),
                                      source="slow"),
    "heartbeats are lost": Script("fullsync", c1=("--fault", "Heartbeat:OK", "--fault", "Heartbeat:Unavailable:20"),
                                  source="stuck"),
    "an upload is slow to be stored": Script("fullsync", c1=("--fault", "UploadEnd:OK:1:2500ms")),
    "answers are slow": Script("hello,grant,fullsync", c1=tuple(
        word for method in ("Hello", "GetTask", "Heartbeat", "FinishTask") for word in ("--fault", f"{method}:OK:1:700ms"))),
    "polls refused twice": fault("GetTask", "Unauthenticated", 2),
    "the upload fails 3 times": fault("UploadAsset", "Unavailable", 3, source="large"),
    "the upload fails 3 times at its end": fault("UploadEnd", "Unavailable", 3),
    "FinishTask of a sync fails": fault("FinishTask", "Unavailable", tasks="fullsync"),
    **{f"{method} {code}": fault(method, code) for method in ENTRY for code in CODES},
}

OURS_ALONE = {
    "a large team": Script("fullsync", source="large"),
    "tokens that live 12 s": Script("fullsync", c1=("--token-ttl", "12"), source="slow"),
    "many at once": Script(",".join(["grant", "hello", "bare-list_event_feeds", "revoke", "untyped", "get_ticket"] * 50),
                           slots=50, env=(("BATON_GET_TASKS", "1"),)),
}
OF_THE_REFERENCE = {"a sync": Script("fullsync-sqlite")}

"""The messages between a connector in service mode and C1: classes made from c1_*.proto, the rules that a
request must keep, and tasks of every type to hand out.

The .proto files here are written for the tests alone, so that a mistake in src/proto shows.
"""

import functools
import pathlib
import re
import secrets
import string
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, message_factory

HERE = pathlib.Path(__file__).parent
API = "c1.connectorapi.baton.v1"
ID_LETTERS = string.ascii_letters + string.digits


@functools.lru_cache(maxsize=None)
def _classes():
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        subprocess.run(["protoc", "-I", str(HERE), "--include_imports", "--descriptor_set_out", out.name,
                        "c1_baton.proto"], check=True, cwd=HERE)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    return message_factory.GetMessages(files.file)


def message(name):
    """The class of a message: message("GetTaskRequest"), message("c1.connector.v2.Resource")."""
    classes = _classes()
    return classes.get(f"{API}.{name}") or classes[name]


# ---- rules of requests ----

HOST = ("chars", 1, 256)
TASK_ID = ("match", re.compile(r"[a-zA-Z0-9]{27}"))
TEXT = ("chars", 1, 256)
SOME = ("required",)
UPLOAD = "UploadAssetRequest."
METADATA = "c1.connector.v2.ConnectorMetadata."

RULES = {
    "HelloRequest.host_id": HOST,
    "HelloRequest.task_id": ("match", re.compile(r"([a-zA-Z0-9]{27})?")),
    # The rules allow these two to be absent and their texts to be empty; C1 is said to refuse that.
    "HelloRequest.build_info": SOME,
    "HelloRequest.os_info": SOME,
    "HelloRequest.connector_metadata": SOME,
    "HelloRequest.annotations": ("items", 0, 0),
    **{f"BuildInfo.{name}": TEXT for name in ("lang_version", "package", "package_version")},
    **{f"OSInfo.{name}": TEXT for name in (
        "hostname", "os", "platform", "platform_version", "platform_family", "kernel_version",
        "kernel_arch", "virtualization_system")},
    METADATA + "display_name": ("bytes", 1, 1024),
    METADATA + "description": ("bytes", 0, 4096),
    METADATA + "help_url": ("match", re.compile(r"(https://.{1,1016})?")),
    METADATA + "capabilities": SOME,
    "c1.connector.v2.ConnectorCapabilities.credential_details": SOME,
    "c1.connector.v2.ResourceTypeCapability.permissions": SOME,
    "c1.connector.v2.ResourceType.id": ("bytes", 1, 1024),
    "GetTaskRequest.host_id": HOST,
    "GetTasksRequest.host_id": HOST,
    "GetTasksRequest.page_size": ("between", 1, 100),
    "GetTasksRequest.known_task_ids": TASK_ID,
    "GetTasksRequest.annotations": ("items", 0, 16),
    "HeartbeatRequest.host_id": HOST,
    "HeartbeatRequest.task_id": TASK_ID,
    "HeartbeatRequest.annotations": ("items", 0, 16),
    "HeartbeatRequest.task_ids": ("items", 0, 0),
    "UploadAssetRequest.msg": SOME,
    UPLOAD + "UploadMetadata.host_id": HOST,
    UPLOAD + "UploadMetadata.task_id": TASK_ID,
    UPLOAD + "UploadMetadata.annotations": ("items", 0, 16),
    UPLOAD + "UploadData.data": ("bytes", 1, 1048576),
    UPLOAD + "UploadEOF.sha256_checksum": ("bytes", 32, 32),
    UPLOAD + "UploadEOF.annotations": ("items", 0, 16),
    "FinishTaskRequest.host_id": HOST,
    "FinishTaskRequest.task_id": TASK_ID,
    "FinishTaskRequest.final_state": SOME,
    "FinishTaskRequest.Error.annotations": ("items", 0, 16),
    "FinishTaskRequest.Success.annotations": ("items", 0, 16),
}


def _field_breach(rule, value, is_present):
    kind, *bounds = rule
    if kind == "required":
        return None if is_present else "is absent"
    if kind == "match":
        values = [value] if isinstance(value, str) else value
        bad = [v for v in values if not bounds[0].fullmatch(v)]
        return f"is {bad[0]!r}" if bad else None
    size = value if kind == "between" else len(value.encode() if kind == "bytes" and isinstance(value, str) else value)
    return None if bounds[0] <= size <= bounds[1] else f"has {size}, not {bounds[0]} to {bounds[1]}"


def breaches(msg):
    """What the message does against the rules, in words; [] if nothing. Fields that nobody knows count."""
    name = msg.DESCRIPTOR.full_name.replace(API + ".", "")
    found = [f"{name}: unknown field {f.field_number}" for f in msg.UnknownFields()]
    for oneof in msg.DESCRIPTOR.oneofs:
        rule = RULES.get(f"{name}.{oneof.name}")
        if rule and msg.WhichOneof(oneof.name) is None:
            found.append(f"{name}.{oneof.name} is absent")
    for field in msg.DESCRIPTOR.fields:
        value = getattr(msg, field.name)
        is_message = field.message_type and field.label != field.LABEL_REPEATED
        is_present = msg.HasField(field.name) if is_message else True
        rule = RULES.get(f"{name}.{field.name}")
        what = rule and _field_breach(rule, value, is_present)
        if what:
            found.append(f"{name}.{field.name} {what}")
        if is_message and is_present:
            found += breaches(value)
        elif field.message_type and not field.message_type.GetOptions().map_entry and not is_message:
            found += [b for item in value for b in breaches(item)]
    return found


# ---- tasks ----

def task_id(prefix=""):
    """27 letters and digits; the prefix makes it readable in a log."""
    return prefix + "".join(secrets.choice(ID_LETTERS) for _ in range(27 - len(prefix)))


RESOURCE = {"id": {"resource_type": "operator", "resource": "u1"}, "display_name": "Ada"}
SITE = {"id": {"resource_type": "website", "resource": "w1"}, "display_name": "Site"}
ENTITLEMENT = {"resource": SITE, "id": "website:w1:member", "display_name": "member", "slug": "member"}
KEYS = [{"provider": "baton/jwk/v1", "jwk_public_key_config": {"pub_key": b"{}"}}]

# Type -> a body that is well formed.
BODIES = {
    "none": {},
    "hello": {},
    "sync_full": {},
    "grant": {"entitlement": ENTITLEMENT, "principal": RESOURCE},
    "revoke": {"grant": {"entitlement": ENTITLEMENT, "principal": RESOURCE, "id": "website:w1:member:operator:u1"}},
    "create_account": {"account_info": {"emails": [{"address": "a@example.com", "is_primary": True}], "login": "a"},
                       "credential_options": {"no_password": {}}, "encryption_configs": KEYS},
    "create_resource": {"resource": RESOURCE},
    "delete_resource": {"resource_id": RESOURCE["id"]},
    "rotate_credentials": {"resource_id": RESOURCE["id"], "credential_options": {"random_password": {"length": 20}},
                           "encryption_configs": KEYS},
    "event_feed": {},
    "create_ticket_task": {"ticket_request": {"display_name": "T"}, "ticket_schema": {"id": "s"}},
    "list_ticket_schemas": {},
    "get_ticket": {"ticket_id": "t1"},
    "bulk_create_tickets": {"ticket_requests": [{"ticket_request": {"display_name": "T"}}]},
    "bulk_get_tickets": {"ticket_requests": [{"ticket_id": "t1"}]},
    "action_list_schemas": {},
    "action_get_schema": {"name": "nope"},
    "action_invoke": {"name": "nope", "args": {"fields": {}}},
    "action_status": {"name": "nope", "id": "a1"},
    "create_sync_diff": {"base_sync_id": "a", "new_sync_id": "b"},
    "compact_syncs": {"compactable_syncs": [{"file_path": "/f", "sync_id": "a"}]},
    "list_event_feeds": {},
    "list_events": {"event_feed_id": "f", "page_size": 10},
    "issue_credential": {"identity_id": RESOURCE["id"], "credential_options": {"api_key": {}},
                         "encryption_configs": KEYS},
    "from_the_future": {},
}


def task(kind, body=None, *, id=None, debug=False, **fields):
    """A task of this type: with the body of BODIES, or this one, or these fields of it. kind None: no type."""
    made = message("Task")(id=task_id() if id is None else id, debug=debug, status=2)
    if kind is not None:
        part = getattr(made, kind)
        part.SetInParent()
        given = body if body is not None else fields or BODIES[kind]
        part.MergeFrom(type(part)(**given))
    return made

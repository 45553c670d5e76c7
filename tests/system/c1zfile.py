"""Builds v1 .c1z files for tests, byte by byte: SQLite from the Python library, protobuf and zstd by hand
(raw blocks, so no zstd is needed). Shares nothing with the code under test."""

import pathlib
import sqlite3
import struct

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "c1z"
SYNC = "3MRvTmaBs2SYnhWlcdrdDAzQyEr"


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """An int is a varint, text and bytes are length-prefixed, a list repeats; None is left out."""
    if value is None:
        return b""
    if isinstance(value, list):
        return b"".join(field(number, v) for v in value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(**fields):
    """message(f1="x", f3=[...]): the name's number is the field's."""
    return b"".join(field(int(name[1:]), value) for name, value in fields.items())


def any_of(name, value=b""):
    return message(f1="type.googleapis.com/" + name, f2=value or None)


def resource_id(type_id, id):
    return message(f1=type_id, f2=id)


def user_trait(mail=None, mfa=None, status=1):
    emails = [message(f1=mail, f2=1)] if mail else []
    return any_of("c1.connector.v2.UserTrait", message(
        f1=emails, f2=message(f1=status) if status else None,
        f10=None if mfa is None else message(f1=1 if mfa else None)))


class C1z:
    """c = C1z(); c.user("1", "Ada"); ...; c.save(path)"""

    def __init__(self, sync=SYNC, ended="2026-11-22 05:43:24.5", kind="full", std_types=True):
        self.db = sqlite3.connect(":memory:")
        self.db.executescript((GOLDEN / "schema-v0.25.0.sql").read_text())
        self.begin(sync, ended=ended, kind=kind)
        if std_types:
            self.type("operator", "Operator", traits=[1])
            self.type("website", "Website")

    def begin(self, sync, started="2026-11-22 05:43:24", ended="2026-11-22 05:43:24.5", kind="full"):
        self.sync = sync
        self.db.execute("INSERT INTO v1_sync_runs (sync_id, started_at, ended_at, sync_token, "
                        "sync_type, grants_backfilled) VALUES (?, ?, ?, '', ?, 1)",
                        (sync, started, ended, kind))

    def row(self, table, **columns):
        columns |= {"sync_id": self.sync, "discovered_at": "2026-11-22 05:43:24"}
        self.db.execute(f"INSERT INTO v1_{table} ({', '.join(columns)}) "
                        f"VALUES ({', '.join('?' * len(columns))})", list(columns.values()))

    def type(self, id, name, traits=()):
        packed = b"".join(varint(t) for t in traits) or None
        self.row("resource_types", external_id=id, data=message(f1=id, f2=name, f3=packed))

    def resource(self, type_id, id, name, annotations=(), parent=None, more=b""):
        self.row("resources", resource_type_id=type_id, external_id=f"{type_id}:{id}",
                 parent_resource_type_id=parent and parent[0], parent_resource_id=parent and parent[1],
                 data=message(f1=resource_id(type_id, id), f2=parent and resource_id(*parent), f3=name,
                              f4=list(annotations)) + more)

    def user(self, id, name, mail=None, mfa=None, status=1):
        self.resource("operator", id, name, [user_trait(mail, mfa, status)])

    def entitlement(self, type_id, id, slug, name=None):
        self.row("entitlements", resource_type_id=type_id, resource_id=id,
                 external_id=f"{type_id}:{id}:{slug}",
                 data=message(f1=message(f1=resource_id(type_id, id)), f2=f"{type_id}:{id}:{slug}",
                              f3=name or slug, f8=slug))

    def grant(self, type_id, id, slug, user, data=None):
        entitlement = f"{type_id}:{id}:{slug}"
        grant = f"{entitlement}:operator:{user}"
        whole = message(f1=message(f1=message(f1=resource_id(type_id, id)), f2=entitlement),
                        f2=message(f1=resource_id("operator", user)), f3=grant)
        self.row("grants", resource_type_id=type_id, resource_id=id, entitlement_id=entitlement,
                 principal_resource_type_id="operator", principal_resource_id=user,
                 external_id=grant, expansion=None, needs_expansion=0,
                 data=whole if data is None else data)

    def website(self, id="w", name="Acme Support", roles=("owner", "member")):
        self.resource("website", id, name)
        for role in roles:
            self.entitlement("website", id, role, f"{name} {role}")

    def save(self, path):
        self.db.commit()
        path.write_bytes(b"C1ZF\0" + zstd_frame(self.db.serialize()))
        return path


def zstd_frame(data):
    """RFC 8878: a frame with its content size (8 bytes), a window of 8 MiB, and raw blocks."""
    out = struct.pack("<IBBQ", 0xFD2FB528, 0xC0, (23 - 10) << 3, len(data))
    step = 128 * 1024
    blocks = [data[i:i + step] for i in range(0, len(data), step)] or [b""]
    for i, block in enumerate(blocks):
        is_last = i == len(blocks) - 1
        out += struct.pack("<I", len(block) << 3 | is_last)[:3] + block
    return out

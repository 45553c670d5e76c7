"""The writer of tests/fault and what the tests ask of its files.

A file is judged without the code under test: libzstd through ctypes, SQLite of the Python library."""

import ctypes
import os
import pathlib
import sqlite3
import subprocess

import sandbox

MAGIC = b"C1ZF\0"


def program(name):
    return sandbox.program(f"tests/fault/{name}")


def command(path, count, temp_dir, *flags):
    return [str(program("c1z-writer")), "-d", str(temp_dir), *flags, str(path), str(count)]


def write(path, count, temp_dir, *flags, **env):
    """Runs the writer to its end."""
    return subprocess.run(command(path, count, temp_dir, *flags), capture_output=True, text=True,
                          env={**os.environ, **env}, timeout=sandbox.PATIENCE_S)


def unpack(data):
    """The database in a .c1z: one frame, which says its size, and nothing behind it."""
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    zstd.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    assert data[:5] == MAGIC
    frame = data[5:]
    args = frame, ctypes.c_size_t(len(frame))
    assert zstd.ZSTD_findFrameCompressedSize(*args) == len(frame)
    size = zstd.ZSTD_getFrameContentSize(*args)
    out = ctypes.create_string_buffer(size)
    assert zstd.ZSTD_decompress(out, ctypes.c_size_t(size), *args) == size
    return out.raw[:size]


class Content:
    """What is in a whole file."""

    def __init__(self, path, temp_dir):
        database = pathlib.Path(temp_dir) / "content.db"
        database.write_bytes(unpack(pathlib.Path(path).read_bytes()))
        db = sqlite3.connect(database)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        self.runs = db.execute("SELECT sync_id, ended_at IS NOT NULL FROM v1_sync_runs ORDER BY id").fetchall()
        self.grants = dict(db.execute("SELECT sync_id, count(*) FROM v1_grants GROUP BY 1"))
        self.indexes = db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index'").fetchone()[0]
        db.close()
        database.unlink()

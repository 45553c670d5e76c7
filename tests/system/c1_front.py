"""The front door of the stand-in for C1: one TCP port that looks at the application protocols a TLS client offers
(without taking a byte away) and hands the connection on: http/1.1 to the token endpoint, h2 alone to grpcio's
own TLS port, byte for byte. So both sides do real TLS, and the wire between them can be cut, held and counted.
"""

import socket
import struct
import threading

TLS_HANDSHAKE = 22
CLIENT_HELLO = 1
EXT_SERVER_NAME, EXT_ALPN, EXT_VERSIONS = 0, 16, 43


class Hello:
    """What a ClientHello says: protocols (ALPN), server_name (SNI) and the highest TLS version."""

    def __init__(self, record):
        self.protocols, self.server_name = [], None
        self.version = int.from_bytes(record[9:11], "big")
        at = 5 + 4 + 2 + 32  # record, handshake, version, random
        at += 1 + record[at]  # session id
        at += 2 + int.from_bytes(record[at:at + 2], "big")  # cipher suites
        at += 1 + record[at] + 2  # compression methods, length of all extensions
        while at + 4 <= len(record):
            kind, size = struct.unpack_from(">HH", record, at)
            self._extension(kind, record[at + 4:at + 4 + size])
            at += 4 + size

    def _extension(self, kind, body):
        if kind == EXT_SERVER_NAME:
            self.server_name = body[5:].decode()
        elif kind == EXT_VERSIONS:
            self.version = max(v for (v,) in struct.iter_unpack(">H", body[1:]) if v >> 8 == 3)
        elif kind == EXT_ALPN:
            at = 2
            while at < len(body):
                self.protocols.append(body[at + 1:at + 1 + body[at]].decode())
                at += 1 + body[at]


def peek_hello(conn):
    """The ClientHello that waits in the socket, still there to be read; None if it is something else."""
    head = conn.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
    if len(head) < 5 or head[0] != TLS_HANDSHAKE:
        return None
    size = 5 + int.from_bytes(head[3:5], "big")
    record = conn.recv(size, socket.MSG_PEEK | socket.MSG_WAITALL)
    return Hello(record) if len(record) == size and record[5] == CLIENT_HELLO else None


def reset(conn):
    """Closes with RST, as a firewall does."""
    try:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Connection:
    """One client connection."""

    def __init__(self, conn, hello):
        self.conn, self.hello, self.upstream = conn, hello, None

    @property
    def kind(self):
        return "token" if "http/1.1" in self.hello.protocols else "grpc"

    def cut(self):
        for end in (self.conn, self.upstream):
            if end:
                reset(end)


class Front:
    """on_connect(connection) is told of each; serve_token(socket) has those for the token endpoint;
    grpc_address() is where the others go, asked each time."""

    def __init__(self, host, on_connect, serve_token, grpc_address):
        self._on_connect, self._serve_token, self._grpc_address = on_connect, serve_token, grpc_address
        self._changed = threading.Condition()
        self._open = set()
        self._is_stalled = self._is_closed = self._refuses = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    # ---- what a test does to it ----

    def cut(self, kind=None):
        """Resets the open connections, of this kind or all."""
        with self._changed:
            doomed = [c for c in self._open if kind in (None, c.kind)]
        for connection in doomed:
            connection.cut()

    def cut_peer(self, port):
        """Resets the connection that grpcio sees as coming from this port."""
        with self._changed:
            doomed = [c for c in self._open if c.upstream and c.upstream.getsockname()[1] == port]
        for connection in doomed:
            connection.cut()

    def stall(self):
        """From now on not a byte passes; connections are accepted and stay silent."""
        with self._changed:
            self._is_stalled = True

    def resume(self):
        with self._changed:
            self._is_stalled = False
            self._changed.notify_all()

    def refuse(self, refuses=True):
        """Closes new connections at once."""
        self._refuses = refuses

    def open_count(self, kind=None):
        with self._changed:
            return sum(kind in (None, c.kind) for c in self._open)

    def close(self):
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        reset(self._listener)
        self._listener.close()
        self.cut()

    # ---- inside ----

    def _accept(self):
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        if self._refuses:
            reset(conn)
            conn.close()
            return
        connection = None
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            hello = peek_hello(conn)
            if hello is None:
                return
            connection = Connection(conn, hello)
            with self._changed:
                self._open.add(connection)
            self._on_connect(connection)
            if not self._wait_while_stalled():
                return
            if connection.kind == "token":
                self._serve_token(conn)
            else:
                self._pass_through(connection)
        except OSError:
            pass
        finally:
            with self._changed:
                self._open.discard(connection)
            conn.close()

    def _pass_through(self, connection):
        with socket.create_connection(self._grpc_address()) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.upstream = upstream
            back = threading.Thread(target=self._pump, args=(upstream, connection.conn), daemon=True)
            back.start()
            self._pump(connection.conn, upstream)
            back.join()

    def _pump(self, source, target):
        try:
            while self._wait_while_stalled():
                data = source.recv(65536)
                if not data or not self._wait_while_stalled():
                    break
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            reset(source)
            reset(target)

    def _wait_while_stalled(self):
        with self._changed:
            self._changed.wait_for(lambda: not self._is_stalled or self._is_closed)
            return not self._is_closed

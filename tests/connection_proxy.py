"""A stand-in for a connection proxy such as PgBouncer: it passes everything on but refuses start-up options."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PASSED_ON = {b"user", b"database", b"client_encoding", b"DateStyle", b"TimeZone", b"application_name"}
"""The start-up parameters that PgBouncer accepts, of those that our drivers send."""
VERSION_3 = 3 << 16
WITHOUT_ENCRYPTION = b"N"
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


@contextmanager
def connection_proxy(behind: int) -> Iterator[int]:
    """Pass connections on to the PostgreSQL at the port `behind`; yield the proxy's own port on 127.0.0.1."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, behind), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, behind: int) -> None:
    with suppress(OSError):  # the listener is closed
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, behind), daemon=True).start()


def _serve(client: socket.socket, behind: int) -> None:
    with client, suppress(OSError), socket.create_connection(("127.0.0.1", behind)) as server:
        code, packet = _receive(client)
        while code in (SSL_REQUEST, GSS_REQUEST):
            client.sendall(WITHOUT_ENCRYPTION)
            code, packet = _receive(client)
        names = packet[8:].split(b"\0")[::2] if code == VERSION_3 else []  # otherwise it cancels a query
        refused = [name for name in names if name and name not in PASSED_ON]
        if refused:
            fields = b"SFATAL\0C08P01\0Munsupported startup parameter: %s\0\0" % refused[0]
            client.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)
            return
        server.sendall(packet)
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        _pump(client, server)


def _receive(client: socket.socket) -> tuple[int, bytes]:
    """Return a start-up packet and the code in it: the protocol's version, or a request."""
    length = client.recv(4, socket.MSG_WAITALL)
    packet = length + client.recv(struct.unpack("!i", length)[0] - 4, socket.MSG_WAITALL)
    return struct.unpack("!i", packet[4:8])[0], packet


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)

"""A proxy to PostgreSQL that loses the response to a COMMIT: the rows are there, but the client does not know."""

import socket
import threading
from contextlib import suppress

from spark_jobs.database import Database

COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""The server's message CommandComplete after COMMIT."""


class LossyProxy:
    """A TCP proxy on 127.0.0.1 that cuts the first `times` connections that send `words` and commit."""

    def __init__(self, port: int, words: str, times: int = 1) -> None:
        self.behind = port
        self.words = words.encode()
        self.times = times
        self.injected = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def url(self, database: Database) -> str:
        """Return the DATABASE_URL through the proxy, without TLS, since the proxy reads the messages."""
        return f"postgres://{database.user}:{database.password}@127.0.0.1:{self.port}/{database.name}?sslmode=disable"

    def __enter__(self) -> "LossyProxy":
        threading.Thread(target=self._accept, name="lossy proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.behind))
                writes = threading.Event()
                for pump in (self._to_server, self._to_client):
                    threading.Thread(target=pump, args=(client, server, writes), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, writes: threading.Event) -> None:
        with suppress(OSError):
            while chunk := client.recv(65536):
                if self.words in chunk:
                    writes.set()
                server.sendall(chunk)
        _hang_up(client, server)

    def _to_client(self, client: socket.socket, server: socket.socket, writes: threading.Event) -> None:
        with suppress(OSError):
            while chunk := server.recv(65536):
                if writes.is_set() and COMMITTED in chunk and self.injected < self.times:
                    self.injected += 1
                    break
                client.sendall(chunk)
        _hang_up(client, server)


def _hang_up(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

"""Writes a response to clients that may read slowly or not at all."""

import errno
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from webapp import limits


class ClientSocket(socket.socket):
    """A client's socket that never blocks, but for `sendall`, which has deadlines and calls `on_slow` before a long wait."""

    def __init__(self, accepted: socket.socket, on_slow: Callable[[], None]) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        super().setblocking(False)
        self.on_slow = on_slow
        self.slow = False

    def setblocking(self, flag: bool) -> None:
        """Ignore gunicorn, which makes a socket block while a thread has it."""

    def settimeout(self, value: float | None) -> None:
        """Ignore gunicorn here, too."""

    def start_response(self) -> None:
        self.waited, self.ends = 0.0, time.monotonic() + limits.RESPONSE_DEADLINE

    def sendall(self, data: Any, flags: int = 0) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.send(rest, flags) :]
            except BlockingIOError:
                self.wait_for_reader()

    def wait_for_reader(self) -> None:
        """Wait until the client has read something; ConnectionResetError if that takes too long."""
        began = time.monotonic()
        writable = select.poll()
        writable.register(self, select.POLLOUT)
        seconds = limits.STALL_DEADLINE if self.slow else max(0, limits.PATIENCE - self.waited)
        has_read = writable.poll(1000 * seconds)
        now = time.monotonic()
        self.waited += now - began
        if now > self.ends or (self.slow and not has_read):
            raise ConnectionResetError(errno.ECONNRESET, "the client reads too slowly")
        if self.waited >= limits.PATIENCE and not self.slow:
            self.on_slow()
            self.slow = True

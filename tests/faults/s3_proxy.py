"""An S3 endpoint that forwards requests to a real one and fails some or all of them, as S3 does at times."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from urllib.parse import urlsplit

HOP_BY_HOP = ("connection", "expect", "transfer-encoding", "keep-alive")


class BadS3(ThreadingHTTPServer):
    """The proxy, on a free port of 127.0.0.1 for the length of a `with` block."""

    daemon_threads = True

    def __init__(self, behind: str, faults: Iterable[str], strikes: Callable[[str, str], bool]) -> None:
        """`strikes(method, path)` returns whether a request fails; `faults` are of FAULTS, and used in turn."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(behind).netloc
        self.faults = cycle(FAULTS[each] for each in faults)
        self.strikes = strikes
        self.injected = 0
        self.is_ending = threading.Event()
        self._counting = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "BadS3":
        threading.Thread(target=self.serve_forever, args=(0.05,), name="bad S3").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_ending.set()
        self.shutdown()
        self.server_close()

    def fault_of(self, method: str, path: str) -> "Callable[[_Handler], None] | None":
        """Decide whether and how one request fails, and count it."""
        with self._counting:
            if not self.strikes(method, path):
                return None
            self.injected += 1
            return next(self.faults)

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect, as a killed job does."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BadS3

    def answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault_of(self.command, self.path)
        if fault:
            fault(self)
        else:
            self.pass_on()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def pass_on(self) -> None:
        connection = http.client.HTTPConnection(self.server.behind, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection.request(self.command, self.path, self.body, headers)
        response = connection.getresponse()
        answer = response.read()
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in (*HOP_BY_HOP, "content-length"):
                self.send_header(name, value)
        length = response.getheader("Content-Length") if self.command == "HEAD" else str(len(answer))
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(answer)
        connection.close()

    def refuse(self, status: int, code: str) -> None:
        """Answer with one of S3's error documents."""
        document = (
            b"" if self.command == "HEAD" else f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        )
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)

    def reset(self) -> None:
        """Cut the connection so that the client's TCP says "connection reset by peer"."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.close()
        self.close_connection = True

    def wait(self) -> None:
        """Answer late, so that the stage that reads lasts a few seconds on any machine."""
        self.server.is_ending.wait(2)
        self.pass_on()

    def stall(self) -> None:
        """Say nothing until the client has given up, or the test is over."""
        self.server.is_ending.wait(300)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep no log."""


FAULTS: dict[str, Callable[[_Handler], None]] = {
    "500": lambda request: request.refuse(500, "InternalError"),
    "503 Slow Down": lambda request: request.refuse(503, "SlowDown"),
    "reset": _Handler.reset,
    "stall": _Handler.stall,
    "wait": _Handler.wait,
}

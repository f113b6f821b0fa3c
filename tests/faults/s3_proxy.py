"""An S3 endpoint that passes requests on to a real one, and can answer some or all of them as a bad S3 does."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = ("connection", "expect", "transfer-encoding", "keep-alive")


class BadS3(ThreadingHTTPServer):
    """The proxy, on a free port of 127.0.0.1 while its `with` block lasts; what it does to requests is `fault`."""

    daemon_threads = True

    def __init__(self, behind: str, fault: str, strikes: Callable[[str, str], bool]) -> None:
        """`strikes(method, path)` tells whether a request meets the fault, one of FAULTS."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(behind).netloc
        self.fault = FAULTS[fault]
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

    def meets_fault(self, method: str, path: str) -> bool:
        """Decide on one request, and count."""
        with self._counting:
            strikes = self.strikes(method, path)
            self.injected += strikes
            return strikes

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up; a job that is killed does."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BadS3

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.meets_fault(self.command, self.path):
            self.server.fault(self)
        else:
            self.pass_on(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def pass_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.server.behind, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection.request(self.command, self.path, body, headers)
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
}

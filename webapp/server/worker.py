"""gunicorn's threaded worker, for clients that are slow or hostile.

gunicorn reads requests and writes responses in its threads, without deadlines, so that eight slow clients occupy all eight.
Here the event loop collects each request, and a thread gets it when it is complete. A thread that waits for a slow reader
gives its place to another one.
"""

import errno
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from threading import Semaphore
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from webapp import limits
from webapp.server.client_socket import ClientSocket
from webapp.server.collector import Collector
from webapp.server.errors import RequestTimeout, problem_response, status_of
from webapp.server.threads import Threads


class PatientWorker(ThreadWorker):
    """Collects requests in the event loop, and runs at most `threads` that do not wait for a slow reader."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.complete: deque[TConn] = deque()  # requests without a thread
        self.closing: deque[TConn] = deque()  # connections to drain
        self.working = 0
        self.slow_readers = Semaphore(limits.MAX_SLOW_READERS)

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if cfg.is_ssl:
            sys.exit("This server speaks plain HTTP only; let a proxy in front of it terminate TLS.")

    def get_thread_pool(self) -> Threads:
        return Threads(self.cfg.threads)

    def accept(self, listener: Any) -> None:
        """Accept a connection and wait for a request, up to a millisecond later the more connections there already are.

        Without the delay, one worker may accept all keep-alive connections of a load balancer while another is idle.
        """
        if self.cfg.workers > 1:
            time.sleep(min(self.nr_conns, 10) / 10_000)
        try:
            accepted, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        client = ClientSocket(accepted, self.give_up_place)
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.parser, conn.initialized = Collector(self.cfg, address), True
        conn.set_timeout()
        self.keepalived_conns.append(conn)  # until its first byte, it is as idle as a kept-alive one
        self.poller.register(client, EVENT_READ, partial(self.on_client_socket_readable, conn))
        self.nr_conns += 1

    def on_client_socket_readable(self, conn: TConn, client: Any) -> None:
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.start_request(conn, self.collect(conn))

    def start_request(self, conn: TConn, next_step: Callable[[TConn], None] | None) -> None:
        """Take the next step, or wait for the rest of the request."""
        if next_step:
            next_step(conn)
        else:
            conn.timeout = time.monotonic() + limits.REQUEST_DEADLINE
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: TConn, client: Any) -> None:
        if next_step := self.collect(conn):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            next_step(conn)

    def collect(self, conn: TConn) -> Callable[[TConn], None] | None:
        """Receive some of a request; return what to do with the connection next, or None while there is more to come."""
        try:
            data = conn.sock.recv(64 * 1024)
        except BlockingIOError:
            return None
        except OSError:
            return self.drop
        return self.parse(conn, data) if data else self.drop

    def parse(self, conn: TConn, data: bytes) -> Callable[[TConn], None] | None:
        try:
            if conn.parser.receive(data):
                return self.enqueue_req
            if conn.parser.must_continue():
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        except Exception as error:
            return partial(self.refuse, error)
        return None

    def enqueue_req(self, conn: TConn) -> None:
        self.complete.append(conn)
        self.start_complete()

    def start_complete(self) -> None:
        """Give complete requests to threads, as long as there are places."""
        while self.complete and self.working < self.cfg.threads:
            self.working += 1
            super().enqueue_req(self.complete.popleft())

    def handle_request(self, req: Any, conn: TConn) -> Any:
        conn.sock.start_response()
        return super().handle_request(req, conn)

    def give_up_place(self) -> None:
        """Let another thread work while this one waits for a slow reader."""
        if not self.slow_readers.acquire(blocking=False):
            raise ConnectionResetError(errno.ECONNRESET, "too many slow readers")
        self.method_queue.defer(self.free_place)

    def free_place(self) -> None:
        self.working -= 1
        self.tpool.size += 1
        self.start_complete()

    def finish_request(self, conn: TConn, future: "Future[Any]") -> None:
        if conn.sock.slow:
            conn.sock.slow = False
            self.slow_readers.release()
            self.tpool.size -= 1
        else:
            self.working -= 1
        if future.cancelled() or future.exception() or not future.result():
            self.drain(conn)
        elif conn.parser.received:
            self.start_request(conn, self.parse(conn, b""))
        else:
            super().finish_request(conn, future)
        self.start_complete()

    def drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def refuse(self, error: Exception, conn: TConn) -> None:
        self.handle_error(conn.parser.request, conn.sock, conn.client, error)
        self.drain(conn)

    def drain(self, conn: TConn) -> None:
        """Close a connection, but read on for a moment: a client that still sends could lose the response otherwise.

        gunicorn waits for that in the event loop, up to two seconds for each connection.
        """
        self.nr_conns -= 1
        if conn.sock.fileno() < 0:  # gunicorn has closed it
            return
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        conn.timeout, conn.may_send = time.monotonic() + limits.LINGER, limits.DRAINED
        self.closing.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_closing_readable, conn))

    def on_closing_readable(self, conn: TConn, client: Any) -> None:
        with suppress(OSError):
            received = len(client.recv(64 * 1024))
            conn.may_send -= received
            if received and conn.may_send > 0:
                return
        self.poller.unregister(client)
        self.closing.remove(conn)
        conn.close()

    def murder_pending(self) -> None:
        """Enforce the deadlines, and drop the oldest unfinished or idle connections where there are too many."""
        now = time.monotonic()
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            self.refuse(RequestTimeout(), self.stop_waiting(self.pending_conns))
        while self.closing and (self.closing[0].timeout <= now or len(self.closing) > limits.MAX_CLOSING):
            self.stop_waiting(self.closing).close()
        while self.nr_conns >= self.worker_connections and (self.pending_conns or self.keepalived_conns):
            self.drop(self.stop_waiting(self.pending_conns or self.keepalived_conns))

    def stop_waiting(self, connections: deque[TConn]) -> TConn:
        """Take the first of the connections, which no longer waits for its client."""
        self.poller.unregister(connections[0].sock)
        return connections.popleft()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Send a problem document instead of gunicorn's HTML."""
        status = status_of(exc)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log.error("Failed to handle a request", exc_info=exc)
        else:
            self.log.warning("Refused a request from %s with %d: %.200s", addr[0] if addr else "a socket", status, exc)
        with suppress(OSError):
            client.send(problem_response(exc, req))

"""Collects a request from what arrives of it."""

import re
from typing import Any

from gunicorn.http import errors
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import IterUnreader

from webapp import limits
from webapp.server.errors import BodyTooLarge

CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


class Collector(RequestParser):
    """gunicorn's parser, fed by the event loop: it parses only what has arrived, and never reads from a socket."""

    def __init__(self, cfg: Any, client: Any) -> None:
        super().__init__(cfg, (), client)
        self.received = bytearray()
        self.request: Any = None
        self.searched = self.next_chunk = self.chunked_bytes = 0

    def receive(self, data: bytes) -> bool:
        """Add what arrived; return whether a request is complete and `next` will return it."""
        self.received += data
        if self.request is None:
            end = self.received.find(b"\r\n\r\n", self.searched)
            self.check_head(end)
            if end < 0:
                self.searched = max(0, len(self.received) - 3)
                return False
            self.searched = 0
            self.hand_over(end + 4)
            self.request = super().__next__()
        reader = self.request.body.reader
        if isinstance(reader, ChunkedReader):
            return self.last_chunk_arrived() and self.replace_chunks()
        if reader.length > limits.MAX_BYTES:
            raise BodyTooLarge
        return len(self.received) >= reader.length and self.hand_over(reader.length)

    def check_head(self, end: int) -> None:
        """Enforce the limits that gunicorn lacks: of a request line above 8 KB, and of the whole head."""
        size = len(self.received) if end < 0 else end
        if size > limits.MAX_REQUEST_LINE and self.received.find(b"\r\n", 0, limits.MAX_REQUEST_LINE + 2) < 0:
            raise errors.LimitRequestLine(size, limits.MAX_REQUEST_LINE)
        if size > limits.MAX_HEAD_BYTES:
            raise errors.LimitRequestHeaders(f"more than {limits.MAX_HEAD_BYTES} bytes")

    def hand_over(self, size: int) -> bool:
        """Let gunicorn's parser have the first bytes of what arrived."""
        self.unreader.unread(bytes(self.received[:size]))
        del self.received[:size]
        return True

    def last_chunk_arrived(self) -> bool:
        """Look for the last chunk, from where the last look ended; gunicorn's parser checks and decodes them later."""
        while size_line := CHUNK_SIZE.match(self.received, self.next_chunk):
            size = int(size_line[1], 16)
            if size == 0:
                if self.received.find(b"\r\n\r\n", size_line.end() - 2) >= 0:
                    return True
                break
            self.chunked_bytes += size
            self.next_chunk = size_line.end() + size + len(b"\r\n")
            if self.chunked_bytes > limits.MAX_BYTES:
                raise BodyTooLarge
        if len(self.received) > limits.MAX_CHUNKED_BYTES:
            raise BodyTooLarge
        if len(self.received) - self.next_chunk > limits.MAX_CHUNK_LINE:
            raise errors.InvalidChunkSize(b"no end of line")
        return size_line is None and self.received.find(b"\r\n", self.next_chunk) >= 0  # malformed: gunicorn refuses it

    def replace_chunks(self) -> bool:
        """Give a chunked request a length, because Django takes a body without one for empty."""
        self.hand_over(len(self.received))
        body = self.request.body.read()
        self.received += self.unreader.take_buffered()  # the next request
        self.request.body = Body(LengthReader(IterUnreader([body]), len(body)))
        headers = [(name, value) for name, value in self.request.headers if name != "TRANSFER-ENCODING"]
        self.request.headers = [*headers, ("CONTENT-LENGTH", str(len(body)))]
        self.next_chunk = self.chunked_bytes = 0
        return True

    def must_continue(self) -> bool:
        """Return, once, whether the client sends the body only after `100 Continue`."""
        if self.request is None or not self.request._expected_100_continue:
            return False
        self.request._expected_100_continue = False
        return True

    def __next__(self) -> Any:
        request, self.request = self.request, None
        return request

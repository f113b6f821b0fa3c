"""The renderers of snapshots, which stream."""

import csv
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from webapp.lists.snapshots import Snapshot
from webapp.rankings.models import RANKINGS

BYTES_PER_CHUNK = 64 * 1024
GZIP = 16 + zlib.MAX_WBITS

SCORES = list(dict.fromkeys(name for ranking in RANKINGS.values() for name in (*ranking.scores, *ranking.derived)))
COLUMNS = ["date", "run", "advertiser_id", "model", "rank", "product_id", *SCORES]


class StreamingRenderer(BaseRenderer):
    """Renders a snapshot while it is read, and compresses it if `encoding` is gzip."""

    encoding = "identity"  # or gzip, as the client accepts
    summary: str

    def stream(self, snapshot: Snapshot) -> StreamingHttpResponse:
        chunks = chunk(self.lines(snapshot), compress=self.encoding == "gzip")
        response = StreamingHttpResponse(chunks, content_type=f"{self.media_type}; charset=utf-8")
        if self.encoding != "identity":
            response["Content-Encoding"] = self.encoding
        return response

    def lines(self, snapshot: Snapshot) -> Iterator[bytes]:
        raise NotImplementedError


class NdjsonRenderer(StreamingRenderer):
    """One JSON object per list: what /recommendations returns, except for its freshness."""

    media_type = "application/x-ndjson"
    format = "ndjson"
    summary = "one JSON object per list and line"

    def lines(self, snapshot: Snapshot) -> Iterator[bytes]:
        window_members = snapshot.window_members
        for advertiser_id, model, items in snapshot.lists:
            line = {
                "advertiser_id": advertiser_id,
                "model": model,
                "date": str(snapshot.run.day),
                "run": snapshot.run.pk,
                **window_members,
                "items": [item.as_item() for item in items],
            }
            yield json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class CsvRenderer(StreamingRenderer):
    """A header, then one row per product. Other models' scores are empty; absent days are separated by spaces."""

    media_type = "text/csv"
    format = "csv"
    summary = "one row per product"

    def lines(self, snapshot: Snapshot) -> Iterator[bytes]:
        run, window_members = snapshot.run, snapshot.window_members
        last = [" ".join(value) if isinstance(value, list) else value for value in window_members.values()]
        yield csv_rows([[*COLUMNS, *window_members]])
        for advertiser_id, model, items in snapshot.lists:
            first = [run.day, run.pk, advertiser_id, model]
            rows = (
                [*first, item.rank, item.product_id, *(getattr(item, score, "") for score in SCORES), *last]
                for item in items
            )
            yield csv_rows(rows)


def csv_rows(rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def chunk(lines: Iterable[bytes], compress: bool) -> Iterator[bytes]:
    """The lines in chunks, gzipped if requested. A stream that breaks off lacks gzip's trailer, so clients notice."""
    compressor = zlib.compressobj(level=6, wbits=GZIP) if compress else None
    pending = bytearray()
    for line in lines:
        pending += compressor.compress(line) if compressor else line
        if len(pending) >= BYTES_PER_CHUNK:
            yield bytes(pending)
            pending.clear()
    yield bytes(pending + compressor.flush()) if compressor else bytes(pending)

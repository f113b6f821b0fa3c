"""A whole day's lists as one stream, compressed as it goes: for an ad server that loads all of them beforehand.

Rows come through a cursor on the server, a list is written when its last row was read, and zlib holds some hundred
kilobytes, so that memory does not grow with the day.
"""

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby
from typing import Any

from webapp.keys.models import ApiKey
from webapp.rankings.lists import Source, find_run, numbered, shown
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
from webapp.rankings.problems import NoRecommendations

ROWS_AT_ONCE = 2000  # of the cursor
BYTES_AT_ONCE = 64 * 1024  # of the answer
GZIP = 16 + zlib.MAX_WBITS

SCORES = list(dict.fromkeys(name for ranking in RANKINGS.values() for name in (*ranking.scores, *ranking.derived)))
COLUMNS = ["date", "run", "advertiser_id", "model", "rank", "product_id", *SCORES]

List = tuple[str, str, list[Ranking]]  # advertiser, model, items best first


@dataclass(frozen=True)
class SnapshotSource(Source):
    run: Run
    models: list[str]


def find_snapshot(day: date, model: str | None) -> SnapshotSource:
    run = find_run(day)
    return SnapshotSource([run], None, run, [model] if model else list(RANKINGS))


def snapshot(source: SnapshotSource, key: ApiKey | None) -> Iterator[List]:
    """The run's lists that the key reads, of advertisers who are active now; NoRecommendations if there is none."""
    readers = Advertiser.objects.visible_to(key).active()
    lists = chain.from_iterable(lists_of(model, source.run, readers) for model in source.models)
    first = next(lists, None)
    if first is None:
        raise NoRecommendations(f"No active advertiser has a list of {source.run.day}.")
    return chain([first], lists)


def lists_of(model: str, run: Run, advertisers: Any) -> Iterator[List]:
    rows = shown(RANKINGS[model].objects.of(run).filter(advertiser__in=advertisers)).order_by("advertiser_id", "rank")
    by_advertiser = groupby(rows.iterator(chunk_size=ROWS_AT_ONCE), key=lambda row: row.advertiser_id)
    return ((advertiser_id, model, numbered(items)) for advertiser_id, items in by_advertiser)


def as_ndjson(lists: Iterable[List], run: Run) -> Iterator[bytes]:
    """A line a list: what /recommendations says of it, but for how fresh it is."""
    for advertiser_id, model, items in lists:
        line = {
            "advertiser_id": advertiser_id,
            "model": model,
            "date": str(run.day),
            "run": run.pk,
            "items": [item.as_item() for item in items],
        }
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def as_csv(lists: Iterable[List], run: Run) -> Iterator[bytes]:
    """A row a product, after a header; the scores of other models are empty."""
    yield csv_rows([COLUMNS])
    for advertiser_id, model, items in lists:
        yield csv_rows(
            [run.day, run.pk, advertiser_id, model, item.rank, item.product_id]
            + [getattr(item, score, "") for score in SCORES]
            for item in items
        )


def csv_rows(rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


FORMATS: dict[str, Callable[[Iterable[List], Run], Iterator[bytes]]] = {"ndjson": as_ndjson, "csv": as_csv}


def in_pieces(lines: Iterable[bytes], compressed: bool) -> Iterator[bytes]:
    """The lines in pieces of some size, gzipped if so wished. A stream that breaks off lacks gzip's last bytes."""
    packer = zlib.compressobj(level=6, wbits=GZIP) if compressed else None
    piece = bytearray()
    for line in lines:
        piece += packer.compress(line) if packer else line
        if len(piece) >= BYTES_AT_ONCE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece + packer.flush()) if packer else bytes(piece)

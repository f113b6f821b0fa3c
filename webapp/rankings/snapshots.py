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
from webapp.rankings.lists import Source, absent_days, check_window, find_run, models_over, numbered, rows_of, shown
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
    window: int = 1

    @property
    def of_window(self) -> dict[str, Any]:
        """What is said of the window with each list; of a day's own lists nothing."""
        if self.window == 1:
            return {}
        return {"window": self.window, "absent_days": [str(day) for day in absent_days(self.run, self.window)]}


def find_snapshot(day: date, model: str | None, window: int = 1) -> SnapshotSource:
    if model:
        check_window(model, window)
    run = find_run(day)
    return SnapshotSource([run], None, run, [model] if model else models_over(window), window)


def snapshot(source: SnapshotSource, key: ApiKey | None) -> Iterator[List]:
    """The run's lists that the key reads, of advertisers who are active now; NoRecommendations if there is none."""
    readers = Advertiser.objects.visible_to(key).active()
    lists = chain.from_iterable(lists_of(model, source, readers) for model in source.models)
    first = next(lists, None)
    if first is None:
        raise NoRecommendations(f"No active advertiser has a list of {source.run.day}.")
    return chain([first], lists)


def lists_of(model: str, source: SnapshotSource, advertisers: Any) -> Iterator[List]:
    rows = rows_of(model, source.window).of(source.run).filter(advertiser__in=advertisers)
    rows = shown(rows).order_by("advertiser_id", "rank")
    by_advertiser = groupby(rows.iterator(chunk_size=ROWS_AT_ONCE), key=lambda row: row.advertiser_id)
    return ((advertiser_id, model, numbered(items)) for advertiser_id, items in by_advertiser)


def as_ndjson(lists: Iterable[List], source: SnapshotSource) -> Iterator[bytes]:
    """A line a list: what /recommendations says of it, but for how fresh it is."""
    of_window = source.of_window
    for advertiser_id, model, items in lists:
        line = {
            "advertiser_id": advertiser_id,
            "model": model,
            "date": str(source.run.day),
            "run": source.run.pk,
            **of_window,
            "items": [item.as_item() for item in items],
        }
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def as_csv(lists: Iterable[List], source: SnapshotSource) -> Iterator[bytes]:
    """A row a product, after a header; the scores of other models are empty. Absent days have spaces between them."""
    run, of_window = source.run, source.of_window
    last = [" ".join(value) if isinstance(value, list) else value for value in of_window.values()]
    yield csv_rows([[*COLUMNS, *of_window]])
    for advertiser_id, model, items in lists:
        yield csv_rows(
            [run.day, run.pk, advertiser_id, model, item.rank, item.product_id]
            + [getattr(item, score, "") for score in SCORES]
            + last
            for item in items
        )


def csv_rows(rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


FORMATS: dict[str, Callable[[Iterable[List], SnapshotSource], Iterator[bytes]]] = {"ndjson": as_ndjson, "csv": as_csv}


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

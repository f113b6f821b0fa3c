"""The log that a person reads at 7 a.m.: a line a stage."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("nightly")


@contextmanager
def stage(name: str) -> Iterator[list[int]]:
    """Log a stage in one line: its name, the rows that the caller puts into the list, its seconds."""
    rows: list[int] = []
    began = time.monotonic()
    yield rows
    log.info("%s: %s%.1f s", name, "".join(f"{count:,} rows, " for count in rows), time.monotonic() - began)

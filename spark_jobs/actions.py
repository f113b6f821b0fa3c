"""Spark actions that share a frame, or run at once."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from pyspark.sql import DataFrame


@contextmanager
def cached(frame: DataFrame) -> Iterator[DataFrame]:
    """Keep a frame in memory and on disk while the block lasts, from its first use on."""
    try:
        yield frame.persist()
    finally:
        frame.unpersist()


def run_concurrently(calls: Sequence[Callable[[], Any]]) -> None:
    """Make all calls at once and wait for them; raise the first exception as soon as it happens.

    While one Spark action waits for I/O, another uses the cores.
    """
    pool = ThreadPoolExecutor(len(calls))
    try:
        for called in as_completed([pool.submit(call) for call in calls]):
            called.result()
    finally:
        pool.shutdown(wait=False)  # after a failure or a signal, do not wait for the Spark actions still running

"""Several things at once: what one of them waits for, another works meanwhile."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any


def side_by_side(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what the calls return, all of them made at once; the first that fails is the failure of all."""
    pool = ThreadPoolExecutor(len(calls))
    try:
        called = [pool.submit(call) for call in calls]
        for each in as_completed(called):
            each.result()
        return [each.result() for each in called]
    finally:
        pool.shutdown(wait=False)  # told to stop, nobody waits for what Spark is at

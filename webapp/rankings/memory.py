"""What a process remembers between requests, the least recently asked for forgotten first.

Only what follows from its key for good: the rows of a run never change once it was published, and an ETag stands for one
answer. So nothing here ever has to be made invalid, and processes need not tell one another.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any

from cachetools import LRUCache, cached

ANSWERS: LRUCache[str, bytes] = LRUCache(maxsize=64 * 2**20, getsizeof=len)  # bytes
FIGURES: LRUCache[Any, Any] = LRUCache(maxsize=200)  # of runs; a few kilobytes each, the charts of a month 60


@cached(ANSWERS, key=lambda etag, make: etag, lock=Lock())
def kept_answer(etag: str, make: Callable[[], bytes]) -> bytes:
    """The answer with that tag; made if it is not, or no longer, remembered."""
    return make()


@cached(FIGURES, key=lambda what, make: what, lock=Lock())
def kept_figures(what: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """The figures of that name and those runs; made if they are not, or no longer, remembered."""
    return make()


def forget() -> None:
    ANSWERS.clear()
    FIGURES.clear()

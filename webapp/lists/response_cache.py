"""What each process caches between requests, least recently used dropped first.

Nothing is ever invalidated, so processes need not coordinate: an ETag identifies one response for good, and the rows of a
published run never change.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any

from cachetools import LRUCache, cached

RESPONSES: LRUCache[str, bytes] = LRUCache(maxsize=64 * 2**20, getsizeof=len)  # bytes
FIGURES: LRUCache[Any, Any] = LRUCache(maxsize=200)  # a few kilobytes each; 60 for the charts of a month


@cached(RESPONSES, key=lambda etag, render: etag, lock=Lock())
def cached_response(etag: str, render: Callable[[], bytes]) -> bytes:
    """The response body with that ETag, rendered if it is not cached."""
    return render()


@cached(FIGURES, key=lambda key, compute: key, lock=Lock())
def cached_figures(key: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
    """The figures under the key, which names them and their runs; computed if they are not cached."""
    return compute()


def clear() -> None:
    RESPONSES.clear()
    FIGURES.clear()

"""A client that reads lists without a pause, and remembers every response that is not one complete list."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import cycle
from typing import Any

from django.db import DatabaseError, connections

from tests.faults.editions import ADVERTISERS, WINDOWS, Edition
from webapp.lists import recommendations as lists
from webapp.lists.inputs import Lookup, load_inputs
from webapp.problems import Problem
from webapp.rankings.models import RANKINGS, WINDOWED

List = tuple[str, int, str]
"""A model, a window in days and an advertiser."""


class NoAnswer(Exception):
    """The service is down and says so: no list, but no wrong one."""


class Reader:
    """Reads every 10 ms one advertiser's list, then all lists at once, until it is stopped.

    `editions` are the only valid states of the day.
    """

    def __init__(
        self, editions: Iterable[Edition], read_list: Callable[[List], list[str]], settings: Any = None
    ) -> None:
        """`read_list` returns the products of a list; `settings` name a database other than Django's own."""
        self.editions = list(editions)
        self.read_list = read_list
        self.settings = settings
        self.reads: Counter[str] = Counter()
        self.wrong: list[object] = []
        self.saw: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader")

    def start(self) -> "Reader":
        """Start, and return once the first list is read."""
        self._thread.start()
        while not self.saw and not self.wrong and self._thread.is_alive():
            self._stop.wait(0.01)
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def read_on(self, times: int = 20) -> None:
        """Wait for so many more responses, so that the last one shows the current state."""
        enough = self.reads["answered"] + times
        while self.reads["answered"] < enough and self._thread.is_alive():
            self._stop.wait(0.01)

    def _read(self) -> None:
        if self.settings:
            connections["default"] = type(connections["default"])(self.settings)
        try:
            for which in cycle(
                (model, window, advertiser)
                for model, windows in WINDOWS.items()
                for window in windows
                for advertiser in ADVERTISERS
            ):
                self._look_at(which)
                if self._stop.wait(0.01):
                    break
        except Exception as error:  # a reader that has stopped proves nothing
            self.wrong.append(error)
        finally:
            connections["default"].close()

    def _look_at(self, which: List) -> None:
        try:
            self._note({e.products[:20]: e.name for e in self.editions}, tuple(self.read_list(which)))
            self._note({e.rows: e.name for e in self.editions}, all_lists())
        except Problem as problem:
            self.wrong.append(problem)
        except (NoAnswer, DatabaseError):
            self.reads["no answer"] += 1
            with suppress(DatabaseError):
                connections["default"].close()

    def _note(self, editions: dict[Any, str], answer: Any) -> None:
        self.reads["answered"] += 1
        name = editions.get(answer)
        if name is None:
            self.wrong.append(answer)
        elif self.saw[-1:] != [name]:
            self.saw.append(name)


def by_queryset(which: List) -> list[str]:
    """Read a list as the API does."""
    model, window, advertiser = which
    selection = lists.select_list(load_inputs(Lookup(advertiser)), model, window)
    return [row.product_id for row in lists.load_recommendations(selection, limit=20).items]


def all_lists() -> frozenset[tuple[str, int, str, int, str]]:
    """Return all published rows in one snapshot: (model, window, advertiser, rank, product)."""
    tables = [(name, "1", ranking) for name, ranking in RANKINGS.items()]
    tables += [(name, "days", ranking) for name, ranking in WINDOWED.items()]
    one_statement = " union all ".join(
        f"select '{name}', {window}, advertiser_id, rank, product_id from {ranking._meta.db_table}"
        " join run on run.id = run_id where state = 'published'"
        for name, window, ranking in tables
    )
    with connections["default"].cursor() as cursor:
        cursor.execute(one_statement)
        return frozenset(cursor.fetchall())

"""A reader who never stops asking, and remembers every answer that was not one whole list."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import cycle, product
from typing import Any

from django.db import DatabaseError, connections

from tests.faults.editions import ADVERTISERS, MODELS, WINDOWS, Edition
from webapp.rankings import lists
from webapp.rankings.models import RANKINGS, WINDOWED
from webapp.rankings.problems import Problem

List = tuple[str, int, str]
"""A model, a window in days and an advertiser."""


class NoAnswer(Exception):
    """The service is down and says so: no list, and no wrong one."""


class Reader:
    """Asks every 10 ms for one advertiser's list, then for all lists at once, until it is stopped.

    `editions` are the only states of the day that may ever be seen.
    """

    def __init__(self, editions: Iterable[Edition], ask: Callable[[List], list[str]], settings: Any = None) -> None:
        """`ask` returns the products of a list; `settings` are those of another database than Django's own."""
        self.editions = list(editions)
        self.ask = ask
        self.settings = settings
        self.reads: Counter[str] = Counter()
        self.wrong: list[object] = []
        self.saw: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader")

    def start(self) -> "Reader":
        """Start, and return once the first list was seen."""
        self._thread.start()
        while not self.saw and not self.wrong and self._thread.is_alive():
            self._stop.wait(0.01)
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def read_on(self, times: int = 20) -> None:
        """Let that many more answers come, so that what was seen last is what is there now."""
        enough = self.reads["answered"] + times
        while self.reads["answered"] < enough and self._thread.is_alive():
            self._stop.wait(0.01)

    def _read(self) -> None:
        if self.settings:
            connections["default"] = type(connections["default"])(self.settings)
        try:
            for which in cycle(product(MODELS, WINDOWS, ADVERTISERS)):
                self._look_at(which)
                if self._stop.wait(0.01):
                    break
        except Exception as error:  # a reader who is gone has seen nothing wrong, and proved nothing
            self.wrong.append(error)
        finally:
            connections["default"].close()

    def _look_at(self, which: List) -> None:
        try:
            self._note({e.products[:20]: e.name for e in self.editions}, tuple(self.ask(which)))
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
    """Ask as the API's view does."""
    model, window, advertiser = which
    source = lists.find_list(advertiser, model, day=None, key=None, window=window)
    return [row.product_id for row in lists.recommendations(source, limit=20).items]


def all_lists() -> frozenset[tuple[str, int, str, int, str]]:
    """Return all published rows at one moment: (model, window, advertiser, rank, product)."""
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

"""Another session in the job's database: it holds locks, and sees who waits for them."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from spark_jobs.settings import Database
from tests.processes import Job


class Session:
    """A connection of the test's own, each statement its own transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connection = psycopg2.connect(**database.libpq_parameters)
        self.connection.autocommit = True

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows, if it has some."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def tells(self, question: str) -> bool:
        """Return the answer to a query of one truth value."""
        [(answer,)] = self.ask(question)
        return answer

    def close(self) -> None:
        self.connection.close()

    def reconnect(self) -> None:
        """Come back after the server was away."""
        self.close()
        self.__init__(self.database)  # type: ignore[misc]

    def wait_until(self, question: str, job: Job | None = None) -> None:
        """Ask until the answer is yes; AssertionError where the job ends before it, or after five minutes."""
        wait_until(lambda: self.tells(question), question, job)

    def cut_off(self, query: str) -> int:
        """End the sessions whose statement begins like this, as an administrator may; return how many."""
        return len(self.ask("select pg_terminate_backend(pid) from pg_stat_activity where query ilike %s", f"{query}%"))

    @contextmanager
    def holding(self, locks: str | None) -> Iterator[None]:
        """Be somebody else's transaction that executed `locks` and keeps what it locked until the block ends."""
        if locks is None:
            yield
            return
        with closing(psycopg2.connect(**self.database.libpq_parameters)) as other:
            other.cursor().execute(locks)
            yield


def wait_until(condition: Callable[[], bool], what: str, job: Job | None = None) -> None:
    """Ask every 5 ms until the answer is yes; AssertionError where the job ends before it, or after five minutes."""
    patience = time.monotonic() + 300
    while not condition():
        assert job is None or job.is_running(), f"the job ended before: {what}\n{job.wait().said}"
        assert time.monotonic() < patience, f"it never came to: {what}"
        time.sleep(0.005)

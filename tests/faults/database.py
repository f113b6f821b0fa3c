"""Another session in the job's database, to hold locks and to see who waits for them."""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from spark_jobs.database import Database
from tests.processes import Job


class Session:
    """A connection of the test; each statement is its own transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connection = psycopg2.connect(**database.libpq_parameters)
        self.connection.autocommit = True

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows, if any."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def tells(self, question: str) -> bool:
        """Return the result of a query for one boolean."""
        [(answer,)] = self.query(question)
        return answer

    def copy_out(self, tables: Sequence[str]) -> dict[str, str]:
        """Return the rows of the tables, to copy them in again."""
        rows = {}
        with self.connection.cursor() as cursor:
            for table in tables:
                cursor.copy_expert(f"copy {table} to stdout", text := io.StringIO())
                rows[table] = text.getvalue()
        return rows

    def copy_in(self, rows: dict[str, str]) -> None:
        """Insert rows that copy_out returned, in its order. Their ids are not used again: sequences only go up."""
        with self.connection.cursor() as cursor:
            for table, text in rows.items():
                cursor.copy_expert(f"copy {table} from stdin", io.StringIO(text))

    def close(self) -> None:
        self.connection.close()

    def reconnect(self) -> None:
        """Connect again after the server was down."""
        self.close()
        self.__init__(self.database)  # type: ignore[misc]

    def wait_until(self, question: str, job: Job | None = None) -> None:
        """Query until the result is true; AssertionError if the job ends first, or after five minutes."""
        wait_until(lambda: self.tells(question), question, job)

    def cut_off(self, query: str) -> int:
        """End the sessions whose statement begins with `query`; return how many."""
        return len(
            self.query("select pg_terminate_backend(pid) from pg_stat_activity where query ilike %s", f"{query}%")
        )

    @contextmanager
    def holding(self, locks: str | None) -> Iterator[None]:
        """Hold locks in another transaction: execute `locks`, and end the transaction with the block."""
        if locks is None:
            yield
            return
        with closing(psycopg2.connect(**self.database.libpq_parameters)) as other:
            other.cursor().execute(locks)
            yield


def wait_until(condition: Callable[[], bool], what: str, job: Job | None = None) -> None:
    """Check every 5 ms until the condition holds; AssertionError if the job ends first, or after five minutes."""
    patience = time.monotonic() + 300
    while not condition():
        assert job is None or job.is_running(), f"the job ended before: {what}\n{job.wait().output}"
        assert time.monotonic() < patience, f"timed out: {what}"
        time.sleep(0.005)

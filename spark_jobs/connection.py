"""A connection to PostgreSQL that gives up in time, hears signals while it waits, and commits all or nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2

from spark_jobs.settings import Database

APPLICATION = "vitrina nightly"
# A lock that never comes free is an error; and PostgreSQL (14 or newer) notices while it waits that we have been killed.
SERVER_SETTINGS = "-c lock_timeout=60s -c client_connection_check_interval=2s"
PATIENCE = {"application_name": APPLICATION, "connect_timeout": 10, "keepalives_idle": 60, "options": SERVER_SETTINGS}
"""What we ask of a connection unless DATABASE_URL says otherwise."""
JDBC_PATIENCE = {"ApplicationName": APPLICATION, "options": SERVER_SETTINGS, "tcpKeepAlive": "true"}
CONNECTION_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


class Connection:
    """Statements are committed one by one, or together in a `transaction`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgresql")
        self.connect()

    def connect(self) -> None:
        """Connect, or connect anew."""
        self.connection = psycopg2.connect(**{**PATIENCE, **self.database.libpq_parameters})
        self.connection.autocommit = True

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement and return its rows, if it has any."""
        with self.connection.cursor() as cursor:
            self._wait_for(cursor.execute, statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Yield a function that executes one statement and returns the cursor; commit them all at the end, or none."""
        self.connection.autocommit = False
        try:
            with self.connection.cursor() as cursor:

                def execute(statement: str, *values: Any) -> Any:
                    self._wait_for(cursor.execute, statement, values)
                    return cursor

                yield execute
            self._wait_for(self.connection.commit)
        except BaseException:
            with suppress(psycopg2.Error):  # a lost connection has rolled back by itself
                self._wait_for(self.connection.rollback)
            raise
        finally:
            if not self.connection.closed:
                self.connection.autocommit = True

    def close(self) -> None:
        """Let go of all locks and close the connection; of a closed one PostgreSQL frees them a moment later."""
        with suppress(*CONNECTION_LOST):
            self.query("select pg_advisory_unlock_all()")
        self.connection.close()
        self._worker.shutdown()

    def _wait_for(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Let another thread wait for PostgreSQL, so that this one hears a signal: the statement is then taken back."""
        called = self._worker.submit(call, *arguments)
        try:
            called.result()
        except BaseException:
            if not called.done():
                with suppress(psycopg2.Error):
                    self.connection.cancel()
                wait([called], timeout=5)
            raise

"""A connection to PostgreSQL that times out, hears signals while it waits, and commits a transaction as a whole."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extras import Json

from spark_jobs.database import Database
from spark_jobs.settings import ConfigurationError

APPLICATION = "vitrina nightly"
LOCK_TIMEOUT = 60
"""Seconds after which waiting for a lock ends in an error."""
PROTECTIONS = {
    "lock_timeout": f"{LOCK_TIMEOUT}s",
    "client_connection_check_interval": "2s",  # PostgreSQL (14 or newer) must notice when our process is killed
}
"""PostgreSQL's settings in each of our sessions, except those that DATABASE_URL or PGOPTIONS sets."""
PROTECT = """
    select set_config(name, %s::json ->> name, false) from pg_settings
    where name = any(%s) and source <> 'client'
"""
CONNECTION_DEFAULTS: dict[str, str | int] = {
    "application_name": APPLICATION,
    "connect_timeout": 10,
    "keepalives_idle": 60,
}
"""Connection parameters; those in DATABASE_URL take precedence."""
JDBC_DEFAULTS = {"ApplicationName": APPLICATION, "tcpKeepAlive": "true"}
CONNECTION_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


class Connection:
    """One session, open for the life of the application: its advisory locks live and die with it.

    Each statement is its own transaction, unless it runs in `transaction`.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgresql")
        self.reconnect()
        self.jdbc_protections = read_jdbc_protections(database)

    def reconnect(self) -> None:
        """Open a new session. Raises ConfigurationError if libpq does not accept the parameters."""
        try:
            self.connection = psycopg2.connect(**connection_parameters(self.database))
        except (psycopg2.ProgrammingError, ValueError) as error:  # a parameter or a character that libpq does not know
            raise ConfigurationError(f"DATABASE_URL is not valid: {error}") from None
        self.connection.autocommit = True
        self.query(PROTECT, Json(PROTECTIONS), list(PROTECTIONS))

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement and return its rows, if any."""
        with self.connection.cursor() as cursor:
            self._wait_for(cursor.execute, statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[Callable[..., Any]]:
        """Yield a function that executes a statement and returns the cursor; commit at the end, or roll back."""
        self.connection.autocommit = False
        try:
            with self.connection.cursor() as cursor:

                def execute(statement: str, *values: Any) -> Any:
                    self._wait_for(cursor.execute, statement, values)
                    return cursor

                yield execute
            self._wait_for(self.connection.commit)
        except BaseException:
            with suppress(psycopg2.Error):  # if the connection is lost, PostgreSQL has rolled back
                self._wait_for(self.connection.rollback)
            raise
        finally:
            if not self.connection.closed:
                self.connection.autocommit = True

    def close(self) -> None:
        """Release all locks and close the session; PostgreSQL itself would release them only a moment later."""
        with suppress(*CONNECTION_LOST):
            self.query("select pg_advisory_unlock_all()")
        self.connection.close()
        self._worker.shutdown()

    def _wait_for(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Wait for PostgreSQL in another thread, so that a signal interrupts us; the statement is then cancelled."""
        called = self._worker.submit(call, *arguments)
        try:
            called.result()
        except BaseException:
            if not called.done():
                with suppress(psycopg2.Error):
                    self.connection.cancel()
                wait([called], timeout=5)
            raise


def connection_parameters(database: Database) -> dict[str, str | int]:
    """Return the keyword arguments for psycopg2.connect. Any text can be stored, whatever PGCLIENTENCODING says."""
    return {**CONNECTION_DEFAULTS, **database.libpq_parameters, "client_encoding": "UTF8"}


def read_jdbc_protections(database: Database) -> dict[str, str]:
    """Return the properties that protect JDBC connections, after trying with a connection whether they have an effect.

    Spark's JDBC writer runs no statement when it connects, so the protections are start-up options; those of DATABASE_URL
    come last and win. Connection proxies refuse or ignore start-up options; there, the driver limits each statement.
    """
    options = " ".join([*(f"-c {name}={value}" for name, value in PROTECTIONS.items()), database.options])
    parameters = {**connection_parameters(database), "options": options}
    with (
        suppress(*CONNECTION_LOST),
        closing(psycopg2.connect(**parameters)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select from pg_settings where name = any(%s) and source = 'client'", [list(PROTECTIONS)])
        if cursor.rowcount == len(PROTECTIONS):
            return {"options": options}
    return {"queryTimeout": str(LOCK_TIMEOUT)}

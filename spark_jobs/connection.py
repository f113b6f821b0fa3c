"""A connection to PostgreSQL that gives up in time, hears signals while it waits, and commits all or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2.extras import wait_select

from spark_jobs.settings import Database

APPLICATION = "vitrina nightly"
# A lock that never comes free is an error; and PostgreSQL (14 or newer) notices while it waits that we have been killed.
SERVER_SETTINGS = "-c lock_timeout=60s -c client_connection_check_interval=2s"
PATIENCE = {"application_name": APPLICATION, "connect_timeout": 10, "keepalives_idle": 60, "options": SERVER_SETTINGS}
"""What we ask of a connection unless DATABASE_URL says otherwise."""
JDBC_PATIENCE = {"ApplicationName": APPLICATION, "options": SERVER_SETTINGS, "tcpKeepAlive": "true"}
CONNECTION_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


def wait_or_cancel(connection: Any) -> None:
    """Wait for PostgreSQL, and hear a signal meanwhile: the statement is taken back, so that its locks come free at once."""
    try:
        wait_select(connection)
    except psycopg2.Error:
        raise
    except BaseException:
        connection.cancel()
        raise


class Connection:
    """Statements are committed one by one, or together in a `transaction`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connect()

    def connect(self) -> None:
        """Connect, or connect anew; only libpq's own waiting keeps to connect_timeout, and says where nobody answers."""
        psycopg2.extensions.set_wait_callback(None)
        self.connection = psycopg2.connect(**{**PATIENCE, **self.database.libpq_parameters})
        psycopg2.extensions.set_wait_callback(wait_or_cancel)
        self.connection.autocommit = True

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement and return its rows, if it has any."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Yield a function that executes one statement and returns the cursor; commit them all at the end, or none."""
        self.connection.autocommit = False
        try:
            with self.connection.cursor() as cursor:

                def execute(statement: str, *values: Any) -> Any:
                    cursor.execute(statement, values)
                    return cursor

                yield execute
            self.connection.commit()
        except BaseException:
            with suppress(psycopg2.Error):  # a lost connection has rolled back by itself
                self.connection.rollback()
            raise
        finally:
            if not self.connection.closed:
                self.connection.autocommit = True

    def close(self) -> None:
        """Let go of all locks and close the connection; of a closed one PostgreSQL frees them a moment later."""
        with suppress(*CONNECTION_LOST):
            self.query("select pg_advisory_unlock_all()")
        self.connection.close()
